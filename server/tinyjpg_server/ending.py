"""The end of a process that has used obstore: without taking the interpreter down.

obstore's threads let go of Python objects a moment after they have answered. One that does so
while the interpreter is taken down aborts the process: a command that has done its work ends with
SIGABRT.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable


def run(command: Callable[[], object]) -> None:
    """Call `command` and let the process end with its status.

    Threads are waited for and what was registered with `atexit` meanwhile is called; what was
    before, and finalisers of what is left, are not.
    """
    ending = _Ending()
    # What is registered first is called last.
    atexit.register(ending.now)
    try:
        command()
        ending.status = 0
    except SystemExit as error:
        ending.status = _status_of(error)
        raise


class _Ending:
    def __init__(self) -> None:
        # That of an exception, until the command has ended otherwise.
        self.status = 1

    def now(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(self.status)


def _status_of(error: SystemExit) -> int:
    if error.code is None:
        return 0
    return error.code if isinstance(error.code, int) else 1
