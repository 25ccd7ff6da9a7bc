"""The other end of the protocol: starts an encoder's process and has images encoded."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.peers.session import PeerFailedError

_ROOT = Path(__file__).resolve().parents[3]


class EncodeError(Exception):
    """A peer could not encode an image; the message is its own."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """What a peer says of an image it wrote.

    Attributes:
        cpu: seconds, user and system, of the process and its children.
        method, score, probes: of the result, None where the peer does not tell.
    """

    cpu: float
    method: str | None = None
    score: float | None = None
    probes: int | None = None


class Encoder:
    """One process of a peer; a context manager, which kills it when it is left by an exception.

    Args:
        command: of the process.

    Raises:
        PeerFailedError: the process ended before it was ready; what it said is on standard error.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process = subprocess.Popen(
            command,
            cwd=_ROOT,
            # One thread, for everything built on libvips or OpenMP.
            env={**os.environ, "VIPS_CONCURRENCY": "1", "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Ctrl-C is for the benchmark, which then ends its peers.
            start_new_session=True,
        )
        self.peak = 0
        self._children_peak = 0
        self.version: str = self._answer()["version"]

    def encode(self, source: Path, output: Path, setting: int) -> Encoded:
        """Have `output` written.

        Raises:
            EncodeError: the peer refused the image.
            PeerFailedError: the process ended.
        """
        request = {"source": str(source), "output": str(output), "setting": setting}
        stdin = self._process.stdin
        assert stdin is not None
        # A process that is gone shows in the answer it does not give.
        with contextlib.suppress(BrokenPipeError):
            stdin.write(json.dumps(request) + "\n")
            stdin.flush()
        answer = self._answer()
        if "error" in answer:
            raise EncodeError(answer["error"])
        self._children_peak = max(self._children_peak, answer.get("children_peak", 0))
        return Encoded(
            answer["cpu"], answer.get("method"), answer.get("score"), answer.get("probes")
        )

    def close(self) -> None:
        """End the process; afterwards `peak` is the most memory it or a child used, in bytes."""
        if self._process.returncode is not None:
            return
        self.peak = max(self._children_peak, _peak_of(self._process.pid))
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        if sys.platform == "darwin":
            self.peak = usage.ru_maxrss

    def _answer(self) -> dict[str, Any]:
        stdout = self._process.stdout
        assert stdout is not None
        line = stdout.readline()
        if not line:
            self.close()
            raise PeerFailedError(
                f"{Path(self._command[-1]).name} ended with status {self._process.returncode}; "
                "what it said is above"
            )
        message: dict[str, Any] = json.loads(line)
        return message

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None and self._process.returncode is None:
            # Nobody waits for what it is doing, nor for a program it runs.
            os.killpg(self._process.pid, signal.SIGKILL)
        self.close()


def _peak_of(process: int) -> int:
    """The most resident memory of a process, in bytes; 0 where the system does not tell.

    Not `ru_maxrss` of `wait4`: on Linux a child begins with that of the process that started it.
    """
    status = Path(f"/proc/{process}/status")
    if status.is_file():
        for line in status.read_text("utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0
