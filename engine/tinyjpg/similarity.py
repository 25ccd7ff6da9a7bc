"""What a comparison of two images tells."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Similarity:
    """How alike two images look: SSIMULACRA2 scores, at most 100.0 each.

    Attributes:
        frames: one score for each frame of the reference, in order, so a single one for a still;
            the lowest where the other image changed while that frame was shown.
        mean: the score over the time that the animation is shown; of a still its score.
    """

    frames: tuple[float, ...]
    mean: float

    @property
    def score(self) -> float:
        """The score of the worst frame, which is what `quality` promises; of a still its score."""
        return min(self.frames)

    @property
    def worst_frame(self) -> int:
        """The number of the (first) frame that scores lowest, from 0."""
        return self.frames.index(self.score)
