"""Die with the parent: nothing of the service outlives its supervisor, not even kill -9 of it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
# Seconds between looks where the system cannot tell.
_LOOK: Final = 1.0


def die_with_parent(parent: int, sig: int = signal.SIGKILL) -> None:
    """Have `sig` sent to this process when its parent dies; ends it if the parent is dead already.

    Linux does that itself; elsewhere a thread looks once a second.

    Args:
        parent: the process that started this one.
        sig: what it gets.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, sig) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
        if os.getppid() != parent:
            os.kill(os.getpid(), sig)
        return
    threading.Thread(target=_watch, args=(parent, sig), daemon=True, name="parent").start()


def _watch(parent: int, sig: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK)
    os.kill(os.getpid(), sig)
