"""The smallest JPEG of a drawing: which tables and chroma suit it, only trying tells.

The score does not mind that thin coloured letters turn grey where chroma is subsampled, so what is
found has to keep its colours besides. `Averaging.AS_SHOWN` keeps more of them, at the same score
in 0 to 10 % more bytes; full chroma keeps all, in up to 45 % more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from tinyjpg.backends.jpeg import Averaging, Tables
from tinyjpg.codecs.jpeg_attempts import Found, Look, keeps_colours, look, whole
from tinyjpg.codecs.jpeg_picture import Picture
from tinyjpg.codecs.jpeg_sample import Sample
from tinyjpg.codecs.jpeg_scales import Chroma, Manner
from tinyjpg.search import MOST_PROBES
from tinyjpg.source import Request

# Looks at a sample for each of the manners.
_LOOKS: Final = 2
# How many of the manners are tried on the whole of a large drawing.
_TRIED: Final = 2

_FULL: Final = Manner(Chroma.FULL, Tables.DRAWING)


class Drawing:
    """A search for the smallest file of one drawing.

    Args:
        picture: the drawing.
        sample: of it.
        request: whose quality is to be reached.
    """

    def __init__(self, picture: Picture, sample: Sample, request: Request) -> None:
        self._picture = picture
        self._sample = sample
        self._request = request
        self._looks = _LOOKS if sample.is_part else 1

    def smallest(self) -> Found | None:
        """The smallest file that was found; None where there is none."""
        if self._sample.is_grey:
            return _least(self._competed([Manner(Chroma.NONE, tables) for tables in Tables]))
        manners = [Manner(Chroma.SUBSAMPLED, tables) for tables in Tables]
        if not self._picture.is_subsampled:
            manners.append(_FULL)
        return self.keeping_colours(self._competed(manners))

    def keeping_colours(self, found: list[Found]) -> Found | None:
        """The smallest of those that were found, or another where that one loses colours."""
        kept = [one for one in found if self._keeps(one)]
        best, smallest = _least(kept), _least(found)
        if best is not None and best is smallest:
            return best
        if smallest is not None and smallest.manner.chroma is Chroma.SUBSAMPLED:
            kept += self._kept(replace(smallest.manner, averaging=Averaging.AS_SHOWN))
        # What was subsampled before may need full chroma for all that.
        if not (kept and self._picture.is_subsampled) and _FULL not in [one.manner for one in kept]:
            kept += self._kept(_FULL)
        return _least(kept)

    def _competed(self, manners: list[Manner]) -> list[Found]:
        """What the promising ones of some manners come to."""
        looks = [look(self._sample, one, self._request, self._looks) for one in manners]
        promising = [one for one in looks if not one.is_hopeless]
        promising.sort(key=lambda one: self._sample.size(one.manner, one.nearest))
        if self._sample.is_part:
            del promising[_TRIED if self._picture.is_held else 1 :]
        found: list[Found] = []
        for one in promising:
            found += self._whole(one)
            if self._request.deadline.passed:
                break
        return found

    def _kept(self, manner: Manner) -> Iterator[Found]:
        """The smallest file of a manner that keeps its colours, if there is one."""
        if not self._request.deadline.passed:
            seen = look(self._sample, manner, self._request, self._looks)
            yield from self._whole(seen, keeping_colours=True)

    def _whole(self, seen: Look, *, keeping_colours: bool = False) -> Iterator[Found]:
        found = whole(
            self._picture,
            self._sample,
            seen,
            self._request,
            MOST_PROBES - self._looks,
            keeping_colours=keeping_colours,
        )
        if found is not None:
            yield found

    def _keeps(self, found: Found) -> bool:
        return keeps_colours(self._picture, self._sample, found, self._request)


def _least(found: list[Found]) -> Found | None:
    return min(found, key=lambda one: len(one.jpeg), default=None)
