"""Whether a WebP picture is at the quality asked for: its quantisers or our marker say so.

Coding a lossy picture again at the level it has costs points and saves little; such a picture is
only packed.
"""

from __future__ import annotations

from typing import Final

from tinyjpg.calibration import WEBP_LOSSY
from tinyjpg.containers.webp_header import Bitstream, WebpHeader
from tinyjpg.source import Request

# What reading the quality back from the quantisers may be off by.
_READING_ERROR: Final = 1.0


def is_marked(header: WebpHeader, request: Request) -> bool:
    """Whether this engine made the file for the quality asked for, or a lower one."""
    return header.marked_quality is not None and header.marked_quality <= request.quality


def is_settled(bitstream: Bitstream, quality: int) -> bool:
    """Whether a VP8 frame was coded no finer than the median photograph needs for `quality`."""
    return is_coarser(bitstream, round(WEBP_LOSSY.at(quality)))


def is_coarser(bitstream: Bitstream, setting: int) -> bool:
    """Whether a VP8 frame was coded at or below libwebp's quality `setting`, 0 to 100."""
    found = bitstream.quality
    return found is not None and found <= setting + _READING_ERROR
