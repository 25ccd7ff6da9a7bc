"""What mozjpeg's own quality means with its default table: for peers that are told that number."""

from __future__ import annotations

from typing import Final

from tinyjpg.calibration import Curve

MOZJPEG_DEFAULTS: Final = Curve(
    ((40, 28.7), (50, 37.4), (60, 50.7), (70, 69.8), (75, 75.8), (80, 84.1), (85, 90), (90, 95.9))
)
"""The quality at which the median photograph scores so much: 79 photographs, progressive, 4:2:0,
trellis quantisation and table 3."""
