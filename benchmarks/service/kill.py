"""SIGKILL of a child, a worker and the whole server at random moments, with many images."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Final

from benchmarks import report
from tests.server.killing import VICTIMS, kill_while_working

_WHOLE: Final = 300
# Seconds between kills, on average: more than a start takes, or nothing is ever worked on.
_PAUSE: Final = {"child": 1.0, "worker": 3.0, "server": 6.0}


def main(arguments: list[str]) -> int:
    """Run the benchmark; 1 if anything is lost or charged wrongly."""
    parser = argparse.ArgumentParser(prog="./run bench service kill", description=__doc__)
    parser.add_argument(
        "--images", type=int, default=_WHOLE, help="of each victim (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    rows, faults = [], []
    for victim in VICTIMS:
        with tempfile.TemporaryDirectory(prefix="tinyjpg-kill-") as folder:
            ended = kill_while_working(
                Path(folder) / "data", victim, options.images, pause=_PAUSE[victim]
            )
        outcomes = ", ".join(f"{count} {name}" for name, count in ended.outcomes.most_common())
        rows.append([victim, str(ended.kills), outcomes, str(ended.used), str(ended.pending)])
        faults += [f"{victim}: {fault}" for fault in ended.faults]
    report.publish(
        "service-kill",
        f"./run bench service kill --images {options.images}",
        [
            (
                f"{options.images} images of each victim, uploaded under an Idempotency-Key until "
                "answered, two workers."
            ),
            report.table(["killed", "times", "images", "charged", "still reserved"], rows),
            "\n".join(f"- WRONG: {fault}" for fault in faults) or "Nothing lost, nothing wrong.",
            report.environment(),
        ],
        save=options.images >= _WHOLE,
    )
    return bool(faults)
