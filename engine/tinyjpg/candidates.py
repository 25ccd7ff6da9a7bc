"""Candidate results compete; the smallest that keeps the promises wins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tinyjpg.errors import DeadlineExceededError
from tinyjpg.limits import Deadline


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to store the image.

    Attributes:
        data: the complete file.
        method: how it was made, in words, for people.
        score: its SSIMULACRA2 against the input, 100 where no visible pixel differs.
    """

    data: bytes
    method: str
    score: float


def pick(original: Candidate, candidates: Iterable[Candidate], deadline: Deadline) -> Candidate:
    """The smallest of `candidates`, or `original` where none is smaller.

    Candidates are taken one at a time: once `deadline` has passed no further one is made.

    Raises:
        DeadlineExceededError: it passed before a single candidate was made, so nothing shows that
            the image is whole.
    """
    best = original
    found_any = False
    try:
        for candidate in candidates:
            found_any = True
            if len(candidate.data) < len(best.data):
                best = candidate
            if deadline.passed:
                break
    except DeadlineExceededError:
        if not found_any:
            raise
    return best
