"""What encoder setting reaches which quality: the measured tables that seed the search.

Each curve was measured on real images with `./run bench calibrate` and is piecewise linear in the
quality; the search starts from it and the engine falls back on it where nothing is searched.
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


# The Q of libvips' mozjpeg (progressive, trellis, overshoot deringing, quantisation table 3) at
# which the median score of photographs is the quality. Measured on 79 photographs (Kodak, CLIC,
# GB82, cameras; the middle 2 megapixels of each): tuned on 40, of which 80 % are within 8 points at
# quality 40 and within 4 from 80 on; the median of the other 39 is at most 2 points off.
JPEG_420: Final = Curve(
    (
        (1, 14.1),
        (10, 16.3),
        (20, 19.3),
        (30, 23.2),
        (40, 28.7),
        (50, 37.4),
        (60, 50.7),
        (65, 61.6),
        (70, 69.8),
        (75, 75.8),
        (80, 84.1),
        (85, 90),
        (88, 93.6),
        (90, 95.9),
        (92, 98.2),
        (93.5, 100),
    )
)
# The same photographs without chroma subsampling; the median of the others is at most 4 points off
# below quality 30, and 1.5 above.
JPEG_444: Final = Curve(
    (
        (1, 13.5),
        (10, 15.2),
        (20, 18.2),
        (30, 21.6),
        (40, 26.5),
        (50, 34.8),
        (60, 46.9),
        (65, 56.8),
        (70, 65.3),
        (75, 72.8),
        (80, 80.3),
        (85, 88),
        (88, 92.1),
        (90, 94),
        (92, 96.3),
        (95, 98.9),
        (96, 100),
    )
)
# Up to here 4:2:0 is the better choice for photographs: 75 of the 79 reach a score of 90 with it,
# in 10 % fewer bytes than with 4:4:4 (median; fewer on 63); 64 reach 92, and 51 reach 93.
JPEG_420_MAX_QUALITY: Final = 90

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
