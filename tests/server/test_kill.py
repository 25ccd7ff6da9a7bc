"""SIGKILL of any part at any moment: no image lost, none charged twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.killing import VICTIMS, kill_while_working

IMAGES = 12


@pytest.mark.parametrize("victim", VICTIMS)
def test_nothing_is_lost_and_nothing_charged_twice(tmp_path: Path, victim: str) -> None:
    # Longer than a start takes.
    pause = 0.4 if victim == "child" else 1.5
    ended = kill_while_working(tmp_path / "data", victim, IMAGES, pause=pause)
    assert ended.faults == []
    assert ended.outcomes == {"completed": IMAGES}
    assert ended.kills > 0
