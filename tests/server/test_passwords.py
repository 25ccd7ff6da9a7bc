"""Passwords: argon2id with the recommended parameters, two at a time, and what is accepted."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, Literal

import pytest
from argon2 import PasswordHasher, extract_parameters, profiles

from tests.server.account_tools import CHEAP, PASSWORD
from tinyjpg_server.accounts.common_passwords import COMMON_PASSWORDS
from tinyjpg_server.accounts.passwords import (
    PASSWORDS,
    SHORTEST,
    Passwords,
    check_password,
    new_password,
)
from tinyjpg_server.errors import UnavailableError, ValidationFailedError

EMAIL = "ann.smith@example.com"


@pytest.mark.anyio
async def test_the_service_hashes_as_rfc_9106_recommends() -> None:
    stored = await PASSWORDS.hash(PASSWORD)
    assert extract_parameters(stored) == profiles.RFC_9106_LOW_MEMORY
    assert stored.startswith("$argon2id$")
    assert (await PASSWORDS.verify(stored, PASSWORD)).right


@pytest.mark.anyio
async def test_only_the_right_password_is_right() -> None:
    stored = await CHEAP.hash(PASSWORD)
    assert stored != await CHEAP.hash(PASSWORD)
    assert (await CHEAP.verify(stored, PASSWORD)).right
    for wrong in ("", PASSWORD + " ", PASSWORD.upper(), PASSWORD + "\0", "\ud800" * 10):
        assert not (await CHEAP.verify(stored, wrong)).right


@pytest.mark.anyio
async def test_the_same_text_in_other_code_points_is_the_same_password() -> None:
    stored = await CHEAP.hash("caf\N{LATIN SMALL LETTER E WITH ACUTE} au lait")
    assert (await CHEAP.verify(stored, "cafe\N{COMBINING ACUTE ACCENT} au lait")).right


@pytest.mark.anyio
@pytest.mark.parametrize("stored", [None, "", "no hash", "$argon2id$v=19$m=8,t=1,p=1$x$y"])
async def test_no_hash_is_nobody_s_password(stored: str | None) -> None:
    assert not (await CHEAP.verify(stored, PASSWORD)).right


@pytest.mark.anyio
async def test_other_parameters_give_a_new_hash_once() -> None:
    stored = await Passwords(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1)).hash(
        PASSWORD
    )
    verdict = await CHEAP.verify(stored, PASSWORD)
    assert verdict.new_hash is not None
    assert verdict.new_hash != stored
    again = await CHEAP.verify(verdict.new_hash, PASSWORD)
    assert again.right
    assert again.new_hash is None
    assert (await CHEAP.verify(stored, "wrong password")).new_hash is None


class Watched(PasswordHasher):
    """Counts how many hash at once, and keeps the parameters of what is verified."""

    def __init__(self, gate: threading.Event | None = None) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self._gate = gate
        self._lock = threading.Lock()
        self.at_once = 0
        self.most_at_once = 0
        self.verified: list[Any] = []

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        if self._gate is not None:
            self._gate.wait(10)
        try:
            return super().hash(password, salt=salt)
        finally:
            with self._lock:
                self.at_once -= 1

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        self.verified.append(extract_parameters(str(hash)))
        return super().verify(hash, password)


@pytest.mark.anyio
async def test_nobody_costs_what_somebody_costs() -> None:
    watched = Watched()
    passwords = Passwords(watched)
    stored = await passwords.hash(PASSWORD)
    await passwords.verify(stored, "wrong password")
    await passwords.verify(None, "wrong password")
    somebody, nobody = watched.verified
    assert nobody == somebody


@pytest.mark.anyio
async def test_two_hash_at_a_time_and_too_many_are_sent_away() -> None:
    gate = threading.Event()
    watched = Watched(gate)
    passwords = Passwords(watched)
    waiting = [asyncio.create_task(passwords.hash(PASSWORD)) for _ in range(64)]
    await asyncio.sleep(0)
    with pytest.raises(UnavailableError) as caught:
        await passwords.hash(PASSWORD)
    assert caught.value.headers["Retry-After"] == "5"
    # A client that goes away frees its place.
    waiting.pop().cancel()
    await asyncio.sleep(0.01)
    waiting.append(asyncio.create_task(passwords.hash(PASSWORD)))
    gate.set()
    assert len(await asyncio.gather(*waiting)) == 64
    assert watched.most_at_once == 2
    assert (await passwords.hash(PASSWORD)).startswith("$argon2id$")


@pytest.mark.parametrize(
    "accepted",
    [
        "x7:kd02mna",
        PASSWORD,
        "пароль из нескольких слов",
        "🐎🔋📎✅ horse",
        "a1b2" * 50,
    ],
)
def test_length_is_all_that_is_asked(accepted: str) -> None:
    check_password(accepted, EMAIL)


@pytest.mark.parametrize(
    ("refused", "why"),
    [
        ("x7:kd02mn", "10 to 200"),
        ("a1b2" * 50 + "x", "10 to 200"),
        ("with a\nline end", "control"),
        ("with a \ud800 half", "control"),
        ("password123", "first to be guessed"),
        ("PassWord123", "first to be guessed"),
        ("\N{FULLWIDTH DIGIT ONE}234567890", "first to be guessed"),
        ("ababababababab", "first to be guessed"),
        (EMAIL.upper(), "e-mail"),
        ("ann.smith@example.com", "e-mail"),
    ],
)
def test_what_is_guessed_first_is_refused(refused: str, why: str) -> None:
    with pytest.raises(ValidationFailedError, match=why) as caught:
        check_password(refused, EMAIL)
    assert list(caught.value.errors) == ["password"]


def test_the_part_before_the_at_is_refused() -> None:
    with pytest.raises(ValidationFailedError, match="e-mail"):
        check_password("Annabelle.Smith", "annabelle.smith@example.com")


def test_the_list_has_only_what_length_lets_pass() -> None:
    assert len(COMMON_PASSWORDS) > 200
    assert all(len(word) >= SHORTEST and word == word.casefold() for word in COMMON_PASSWORDS)


def test_generated_passwords_differ_and_are_accepted() -> None:
    made = {new_password() for _ in range(100)}
    assert len(made) == 100
    for password in made:
        assert len(password) == 20
        check_password(password, EMAIL)
