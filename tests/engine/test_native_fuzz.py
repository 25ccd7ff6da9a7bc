"""`./run fuzz`: the JPEG encoder under libFuzzer, for a moment."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

RUN = Path(__file__).resolve().parents[2] / "run"


def fuzz(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(RUN), "fuzz", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env={**os.environ, "TINYJPG_FUZZ": str(folder), **variables},
    )


def has_fuzzer(folder: Path, compiler: str) -> bool:
    source = folder / "empty.c"
    source.write_text("int LLVMFuzzerTestOneInput(void) { return 0; }\n")
    command = [compiler, "-fsanitize=fuzzer,address,undefined", str(source)]
    done = subprocess.run([*command, "-o", folder / "empty"], capture_output=True, check=False)
    return done.returncode == 0


def test_two_thousand_inputs_do_no_harm(tmp_path: Path) -> None:
    compiler = os.environ.get("CLANG", "clang")
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} was not found; apt install clang")
    if not has_fuzzer(tmp_path, compiler):
        pytest.skip(f"{compiler} has no libFuzzer here; apt install libclang-rt-14-dev")
    done = fuzz(tmp_path / "fuzz", "-runs=2000", "-seed=1", "-max_len=512")
    assert done.returncode == 0, done.stderr
    assert "Done 2000 runs" in done.stderr
    # It did reach the encoder: inputs that found new code are kept.
    assert len(list((tmp_path / "fuzz" / "corpus").iterdir())) > 20


def test_a_missing_compiler_is_said(tmp_path: Path) -> None:
    done = fuzz(tmp_path / "fuzz", CLANG="no-such-compiler")
    assert done.returncode == 1
    assert "apt install clang" in done.stderr
