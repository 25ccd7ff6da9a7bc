"""mozjpeg's lossless transcoder (package mozjpeg-lossless-optimization), in a process of its own.

On some damaged files, which decode without complaint, the library ends its process (\"DCT
coefficient out of range\" calls exit), and the caller's must not be that process.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import Final

from tinyjpg.environment import environment
from tinyjpg.errors import CorruptImageError, DeadlineExceededError, MissingToolError
from tinyjpg.limits import Deadline

_PACKAGE: Final = "mozjpeg_lossless_optimization"
_PROGRAM: Final = f"""
import sys
import {_PACKAGE} as mozjpeg
jpeg = sys.stdin.buffer.read()
sys.stdout.buffer.write(mozjpeg.optimize(jpeg, mozjpeg.COPY_MARKERS.NONE))
"""
# It takes 0.2 s a megapixel at most, so whatever takes this many seconds hangs.
_LONGEST: Final = 600.0


def repack(jpeg: bytes, deadline: Deadline) -> bytes:
    """The same coefficients in the smallest progressive file mozjpeg can find, without metadata.

    Args:
        jpeg: a file whose first picture is 8-bit and Huffman-coded.

    Raises:
        CorruptImageError: mozjpeg cannot read it, or its coefficients are out of range.
        DeadlineExceededError: it was stopped because time ran out.
        MissingToolError: it is not installed.
    """
    deadline.check("repacking the JPEG")
    if importlib.util.find_spec(_PACKAGE) is None or not sys.executable:
        raise MissingToolError(
            "mozjpeg cannot be started: it needs a Python interpreter with the package "
            "mozjpeg-lossless-optimization; install it with: "
            "pip install mozjpeg-lossless-optimization"
        )
    with subprocess.Popen(
        [sys.executable, "-P", "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as process:
        try:
            repacked, complaints = process.communicate(jpeg, timeout=deadline.remaining(_LONGEST))
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise DeadlineExceededError(
                "mozjpeg was stopped because time ran out; allow more seconds in Limits.deadline"
            ) from error
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0 or not repacked:
        raise CorruptImageError(
            f"the JPEG's coefficients cannot be repacked: "
            f"{_reason(process.returncode, complaints)}; export or download it again"
        )
    return repacked


def _reason(status: int, complaints: bytes) -> str:
    if status < 0:
        return f"mozjpeg crashed with signal {-status}"
    lines = complaints.decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:300] if lines else f"mozjpeg ended with status {status}"
