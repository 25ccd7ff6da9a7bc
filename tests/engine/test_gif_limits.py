"""GIFs that are left alone, refused or stopped, and the metadata that goes or stays."""

from __future__ import annotations

import shlex
import sys
import sysconfig
from dataclasses import replace
from pathlib import Path

import pytest

from corpus.generators.gif_structure import Frame, encode
from tests.engine.gif_samples import NEVER, PALETTE, animation, scene
from tinyjpg import (
    CorruptImageError,
    DeadlineExceededError,
    Keep,
    Limits,
    MissingToolError,
    Options,
    optimize,
)
from tinyjpg.codecs.gif_compare import identical
from tinyjpg.codecs.gif_frames import Decoder
from tinyjpg.containers.gif import parse
from tinyjpg.containers.gif_blocks import comment, write
from tinyjpg.containers.gif_marker import unmarked
from tinyjpg.containers.gif_reader import read

# --- metadata -----------------------------------------------------------------------------------

XMP = b"\x21\xff\x0bXMP DataXMP<x:xmpmeta/>" + bytes((1, *range(255, -1, -1), 0))
NOTE = comment(b"(c) 2024 somebody").raw
OTHER = b"\x21\xff\x0bWHOEVER 1.0\x04data\0"


@pytest.mark.parametrize("at_quality", [60, 100])
@pytest.mark.parametrize(
    ("keep", "kept"),
    [
        (set(), ()),
        ({Keep.COPYRIGHT}, (NOTE,)),
        ({Keep.LOCATION, Keep.CREATION}, ()),
        ({Keep.ALL}, (NOTE, XMP, OTHER)),
    ],
    ids=["default", "copyright", "other", "all"],
)
def test_metadata_goes_unless_asked_for(
    keep: set[Keep], kept: tuple[bytes, ...], at_quality: int
) -> None:
    plain = animation()
    at = plain.index(b"\x21\xff")
    source = plain[:at] + NOTE + XMP + plain[at:-1] + OTHER + b"\x3b"
    options = Options(keep=frozenset(keep))
    result = optimize(source, at_quality, options=options)
    assert tuple(one.raw for one in unmarked(read(result.data)).extensions) == kept
    assert parse(result.data).loop_count == 0
    assert optimize(result.data, at_quality, options=options).data == result.data


def test_metadata_kept_once_can_go_later_without_another_loss() -> None:
    plain = animation()
    at = plain.index(b"\x21\xff")
    source = plain[:at] + NOTE + plain[at:]
    made = optimize(source, 60, options=Options(keep=frozenset({Keep.ALL})))
    result = optimize(made.data, 60)
    assert NOTE not in result.data
    assert identical(read(made.data), read(result.data), Decoder(NEVER))
    assert parse(result.data).made_at == 60


# --- what is left alone, refused, or stopped ----------------------------------------------------


def test_what_viewers_disagree_about_comes_back_as_it_was() -> None:
    frames = [Frame(indices=scene(), delay=3), Frame(indices=scene(), delay=3, left=9)]
    source = encode(frames, PALETTE) + b"trailing"
    result = optimize(source, 50)
    assert (result.data, result.method) == (source, "already optimal")


def test_colours_beyond_the_palette_come_back_as_they_were() -> None:
    data = encode([Frame(indices=scene())], PALETTE)
    cut = data[:10] + bytes([data[10] - 1]) + data[11 : 13 + 96] + data[13 + 192 :]
    assert optimize(cut, 50).data == cut


def test_a_canvas_too_large_to_compare_is_stripped_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyjpg.codecs.gif._MOST_CANVAS_PIXELS", 64 * 48 - 1)
    source = animation()
    result = optimize(source + b"trailing", 50)
    assert (result.data, result.method) == (source, "stripped of metadata")


@pytest.mark.parametrize("share", [0.3, 0.7, 0.97])
def test_a_truncated_file_is_corrupt(share: float) -> None:
    source = animation()
    with pytest.raises(CorruptImageError):
        optimize(source[: int(len(source) * share)])


def test_image_data_cut_short_inside_whole_blocks_is_corrupt() -> None:
    gif = read(animation())
    last = gif.images[-1]
    short = replace(last, data=last.data[: 1 + last.data[0]] + b"\0")
    with pytest.raises(CorruptImageError, match="ends before its last pixel"):
        optimize(write(replace(gif, images=(*gif.images[:-1], short))))


def place_tool(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str | None) -> None:
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    monkeypatch.setattr(sysconfig, "get_path", lambda *_: str(folder))
    monkeypatch.setenv("PATH", str(folder))
    if script is not None:
        tool = folder / "gifsicle"
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(0o755)


def test_a_missing_gifsicle_is_a_typed_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place_tool(tmp_path, monkeypatch, None)
    with pytest.raises(MissingToolError, match="gifsicle"):
        optimize(animation())


def test_a_gifsicle_that_fails_leaves_the_stripped_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place_tool(tmp_path, monkeypatch, "exit 1")
    source = animation()
    assert optimize(source + b"trailing", 100).data == source


def test_a_gifsicle_that_hangs_leaves_what_was_verified_by_the_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = tmp_path / "started"
    place_tool(tmp_path, monkeypatch, f": > {shlex.quote(str(started))}; exec /bin/sleep 600")
    source = animation()
    options = Options(limits=Limits(deadline=2.0))
    result = optimize(source + b"trailing", 50, options=options)
    assert (result.data, started.exists()) == (source, True)


def test_no_time_at_all_is_a_typed_error() -> None:
    with pytest.raises(DeadlineExceededError):
        optimize(animation(), options=Options(limits=Limits(deadline=1e-9)))
