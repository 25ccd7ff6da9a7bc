"""What tests of the pages share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.people import Person
from tests.server.running import RunningServer


@pytest.fixture
def visitor(server: RunningServer) -> Iterator[Person]:
    """Somebody who is not logged in."""
    with Person(server) as person:
        yield person


@pytest.fixture(scope="module")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A service that takes two images a day of each address, which its proxy tells."""
    environment = {"TINYJPG_VISITOR_IMAGES": "2", "TINYJPG_TRUST_PROXY": "true"}
    data = tmp_path_factory.mktemp("strict") / "data"
    with RunningServer(data, environment=environment) as running:
        yield running
