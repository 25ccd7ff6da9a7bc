"""Images as a viewer shows them, before they are compared."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import pyvips
from PIL import Image, ImageCms

from corpus import cases
from corpus.generators import gif_structure, png_structure
from corpus.generators.metadata import display_p3_profile, grey_profile, srgb_profile
from corpus.generators.pictures import soft_edge, with_alpha
from corpus.generators.png_structure import GREY, GREY_ALPHA, RGB, RGBA, Chunk
from tests.engine.webp_files import animation as webp_animation
from tests.engine.webp_files import frame as webp_frame
from tests.engine.webp_files import picture as webp_picture
from tests.images import Pixels, encode, mean_error, photo, quadrants
from tests.viewer import view
from tinyjpg import CorruptImageError, DeadlineExceededError, Limits, UnsupportedFormatError
from tinyjpg.limits import Deadline
from tinyjpg.shown import Shown, look

NEVER = Deadline()
PHOTO = photo()
FINEST: Mapping[str, dict[str, Any]] = {
    "WEBP": {"lossless": True},
    "JPEG": {"quality": 100, "subsampling": 0},
}
Linear = npt.NDArray[np.float64]


def frames(data: object) -> list[Pixels]:
    """Copies of all that is shown."""
    return [pixels.copy() for pixels in look(data, Limits()).frames(NEVER)]


def still(data: object) -> Pixels:
    (pixels,) = frames(data)
    return pixels


def rgba(pixels: Pixels) -> Pixels:
    """Any number of bands as four."""
    height, width, bands = pixels.shape
    result = np.full((height, width, 4), 255, np.uint8)
    result[..., :3] = pixels[..., : 1 if bands <= 2 else 3]
    if bands in (2, 4):
        result[..., 3] = pixels[..., -1]
    return result


def linear(code_values: npt.NDArray[np.float64]) -> Linear:
    """sRGB code values, 0 to 1, as linear light (IEC 61966-2-1)."""
    dark = code_values / 12.92
    return np.where(code_values <= 0.04045, dark, ((code_values + 0.055) / 1.055) ** 2.4)


def srgb(light: Linear) -> npt.NDArray[np.float64]:
    """The inverse of `linear`, as code values from 0 to 255."""
    clipped = light.clip(0, 1)
    bright = 1.055 * clipped ** (1 / 2.4) - 0.055
    return 255 * np.where(clipped <= 0.0031308, 12.92 * clipped, bright)


def png(samples: npt.NDArray[np.unsignedinteger], colour: int = RGB, *before: Chunk) -> bytes:
    return png_structure.encode(samples, colour, 8 * samples.dtype.itemsize, before=before)


def gamma(stored: int) -> Chunk:
    return b"gAMA", struct.pack(">I", stored)


class TestColour:
    @pytest.mark.parametrize("format", ["PNG", "WEBP", "GIF"])
    def test_plain_pixels_are_what_they_are(self, format: str) -> None:
        grey = np.dstack([PHOTO[..., 1]] * 3)
        assert np.array_equal(
            rgba(still(encode(grey, format, **FINEST.get(format, {})))), rgba(grey)
        )

    def test_a_jpeg_is_what_other_decoders_make_of_it(self) -> None:
        data = encode(PHOTO, "JPEG", quality=90, subsampling=0)
        assert mean_error(rgba(still(data)), view(data).frames[0]) < 0.5

    def test_grey_stays_grey(self) -> None:
        grey = PHOTO[..., :1]
        assert np.array_equal(still(encode(grey, "PNG")), grey)
        assert still(encode(grey, "JPEG")).shape[2] == 1

    @pytest.mark.parametrize("colour", [GREY, GREY_ALPHA, RGB, RGBA])
    def test_sixteen_bits_are_rounded(self, colour: int) -> None:
        bands = png_structure.CHANNELS[colour]
        values = np.arange(65536, dtype=np.uint16)[:: 65535 // (64 * 64)][: 64 * 64]
        samples = np.dstack([np.roll(values, 9 * band).reshape(64, 64) for band in range(bands)])
        # Halfway cases do not exist: 65535 / 255 is odd.
        expected = np.rint(samples / 257).astype(np.uint8)
        assert np.array_equal(still(png(samples, colour)), expected)
        assert np.array_equal(still(samples), expected)
        assert np.array_equal(still(samples.astype(">u2")), expected)

    @pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
    def test_a_profile_is_applied(self, format: str) -> None:
        data = encode(PHOTO, format, icc_profile=display_p3_profile(), **FINEST.get(format, {}))
        plain = encode(PHOTO, format, icc_profile=srgb_profile(), **FINEST.get(format, {}))
        profiles = (io.BytesIO(display_p3_profile()), io.BytesIO(srgb_profile()))
        with Image.open(io.BytesIO(plain)) as image:
            decoded = np.asarray(image)
            expected = ImageCms.profileToProfile(image, *profiles)
        assert expected is not None
        assert mean_error(still(data), np.asarray(expected)) < 0.5
        assert mean_error(still(plain), decoded) < 0.1
        assert mean_error(still(data), still(plain)) > 3

    def test_a_profile_applies_to_sixteen_bits_with_alpha(self) -> None:
        wide = with_alpha(PHOTO, soft_edge(96, 64)).astype(np.uint16) * 257
        body = b"P3\0\0" + zlib.compress(display_p3_profile())
        shown = still(png(wide, RGBA, (b"iCCP", body)))
        narrow = still(png((wide // 257).astype(np.uint8), RGBA, (b"iCCP", body)))
        assert shown.shape == (64, 96, 4)
        assert np.array_equal(shown[..., 3], wide[..., 3] // 257)
        assert np.abs(shown.astype(int) - narrow).max() <= 2
        assert mean_error(shown[..., :3], PHOTO) > 3

    def test_a_grey_profile_is_applied(self) -> None:
        for exponent in (1.0, 1.8):
            data = encode(PHOTO[..., :1], "PNG", icc_profile=grey_profile(exponent))
            expected = srgb((PHOTO[..., :1] / 255) ** exponent)
            assert np.abs(still(data) - expected).max() < 1.5

    def test_a_profile_that_is_none_changes_nothing(self) -> None:
        data = encode(PHOTO, "PNG", icc_profile=b"no profile at all" * 20)
        assert np.array_equal(still(data), PHOTO)

    def test_a_profile_in_a_gif_is_not_applied(self) -> None:
        # No browser does.
        indices = PHOTO[..., 0] // 4
        palette = [(4 * level, 200, 255 - 4 * level) for level in range(64)]
        data = gif_structure.encode([gif_structure.Frame(indices=indices)], palette)
        profile = b"\x21\xff\x0bICCRGBG1012" + bytes((200,)) + bytes(200) + b"\0"
        at = 13 + 3 * 64
        tagged = data[:at] + profile + data[at:]
        assert np.array_equal(still(tagged), still(data))

    @pytest.mark.parametrize("embedded", [True, False])
    def test_cmyk_is_converted(self, embedded: bool) -> None:
        profile = bytes(pyvips.Operation.call("profile_load", "cmyk"))
        image = Image.fromarray(PHOTO).convert("CMYK")
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=100, icc_profile=profile if embedded else None)
        with Image.open(stream) as decoded:
            expected = ImageCms.profileToProfile(
                decoded,
                io.BytesIO(profile),
                ImageCms.createProfile("sRGB"),
                ImageCms.Intent.RELATIVE_COLORIMETRIC,
                outputMode="RGB",
            )
        assert expected is not None
        assert mean_error(still(stream.getvalue()), np.asarray(expected)) < 1

    @pytest.mark.parametrize("colour", [RGB, GREY])
    @pytest.mark.parametrize("depth", [8, 16])
    def test_the_gamma_of_a_png_is_applied(self, colour: int, depth: int) -> None:
        picture = PHOTO if colour == RGB else PHOTO[..., :1]
        scale = 2**depth - 1
        kind = np.uint8 if depth == 8 else np.uint16
        for exponent in (1.0, 1.8):
            stored = np.rint(scale * linear(picture / 255) ** (1 / exponent)).astype(kind)
            expected = srgb((stored / scale) ** exponent)
            shown = still(png(stored, colour, gamma(round(100_000 / exponent))))
            assert np.abs(shown - expected).max() < 1.1

    def test_what_says_srgb_changes_nothing(self) -> None:
        primaries = struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
        chunks: list[Chunk] = [(b"cHRM", primaries), gamma(45455)]
        assert np.array_equal(still(png(PHOTO, RGB, *chunks)), PHOTO)
        assert np.array_equal(still(png(PHOTO, RGB, (b"sRGB", b"\0"), gamma(100_000))), PHOTO)

    def test_the_primaries_of_a_png_are_those_of_a_profile(self) -> None:
        as_profile = encode(PHOTO, "PNG", icc_profile=display_p3_profile())
        primaries = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
        for chunk in ((b"cHRM", primaries), (b"cICP", bytes((12, 13, 0, 1)))):
            shown = still(png(PHOTO, RGB, chunk))
            assert np.abs(shown.astype(int) - still(as_profile)).max() <= 2

    @pytest.mark.parametrize("chromaticities", [(0,) * 8, (31270, 32900, *(30000, 30000) * 3)])
    def test_impossible_primaries_change_nothing(self, chromaticities: tuple[int, ...]) -> None:
        chunk = (b"cHRM", struct.pack(">8I", *chromaticities))
        assert np.array_equal(still(png(PHOTO, RGB, chunk)), PHOTO)

    @pytest.mark.parametrize("stored", [0, 1, 2**32 - 1])
    def test_impossible_gammas_change_nothing(self, stored: int) -> None:
        assert np.array_equal(still(png(PHOTO, RGB, gamma(stored))), PHOTO)

    def test_a_profile_is_applied_to_every_frame(self) -> None:
        frame = png_structure.Frame(samples=PHOTO)
        body = b"P3\0\0" + zlib.compress(display_p3_profile())
        apng = png_structure.animate([frame, frame], RGB, behind_palette=[(b"iCCP", body)])
        webp = io.BytesIO()
        pictures = [Image.fromarray(PHOTO), Image.fromarray(PHOTO[::-1])]
        pictures[0].save(
            webp,
            "WEBP",
            save_all=True,
            append_images=pictures[1:],
            lossless=True,
            icc_profile=display_p3_profile(),
        )
        expected = still(encode(PHOTO, "PNG", icc_profile=display_p3_profile()))
        for data in (apng, webp.getvalue()):
            first, _ = frames(data)
            assert np.array_equal(first[..., :3], expected)

    def test_twelve_bits_are_refused(self) -> None:
        (case,) = (one for one in cases() if one.name == "jpeg/twelve_bits_keep_every_pixel")
        with pytest.raises(UnsupportedFormatError, match="12 bits"):
            look(case.make(), Limits())

    @pytest.mark.parametrize("coding", [(9, 16, 0, 1), (9, 18, 0, 1), (6, 13, 0, 1), (1, 13, 0, 0)])
    def test_hdr_and_television_colours_are_refused(self, coding: tuple[int, ...]) -> None:
        with pytest.raises(UnsupportedFormatError, match="cICP"):
            look(png(PHOTO, RGB, (b"cICP", bytes(coding))), Limits())


class TestOrientation:
    @pytest.mark.parametrize("value", range(1, 9))
    @pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
    def test_the_picture_is_upright(self, format: str, value: int) -> None:
        exif = Image.Exif()
        exif[274] = value
        data = encode(quadrants(), format, exif=exif.tobytes(), **FINEST.get(format, {}))
        shown = look(data, Limits())
        expected = view(data).frames[0]
        assert (shown.height, shown.width) == expected.shape[:2]
        assert mean_error(rgba(still(data)), expected) < 1


# Pillow disagrees with browsers about translucent pixels drawn over others in an APNG, and about
# what a GIF is cleared to, so neither is in these scenes.


def apng_scene() -> bytes:
    canvas = with_alpha(photo(40, 30), np.full((30, 40), 255, np.uint8))
    patch = with_alpha(photo(12, 9, seed=2), np.full((9, 12), 255, np.uint8))
    patch[:3, :3, 3] = 0
    patches = [
        png_structure.Frame(
            samples=patch, left=2 + 6 * step, top=5 + step, dispose=step % 3, blend=step % 2
        )
        for step in range(5)
    ]
    return png_structure.animate([png_structure.Frame(samples=canvas, dispose=2), *patches], RGBA)


def gif_scene() -> bytes:
    palette = [(level * 4, 255 - level * 4, level) for level in range(64)]
    whole = photo(40, 30)[..., 0] // 4
    patch = photo(12, 9, seed=2)[..., 1] // 4
    patches = [
        gif_structure.Frame(
            indices=patch,
            delay=4,
            left=2 + 6 * step,
            top=5 + step,
            disposal=(1, 3)[step % 2],
            transparent=7,
        )
        for step in range(5)
    ]
    return gif_structure.encode(
        [gif_structure.Frame(indices=whole, delay=1), *patches], palette, loops=0
    )


def webp_scene() -> bytes:
    canvas = with_alpha(photo(40, 30), soft_edge(40, 30))
    patch = with_alpha(photo(12, 9, seed=2), soft_edge(12, 9))
    parts = [webp_frame(webp_picture(canvas, lossless=True), (40, 30), duration=5)]
    parts += [
        webp_frame(
            webp_picture(patch, lossless=True),
            (12, 9),
            (2 + 6 * step, 4 + 2 * step),
            duration=40 + step,
            blend=bool(step % 2),
            dispose=step == 2,
        )
        for step in range(5)
    ]
    return webp_animation(parts, 40, 30)


class TestAnimations:
    @pytest.mark.parametrize(
        ("scene", "tolerance"), [(apng_scene, 0), (gif_scene, 0), (webp_scene, 1)]
    )
    def test_frames_are_composited(self, scene: Callable[[], bytes], tolerance: int) -> None:
        data = scene()
        expected = view(data).frames
        shown = frames(data)
        assert len(shown) == len(expected) == 6
        for one, other in zip(shown, expected, strict=True):
            visible = (rgba(one)[..., 3:] > 0) | (other[..., 3:] > 0)
            difference = np.abs(rgba(one).astype(int) - other) * visible
            assert difference.max() <= tolerance
        assert not np.array_equal(shown[0], shown[-1])

    def test_drawing_over_what_is_translucent_follows_the_specification(self) -> None:
        below = np.full((8, 8, 4), (200, 100, 0, 128), np.uint8)
        above = np.full((8, 8, 4), (0, 100, 250, 64), np.uint8)
        data = png_structure.animate(
            [png_structure.Frame(samples=below), png_structure.Frame(samples=above, blend=1)], RGBA
        )
        _, drawn = frames(data)
        alpha = 64 / 255 + (1 - 64 / 255) * 128 / 255
        red = 200 * (1 - 64 / 255) * 128 / 255 / alpha
        blue = 250 * 64 / 255 / alpha
        assert drawn[0, 0].tolist() == [round(red), 100, round(blue), round(255 * alpha)]

    def test_a_default_image_that_is_no_frame_is_not_shown(self) -> None:
        pictures = [png_structure.Frame(samples=photo(40, 30, seed)) for seed in (1, 2)]
        hidden = png_structure.animate(pictures, RGB, default_image=photo(40, 30, 3))
        shown = frames(hidden)
        assert [
            np.array_equal(one[..., :3], two.samples)
            for one, two in zip(shown, pictures, strict=True)
        ] == [True] * 2

    def test_sixteen_bits_and_gamma_count_in_every_frame(self) -> None:
        wide = [
            png_structure.Frame(samples=photo(40, 30, seed).astype(np.uint16) * 257)
            for seed in (1, 2)
        ]
        data = png_structure.animate(wide, RGB, 16, behind_palette=[gamma(100_000)])
        for seed, shown in zip((1, 2), frames(data), strict=True):
            expected = srgb(photo(40, 30, seed) / 255)
            assert np.abs(shown[..., :3] - expected).max() < 1.1

    def test_delays_are_those_of_browsers(self) -> None:
        assert look(gif_scene(), Limits()).delays == (100, *(40,) * 5)
        assert look(webp_scene(), Limits()).delays == (100, 40, 41, 42, 43, 44)
        assert look(apng_scene(), Limits()).delays == (100,) * 6

    def test_no_more_than_a_few_canvases_are_in_memory(self) -> None:
        shown = look(gif_scene(), Limits())
        kept = {id(pixels.base) for pixels in shown.frames(NEVER)}
        assert len(kept) <= 2


class TestDamage:
    @pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF"])
    def test_a_truncated_image_is_refused(self, format: str) -> None:
        data = encode(PHOTO, format)
        with pytest.raises(CorruptImageError):
            still(data[: len(data) * 2 // 3])

    def test_pixels_that_end_early_are_refused(self) -> None:
        chunks = dict(png_structure.split(png(PHOTO)))
        short = png_structure.packed(PHOTO[:32], 8)
        chunks[b"IDAT"] = short
        with pytest.raises(CorruptImageError):
            still(png_structure.join(list(chunks.items())))

    def test_a_damaged_frame_is_refused(self) -> None:
        data = apng_scene()
        chunks = [
            (name, body[:4] + bytes(len(body) - 4) if name == b"fdAT" else body)
            for name, body in png_structure.split(data)
        ]
        shown: Shown = look(png_structure.join(chunks), Limits())
        with pytest.raises(CorruptImageError):
            list(shown.frames(NEVER))

    @pytest.mark.parametrize("make", [apng_scene, gif_scene, webp_scene, lambda: png(PHOTO)])
    def test_the_deadline_is_kept(self, make: Callable[[], bytes]) -> None:
        shown = look(make(), Limits())
        with pytest.raises(DeadlineExceededError):
            list(shown.frames(Deadline(at=0.0)))
