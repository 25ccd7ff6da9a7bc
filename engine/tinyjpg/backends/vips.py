"""libvips: decoding, encoding and colour, with its errors turned into ours.

Loaders are always named, never autodetected, and libvips' loaders that are not meant for
untrusted input are switched off for the whole process.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import tempfile
from collections.abc import Iterator
from typing import Any, Final, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from tinyjpg.errors import CorruptImageError, MissingToolError, TinyJPGError
from tinyjpg.formats import Format

try:
    import pyvips
except (ImportError, OSError) as error:
    raise MissingToolError(
        f"libvips cannot be loaded ({error}); install it with: pip install pyvips pyvips-binary"
    ) from error

pyvips.block_untrusted_set(True)
# Every image is new: the operation cache would only hold on to memory.
pyvips.cache_set_max(0)

# pyvips ships no types.
Image: TypeAlias = Any

_LOADERS: Final = {
    Format.JPEG: "jpegload_buffer",
    Format.PNG: "pngload_buffer",
    Format.WEBP: "webpload_buffer",
    Format.GIF: "gifload_buffer",
}
_ANIMATED: Final = frozenset({Format.WEBP, Format.GIF})

STRIP_ROWS: Final = 64
"""Rows of a strip."""

_PROFILE: Final = "icc-profile-data"
_SAVERS: Final = {
    Format.JPEG: "jpegsave_buffer",
    Format.PNG: "pngsave_buffer",
    Format.WEBP: "webpsave_buffer",
    Format.GIF: "gifsave_buffer",
}

Pixels: TypeAlias = npt.NDArray[np.uint8]


def load(
    data: bytes,
    format: Format,
    *,
    sequential: bool = True,
    fail_on: str = "warning",
    **options: object,
) -> Image:
    """Open `data` with the loader of `format`; all frames of an animation, stacked vertically.

    Pixels are decoded when the image is used, so errors of the pixel data surface then: wrap that
    use in `decoding`.

    Args:
        sequential: stream top to bottom, once; otherwise the whole image is decoded to memory.
        fail_on: what libvips treats as an error: none, truncated, error or warning.

    Raises:
        CorruptImageError: the header is damaged.
    """
    if format in _ANIMATED:
        options.setdefault("n", -1)
    with decoding(format):
        return pyvips.Operation.call(
            _LOADERS[format],
            data,
            access="sequential" if sequential else "random",
            fail_on=fail_on,
            **options,
        )


def save(image: Image, format: Format, **options: object) -> bytes:
    """Encode `image`; call inside `decoding` where it still has to be decoded."""
    return cast(bytes, pyvips.Operation.call(_SAVERS[format], image, **options))


@contextlib.contextmanager
def decoding(format: Format) -> Iterator[None]:
    """Turn a libvips error inside the block into a CorruptImageError."""
    try:
        yield
    except pyvips.Error as error:
        raise CorruptImageError(
            f"the {format.upper()} image cannot be decoded: {_reason(error)}; "
            "export or download it again"
        ) from error


@contextlib.contextmanager
def encoding(format: Format) -> Iterator[None]:
    """Turn a libvips error inside the block into a TinyJPGError: the fault is not the input's."""
    try:
        yield
    except pyvips.Error as error:
        raise TinyJPGError(
            f"the {format.upper()} image cannot be encoded: {_reason(error)}; "
            "please report it with the file"
        ) from error


def _reason(error: Any) -> str:
    lines = [line.strip() for line in str(error.detail or error.message).splitlines()]
    return "; ".join(dict.fromkeys(line for line in lines if line)) or "no reason given"


def upright(image: Image, orientation: int) -> Image:
    """`image` turned and mirrored as its EXIF `orientation` (1 to 8) asks; needs random access."""
    image = image.copy()
    image.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    return image.autorot()


def equal(first: Image, second: Image) -> bool:
    """Whether two images have the same size, bands and pixels; decodes both, streaming."""
    shape = (first.width, first.height, first.bands)
    if shape != (second.width, second.height, second.bands):
        return False
    return bool((first != second).max() == 0)


def pixels(image: Image) -> Pixels:
    """The pixels of `image` as height x width x bands; decodes it."""
    array = image.numpy()
    return cast(Pixels, array.reshape(image.height, image.width, image.bands))


def strips(image: Image, rows: int = STRIP_ROWS) -> Iterator[Pixels]:
    """The pixels of `image` from top to bottom, some rows at a time; decodes it while it goes.

    Each strip is rows x width x bands. Call inside `decoding` where it still has to be decoded.
    """
    # Cropping instead would empty the decoder's line cache each time: "out of order read".
    region = pyvips.Region.new(image)
    for top in range(0, image.height, rows):
        height = min(rows, image.height - top)
        strip = np.frombuffer(region.fetch(0, top, image.width, height), dtype=np.uint8)
        yield strip.reshape(height, image.width, image.bands)


def from_pixels(pixels: Pixels) -> Image:
    """An image of `pixels`, contiguous, height x width x 1 or 3 8-bit samples, sharing memory."""
    height, width, bands = pixels.shape
    image = pyvips.Image.new_from_memory(pixels.data, width, height, bands, "uchar")
    return image.copy(interpretation="b-w" if bands == 1 else "srgb")


