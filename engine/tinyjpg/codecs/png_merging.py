"""Merging palette colours one by one: finer steps than the quantiser's quality has."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinyjpg.backends.imagequant import Indexed
from tinyjpg.codecs.png_smoothing import without_unused


def merged(indexed: Indexed, count: int) -> Indexed | None:
    """`indexed` with `count` colours fewer, each given up for the one that it is least missed for.

    That is where the squared difference, on black or on white, times the pixels that have it is
    least. The rarer of two colours goes, and if its alpha is 0 or 255, to one of that alpha.

    Returns:
        None where fewer than two colours would remain, or none may go.
    """
    for _ in range(count):
        if len(indexed.colours) <= 2:
            return None
        uses = np.bincount(indexed.indices.ravel(), minlength=len(indexed.colours))
        costs = _differences(indexed.colours) * uses[:, np.newaxis]
        alpha = indexed.colours[:, 3]
        is_exact = (alpha == 0) | (alpha == 255)
        forbidden = is_exact[:, np.newaxis] & (alpha[:, np.newaxis] != alpha)
        costs[forbidden | (uses[:, np.newaxis] > uses)] = np.inf
        np.fill_diagonal(costs, np.inf)
        gone, other = np.unravel_index(int(costs.argmin()), costs.shape)
        if costs[gone, other] == np.inf:
            return None
        successors = np.arange(len(indexed.colours), dtype=np.uint8)
        successors[gone] = other
        indexed = without_unused(Indexed(successors[indexed.indices], indexed.colours))
    return indexed


def _differences(colours: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Squared, between each two colours: colours x colours."""
    alpha = colours[:, 3:].astype(np.float64)
    shown = colours[:, :3] * alpha / 255
    on_black = shown[:, np.newaxis] - shown
    on_white = on_black - (alpha[:, np.newaxis] - alpha)
    squares: npt.NDArray[np.float64] = np.maximum(on_black**2, on_white**2).sum(axis=2)
    return squares
