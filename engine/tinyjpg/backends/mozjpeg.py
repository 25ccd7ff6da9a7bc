"""mozjpeg's lossless transcoder (package mozjpeg-lossless-optimization)."""

from __future__ import annotations

from typing import cast

from tinyjpg.errors import CorruptImageError, MissingToolError

try:
    import mozjpeg_lossless_optimization as _mozjpeg
except (ImportError, OSError) as error:
    raise MissingToolError(
        f"mozjpeg cannot be loaded ({error}); "
        "install it with: pip install mozjpeg-lossless-optimization"
    ) from error


def repack(jpeg: bytes) -> bytes:
    """The same coefficients in the smallest progressive file mozjpeg can find, without metadata.

    Args:
        jpeg: one 8-bit Huffman-coded picture.

    Raises:
        CorruptImageError: mozjpeg cannot read it.
    """
    try:
        return cast(bytes, _mozjpeg.optimize(jpeg, _mozjpeg.COPY_MARKERS.NONE))
    except ValueError as error:
        raise CorruptImageError(
            f"the JPEG cannot be repacked: {error}; export or download it again"
        ) from error
