"""A worker process that decodes an image in full, as a viewer would, and reports what it is."""

from __future__ import annotations

import struct
import sys

from PIL import Image

from tests.viewer import view
from tinyjpg import worker
from tinyjpg.errors import CorruptImageError
from tinyjpg.formats import sniff
from tinyjpg.options import Options
from tinyjpg.result import Result

COMMAND = (sys.executable, "-P", __file__)

# What Pillow raises for damaged files, as its authors leave it to callers to know.
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error)


def decode(data: bytes, quality: int, *, options: Options) -> Result:  # noqa: ARG001 - of worker
    """Decode all of `data`.

    Raises:
        CorruptImageError: Pillow cannot.
    """
    try:
        shown = view(data)
    except _DAMAGED as error:
        raise CorruptImageError(f"Pillow cannot decode it: {error!r}") from error
    width, height = shown.size
    return Result(
        data=data,
        format=sniff(data),
        width=width,
        height=height,
        frames=len(shown.frames),
        input_size=len(data),
        method="decoded",
        score=100.0,
        elapsed=0.0,
    )


if __name__ == "__main__":
    Image.MAX_IMAGE_PIXELS = None
    worker.main(sys.argv[1:], run=decode)
