"""The inner loops, by pytest-benchmark (benchmarks/test_kernels.py)."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import images, report


def main(arguments: list[str]) -> int:
    """Run the benchmark; arguments go to pytest."""
    if {"-h", "--help"} & set(arguments):
        print(f"{__doc__}\n\nusage: ./run bench kernels [PYTEST ARGUMENT...], such as -k metric")
        return 0
    with tempfile.TemporaryDirectory(prefix="tinyjpg-bench-") as name:
        answer = Path(name) / "kernels.json"
        command = [
            *(sys.executable, "-m", "pytest", "benchmarks/test_kernels.py"),
            # The project's own options skip benchmarks.
            *("-o", "addopts=--import-mode=importlib -p no:cacheprovider"),
            *("--benchmark-only", "--benchmark-disable-gc", f"--benchmark-json={answer}"),
            *arguments,
        ]
        status = subprocess.run(command, cwd=images.ROOT, check=False).returncode
        if status:
            return status
        measured = json.loads(answer.read_text("utf-8"))["benchmarks"]
    rows = [
        [
            one["name"].removeprefix("test_"),
            f"{one['stats']['median'] * 1e3:.3f}",
            f"{one['stats']['iqr'] * 1e3:.3f}",
            str(one["stats"]["rounds"]),
            _speed(one),
        ]
        for one in measured
    ]
    columns = ["kernel", "median ms", "interquartile ms", "rounds", "speed"]
    report.publish(
        "kernels",
        shlex.join(["./run", "bench", "kernels", *arguments]),
        [report.table(columns, rows), report.environment()],
        save=not arguments,
    )
    return 0


def _speed(one: dict[str, dict[str, float]]) -> str:
    information, stats = one["extra_info"], one["stats"]
    if "megapixels" in information:
        return f"{information['megapixels'] / stats['median']:.1f} MP/s"
    return f"{information['megabytes'] / stats['median']:.0f} MB/s"
