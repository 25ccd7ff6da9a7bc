"""Making a GIF smaller: what gifsicle does to it, and the best of several files frame by frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from tinyjpg.backends import gifsicle
from tinyjpg.codecs.gif_compare import identical
from tinyjpg.codecs.gif_frames import Decoder
from tinyjpg.containers.gif_blocks import CLEAR, KEEP, Control, Gif, Image, image_size, write
from tinyjpg.containers.gif_reader import read
from tinyjpg.errors import CorruptImageError, DeadlineExceededError
from tinyjpg.limits import Deadline

_ALWAYS: Final = ("--no-comments", "--no-names", "--no-extensions", "--no-interlace")

# Level 3 draws every frame anew as its difference to the one before, in three ways. Frames that
# show nothing new have to stay, or there would be fewer.
_REDRAW: Final = ("-O3", "-Okeep-empty")

# Another round takes as long as the first; below this fraction of the file it is not worth it.
_LEAST_GAIN: Final = 0.0005

# How many palettes of single frames are tried as the global one.
_MOST_PALETTES: Final = 16


def squeeze(gif: Gif, decoder: Decoder) -> Gif:
    """The smallest file found that is pixel-identical to `gif`, which has passed `check`.

    It is a fixed point, squeezing the result again changes nothing, unless time runs out: then it
    is what has been found and verified so far.
    """
    best = gif
    try:
        while smaller := _smaller(best, decoder):
            best = smaller
    except DeadlineExceededError:
        return best
    return best


def lossy(gif: Gif, level: float, decoder: Decoder) -> Gif | None:
    """`gif` with colours altered so that frames compress better, each frame where it does.

    Args:
        level: 1 is hardly visible, 200 is coarse.

    Returns:
        A file of the same frames, to be verified; None where gifsicle does not make one.

    Raises:
        DeadlineExceededError: time ran out.
    """
    made = _remade(gif, (f"--lossy={level:.0f}",), decoder.deadline)
    if made is None or not all(made.sound):
        return None
    # Pixels differ, but the same ones are painted: any frame may stand in for its counterpart.
    alike = all(map(_paints_alike, gif.images, made.gif.images))
    return _best_frames([_Remade.of(gif), made], splits_anywhere=True) if alike else made.gif


def with_best_palette(gif: Gif) -> Gif:
    """`gif` with the global palette that saves most."""
    return _best_frames([_Remade.of(gif)])


@dataclass(frozen=True, slots=True)
class _Remade:
    """A GIF made from another.

    Attributes:
        gif: as many images as the other has, shown for as long.
        sound: for each image, whether it may be used; others need an extension that would give a
            frame without a delay an explicit one.
    """

    gif: Gif
    sound: tuple[bool, ...]

    @classmethod
    def of(cls, gif: Gif) -> _Remade:
        return cls(gif, (True,) * len(gif.images))


def _smaller(gif: Gif, decoder: Decoder) -> Gif | None:
    """A smaller file that shows the same, or None."""
    ways = ((),) if _is_contested(gif) else (_REDRAW, ())
    attempts = (_remade(gif, options, decoder.deadline) for options in ways)
    made = [one for one in attempts if one is not None]
    candidates = [one.gif for one in made if all(one.sound)]
    candidates.append(_best_frames([_Remade.of(gif), *made]))
    sizes = [len(write(one)) for one in candidates]
    size = len(write(gif))
    wanted = size - max(1, round(size * _LEAST_GAIN))
    for index in sorted(range(len(candidates)), key=sizes.__getitem__):
        if sizes[index] <= wanted and identical(gif, candidates[index], decoder):
            return candidates[index]
    return None


def _is_contested(gif: Gif) -> bool:
    """Whether decoders differ about areas that are cleared, so that frames must stay as drawn.

    All leave them transparent where the animation and the frame have a transparent colour; for the
    rest libvips takes the background colour, Pillow that or the transparent one, browsers neither.
    """
    cleared = [image for image in gif.images[:-1] if _control(image).disposal == CLEAR]
    concerned = (gif.images[0], *cleared) if cleared else ()
    return any(_control(image).transparent is None for image in concerned)


def _control(image: Image) -> Control:
    return image.control or Control()


def _remade(gif: Gif, options: Sequence[str], deadline: Deadline) -> _Remade | None:
    """What gifsicle makes of `gif`, its timing put right; None where it fails or drops images."""
    try:
        made = read(gifsicle.run(write(_bare(gif)), (*_ALWAYS, *options), deadline))
    except CorruptImageError:
        return None  # `gif` has been decoded before: gifsicle has limits of its own
    if len(made.images) != len(gif.images):
        return None
    images = tuple(map(_with_timing_of, made.images, gif.images))
    return _Remade(
        replace(
            made,
            aspect=gif.aspect,
            loops=gif.loops,
            extensions=gif.extensions,
            images=tuple(image or old for image, old in zip(images, gif.images, strict=True)),
        ),
        sound=tuple(image is not None for image in images),
    )


def _bare(gif: Gif) -> Gif:
    return replace(gif, loops=(), extensions=())


def _with_timing_of(image: Image, original: Image) -> Image | None:
    """`image` timed as `original`: gifsicle drops delays of 0, and adds some where none was."""
    control = _control(image)
    if original.control is not None:
        delay, waits = original.control.delay, original.control.waits
        return replace(image, control=replace(control, delay=delay, waits=waits))
    if control.transparent is not None or control.disposal > KEEP:
        return None
    return replace(image, control=None)


def _paints_alike(one: Image, other: Image) -> bool:
    return _place(one) == _place(other)


def _place(image: Image) -> tuple[object, ...]:
    control = _control(image)
    return (
        *(image.left, image.top, image.width, image.height),
        *(control.disposal, control.transparent is None),
    )


def _best_frames(made: Sequence[_Remade], *, splits_anywhere: bool = False) -> Gif:
    """The smallest file that takes each frame from one of `made`, the first of which is the input.

    Args:
        splits_anywhere: every frame may be exchanged; else only where the pictures that frames are
            drawn upon are equal in all of them.
    """
    runs = _runs(made, splits_anywhere)
    _, palette = min(
        (
            (
                len(palette or b"")
                + sum(min(_cost(run, palette) for run in group) for group in runs),
                palette,
            )
            for palette in _palettes([one.gif for one in made])
        ),
        key=lambda plan: plan[0],
    )
    chosen = [min(group, key=lambda run: _cost(run, palette)) for group in runs]
    source = next((one.gif for one in made if one.gif.palette == palette), made[0].gif)
    images = tuple(
        replace(frame.image, palette=None if frame.colours == palette else frame.colours)
        for run in chosen
        for frame in run
    )
    return replace(source, palette=palette, images=images)


@dataclass(frozen=True, slots=True)
class _Frame:
    """An image with the palette it is painted with, wherever that is stored.

    Attributes:
        size: bytes it takes without its palette.
    """

    image: Image
    colours: bytes
    size: int

    @classmethod
    def of(cls, image: Image, gif: Gif) -> _Frame:
        bare = replace(image, palette=None)
        return cls(image, gif.colours(image), image_size(bare))


_Run = list[_Frame]


def _runs(made: Sequence[_Remade], splits_anywhere: bool) -> list[list[_Run]]:
    """Stretches of frames between which files may be changed; for each, the frames of each file."""
    runs: list[list[_Run]] = []
    start, count = 0, len(made[0].gif.images)
    for end in range(1, count + 1):
        kept = all(_keeps(one.gif.images[end - 1]) for one in made)
        if end == count or splits_anywhere or kept:
            runs.append(
                [
                    [_Frame.of(image, one.gif) for image in one.gif.images[start:end]]
                    for one in made
                    if all(one.sound[start:end])
                ]
            )
            start = end
    return runs


def _cost(run: _Run, palette: bytes | None) -> int:
    """Bytes that `run` takes in a file with the global `palette`."""
    return sum(
        frame.size + (0 if frame.colours == palette else len(frame.colours)) for frame in run
    )


def _palettes(gifs: Sequence[Gif]) -> list[bytes | None]:
    """Palettes that may be worth having as the global one."""
    local = Counter[bytes]()
    for gif in gifs:
        for image in gif.images:
            local[gif.colours(image)] += len(gif.colours(image))
    common = [colours for colours, _ in local.most_common(_MOST_PALETTES)]
    return list(dict.fromkeys([*(gif.palette for gif in gifs), *common]))


def _keeps(image: Image) -> bool:
    return _control(image).disposal <= KEEP
