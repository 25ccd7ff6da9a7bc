"""HEAD of the ZIP: what GET would say, without the work."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from tests.server.pages.seeding import add_image, restore_anonymous
from tests.server.pages.visiting import Visit
from tinyjpg_server.accounts.visitors import anonymous_caller
from tinyjpg_server.db.database import Database
from tinyjpg_server.storage.store import Store

pytestmark = pytest.mark.anyio


async def test_head_reads_no_file(
    visit: Visit, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await restore_anonymous(database)
    read: list[str] = []
    stream = Store.stream

    def noted(store: Store, name: str) -> AsyncGenerator[bytes]:
        read.append(name)
        return stream(store, name)

    monkeypatch.setattr(Store, "stream", noted)
    async with visit() as visitor:
        async with database.write() as connection:
            owner = await anonymous_caller(connection)
            image = await add_image(connection, owner.account_id)
        assert image.result_object is not None
        await visitor.app.state.services.store.put(image.result_object, b"a result")
        path = f"/web/zip?image={image.name}&as=a.jpg"
        head = await visitor.client.head(path)
        assert (head.status_code, read) == (200, [])
        whole = await visitor.get(path)
        assert read == [image.result_object]
    for name in ("Content-Length", "Content-Type", "Content-Disposition"):
        assert head.headers[name] == whole.headers[name]
