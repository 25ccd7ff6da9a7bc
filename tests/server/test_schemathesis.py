"""Whatever /openapi.json allows and forbids, asked at random: all checks of schemathesis."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.clients import new_account
from tests.server.running import RunningServer

_ROOT = Path(__file__).parents[2]
# Of each operation.
EXAMPLES = os.environ.get("TINYJPG_SCHEMATHESIS_EXAMPLES", "15")


@pytest.fixture(scope="module")
def unlimited(tmp_path_factory: pytest.TempPathFactory) -> RunningServer:
    return RunningServer(tmp_path_factory.mktemp("schemathesis") / "data", workers=1)


def test_the_service_does_what_its_document_says(unlimited: RunningServer, tmp_path: Path) -> None:
    with unlimited as server:
        account = new_account(server, "Operator")
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")),
                "run",
                f"{server.url}/openapi.json",
                "--header",
                f"X-API-Key: {account.key}",
                "--checks",
                "all",
                "--max-examples",
                EXAMPLES,
                "--seed",
                "1",
                "--no-color",
                "--request-timeout",
                "30",
            ],
            check=False,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={
                **os.environ,
                "SCHEMATHESIS_HOOKS": "tests.server.schemathesis_hooks",
                "PYTHONPATH": str(_ROOT),
            },
            timeout=300,
        )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
