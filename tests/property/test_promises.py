"""The four promises over generated images: any size, content, format and quality."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.images import photo
from tests.promises import check
from tests.property.pictures import pictures, saved
from tinyjpg import TinyJPGError, optimize

_ORIENTATION = 0x0112
MODES = {"JPEG": ("RGB", "L"), "PNG": ("RGB", "RGBA", "L", "LA", "P", "1"), "WEBP": ("RGB", "RGBA")}


QUALITIES = st.integers(1, 100)


@settings(max_examples=60, deadline=None)
@given(pictures(MODES["JPEG"]), QUALITIES, st.integers(30, 100), st.booleans())
def test_jpeg(image: Image.Image, quality: int, stored_at: int, progressive: bool) -> None:
    source = saved(image, "JPEG", quality=stored_at, progressive=progressive)
    check(source, optimize(source, quality), quality)


@settings(max_examples=40, deadline=None)
@given(
    pictures(MODES["JPEG"], largest=250),
    QUALITIES,
    st.integers(30, 100),
    st.sampled_from([0, 1, 2]),
    st.integers(1, 8),
)
def test_jpeg_of_any_sampling_and_orientation(
    image: Image.Image, quality: int, stored_at: int, subsampling: int, orientation: int
) -> None:
    """From 113 pixels on all scales of the metric count."""
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    source = saved(image, "JPEG", quality=stored_at, subsampling=subsampling, exif=exif)
    check(source, optimize(source, quality), quality)


@settings(max_examples=60, deadline=None)
@given(pictures(MODES["PNG"]), QUALITIES)
def test_png(image: Image.Image, quality: int) -> None:
    source = saved(image, "PNG")
    check(source, optimize(source, quality), quality)


@settings(max_examples=50, deadline=None)
@given(pictures(MODES["WEBP"]), QUALITIES, st.integers(10, 100), st.booleans())
def test_webp(image: Image.Image, quality: int, stored_at: int, lossless: bool) -> None:
    source = saved(image, "WEBP", quality=stored_at, lossless=lossless)
    check(source, optimize(source, quality), quality)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(pictures(("RGB",)), min_size=1, max_size=5),
    QUALITIES,
    st.sampled_from([None, 0, 3]),
    st.integers(1, 50),
)
def test_gif(images: list[Image.Image], quality: int, loop: int | None, delay: int) -> None:
    first, *others = (image.resize((16, 12)).convert("P") for image in images)
    options: dict[str, Any] = {} if loop is None else {"loop": loop}
    source = saved(
        first, "GIF", save_all=True, append_images=others, duration=10 * delay, **options
    )
    check(source, optimize(source, quality), quality)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["JPEG", "PNG", "WEBP", "GIF"]), st.data())
def test_damage_ends_in_a_result_or_a_typed_error(format: str, data: st.DataObject) -> None:
    source = bytearray(saved(Image.fromarray(photo(24, 18)), format))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(source) - 1))
        source[at] = data.draw(st.integers(0, 255))
    quality = data.draw(QUALITIES)
    with contextlib.suppress(TinyJPGError):
        assert optimize(bytes(source), quality).output_size <= len(source)
