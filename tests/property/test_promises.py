"""The four promises over generated images: any size, content, format and quality."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.images import Pixels, photo
from tests.promises import check
from tinyjpg import TinyJPGError, optimize

PATTERNS = ("photo", "noise", "flat", "gradient", "checks", "few colours")
MODES = {"JPEG": ("RGB", "L"), "PNG": ("RGB", "RGBA", "L", "LA", "P", "1"), "WEBP": ("RGB", "RGBA")}


@st.composite
def pictures(draw: st.DrawFn, modes: tuple[str, ...]) -> Image.Image:
    """A picture of up to 40 x 40 pixels in one of Pillow's `modes`."""
    width, height = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    seed = draw(st.integers(0, 2**16))
    pixels = _paint(draw(st.sampled_from(PATTERNS)), width, height, seed)
    image = Image.fromarray(pixels)
    mode = draw(st.sampled_from(modes))
    if mode in ("RGBA", "LA"):
        alpha = np.random.default_rng(seed).choice([0, 1, 128, 254, 255], (height, width))
        image.putalpha(Image.fromarray(alpha.astype(np.uint8)))
    return image.convert(mode)


def _paint(pattern: str, width: int, height: int, seed: int) -> Pixels:
    random = np.random.default_rng(seed)
    down, across = np.mgrid[0:height, 0:width]
    if pattern == "photo":
        return photo(width, height, seed % 7)
    if pattern == "noise":
        return random.integers(0, 256, (height, width, 3), np.uint8)
    if pattern == "flat":
        return np.full((height, width, 3), random.integers(0, 256, 3), np.uint8)
    if pattern == "gradient":
        ramp = (across * 255 // max(1, width - 1)).astype(np.uint8)
        return np.stack([ramp, ramp[:, ::-1], ramp // 2], axis=-1)
    if pattern == "checks":
        return np.repeat((((down + across) % 2) * 255).astype(np.uint8)[..., None], 3, axis=2)
    palette = random.integers(0, 256, (5, 3), np.uint8)
    return palette[random.integers(0, 5, (height, width))]


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


QUALITIES = st.integers(1, 100)


@settings(max_examples=60, deadline=None)
@given(pictures(MODES["JPEG"]), QUALITIES, st.integers(30, 100), st.booleans())
def test_jpeg(image: Image.Image, quality: int, stored_at: int, progressive: bool) -> None:
    source = saved(image, "JPEG", quality=stored_at, progressive=progressive)
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
