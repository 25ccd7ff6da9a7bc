"""/dashboard: keys, quota, what was done, and images."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import insert

from tests.server.account_tools import make_user
from tests.server.pages.seeding import add_image
from tests.server.pages.visiting import Visit, Visitor
from tinyjpg_server.accounts import keys
from tinyjpg_server.accounts.caller import caller_of_key
from tinyjpg_server.accounts.users import User
from tinyjpg_server.db import clock
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import usage
from tinyjpg_server.errors import UnauthorizedError
from tinyjpg_server.pages import words

pytestmark = pytest.mark.anyio

_SECRET = re.compile(r"tj_[0-9A-Za-z]{43}")


def secret_in(answer: httpx.Response) -> str:
    found: set[str] = set(_SECRET.findall(answer.text))
    assert len(found) == 1, answer.text
    return found.pop()


def text_of(answer: httpx.Response) -> str:
    """What people read of a page, one space between words."""
    assert answer.status_code == 200, answer.text
    without = re.sub(r"<(svg|title|option)\b.*?</\1>|<[^>]+>", " ", answer.text, flags=re.DOTALL)
    return " ".join(without.split())


async def works(database: Database, secret: str) -> bool:
    async with database.read() as connection:
        try:
            await caller_of_key(connection, secret, clock.now())
        except UnauthorizedError:
            return False
    return True


async def issue(database: Database, user: User, name: str = "shop") -> tuple[keys.ApiKey, str]:
    async with database.write() as connection:
        return await keys.issue(connection, user.id, name, clock.now())


async def add(database: Database, user: User, **values: Any) -> Any:
    async with database.write() as connection:
        return await add_image(connection, user.id, **values)


async def test_a_new_account_is_told_what_to_do(ann: Visitor) -> None:
    text = text_of(await ann.get("/dashboard"))
    for said in (
        "No key yet",
        "No images yet",
        "Nothing to count yet",
        "0 of 500 images; 500 left",
        "Plan Free",
    ):
        assert said in text


async def test_a_key_is_shown_once(ann: Visitor, database: Database) -> None:
    answer = await ann.send("/dashboard/keys", at="/dashboard", name="Web <shop>")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    secret = secret_in(answer)
    assert await works(database, secret)
    assert "Web &lt;shop&gt;" in answer.text
    again = await ann.get("/dashboard/keys")
    assert (again.status_code, again.headers["location"]) == (303, "/dashboard#keys")
    dashboard = await ann.get("/dashboard")
    assert secret not in dashboard.text
    assert f"{secret[:7]}…{secret[-4:]}" in dashboard.text
    assert "Web &lt;shop&gt;" in dashboard.text


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\x07b"])
async def test_names_that_are_not_taken(ann: Visitor, name: str) -> None:
    answer = await ann.send("/dashboard/keys", at="/dashboard", name=name)
    assert answer.status_code == 422
    assert "1 to 80 characters" in answer.text
    assert "No key yet" in answer.text


async def test_there_is_a_most_of_keys(ann: Visitor, user: User, database: Database) -> None:
    async with database.write() as connection:
        for number in range(keys.MOST_KEYS):
            await keys.issue(connection, user.id, f"key {number}", clock.now())
    answer = await ann.send("/dashboard/keys", at="/dashboard", name="one more")
    assert answer.status_code == 409
    assert "revoke one first" in answer.text
    assert 'value="one more"' in answer.text


async def test_revoking_asks_first(ann: Visitor, user: User, database: Database) -> None:
    key, secret = await issue(database, user, "Web shop")
    path = f"/dashboard/keys/{key.id}/revoke"
    asked = await ann.send(path, at="/dashboard")
    assert "Requests with the key “Web shop”" in text_of(asked)
    assert 'name="confirmed" value="yes"' in asked.text
    assert f'action="{path}"' in asked.text
    assert await works(database, secret)
    done = await ann.send(path, at="/dashboard", confirmed="yes")
    assert (done.status_code, done.headers["location"]) == (303, "/dashboard?done=revoked#keys")
    assert not await works(database, secret)
    text = text_of(await ann.get("/dashboard?done=revoked"))
    assert "The key is revoked" in text
    assert "Keys that work no more (1)" in text


async def test_keys_of_long_ago_are_not_all_listed(
    ann: Visitor, user: User, database: Database
) -> None:
    async with database.write() as connection:
        for number in range(25):
            key, _ = await keys.issue(connection, user.id, f"key {number}", clock.now())
            await keys.revoke(connection, user.id, key.id, clock.now())
    text = text_of(await ann.get("/dashboard"))
    assert "Keys that work no more (25, the last 20)" in text
    assert "key 24" in text
    assert "key 4 " not in text


async def test_rotating_asks_first_and_shows_the_new_key_once(
    ann: Visitor, user: User, database: Database
) -> None:
    key, old = await issue(database, user)
    path = f"/dashboard/keys/{key.id}/rotate"
    assert _SECRET.search((await ann.send(path, at="/dashboard")).text) is None
    answer = await ann.send(path, at="/dashboard", confirmed="yes")
    new = secret_in(answer)
    assert new != old
    assert "another 24 hours" in text_of(answer)
    assert await works(database, old)
    assert await works(database, new)
    assert "Rotated: works until" in text_of(await ann.get("/dashboard"))


async def test_a_key_that_works_no_more_cannot_be_rotated(
    ann: Visitor, user: User, database: Database
) -> None:
    key, _ = await issue(database, user)
    async with database.write() as connection:
        await keys.revoke(connection, user.id, key.id, clock.now())
    answer = await ann.send(f"/dashboard/keys/{key.id}/rotate", at="/dashboard", confirmed="yes")
    assert answer.status_code == 409
    assert "is revoked" in answer.text


@pytest.mark.parametrize("confirmed", ["yes", ""])
async def test_what_is_not_ones_own_is_not_there(
    ann: Visitor, database: Database, confirmed: str
) -> None:
    bob = await make_user(database, "bob@example.com")
    key, secret = await issue(database, bob)
    image = await add(database, bob)
    for path in (
        f"/dashboard/keys/{key.id}/revoke",
        f"/dashboard/keys/{key.id}/rotate",
        f"/dashboard/keys/{2**70}/revoke",
        f"/dashboard/images/{image.id}/delete",
        f"/dashboard/images/{2**70}/delete",
        "/dashboard/images/x/delete",
    ):
        answer = await ann.send(path, at="/dashboard", confirmed=confirmed)
        assert answer.status_code == 404, path
    assert await works(database, secret)
    assert image.name not in (await ann.get("/dashboard")).text


async def test_only_forms_of_the_own_session_are_taken(
    ann: Visitor, visit: Visit, user: User, database: Database
) -> None:
    key, secret = await issue(database, user)
    image = await add(database, user)
    token = await ann.token("/dashboard")
    for path in (
        "/dashboard/keys",
        f"/dashboard/keys/{key.id}/revoke",
        f"/dashboard/keys/{key.id}/rotate",
        f"/dashboard/images/{image.id}/delete",
    ):
        good = {"confirmed": "yes", "name": "x"}
        assert (await ann.post(path, good)).status_code == 403
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "same-site"}):
            answer = await ann.post(path, {**good, "form_token": token}, headers)
            assert answer.status_code == 403
        async with visit() as stranger:
            foreign = await stranger.token("/log-in")
            assert (await ann.post(path, {**good, "form_token": foreign})).status_code == 403
            answer = await stranger.post(path, {**good, "form_token": foreign})
            assert (answer.status_code, answer.headers["location"]) == (303, "/log-in")
    assert await works(database, secret)
    assert image.name in (await ann.get("/dashboard")).text


async def test_the_quota_is_drawn_and_told(ann: Visitor, user: User, database: Database) -> None:
    now = clock.now()
    async with database.write() as connection:
        month = clock.month_of(now)
        await connection.execute(
            insert(usage).values(account_id=user.id, month=month, used=450, reserved=3)
        )
    answer = await ann.get("/dashboard")
    text = text_of(answer)
    assert "453 of 500 images, 3 of them in work; 47 left." in text
    assert f"Starts anew on {words.date(clock.next_month(now))}" in text
    assert 'max="500" value="453"' in answer.text


async def test_a_smaller_plan_leaves_nothing(ann: Visitor, user: User, database: Database) -> None:
    async with database.write() as connection:
        month = clock.month_of(clock.now())
        await connection.execute(insert(usage).values(account_id=user.id, month=month, used=900))
    answer = await ann.get("/dashboard")
    assert "900 of 500 images; none left." in text_of(answer)
    assert 'max="500" value="500"' in answer.text


async def test_the_figures_are_those_of_the_api(
    ann: Visitor, user: User, database: Database
) -> None:
    now = clock.now()
    for number, kind in enumerate(("jpeg", "jpeg", "png", "gif")):
        then = now - timedelta(days=31 * number)
        await add(database, user, now=then, format=kind, original_size=1_234_000 + 99 * number)
    await add(database, user, status="failed")
    _, secret = await issue(database, user)
    got = await ann.client.get("/api/v1/usage", headers={"X-API-Key": secret})
    report = got.json()["data"]
    answer = await ann.get("/dashboard")
    text = text_of(answer)
    total = report["compression"]
    size, percent = words.size, words.percent
    for said in (
        f"Images {total['images']} {total['failed']} failed",
        f"Saved {size(total['saved_bytes'])} {percent(total['compression_ratio'])} of all bytes",
        f"Original {size(total['original_bytes'])} now {size(total['optimized_bytes'])}",
        f"Saved per image {percent(total['average_compression_ratio'])}",
        f"best {percent(total['best_compression_ratio'])}",
        f"Score {words.score(total['average_score'])}",
        f"Time {total['average_processing_time']:.2f} s",
    ):
        assert said in text
    for month in report["monthly_trends"]:
        row = (
            month["month"],
            words.number(month["images"]),
            words.number(month["failed"]),
            words.size(month["original_bytes"]),
            words.size(month["optimized_bytes"]),
            words.size(month["saved_bytes"]),
            words.percent(month["average_compression_ratio"]),
        )
        assert " ".join(row) in text
    for kind in report["image_types"]:
        told = (
            kind["type"].upper(),
            words.number(kind["images"]),
            words.percent(kind["share"]),
            words.size(kind["saved_bytes"]),
            words.percent(kind["average_compression_ratio"]),
        )
        assert " ".join(told) in text
    assert answer.text.count('class="reach"') == 24
    assert "style=" not in answer.text


async def test_images_and_what_became_of_them(ann: Visitor, user: User, database: Database) -> None:
    done = await add(database, user)
    failed = await add(
        database, user, status="failed", error_code="corrupt_image", error_message="it is <broken>"
    )
    waiting = await add(database, user, status="processing", format="png")
    old = await add(database, user, now=clock.now() - timedelta(days=30), format="gif", frames=12)
    lossless = await add(database, user, optimized_size=1_000_000, score=None)
    html = (await ann.get("/dashboard")).text
    rows = dict(re.findall(r'<li class="image" id="image-(\w+)"(.*?)</li>', html, re.DOTALL))
    assert list(rows) == [image.name for image in (lossless, old, waiting, failed, done)]
    plain = {name: " ".join(re.sub(r"<[^>]+>", " ", row).split()) for name, row in rows.items()}

    assert f'src="/direct-file/optimized/{done.file_name}"' in rows[done.name]
    assert 'loading="lazy"' in rows[done.name]
    assert f'href="/result/{done.name}"' in rows[done.name]
    assert f'href="/direct-file/original/{done.file_name}"' in rows[done.name]
    assert f'href="/direct-file/optimized/{done.file_name}"' in rows[done.name]
    assert "1.00 MB → 400 kB 60 % saved score 80.2" in plain[done.name]

    assert "It is &lt;broken&gt;." in plain[failed.name]
    assert "/direct-file/optimized/" not in rows[failed.name]
    assert "1.00 MB → about 500 kB" in plain[waiting.name]
    assert 'data-status="processing"' in rows[waiting.name]
    assert "12 frames" in plain[old.name]
    assert "files expired" in plain[old.name]
    assert "/direct-file/" not in rows[old.name]
    assert "already optimal lossless" in plain[lossless.name]


async def test_filters_and_pages(ann: Visitor, user: User, database: Database) -> None:
    names = [(await add(database, user, format=kind)).name for kind in ["png", "jpeg"] * 8]
    await add(database, user, status="failed", format="png")

    async def shown(path: str) -> tuple[list[str], str]:
        html = (await ann.get(path)).text
        older = re.search(r'href="([^"]+)#images">Older', html)
        found = re.findall(r'<li class="image" id="image-(\w+)"', html)
        return found, older[1].replace("&amp;", "&") if older else ""

    first, older = await shown("/dashboard?status=completed")
    assert "status=completed" in older
    second, end = await shown(older)
    assert first + second == names[::-1]
    assert len(first) == 12
    assert end == ""
    assert (await shown("/dashboard?status=completed&format=png"))[0] == names[-2::-2]
    assert len((await shown("/dashboard?status=failed&format="))[0]) == 1
    assert "No image fits" in (await ann.get("/dashboard?format=gif")).text
    # What is no filter shows everything.
    for query in ("status=x", "format=bmp", "cursor=x", "cursor=-1", f"cursor={2**70}", "cursor=²"):
        assert len((await shown(f"/dashboard?{query}"))[0]) == 12


async def test_deleting_an_image_asks_first(ann: Visitor, user: User, database: Database) -> None:
    services = ann.app.state.services
    image = await add(database, user)
    for name in (image.original_object, image.result_object):
        await services.store.put(name, b"pixels")
    path = f"/dashboard/images/{image.id}/delete"
    kept = {"status": "completed", "format": "jpeg", "cursor": str(image.id + 1)}
    asked = await ann.send(path, at="/dashboard", **kept)
    assert "are deleted now" in text_of(asked)
    for name, value in kept.items():
        assert f'name="{name}" value="{value}"' in asked.text
    assert [stored async for stored in services.store.list()]

    done = await ann.send(path, at="/dashboard", confirmed="yes", **kept)
    assert done.status_code == 303
    assert done.headers["location"] == (
        f"/dashboard?status=completed&format=jpeg&cursor={image.id + 1}&done=deleted#images"
    )
    assert not [stored async for stored in services.store.list()]
    assert image.name not in (await ann.get("/dashboard")).text


async def test_strangers_log_in_first(visit: Visit) -> None:
    async with visit() as visitor:
        for path in ("/dashboard", "/dashboard/keys"):
            answer = await visitor.get(path)
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/log-in?next=%2Fdashboard")
