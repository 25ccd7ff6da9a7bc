"""Hostile files: each ends in a result that decodes or in a typed error, and costs nobody else."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.engine.decoding_worker import COMMAND as DECODER
from tests.engine.processes import children
from tests.images import encode, photo
from tests.shared import corpus, needs_shared
from tinyjpg import Outcome, Pool, TinyJPGError, WorkerError, optimize_many

MEBIBYTE = 1024 * 1024
TIMEOUT = 60.0


@pytest.fixture(scope="module")
def decoder() -> Iterator[Pool]:
    with Pool(1, memory=1024 * MEBIBYTE, timeout=TIMEOUT, _command=DECODER) as pool:
        yield pool


def outcomes(images: dict[str, bytes]) -> list[Outcome[str]]:
    """What becomes of `images`, after which no worker is left."""
    before = children()
    with Pool(2, memory=1024 * MEBIBYTE, timeout=TIMEOUT) as pool:
        found = list(optimize_many(images.items(), pool=pool))
    assert children() == before
    return found


def check(images: dict[str, bytes], decoder: Pool) -> None:
    found = outcomes(images)
    assert {outcome.key for outcome in found} == set(images)
    untyped = [o.key for o in found if o.error and not isinstance(o.error, TinyJPGError)]
    assert untyped == []
    lost = {o.key: str(o.error) for o in found if isinstance(o.error, WorkerError)}
    assert lost == {}
    worse = {o.key: bad for o in found if o.result and (bad := spoilt(o, images[o.key], decoder))}
    assert worse == {}


def spoilt(outcome: Outcome[str], before: bytes, decoder: Pool) -> str | None:
    """What is wrong with a result, judged by a decoder of its own; None if nothing."""
    result = outcome.unwrap()
    if result.output_size > len(before):
        return "larger"
    if result.data == before:
        return None
    stated = (result.width, result.height, result.frames)
    shown = sizes(result.data, decoder)
    if shown != stated:
        return f"{result.method}: {stated} stated, {shown} shown"
    return None


def sizes(data: bytes, decoder: Pool) -> tuple[int, int, int] | str:
    try:
        view = decoder.optimize(data)
    except TinyJPGError as error:
        return str(error)
    return view.width, view.height, view.frames


def damaged(source: bytes, seed: int) -> bytes:
    """`source` with a few bytes changed, some of it cut out, or its end missing."""
    chance = random.Random(seed)
    data = bytearray(source)
    for _ in range(chance.choice([0, 1, 1, 2, 8])):
        data[chance.randrange(12, len(data))] = chance.choice(
            [0, 1, 127, 255, chance.randrange(256)]
        )
    if chance.random() < 0.2:
        start = chance.randrange(12, len(data))
        del data[start : start + chance.randrange(1, 40)]
    if chance.random() < 0.2:
        del data[chance.randrange(12, len(data)) :]
    return bytes(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_damaged_images(kind: str, decoder: Pool) -> None:
    source = encode(photo(40, 28), kind)
    check({str(seed): damaged(source, seed) for seed in range(40)}, decoder)


@needs_shared
def test_the_hostile_corpus(decoder: Pool) -> None:
    files = {path.name: path.read_bytes() for path in corpus("hostile")}
    assert len(files) >= 500
    check(files, decoder)