def tagged(image: Image, icc_profile: bytes | None) -> Image:
    """`image` with `icc_profile` in place of the one it has, or with none.

    A profile for RGB makes a grey image RGB, so that it applies.
    """
    if icc_profile is not None and _is_rgb_profile(icc_profile) and image.bands <= 2:
        image = image.colourspace("srgb" if image.format == "uchar" else "rgb16")
    image = image.copy()
    if image.get_typeof(_PROFILE):
        image.remove(_PROFILE)
    if icc_profile is not None:
        image.set_type(pyvips.GValue.blob_type, _PROFILE, icc_profile)
    return image


def srgb_pixels(image: Image) -> Pixels:
    """The pixels of `as_srgb(image)`: height x width x 1, 2, 3 or 4; decodes it."""
    return pixels(as_srgb(image))


def as_srgb(image: Image) -> Image:
    """`image` as a viewer shows it, in 8-bit sRGB; still to be decoded.

    An embedded ICC profile is applied (one that does not fit the image counts as absent), CMYK
    without one is taken for libvips' own, 16-bit samples are scaled down and grey without a profile
    stays grey.
    """
    alpha = None
    if image.hasalpha():
        # icc_transform would scale it down without rounding.
        alpha = _to_eight_bits(image[image.bands - 1])
        image = image.extract_band(0, n=image.bands - 1)
    if image.get_typeof(_PROFILE) or image.interpretation == "cmyk":
        image = _to_srgb(image)
    image = _to_eight_bits(image)
    return image if alpha is None else image.bandjoin(alpha)


def _to_srgb(image: Image) -> Image:
    if image.interpretation == "cmyk" or (image.format == "uchar" and image.bands == 3):
        return image.icc_transform("srgb", embedded=True, intent="relative", depth=8)
    # There Little CMS interpolates in a table of its own, off by up to 9 levels in the shadows.
    # By way of XYZ it does not, but takes ten times as long.
    light = image.icc_import(embedded=True, intent="relative", pcs="xyz")
    return light.icc_export(output_profile="srgb", intent="relative", pcs="xyz", depth=8)


def _to_eight_bits(image: Image) -> Image:
    """`image` of 8 or 16 bits a sample as 8: the nearest of the levels, 257 apart."""
    return image if image.format == "uchar" else (image / 257).rint().cast("uchar")


# Mean difference, in 8-bit code values over a grid of colours, up to which a profile cannot be
# told from sRGB: the many sRGB profiles in circulation differ from one another by less than 0.1.
_SRGB_TOLERANCE: Final = 0.1
# Wide-gamut working spaces lie near 10 and gamma 1.8 near 13; linear-light and opponent-colour
# (XYB) profiles lie above 38: their code values are not what encoders and metrics take them for.
_ORDINARY_DISTANCE: Final = 20.0
_GRID_LEVELS: Final = 9


def is_srgb(icc_profile: bytes) -> bool:
    """Whether dropping the profile changes nothing: it is sRGB, or no valid profile at all."""
    return not _is_valid_profile(icc_profile) or (
        _is_rgb_profile(icc_profile) and _distance_from_srgb(icc_profile) <= _SRGB_TOLERANCE
    )


def is_ordinary(icc_profile: bytes) -> bool:
    """Whether code values under this profile are perceptually spaced, as lossy encoders expect."""
    if not _is_valid_profile(icc_profile) or icc_profile[16:20] == b"GRAY":
        return True
    return _is_rgb_profile(icc_profile) and _distance_from_srgb(icc_profile) <= _ORDINARY_DISTANCE


# Conversion to 8-bit sRGB and back is exact enough when it moves hardly any sample by more than
# two code values (rounding, mostly of dark tones) and none visibly: colours outside sRGB would be.
_ROUNDING: Final = 2
_MOST_ROUNDED: Final = 0.001
_VISIBLE: Final = 8


def in_srgb(image: Image) -> Image | None:
    """`image` converted to sRGB by its embedded profile; None where sRGB cannot hold its colours.

    Decodes `image` more than once, so it must have random access.
    """
    profile = image.get(_PROFILE)
    converted = image.icc_transform("srgb", embedded=True, intent="relative", depth=8)
    converted = converted.copy_memory()
    with tempfile.NamedTemporaryFile(suffix=".icc") as file:
        file.write(profile)
        file.flush()
        back = converted.icc_transform(file.name, embedded=True, intent="relative", depth=8)
        moved = (back - image).abs()
        share = (moved > _ROUNDING).avg() / 255
        if moved.max() > _VISIBLE or share > _MOST_ROUNDED:
            return None
    return converted


def _is_valid_profile(icc_profile: bytes) -> bool:
    # ICC.1:2022, 7.2: a 128-byte header with its signature at byte 36.
    return len(icc_profile) > 128 and icc_profile[36:40] == b"acsp"


def _is_rgb_profile(icc_profile: bytes) -> bool:
    return icc_profile[16:20] == b"RGB "


@functools.lru_cache(maxsize=64)
def _distance_from_srgb(icc_profile: bytes) -> float:
    # All combinations of nine levels of red, green and blue, as a row of an image.
    levels = [round(step * 255 / (_GRID_LEVELS - 1)) for step in range(_GRID_LEVELS)]
    grid = bytes(itertools.chain.from_iterable(itertools.product(levels, repeat=3)))
    image = pyvips.Image.new_from_memory(grid, _GRID_LEVELS**3, 1, 3, "uchar")
    image = image.copy(interpretation="srgb")
    try:
        shown = tagged(image, icc_profile).icc_transform("srgb", embedded=True, intent="relative")
        return float((shown - image).abs().avg())
    except pyvips.Error:
        # A profile the colour engine cannot apply is as far from sRGB as can be.
        return float("inf")
