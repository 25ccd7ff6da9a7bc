"""Results are judged outside the engine, by what a viewer shows."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from benchmarks.scoring import Judge, Score, UnscorableError
from tests.engine.wave_pictures import picture, saved
from tinyjpg.metric import ssimulacra2


def test_a_score_is_what_the_metric_says_of_decoded_pixels() -> None:
    original = picture()
    result = saved(original, "JPEG", quality=70)
    with Image.open(io.BytesIO(result)) as decoded:
        expected = ssimulacra2(np.asarray(original), np.asarray(decoded))
    score = Judge(saved(original, "PNG")).score(result)
    assert score.worst == score.mean == pytest.approx(expected, abs=1e-3)


def test_100_is_given_to_the_same_pixels_alone() -> None:
    judge = Judge(saved(picture(), "PNG"))
    assert judge.score(saved(picture(), "WEBP", lossless=True)).worst == 100.0
    assert judge.score(saved(picture(), "JPEG", quality=100)).worst < 100.0


def test_pictures_are_turned_upright() -> None:
    stored = saved(picture(), "PNG")
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = picture().transpose(Image.Transpose.ROTATE_90)
    assert Judge(stored).score(saved(turned, "PNG", exif=exif.tobytes())).worst == 100.0


def test_transparency_is_shown_on_dark_and_light() -> None:
    clear, result = picture().convert("RGBA"), picture().convert("RGBA")
    clear.putalpha(0)
    result.putalpha(40)
    judge = Judge(saved(clear, "PNG"))
    expected = ssimulacra2(np.asarray(clear), np.asarray(result))
    assert judge.score(saved(result, "PNG")).worst == pytest.approx(expected, abs=1e-3)


def test_colours_are_brought_to_srgb_by_their_profile() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    grey = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    original = saved(picture(), "PNG")
    assert Judge(original).score(saved(picture(), "PNG", icc_profile=grey)).worst > 95
    # One that does not fit the image is no reason to fail.
    assert Judge(original).score(saved(picture(), "PNG", icc_profile=profile)).worst == 100.0


def test_the_worst_frame_counts_and_merged_ones_are_found_by_time() -> None:
    frames = [picture(), picture(), picture(40)]
    # Pillow merges frames that are the same.
    frames[1].putpixel((0, 0), (1, 2, 3))
    webp = {"save_all": True, "lossless": True}
    three = saved(frames[0], "WEBP", append_images=frames[1:], duration=[100, 100, 50], **webp)
    two = saved(frames[0], "WEBP", append_images=frames[2:], duration=[200, 50], **webp)
    late = saved(frames[0], "WEBP", append_images=frames[2:], duration=[100, 150], **webp)
    judge = Judge(three)
    assert judge.frames == 3
    assert judge.score(three) == Score(100.0, 100.0)
    assert 90 < judge.score(two).worst < 100
    shifted = judge.score(late)
    assert shifted.worst < 0
    assert shifted.mean == pytest.approx((200 + shifted.worst) / 3, abs=1)


def test_another_size_and_what_is_no_image_are_refused() -> None:
    judge = Judge(saved(picture(), "PNG"))
    with pytest.raises(UnscorableError, match="120 x 120 pixels instead of 128 x 128"):
        judge.score(saved(picture(side=120), "PNG"))
    with pytest.raises(UnscorableError, match="Pillow does not read it"):
        judge.score(b"nothing")
