"""The images the peers are compared on: folders of the corpora, as they are or converted."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from benchmarks import images
from tinyjpg import TinyJPGError, probe
from tinyjpg.formats import FACTS, Format

_MEGA = 1_000_000

# Smaller ones have fewer than six scales, for which the metric's weights were not made: see
# tinyjpg.verify.
_SMALLEST_SIDE = 113

DEFAULT_MEGAPIXELS = 40.0
"""An animation with more, all frames together, is left out: peers and scores would take minutes."""


DEFAULT_LIMIT = 24
DEFAULT_BUDGET: Mapping[Format, float] = {
    Format.JPEG: 45.0,
    Format.PNG: 15.0,
    Format.WEBP: 20.0,
    Format.GIF: 80.0,
}
"""Files and megapixels of a set that take about three minutes of one core, all peers together."""


@dataclass(frozen=True, slots=True)
class Source:
    """An image file, and its pixels in millions, all frames together."""

    path: Path
    megapixels: float


@dataclass(frozen=True, slots=True)
class SourceSet:
    """Images of one format under one name.

    Attributes:
        name: for reports.
        format: of every file.
        sources: what is measured.
        available: how many files `sources` were chosen from.
    """

    name: str
    format: Format
    sources: tuple[Source, ...]
    available: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Which images to take.

    Attributes:
        limit: the most files of each set; None for all.
        formats: of the sources.
        megapixels: the most that one image may have, all frames together.
        budget: the most megapixels of a set of a format; without one, as many as there are.
    """

    limit: int | None
    formats: frozenset[Format]
    megapixels: float = DEFAULT_MEGAPIXELS
    budget: Mapping[Format, float] = field(default_factory=dict)

    def of(self, sources: Sequence[Source], image_format: Format) -> tuple[Source, ...]:
        """Evenly chosen by size, so that small and large images are represented."""
        budget = self.budget.get(image_format, math.inf)
        most = len(sources) if self.limit is None else min(self.limit, len(sources))
        for number in range(most, 1, -1):
            chosen = evenly(sources, number)
            if sum(one.megapixels for one in chosen) <= budget:
                return chosen
        return evenly(sources, 1)


@dataclass(frozen=True, slots=True)
class _Conversion:
    """Sources of a format that a folder does not have, made of its files."""

    format: Format
    options: dict[str, object]


# Without visible loss, so that what is measured is what the encoders lose.
_AS_JPEG = _Conversion(Format.JPEG, {"quality": 97, "subsampling": "4:4:4"})
_AS_WEBP = _Conversion(Format.WEBP, {"lossless": True})

CONVERSIONS_NOTE = (
    "*as JPEG* and *as WebP*: the PNG files of the folder, saved by Pillow as JPEG of quality 97 "
    "without chroma subsampling, or as lossless WebP; these are then the sources."
)

_DEFAULT_FOLDERS = ("photo_jpeg", "photo_png", "ui_png", "logo_png", "webp", "gif")
_CONVERTED = {"photo_png": (_AS_JPEG, _AS_WEBP)}


def default_sets(choice: Choice, scratch: Path) -> Iterator[SourceSet]:
    """The folders of the corpora, some also converted into `scratch`; else package photographs."""
    root = images.corpora()
    chosen = (
        images.all_folders(but=frozenset())
        if root is None
        else [images.folder(root / name) for name in _DEFAULT_FOLDERS if (root / name).is_dir()]
    )
    for one in chosen:
        yield from by_format(one, choice)
        for conversion in _CONVERTED.get(one.name, ()):
            if conversion.format in choice.formats:
                yield _converted(one, conversion, choice, scratch)


def by_format(one: images.ImageSet, choice: Choice) -> Iterator[SourceSet]:
    """The images of a folder, a set for each format in it.

    Files that the engine refuses, images below 113 pixels in a dimension and very large animations
    are left out.
    """
    found: dict[Format, list[Source]] = {}
    for path in one.paths:
        source, image_format = _source(path)
        if source is not None and source.megapixels <= choice.megapixels:
            found.setdefault(image_format, []).append(source)
    for image_format, sources in found.items():
        if image_format in choice.formats:
            name = one.name if len(found) == 1 else f"{one.name} ({image_format.upper()})"
            yield SourceSet(name, image_format, choice.of(sources, image_format), len(sources))


def evenly(sources: Sequence[Source], number: int) -> tuple[Source, ...]:
    """At most `number` of the sources, by ascending size."""
    ordered = sorted(sources, key=lambda one: (one.megapixels, one.path.name))
    if len(ordered) <= number:
        return tuple(ordered)
    # The middles of equal parts: the extremes say less than what is between them.
    return tuple(ordered[int((part + 0.5) * len(ordered) / number)] for part in range(number))


def _source(path: Path) -> tuple[Source | None, Format]:
    try:
        header = probe(path.read_bytes())
    except TinyJPGError:
        return None, Format.PNG
    if min(header.width, header.height) < _SMALLEST_SIDE:
        return None, header.format
    with Image.open(path) as image:
        frames = getattr(image, "n_frames", 1)
    return Source(path, header.width * header.height * frames / _MEGA), header.format


def _converted(
    one: images.ImageSet, conversion: _Conversion, choice: Choice, scratch: Path
) -> SourceSet:
    whole = Choice(None, frozenset(Format), choice.megapixels)
    sources = [source for part in by_format(one, whole) for source in part.sources]
    name = f"{one.name} as {'JPEG' if conversion.format is Format.JPEG else 'WebP'}"
    folder = scratch / name.replace(" ", "_")
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for source in choice.of(sources, conversion.format):
        path = folder / source.path.with_suffix(FACTS[conversion.format].extensions[0]).name
        with Image.open(source.path) as image:
            image.convert("RGB").save(path, conversion.format.upper(), **conversion.options)
        made.append(Source(path, source.megapixels))
    return SourceSet(name, conversion.format, tuple(made), len(sources))
