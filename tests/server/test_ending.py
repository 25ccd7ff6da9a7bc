"""How the server's processes end."""

from __future__ import annotations

import subprocess
import sys

import pytest

# `left` is finalised only where the interpreter is taken down.
SCRIPT = """
import atexit, sys, threading, time
from tinyjpg_server import ending

class Left:
    def __del__(self, write=sys.stdout.write):
        write("taken down ")

left = Left()
atexit.register(lambda: sys.stdout.write("registered before "))

def command():
    atexit.register(lambda: sys.stdout.write("registered within "))
    threading.Thread(target=lambda: (time.sleep(0.2), sys.stdout.write("thread "))).start()
    {last}

{call}
"""


def ended(last: str, call: str = "ending.run(command)") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SCRIPT.format(last=last, call=call)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("last", "status"),
    [
        ("pass", 0),
        ("sys.exit()", 0),
        ("sys.exit(3)", 3),
        ("sys.exit('why')", 1),
        ("raise ValueError('why')", 1),
    ],
)
def test_all_is_done_but_nothing_taken_down(last: str, status: int) -> None:
    done = ended(last)
    assert done.returncode == status
    assert done.stdout == "thread registered within "
    assert ("why" in done.stderr) == ("why" in last)


def test_an_interpreter_is_taken_down_otherwise() -> None:
    assert ended("pass", call="command()").stdout.endswith("registered before taken down ")


def test_commands_that_use_the_store_do_not_abort() -> None:
    # Without `ending` one of six or so was.
    script = """
import asyncio, sys
from tinyjpg_server import ending
from tinyjpg_server.errors import StorageError
from tinyjpg_server.storage.store import memory_store

def command():
    try:
        asyncio.run(memory_store().get("original/missing"))
    except StorageError:
        sys.exit(7)

ending.run(command)
"""
    running = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(8)]
    assert [process.wait(60) for process in running] == [7] * 8
