"""What a new database gets: an account for whoever runs the service; and a picture to try it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyvips
from sqlalchemy import select

from tinyjpg_server.accounts.keys import issue
from tinyjpg_server.accounts.passwords import new_password
from tinyjpg_server.accounts.users import change_password, create_user
from tinyjpg_server.accounts.visitors import ANONYMOUS
from tinyjpg_server.db import clock
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import accounts, api_keys

EMAIL: Final = "admin@localhost"
_PLAN: Final = "Operator"
_KEY_NAME: Final = "first"
_SIDE: Final = 512


@dataclass(frozen=True, slots=True)
class FirstAccount:
    """What is shown once and never again."""

    email: str
    password: str
    key: str


async def first_account(database: Database) -> FirstAccount | None:
    """Make an account with a key if there is no account yet; None if there is one.

    One that was left without a key, by a start that was cut off, is finished.
    """
    async with database.read() as connection:
        others = await connection.scalar(
            select(accounts.c.id).where(accounts.c.email.not_in((EMAIL, ANONYMOUS))).limit(1)
        )
        keys = await connection.scalar(select(api_keys.c.id).limit(1))
        mine = await connection.scalar(select(accounts.c.id).where(accounts.c.email == EMAIL))
    if others is not None or keys is not None:
        return None
    password = new_password()
    if mine is None:
        mine = (await create_user(database, EMAIL, password, _PLAN, clock.now())).id
    else:
        await change_password(database, EMAIL, password)
    async with database.write() as connection:
        _, key = await issue(connection, mine, _KEY_NAME, clock.now())
    return FirstAccount(EMAIL, password, key)


def sample_picture(path: Path) -> None:
    """Write a JPEG of a colourful sky to `path`, unless something is there."""
    if path.exists():
        return
    clouds = [
        pyvips.Image.perlin(_SIDE, _SIDE, cell_size=_SIDE // 4, seed=seed).numpy()
        for seed in (1, 2)
    ]
    heights = np.linspace(0.2, 1.0, _SIDE, dtype=np.float32)[:, None]
    haze, light = (np.clip(cloud * 0.35, -0.5, 0.5) for cloud in clouds)
    bands = (
        heights * 0.9 + light * 0.5,
        heights * 0.6 + haze * 0.4 + 0.2,
        0.95 - heights * 0.4 + haze,
    )
    pixels = np.clip(np.dstack([np.broadcast_to(b, (_SIDE, _SIDE)) for b in bands]) * 255, 0, 255)
    pyvips.Image.new_from_array(pixels.astype(np.uint8), interpretation="srgb").write_to_file(
        str(path), Q=95
    )


def curl_line(base_url: str, key: str, picture: Path) -> str:
    """A command that works as it stands."""
    return (
        f'curl -X POST "{base_url}/api/optimize" -H "X-API-Key: {key}" '
        f'-F "image=@{picture}" -F "quality=80"'
    )
