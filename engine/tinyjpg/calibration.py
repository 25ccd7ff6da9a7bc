"""What encoder setting reaches which quality: the measured tables that seed the search.

Each curve was measured on real images, all but those of smoothing with `./run bench calibrate`, and
is piecewise linear in the quality; the search starts from it and the engine falls back on it where
nothing is searched.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Curve:
    """A piecewise linear map from quality (SSIMULACRA2, 1 to 100) to an encoder setting.

    Attributes:
        points: (quality, setting) pairs, quality ascending. Outside them the ends hold.
    """

    points: tuple[tuple[float, float], ...]

    def at(self, quality: float) -> float:
        """The setting for `quality`."""
        index = bisect_right([point[0] for point in self.points], quality)
        if index == 0:
            return self.points[0][1]
        if index == len(self.points):
            return self.points[-1][1]
        (low, left), (high, right) = self.points[index - 1 : index + 1]
        return left + (right - left) * (quality - low) / (high - low)

    def inverse(self) -> Curve:
        """The curve from setting to quality; of stretches that stay level only one end remains."""
        by_setting = {setting: quality for quality, setting in self.points}
        return Curve(tuple(sorted(by_setting.items())))


# The setting of `codecs.jpeg_scales` at which the median score of photographs is the quality: 79
# photographs (Kodak, CLIC, GB82, cameras; the middle 768 pixels square of each), whose scores at
# one setting have a standard deviation of 8 points at quality 30, 2.5 at 80 and 1.5 at 90.
JPEG_420: Final = Curve(
    (
        (27, 0),
        (30, 3.5),
        (40, 15),
        (50, 29.2),
        (60, 44.7),
        (65, 54.5),
        (70, 66),
        (75, 79.1),
        (80, 94.8),
        (85, 116),
        (88, 133),
        (90, 148),
        (92, 169),
        (94, 224),
        (97, 384),
    )
)
# The same photographs without chroma subsampling.
JPEG_444: Final = Curve(
    (
        (30, 0),
        (40, 11.2),
        (50, 25.5),
        (60, 41.4),
        (65, 50.1),
        (70, 60.3),
        (75, 73.2),
        (80, 88.2),
        (85, 108),
        (88, 125),
        (90, 136),
        (92, 150),
        (95, 196),
        (96, 256),
        (99, 384),
    )
)

# The Q of mozjpeg at which the median score of photographs is the quality, as `benchmarks.mozjpeg`
# calls it (progressive, trellis quantisation): what tables of other files mean. Measured on 49
# photographs (Kodak, CLIC, GB82, cameras; the middle 768 pixels square of each), whose scores
# at one setting have a standard deviation of 8 points at quality 30, 4.4 at 80 and 3 at 90.
MOZJPEG_420: Final = Curve(
    (
        (1, 10.1),
        (10, 11.6),
        (20, 14.2),
        (30, 17),
        (40, 22.3),
        (50, 30.1),
        (60, 42.7),
        (65, 52.1),
        (70, 60.9),
        (75, 72.4),
        (80, 81.4),
        (85, 88.8),
        (88, 92.9),
        (90, 95.5),
        (92, 97.4),
        (95, 100),
    )
)
# The same photographs without chroma subsampling.
MOZJPEG_444: Final = Curve(
    (
        (1, 9.5),
        (10, 10.8),
        (20, 13.2),
        (30, 15.5),
        (40, 20.2),
        (50, 27.5),
        (60, 37.9),
        (65, 47.7),
        (70, 57),
        (75, 67.4),
        (80, 77.7),
        (85, 85.7),
        (88, 89.8),
        (90, 92.4),
        (92, 94.8),
        (94, 96.9),
        (95, 98),
        (97, 100),
    )
)
# The Q of libwebp, lossy, effort 4, with smart_subsample, at which the median score of 28
# photographs of up to 1.4 megapixels is the quality. Standard deviation: 2 points from 84 up, 4 at
# 60.
WEBP_LOSSY: Final = Curve(
    (
        (1, 1),
        (16.6, 5),
        (25.7, 10),
        (38.9, 20),
        (47.5, 30),
        (54.7, 40),
        (60.7, 50),
        (65.2, 60),
        (68.6, 70),
        (70, 75),
        (74.6, 80),
        (78.1, 84),
        (81.4, 87),
        (84.5, 90),
        (86.3, 92),
        (87.8, 94),
        (89.6, 96),
        (90.8, 98),
        (91.3, 100),
    )
)

# The Q of libimagequant (effort 7, no dithering, 256 colours at most, alpha 0 and 255 restored) at
# which the median score of 160 screenshots and logos is the quality. It is where a search begins
# and no more: the scores of 80 % of them are 52 to 91 for quality 80, and 79 to 94 for 90.
PALETTE_Q: Final = Curve(
    (
        (55, 1),
        (70, 4),
        (75, 6.5),
        (80, 13),
        (82, 20),
        (85, 38),
        (88, 61),
        (90, 75),
        (92, 85),
        (95, 95),
        (97.5, 99),
        (99, 100),
    )
)

# gifsicle's --lossy (with -O3) at which the worst frame of nine in ten animations reaches the
# quality. Measured on the 14 of 17 animations of 0.15 to 64 megapixels that it changes at all; the
# least score was 77 at level 40 and 86 at level 10. Above about 80 more loss can take more bytes.
GIF_LOSSY: Final = Curve(
    (
        (50, 200),
        (60, 140),
        (70, 100),
        (75, 70),
        (80, 45),
        (85, 27),
        (88, 17),
        (90, 11),
        (92, 8),
        (95, 4),
        (97, 2),
        (99, 1),
        (100, 0),
    )
)

# The square error that `gif_redraw.redraw` allows a pixel at which the worst frame reaches the
# quality. It is where a search begins and no more: at 38 fourteen animations scored 74 to 100, the
# large ones 74 to 85. To be measured anew by `./run bench calibrate --only "gif redraw"`.
GIF_REDRAW: Final = Curve(
    (
        (1, 2000),
        (20, 1000),
        (40, 450),
        (50, 280),
        (60, 170),
        (70, 100),
        (75, 70),
        (80, 48),
        (85, 29),
        (90, 15),
        (95, 6),
        (99, 2),
    )
)

# The index into png_rounding.STEPS (green finer) at which the median score of 10 photographs is the
# quality; standard deviation 8 indices, which is a factor of 1.5 in the step.
ROUNDING: Final = Curve(
    (
        (30, 8),
        (50, 13),
        (60, 17),
        (70, 21.5),
        (80, 27),
        (85, 31.5),
        (90, 38),
        (93, 46),
        (96, 60),
        (97, 63),
    )
)

# The index into png_palette.TOLERANCES at which smoothing lowers the score to the quality, for the
# fewest colours that reach it and the next more. Measured on 25 logos and screenshots; the standard
# deviation is 10 indices once the number of colours is taken into account.
SMOOTHING: Final = Curve(((1, 0), (40, 16), (60, 25), (80, 34), (90, 44), (95, 52), (100, 79)))
# What to add to it, by the base-2 logarithm of the number of colours: with few of them it takes
# more tolerance before anything changes.
SMOOTHING_BY_COLOURS: Final = Curve(((1, -25), (3, -17), (4, -4), (6, 14), (8, 27)))
