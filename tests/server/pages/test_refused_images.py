"""Refused images cost no allowance, so their number is bounded."""

from __future__ import annotations

import httpx
import pytest

from tests.server.clients import picture
from tests.server.pages.seeding import restore_anonymous
from tests.server.pages.visiting import Visit, Visitor
from tinyjpg_server.db.database import Database

pytestmark = pytest.mark.anyio

ADDRESS = "192.0.2.77"
MOST = 60


@pytest.fixture(autouse=True)
async def anonymous(database: Database) -> None:
    await restore_anonymous(database)


async def send(visitor: Visitor, image: bytes, token: str = "") -> httpx.Response:
    return await visitor.client.post(
        "/web/images",
        files={"image": ("a.png", image)},
        headers={"X-Form-Token": token or await visitor.token("/")},
    )


async def send_rubbish(visitor: Visitor, times: int) -> set[int]:
    token = await visitor.token("/")
    return {
        (await send(visitor, b"%d is no image, whatever its name" % n, token)).status_code
        for n in range(times)
    }


async def test_an_address_whose_images_are_refused_must_wait(visit: Visit) -> None:
    async with visit(ADDRESS) as visitor, visit("192.0.2.78") as neighbour:
        assert await send_rubbish(visitor, MOST) == {415}
        # Before it is looked at.
        answer = await send(visitor, picture())
        assert answer.status_code == 429
        assert answer.json()["code"] == "rate_limited"
        assert 0 < int(answer.headers["Retry-After"]) <= 60
        assert (await send(neighbour, picture())).status_code == 200
        assert "20 of 20 images left" in (await visitor.get("/")).text


async def test_the_form_without_scripts_counts_too(visit: Visit) -> None:
    async with visit(ADDRESS) as visitor:
        fields = {"form_token": await visitor.token("/"), "quality": "80"}
        assert await send_rubbish(visitor, MOST - 1) == {415}
        for image, status in ((b"no image" * 9, 415), (picture(), 429)):
            answer = await visitor.client.post("/", data=fields, files={"image": ("a.png", image)})
            assert answer.status_code == status
        assert "Too many images from your address were refused" in answer.text


async def test_a_new_address_of_the_same_network_does_not_help(visit: Visit) -> None:
    async with visit("2001:db8::1") as visitor, visit("2001:db8::2") as same:
        assert await send_rubbish(visitor, MOST) == {415}
        assert (await send(same, picture())).status_code == 429


async def test_what_is_taken_counts_for_nothing(visit: Visit) -> None:
    async with visit(ADDRESS, visitor_images=MOST + 10) as visitor:
        token = await visitor.token("/")
        for _ in range(MOST + 1):
            assert (await send(visitor, picture(), token)).status_code == 200
