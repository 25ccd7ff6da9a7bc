"""The native sources, compiled with the compiler's sanitizers, touch only what is theirs."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

NATIVE = Path(__file__).resolve().parents[2] / "native"
COMPILER = shlex.split(os.environ.get("CC", "cc"))
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


# As in the package, so that what is checked are the vectorised loops.
VECTORISED = ["-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast"]
# Quick to compile.
SIMPLE = ["-O1"]


def compile_with_sanitizers(
    sources: list[Path], program: Path, optimisation: list[str] = SIMPLE
) -> subprocess.CompletedProcess[str]:
    warnings = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
    flags = [*optimisation, "-g", *warnings, *SANITIZERS]
    return subprocess.run(
        [*COMPILER, *flags, *map(str, sources), "-lm", "-o", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def run(program: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(program)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        # Impossible sizes must come back as a failed allocation, not as the sanitizer's complaint.
        env={"ASAN_OPTIONS": "allocator_may_return_null=1", "UBSAN_OPTIONS": "print_stacktrace=1"},
    )


@pytest.fixture(scope="module", autouse=True)
def _sanitizers(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("sanitizers")
    empty = folder / "empty.c"
    empty.write_text("int main(void) { return 0; }\n")
    try:
        compiled = compile_with_sanitizers([empty], folder / "empty")
    except FileNotFoundError:
        pytest.skip(f"no C compiler was found (looked for {COMPILER[0]!r})")
    if compiled.returncode or run(folder / "empty").returncode:
        pytest.skip(f"{COMPILER[0]!r} has no address and undefined-behaviour sanitizers here")


@pytest.mark.parametrize(
    ("driver", "included", "optimisation"),
    [
        ("sanitize.c", (), VECTORISED),
        ("sanitize_gif.c", (), SIMPLE),
        ("sanitize_jpeg.c", (), VECTORISED),
        ("allocation.c", ("stream.c", "ssimulacra2.c", "ssimulacra2_gradient.c"), SIMPLE),
        (
            "allocation_jpeg.c",
            ("analysis.c", "reconstruct.c", "tokens.c", "encoder.c", "refine.c"),
            SIMPLE,
        ),
    ],
)
def test_native_code_is_clean(
    driver: str, included: tuple[str, ...], optimisation: list[str], tmp_path: Path
) -> None:
    sources = [path for path in (NATIVE / "src").rglob("*.c") if path.name not in included]
    assert sources
    program = tmp_path / "program"
    sources.append(NATIVE / "tests" / driver)
    compiled = compile_with_sanitizers(sources, program, optimisation)
    assert compiled.returncode == 0, compiled.stderr
    done = run(program)
    assert (done.returncode, done.stdout) == (0, "clean\n"), done.stderr


def test_the_sanitizers_notice_a_read_out_of_bounds(tmp_path: Path) -> None:
    source = tmp_path / "faulty.c"
    source.write_text(
        "#include <stdlib.h>\n"
        "int main(int count, char **arguments) {\n"
        "    (void)arguments;\n"
        "    char *memory = calloc((size_t)count, 1);\n"
        "    int beyond = memory[count];\n"
        "    free(memory);\n"
        "    return beyond;\n"
        "}\n"
    )
    assert compile_with_sanitizers([source], tmp_path / "faulty").returncode == 0
    done = run(tmp_path / "faulty")
    assert done.returncode != 0
    assert "heap-buffer-overflow" in done.stderr
