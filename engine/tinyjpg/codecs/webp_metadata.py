"""What surrounds the pictures of a WebP result: metadata wanted, colours and orientation."""

from __future__ import annotations

from dataclasses import replace

from tinyjpg.backends import vips
from tinyjpg.containers import exif
from tinyjpg.containers.webp_header import WebpHeader
from tinyjpg.options import Keep
from tinyjpg.source import Request


def packed(header: WebpHeader, request: Request) -> WebpHeader:
    """`header` with only the metadata that the picture needs and `request` asks for."""
    keep_all = Keep.ALL in request.keep
    profile = header.icc_profile
    return replace(
        header,
        icc_profile=None if profile is None or vips.is_srgb(profile) else profile,
        exif=exif.select(header.exif, request.keep, header.orientation),
        xmp=header.xmp if keep_all else None,
        other=header.other if keep_all else (),
    )


def upright(header: WebpHeader, request: Request) -> WebpHeader:
    """`header`, as `packed` returns it, for pixels that are turned upright already."""
    width, height = header.upright_size
    return replace(
        header,
        width=width,
        height=height,
        orientation=1,
        exif=exif.select(header.exif, request.keep, 1),
    )


def may_be_lossy(header: WebpHeader, request: Request) -> bool:
    """Whether `request` allows changed pixels, and their values are spaced as encoders expect."""
    if request.lossless:
        return False
    profile = header.icc_profile
    return profile is None or (profile[16:20] == b"RGB " and vips.is_ordinary(profile))
