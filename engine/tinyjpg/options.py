"""What a caller may ask for besides the quality."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from tinyjpg.errors import InvalidOptionError
from tinyjpg.limits import Limits

EFFORTS: Final = range(1, 10)
"""How much time the bytes of a JPEG may take; see `Options.effort`."""

DEFAULT_EFFORT: Final = 5


class Keep(StrEnum):
    """Metadata that survives on request; the default drops all the picture does not need."""

    COPYRIGHT = "copyright"
    CREATION = "creation"
    LOCATION = "location"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Everything about a call but its quality.

    Attributes:
        keep: metadata to preserve, members of `Keep` or their names. What the picture needs to
            look right (ICC profile, orientation, animation control) is always kept.
        limits: what the image may cost.
        effort: 1 to 9, time for bytes. It counts for JPEG alone: 1 and 2 round with a dead zone, 3
            to 8 weigh each coefficient's bits against its error, 9 follows the score's gradient
            besides (up to 16 megapixels). The promises are the same at each.

    Raises:
        InvalidOptionError: an unknown kind of metadata, or an effort out of range.
    """

    keep: frozenset[Keep] = frozenset()
    limits: Limits = field(default_factory=Limits)
    effort: int = DEFAULT_EFFORT

    def __post_init__(self) -> None:
        object.__setattr__(self, "keep", _as_keep(self.keep))
        if not isinstance(self.limits, Limits):
            raise InvalidOptionError(f"limits is {self.limits!r}; give a Limits")
        check_effort(self.effort)


def _as_keep(names: Iterable[str]) -> frozenset[Keep]:
    given = [names] if isinstance(names, str) else list(names)
    known = {member.value for member in Keep}
    unknown = sorted(str(name) for name in given if name not in known)
    if unknown:
        raise InvalidOptionError(f"cannot keep {', '.join(unknown)}; choose from {', '.join(Keep)}")
    return frozenset(Keep(name) for name in given)


def check_effort(effort: int) -> int:
    """Return `effort` if it is a whole number from 1 to 9.

    Raises:
        InvalidOptionError: it is not.
    """
    if isinstance(effort, bool) or not isinstance(effort, int) or effort not in EFFORTS:
        raise InvalidOptionError(
            f"the effort is {effort!r}; give a whole number from 1 to 9 (9 = smallest and slowest)"
        )
    return effort


def check_quality(quality: int) -> int:
    """Return `quality` if it is a whole number from 1 to 100.

    Raises:
        InvalidOptionError: it is not.
    """
    if isinstance(quality, bool) or not isinstance(quality, int) or not 1 <= quality <= 100:
        raise InvalidOptionError(
            f"quality is {quality!r}; give a whole number from 1 to 100 (100 = pixel-identical)"
        )
    return quality
