"""`tinyjpg info`: what the header of an image says."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from tinyjpg.cli.record import Failure
from tinyjpg.cli.report import complain, print_json, write_output
from tinyjpg.cli.stream import STANDARD, read_bounded, read_input
from tinyjpg.cli.text import count, human_size, printable
from tinyjpg.errors import TinyJPGError
from tinyjpg.limits import Limits
from tinyjpg.optimize import probe
from tinyjpg.source import Header

# A header costs the same however many pixels it announces.
_LIMITS: Final = Limits(max_pixels=sys.maxsize, max_frames=sys.maxsize)


def show_info(paths: Sequence[str], *, as_json: bool) -> int:
    """Print a line for each of `paths` to standard output, of failures to standard error.

    Returns:
        The exit code, 0 or 1.
    """
    code = 0
    for path in paths:
        try:
            data = _read(path)
            header = probe(data, _LIMITS)
        except (TinyJPGError, OSError) as error:
            code = 1
            failure = Failure.of(error)
            complain(f"{printable(path)}: {failure.message}")
            if as_json:
                reason = {"type": failure.type, "message": failure.message}
                print_json({"path": path, "error": reason})
            continue
        if as_json:
            print_json(_as_dict(path, len(data), header))
        else:
            line = f"{printable(path)}: {', '.join(_phrases(len(data), header))}\n"
            write_output(line.encode("utf-8"))
    return code


def _read(path: str) -> bytes:
    if path == STANDARD:
        return read_input(_LIMITS)
    with Path(path).open("rb") as stream:
        return read_bounded(stream, _LIMITS)


def _phrases(size: int, header: Header) -> Iterator[str]:
    width, height = header.upright_size
    yield header.format.upper()
    yield f"{width} x {height} pixels"
    if header.frames > 1:
        yield count(header.frames, "frame")
    yield f"{header.bit_depth} bits"
    if header.has_alpha:
        yield "alpha"
    yield human_size(size)
    if header.orientation != 1:
        yield f"orientation {header.orientation}"
    if header.icc_profile is not None:
        yield f"ICC profile of {human_size(len(header.icc_profile))}"
    if header.exif is not None:
        yield f"EXIF of {human_size(len(header.exif))}"
    yield from header.describe()


def _as_dict(path: str, size: int, header: Header) -> dict[str, Any]:
    width, height = header.upright_size
    return {
        "path": path,
        "format": header.format,
        "width": width,
        "height": height,
        "frames": header.frames,
        "bit_depth": header.bit_depth,
        "has_alpha": header.has_alpha,
        "orientation": header.orientation,
        "size": size,
        "icc_profile": 0 if header.icc_profile is None else len(header.icc_profile),
        "exif": 0 if header.exif is None else len(header.exif),
        "details": list(header.describe()),
        "error": None,
    }
