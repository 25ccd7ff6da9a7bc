"""libwebp through libvips: arrays of pixels in, WebP files out, and how a viewer shows them."""

from __future__ import annotations

import pyvips

from tinyjpg.backends import vips
from tinyjpg.backends.vips import Pixels
from tinyjpg.formats import Format


def decode(data: bytes) -> Pixels:
    """The pixels of a still WebP file: height x width x 3 or 4, uint8.

    Raises:
        CorruptImageError: it is truncated or damaged.
    """
    with vips.decoding(Format.WEBP):
        return vips.pixels(vips.load(data, Format.WEBP))


def encode(pixels: Pixels, **options: object) -> bytes:
    """A still WebP file of `pixels`, height x width x 3 or 4, without metadata; libvips' `options`.

    Raises:
        TinyJPGError: libwebp failed.
    """
    with vips.encoding(Format.WEBP):
        return vips.save(_image(pixels), Format.WEBP, keep="none", **options)


def encode_animation(data: bytes, *, exact: bool) -> bytes:
    """The animation in `data` as lossless frames chosen anew by libwebp; streams.

    libwebp may merge frames, and libvips changes short delays: the caller has to compare.

    Args:
        data: an animated WebP file.
        exact: keep the colours of fully transparent pixels too.

    Raises:
        CorruptImageError: it is truncated or damaged.
    """
    image = vips.load(data, Format.WEBP)
    if image.bands == 4 and not exact:
        visible = (image[3] == 0).ifthenelse([0, 0, 0, 0], image)
        image = visible.copy(interpretation="srgb")
    with vips.decoding(Format.WEBP):
        return vips.save(image, Format.WEBP, lossless=True, exact=exact, effort=4, min_size=True)


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """`pixels` turned and mirrored as the EXIF `orientation`, 1 to 8, asks."""
    if orientation == 1:
        return pixels
    return vips.pixels(vips.upright(_image(pixels), orientation))


def as_shown(pixels: Pixels, icc_profile: bytes | None) -> Pixels:
    """`pixels` converted from `icc_profile`, one for RGB, to sRGB; None: they are sRGB."""
    if icc_profile is None:
        return pixels
    image = _image(pixels).copy()
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", icc_profile)
    return vips.srgb_pixels(image)


def _image(pixels: Pixels) -> vips.Image:
    return pyvips.Image.new_from_array(pixels, interpretation="srgb")
