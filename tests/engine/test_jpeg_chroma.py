"""Subsampled chroma of thin coloured strokes: their colour shows as it does in the original."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from tests.engine import jpeg_oracle as oracle
from tests.engine.encoded import check, planned
from tests.engine.test_colour_loss import LINK, strokes
from tests.images import photo
from tinyjpg.backends.jpeg import SCALES, Averaging, Subsampling
from tinyjpg.colour_loss import most_lost
from tinyjpg.native import available_instruction_sets, force_instruction_set

Pixels = npt.NDArray[np.uint8]

SUBSAMPLED = pytest.mark.parametrize(
    "subsampling", [Subsampling.CHROMA_420, Subsampling.CHROMA_422], ids=lambda one: one.name
)
SHOWN = Averaging.AS_SHOWN


@pytest.fixture(autouse=True)
def _unforced() -> Iterator[None]:
    yield
    force_instruction_set(None)


def luma(colour: npt.NDArray[np.int64]) -> int:
    return int(77 * colour[0] + 150 * colour[1] + 29 * colour[2]) >> 8


def towards_zero(value: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    result: npt.NDArray[np.int64] = np.sign(value) * (np.abs(value) // 4)
    return result


def literal(pixels: Pixels, down: int) -> npt.NDArray[np.float64]:
    """The colours that share chroma: height / down x width / 2 x 3, code values."""
    height, width = (-(-pixels.shape[0] // down), -(-pixels.shape[1] // 2))
    padded = np.pad(
        pixels.astype(np.int64) * 16,
        ((0, height * down - pixels.shape[0]), (0, width * 2 - pixels.shape[1]), (0, 0)),
        mode="edge",
    )
    made = np.empty((height, width, 3))
    for y in range(height):
        for x in range(width):
            rows = [down * y, down * y + down - 1]
            group = [padded[row, column] for row in rows for column in (2 * x, 2 * x + 1)]
            mean = sum(group) // 4
            for _ in range(2):
                missing = np.zeros(3, np.int64)
                for one in group:
                    missing += one - np.clip(luma(one) + mean - luma(mean), 0, 255 * 16)
                mean = np.clip(mean + towards_zero(missing), 0, 255 * 16)
            made[y, x] = mean / 16
    return made


@SUBSAMPLED
@pytest.mark.parametrize("size", [(48, 32), (37, 21), (9, 40)], ids=str)
def test_levels_are_the_transform_of_what_a_literal_reference_says(
    size: tuple[int, int], subsampling: Subsampling
) -> None:
    pixels = photo(*size)
    pixels[::3, ::5] = 255
    pixels[1::4, ::7] = LINK
    decoded = oracle.decode(planned(pixels, subsampling, SCALES[0], averaging=SHOWN).write())
    down = 2 if subsampling is Subsampling.CHROMA_420 else 1
    height = -(-size[1] // (8 * down)) * 8 * down
    padded = np.pad(pixels, ((0, height - size[1]), (0, 0), (0, 0)), mode="edge")
    planes = oracle.to_ycc(literal(padded, down))
    for component, plane in zip(
        decoded.components[1:], (planes[..., 1], planes[..., 2]), strict=True
    ):
        rows, columns = decoded.real_blocks(component)
        expected = oracle.coefficients(plane)[:rows, :columns]
        errors = np.abs(component.levels[:rows, :columns] * component.steps - expected)
        assert (errors < component.steps / 2 + 0.3).all()


@SUBSAMPLED
@pytest.mark.parametrize("width", [1, 2, 3, 8, 17, 33])
def test_decoders_show_what_was_promised(width: int, subsampling: Subsampling) -> None:
    for height in (1, 2, 9, 16, 31):
        pixels = photo(width, height, seed=height)
        pixels[::2, ::3] = 255
        check(planned(pixels, subsampling, averaging=SHOWN))


@SUBSAMPLED
def test_the_same_bytes_however_they_are_made(subsampling: Subsampling) -> None:
    pixels = strokes(LINK, 131, 75)
    pixels[5:12, 3:14] = np.random.default_rng(1).integers(0, 256, (7, 11, 3), np.uint8)
    files = set()
    for name in available_instruction_sets():
        force_instruction_set(name)
        made = planned(pixels, subsampling, 700, averaging=SHOWN)
        files.add(made.write())
        for strip in (1, 7, 64):
            stream = made.stream(131, 75)
            for top in range(0, 75, strip):
                stream.push(np.ascontiguousarray(pixels[top : top + strip]))
            files.add(stream.finish())
    assert len(files) == 1


def test_without_subsampling_there_is_nothing_to_average() -> None:
    for subsampling in (Subsampling.GREY, Subsampling.CHROMA_444):
        pixels = strokes(LINK)
        made = planned(pixels, subsampling, averaging=SHOWN)
        assert made.write() == planned(pixels, subsampling).write()


@pytest.mark.parametrize("colour", [LINK, (200, 40, 40), (20, 140, 60)], ids=str)
def test_links_keep_more_of_their_colour(colour: tuple[int, int, int]) -> None:
    """Than with averages of light, or of code values as other encoders have them."""
    pixels = strokes(colour, 160, 96)
    lost = {
        averaging: most_lost(
            pixels,
            planned(pixels, Subsampling.CHROMA_420, SCALES[0], averaging=averaging).show(),
        )
        for averaging in Averaging
    }
    assert lost[SHOWN] < 0.6 * lost[Averaging.LINEAR_LIGHT]
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=100, subsampling=2)
    assert lost[SHOWN] < 0.8 * most_lost(pixels, np.asarray(Image.open(stream)))


def test_plain_colours_stay_as_they_are() -> None:
    pixels = np.repeat(np.repeat(photo(8, 8), 16, axis=0), 16, axis=1)
    shown, light = (
        planned(pixels, Subsampling.CHROMA_420, averaging=averaging).write()
        for averaging in Averaging
    )
    assert abs(len(shown) - len(light)) < 0.02 * len(light)
