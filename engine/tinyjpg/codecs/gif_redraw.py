"""Drawing an animation anew with colours slightly altered, each frame upon what is then shown.

A pixel that is shown about right already need not be drawn, and one that is drawn may take any
colour of its palette that is about right: whatever makes the image data shortest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from tinyjpg.codecs.gif_frames import Canvas, Decoder, Indices, Region, play, region_of, table
from tinyjpg.codecs.gif_pack import with_best_palette
from tinyjpg.containers.gif_blocks import KEEP, Gif, Image, image_size, sub_blocks
from tinyjpg.errors import MissingToolError

try:
    from tinyjpg._native import ffi, lib
except ImportError as error:
    raise MissingToolError(
        f"the native part of TinyJPG cannot be loaded ({error}); build it with ./run setup in a "
        "checkout, or reinstall the package (both need a C compiler)"
    ) from error

# Beyond this a frame takes too long between two looks at the deadline.
_MOST_FRAME_PIXELS: Final = 1 << 24
# Luma, red against green and blue against luma, as in native/src/gif_redraw.c.
_LUMA: Final = np.array((0.30, 0.62, 0.08), np.float32)
_RED, _GREEN, _BLUE = np.eye(3, dtype=np.float32)
_PARTS: Final = np.stack([_LUMA, 0.75 * (_RED - _GREEN), 0.5 * (_BLUE - _LUMA)], axis=1)
# A frame answers for the scores of later ones while this part of its pixels is left.
_MUCH: Final = 0.2


def redrawable(gif: Gif) -> bool:
    """Whether frames stay where they are drawn, so that what is shown only ever changes by them."""
    width, height = gif.canvas
    return width * height <= _MOST_FRAME_PIXELS and all(
        image.control is None or image.control.disposal <= KEEP for image in gif.images[:-1]
    )


def redraw(
    gif: Gif, tolerances: Sequence[float], decoder: Decoder, *, thorough: bool = False
) -> Gif:
    """`gif` with colours altered so that it takes fewer bytes; same frames, times, transparency.

    Args:
        gif: a file that is `redrawable` and has passed `check`.
        tolerances: for each frame, the square error allowed for a pixel, of luma in code values;
            chroma counts less. 0 is lossless.
        thorough: whether to take twice the time for about 1 % fewer bytes.

    Returns:
        The file, to be scored.

    Raises:
        DeadlineExceededError: time ran out.
    """
    width, height = gif.canvas
    canvas: Canvas = np.zeros((height, width), np.uint32)
    images: list[Image] = []
    frames = zip(gif.images, tolerances, play(gif, decoder), strict=True)
    for image, tolerance, shown in frames:
        region = region_of(image, canvas.shape)
        scene = _Scene(shown.canvas[region], canvas[region], gif.colours(image), tolerance)
        drawn = _smallest(image, scene, decoder, is_first=not images, thorough=thorough)
        _draw(canvas, drawn, gif)
        images.append(drawn.image)
    return with_best_palette(replace(gif, images=tuple(images)))


@dataclass(frozen=True, slots=True)
class _Scene:
    """What a frame has to show, and what it is drawn upon.

    Attributes:
        target, shown: the part of the canvas that the frame covers, after and before it is drawn.
        colours: RGB triples to draw with.
        tolerance: square error allowed.
    """

    target: Canvas
    shown: Canvas
    colours: bytes
    tolerance: float


@dataclass(frozen=True, slots=True)
class _Drawn:
    """An image and its decoded colour indices.

    Attributes:
        prefers_transparent: whether fewer pixels were drawn where that made no difference.
    """

    image: Image
    indices: Indices
    prefers_transparent: bool = True


def _smallest(
    image: Image, scene: _Scene, decoder: Decoder, *, is_first: bool, thorough: bool
) -> _Drawn:
    """The smallest of the ways to draw a frame; the original is one, its pixels are exact."""
    original = decoder.decode(image)
    height, width = scene.target.shape
    unchanged = _Drawn(image, original)
    if (height, width) != (image.height, image.width):
        return unchanged  # it exceeds the canvas
    transparent = image.control.transparent if image.control else None
    if transparent is None and image.control and not is_first:
        transparent = _spare_index(scene, original)
    part = _to_draw(scene) if transparent is not None and not is_first else _whole(scene.target)
    preferences = (True, False) if thorough and transparent is not None else (True,)
    ways = [
        _redrawn(image, scene, part, transparent, prefers_transparent=one) for one in preferences
    ]
    best = min((way for way in ways if way is not None), key=_size, default=None)
    if best is None:
        return unchanged
    narrow = _with_fewer_colours(best, scene, part)
    return min(unchanged, best, narrow or best, key=_size)


def _size(way: _Drawn) -> int:
    return image_size(way.image)


def _redrawn(
    image: Image,
    scene: _Scene,
    part: Region,
    transparent: int | None,
    *,
    prefers_transparent: bool,
) -> _Drawn | None:
    target = np.ascontiguousarray(scene.target[part])
    shown = np.ascontiguousarray(scene.shown[part])
    colours = len(scene.colours) // 3
    code_size = max(2, (colours - 1).bit_length())
    indices = np.empty(target.shape, np.uint8)
    # A code of up to 12 bits a pixel, and what clears the dictionary now and then.
    room = 2 * target.size + 64
    data = np.empty(room, np.uint8)
    size = ffi.new("size_t *")
    if lib.tinyjpg_gif_redraw(
        ffi.from_buffer("uint8_t[]", target),
        ffi.from_buffer("uint8_t[]", shown),
        target.size,
        scene.colours,
        colours,
        -1 if transparent is None else transparent,
        code_size,
        scene.tolerance,
        prefers_transparent,
        ffi.from_buffer("uint8_t[]", indices),
        ffi.from_buffer("uint8_t[]", data),
        room,
        size,
    ):
        return None
    control = image.control and replace(image.control, transparent=transparent)
    rows, columns = part
    return _Drawn(
        replace(
            image,
            left=image.left + columns.start,
            top=image.top + rows.start,
            width=target.shape[1],
            height=target.shape[0],
            control=control,
            code_size=code_size,
            interlaced=False,
            data=sub_blocks(data[: size[0]].tobytes()),
        ),
        indices,
        prefers_transparent,
    )


def _with_fewer_colours(way: _Drawn, scene: _Scene, part: Region) -> _Drawn | None:
    """`way` with a palette of its own of the colours it uses, where at most half as large."""
    control = way.image.control
    transparent = control.transparent if control else None
    used = np.unique(way.indices)
    painted = used[used != transparent] if transparent is not None else used
    needed = len(painted) + (transparent is not None)
    room = 1 << max(1, (needed - 1).bit_length())
    if 2 * room > len(scene.colours) // 3:
        return None
    kept = np.zeros((room, 3), np.uint8)
    kept[: len(painted)] = np.frombuffer(scene.colours, np.uint8).reshape(-1, 3)[painted]
    narrow = _redrawn(
        replace(way.image, left=way.image.left - part[1].start, top=way.image.top - part[0].start),
        replace(scene, colours=kept.tobytes()),
        part,
        None if transparent is None else len(painted),
        prefers_transparent=way.prefers_transparent,
    )
    if narrow is None:
        return None
    return replace(narrow, image=replace(narrow.image, palette=kept.tobytes()))


def _whole(target: Canvas) -> Region:
    height, width = target.shape
    return slice(0, height), slice(0, width)


def _to_draw(scene: _Scene) -> Region:
    """The smallest rectangle around all pixels that are not shown about right; never empty."""
    target = np.ascontiguousarray(scene.target)
    shown = np.ascontiguousarray(scene.shown)
    stale = np.empty(target.shape, np.uint8)
    lib.tinyjpg_gif_stale(
        ffi.from_buffer("uint8_t[]", target),
        ffi.from_buffer("uint8_t[]", shown),
        target.size,
        scene.tolerance,
        ffi.from_buffer("uint8_t[]", stale),
    )
    rows, columns = (np.flatnonzero(stale.any(axis)) for axis in (1, 0))
    if not rows.size:
        return slice(0, 1), slice(0, 1)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _spare_index(scene: _Scene, indices: Indices) -> int | None:
    """An index of the palette that no pixel uses, or else one that another can stand in for."""
    colours = np.frombuffer(scene.colours, np.uint8).reshape(-1, 3)
    used = np.bincount(indices.ravel(), minlength=256)[: len(colours)]
    unused = np.flatnonzero(used == 0)
    if unused.size:
        return int(unused[0])
    differences = colours[:, None, :].astype(np.float32) - colours[None, :, :]
    errors = np.square(differences @ _PARTS).sum(axis=2)
    np.fill_diagonal(errors, np.inf)
    nearest = errors.min(axis=1)
    cost = np.where(nearest <= scene.tolerance, nearest * used, np.inf)
    rarest = int(cost.argmin())
    return rarest if np.isfinite(cost[rarest]) else None


def lowest_while_shown(gif: Gif, scores: Mapping[int, float], decoder: Decoder) -> list[float]:
    """For each frame of a `redrawable` file, the lowest score while much of it is still shown.

    Args:
        scores: the scores of some frames; those between look like the one before.

    Raises:
        DeadlineExceededError: time ran out.
    """
    width, height = gif.canvas
    last_drawn = np.zeros((height, width), np.int32)
    count = len(gif.images)
    drawn = np.zeros(count)
    lowest = np.full(count, 100.0)
    score = 100.0
    for number, image in enumerate(gif.images):
        painted = _painted(image, decoder.decode(image), last_drawn.shape)
        drawn[number] = np.count_nonzero(painted)
        np.copyto(last_drawn[region_of(image, last_drawn.shape)], number, where=painted)
        lowest[number] = score
        if number in scores:
            score = scores[number]
            left = np.bincount(last_drawn.ravel(), minlength=count)
            shown = left >= np.maximum(1, _MUCH * drawn)
            lowest[shown] = np.minimum(lowest[shown], score)
            lowest[number] = score
    return lowest.tolist()


def _draw(canvas: Canvas, drawn: _Drawn, gif: Gif) -> None:
    image = drawn.image
    target = canvas[region_of(image, canvas.shape)]
    height, width = target.shape
    painted = _painted(image, drawn.indices, canvas.shape)
    np.copyto(target, table(gif.colours(image))[drawn.indices[:height, :width]], where=painted)


def _painted(image: Image, indices: Indices, canvas: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Which pixels of the part of the canvas that `image` covers it paints."""
    rows, columns = region_of(image, canvas)
    transparent = image.control.transparent if image.control else None
    part = indices[: rows.stop - rows.start, : columns.stop - columns.start]
    return np.ones(part.shape, np.bool_) if transparent is None else part != transparent
