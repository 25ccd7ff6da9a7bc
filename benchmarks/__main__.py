"""`python -m benchmarks [NAME...] [ARGUMENT...]`: run benchmarks by name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import (
    bytes_saved,
    calibrate,
    jpeg_encoders,
    kernels,
    memory,
    peers_compared,
    throughput,
)
from benchmarks.images import corpora
from benchmarks.service import command as service

_HELP = frozenset({"-h", "--help"})


def _calibrate(arguments: list[str]) -> int:
    folder = corpora()
    names_a_folder = bool(arguments) and not arguments[0].startswith("-")
    if folder is not None and not names_a_folder and not _HELP & set(arguments):
        arguments = [str(folder), *arguments]
    return calibrate.main(arguments)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One name on the command line.

    Attributes:
        summary: what it measures, for the list.
        main: takes the arguments behind the name, returns an exit status.
        by_default: whether it runs when no name is given.
    """

    summary: str
    main: Callable[[list[str]], int]
    by_default: bool = True


BENCHMARKS = {
    "throughput": Benchmark("JPEG megapixels a second against sharp", throughput.main),
    "memory": Benchmark("peak memory of a 100 MP JPEG and a 50 MP PNG", memory.main),
    "bytes": Benchmark("bytes saved on every folder of the corpora", bytes_saved.main),
    "kernels": Benchmark("the inner loops, by pytest-benchmark", kernels.main),
    "encoder": Benchmark(
        "the JPEG encoder against mozjpeg: bytes at equal score, and speed",
        jpeg_encoders.main,
        by_default=False,
    ),
    "peers": Benchmark(
        "bytes at equal score, scores, time and memory against peers (slow)",
        peers_compared.main,
        by_default=False,
    ),
    "service": Benchmark(
        "the service: overhead, soak, kill (slow)", service.main, by_default=False
    ),
    "calibrate": Benchmark(
        "measure anew which setting reaches which quality (slow)", _calibrate, by_default=False
    ),
}


def _usage() -> str:
    width = max(map(len, BENCHMARKS))
    lines = [f"  {name:{width}}  {one.summary}" for name, one in BENCHMARKS.items()]
    standard = ", ".join(name for name, one in BENCHMARKS.items() if one.by_default)
    return "\n".join(
        [
            "usage: ./run bench [NAME...] [ARGUMENT...]",
            "",
            *lines,
            "",
            f"Without a name: {standard}. Arguments go to every benchmark named;",
            "./run bench NAME --help lists them. Real images are looked for in ../shared/corpora,",
            "or in TINYJPG_SHARED/corpora; without them photographs out of packages stand in.",
        ]
    )


def main(arguments: list[str]) -> int:
    """Run what `arguments` name; 0 when all went well, 2 for a name that does not exist."""
    names: list[str] = []
    while arguments and arguments[0] in BENCHMARKS:
        name, *arguments = arguments
        names.append(name)
    if not names and arguments and not arguments[0].startswith("-"):
        print(f"no benchmark is called {arguments[0]}\n\n{_usage()}", file=sys.stderr)
        return 2
    if not names and _HELP & set(arguments):
        print(_usage())
        return 0
    names = names or [name for name, one in BENCHMARKS.items() if one.by_default]
    return max(BENCHMARKS[name].main(arguments) for name in names)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
