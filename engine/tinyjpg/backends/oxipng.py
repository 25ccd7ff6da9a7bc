"""oxipng (package oxipng-pybind): PNG written smaller without changing what it shows.

It releases the GIL. Chunks are chosen before a file is handed to it: all it finds, it keeps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from tinyjpg.errors import CorruptImageError, MissingToolError
from tinyjpg.limits import Deadline

try:
    import oxipng as _oxipng
except (ImportError, OSError) as error:
    raise MissingToolError(
        f"oxipng cannot be loaded ({error}); install it with: pip install oxipng-pybind"
    ) from error

LOWEST_LEVEL: Final = 0

# (pixels, level): the level for images of at most so many pixels. Measured over levels 1 to 6:
# level 4 gains 3 % on logos for 7 times the time of level 2, level 2 gains 1.3 % on photographs for
# twice the time of level 1.
_LEVELS: Final = ((250_000, 4), (16_000_000, 2))
_HUGE_LEVEL: Final = 1
# Seconds a megapixel takes at each level, the slowest kind of image.
_SECONDS_PER_MEGAPIXEL: Final = {0: 0.2, 1: 0.6, 2: 1.4, 4: 5.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """How to pack.

    Attributes:
        level: effort, 0 to 6.
        optimize_alpha: whether pixels nobody can see may change.
        change_colour_type: whether pixels may be stored as another colour type.
        change_grey: whether they may go from colour to greyscale or back.
        change_depth: whether they may be stored with fewer bits, losslessly.
        change_palette: whether a palette may be sorted and shortened.
        deinterlace: whether an interlaced image may become a plain one.
    """

    level: int
    optimize_alpha: bool = False
    change_colour_type: bool = True
    change_grey: bool = True
    change_depth: bool = True
    change_palette: bool = True
    deinterlace: bool = True

    def keeping_pixel_format(self) -> Packing:
        """The same effort, with everything stored as it is."""
        return replace(
            self,
            change_colour_type=False,
            change_grey=False,
            change_depth=False,
            change_palette=False,
            deinterlace=False,
        )


def level_for(pixels: int, deadline: Deadline) -> int:
    """The effort for an image of `pixels` pixels, less where `deadline` leaves too little time.

    It depends on nothing else: on a second pass over its own result, which has as many pixels but
    fewer bytes, the same effort has to find nothing left to do.
    """
    wanted = next((level for most, level in _LEVELS if pixels <= most), _HUGE_LEVEL)
    left = deadline.remaining()
    if left is None:
        return wanted
    affordable = [
        level
        for level, seconds in _SECONDS_PER_MEGAPIXEL.items()
        if level <= wanted and seconds * pixels / 1e6 <= left / 2
    ]
    return max(affordable, default=LOWEST_LEVEL)


def pack(png: bytes, packing: Packing, deadline: Deadline, *, to_eight_bits: bool = False) -> bytes:
    """One pass over `png`, which is decoded strictly; `png` itself where nothing was gained.

    Its image data may inflate to what the header says, not a byte more or less.

    Args:
        deadline: after it nothing more is tried, but `png` is decoded in any case.
        to_eight_bits: whether 16-bit samples are rounded to 8 bits.

    Raises:
        CorruptImageError: the image data is truncated or damaged.
    """
    try:
        return _oxipng.optimize_from_memory(
            png,
            level=packing.level,
            strip="none",
            interlace="off" if packing.deinterlace else "keep",
            optimize_alpha=packing.optimize_alpha,
            bit_depth_reduction=packing.change_depth or to_eight_bits,
            color_type_reduction=packing.change_colour_type,
            palette_reduction=packing.change_palette,
            grayscale_reduction=packing.change_grey,
            scale_16=to_eight_bits,
            timeout=deadline.remaining(),
        )
    except _oxipng.PngError as error:
        raise CorruptImageError(
            f"the PNG's image data cannot be decoded: {error}; export or download it again"
        ) from error
