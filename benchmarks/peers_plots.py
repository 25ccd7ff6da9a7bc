"""The comparison with peers as pictures: scores at one setting, and bytes against score."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from statistics import fmean, stdev

import matplotlib as mpl
import matplotlib.ticker
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks import curves
from benchmarks.curves import LOSSLESS
from benchmarks.peer_runs import PeerRun, SetRun
from benchmarks.peers.encoders.table import OURS

# The same in every panel; every line has its name at its end, too.
_COLOURS = {
    OURS: "#0b62c4",
    "sharp_mozjpeg": "#c2410c",
    "sharp_jpeg": "#7e3794",
    "sharp_png": "#c2410c",
    "sharp_webp": "#c2410c",
    "caesium": "#3f7d20",
    "pillow": "#8a6d00",
    "pngquant_oxipng": "#7e3794",
    "cwebp": "#4b5563",
    "cwebp_slow": "#4b5563",
    "jpegli": "#be185d",
    "gifsicle": "#7e3794",
}
_OTHER = "#808080"
_INK = "#333333"
_FAINT = "#d9d9d9"

# Shown at 800 pixels: 8 inches, so that 10 points are 13 pixels.
_WIDTH = 8.0
_COLUMNS = 2
_LOWEST_SCORE = 50.0
_MOST_DRAWN = 30
_RATE_SCORES = np.arange(70.0, 90.5, 1.0)
# A line is drawn as far as this part of the images is reached by all.
_ENOUGH = 0.5
# Of the height of a panel.
_LABELS_APART = 0.1


def scores(runs: Sequence[SetRun], quality: int, path: Path) -> None:
    """A dot for every image at the usual setting, a row for every encoder, a panel for every set.

    Args:
        runs: what was measured.
        quality: marked by a line.
        path: of the SVG file that is written.
    """
    counts = [len(run.peers) for run in runs]
    rows = [max(counts[at : at + _COLUMNS]) for at in range(0, len(counts), _COLUMNS)]
    with _style():
        figure, panels = _panels(len(runs), [0.9 + 0.27 * count for count in rows])
        for axes, run in zip(panels, runs, strict=True):
            _strip(axes, run, quality)
        figure.supxlabel(
            "score (SSIMULACRA2) at the usual setting; a dot is an image, a ring one left lossless",
            fontsize=10,
        )
        _save(figure, path)


def rates(runs: Sequence[SetRun], path: Path) -> None:
    """Bytes a pixel against score, a line for every encoder, a panel for every set.

    Args:
        runs: what was measured.
        path: of the SVG file that is written.
    """
    with _style():
        figure, panels = _panels(len(runs), [2.4] * math.ceil(len(runs) / _COLUMNS))
        for axes, run in zip(panels, runs, strict=True):
            _lines(axes, run)
        figure.supxlabel("score (SSIMULACRA2)", fontsize=10)
        _save(figure, path)


def _style() -> AbstractContextManager[None]:
    return mpl.rc_context(
        {
            "font.size": 10,
            "axes.edgecolor": _INK,
            "axes.labelcolor": _INK,
            "xtick.color": _INK,
            "ytick.color": _INK,
            "text.color": _INK,
            "axes.spines.top": False,
            "axes.spines.right": False,
            # The same picture gives the same file.
            "svg.hashsalt": "tinyjpg",
            # Text as text is half the size; the font that is measured is wider than most.
            "svg.fonttype": "none",
        }
    )


def _panels(count: int, heights: Sequence[float]) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(_WIDTH, sum(heights) + 0.3), layout="constrained")
    grid = figure.add_gridspec(len(heights), _COLUMNS, height_ratios=heights)
    return figure, [
        figure.add_subplot(grid[index // _COLUMNS, index % _COLUMNS]) for index in range(count)
    ]


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, format="svg", facecolor="white", dpi=200, metadata={"Date": None})


def _strip(axes: Axes, run: SetRun, quality: int) -> None:
    peers = {name: peer for name, peer in run.peers.items() if any(peer.usual)}
    axes.axvline(quality, color=_FAINT, linewidth=1.5, zorder=0)
    for row, (name, peer) in enumerate(peers.items()):
        found = np.array([one.score.worst for one in peer.usual if one is not None])
        colour = _COLOURS[OURS] if name == OURS else _OTHER
        # Spread up and down by turns, so that equal scores are seen.
        spread = row + 0.12 * (np.arange(len(found)) % 3 - 1)
        lossless = found >= LOSSLESS
        shown = np.maximum(found, _LOWEST_SCORE)
        lossy = ~lossless
        # Many dots are smaller as pixels than as drawings.
        pixels = len(found) > _MOST_DRAWN
        axes.scatter(shown[lossy], spread[lossy], 13, color=colour, linewidths=0, rasterized=pixels)
        axes.scatter(
            shown[lossless],
            spread[lossless],
            13,
            facecolors="none",
            edgecolors=colour,
            linewidths=0.8,
            clip_on=False,
            rasterized=pixels,
        )
        if lossy.sum() > 1:
            text = f"{fmean(found[lossy]):.1f} ± {stdev(found[lossy]):.1f}"
            axes.text(103, row, text, va="center", fontsize=9, color=colour)
    axes.set_yticks(range(len(peers)), [peer.facts.label for peer in peers.values()], fontsize=9)
    axes.set_ylim(len(peers) - 0.5, -0.5)
    axes.set_xlim(_LOWEST_SCORE, 101)
    axes.set_xticks(np.arange(_LOWEST_SCORE, 101, 10))
    axes.set_title(run.images.name, loc="left", fontsize=10, fontweight="bold")
    axes.tick_params(left=False)
    axes.spines["left"].set_visible(False)


def _lines(axes: Axes, run: SetRun) -> None:
    axes.set_title(run.images.name, loc="left", fontsize=10, fontweight="bold")
    pixels = [source.megapixels * 1e6 for source in run.images.sources]
    common, reached = _common(run)
    ends: list[tuple[float, str, str]] = []
    for name, peer in run.peers.items():
        colour = _COLOURS.get(name, _OTHER)
        rates = [_rate(peer, common, pixels, score) for score in reached]
        if not rates:
            continue
        width = 2.2 if name == OURS else 1.2
        axes.plot(reached, rates, color=colour, linewidth=width, zorder=3 if name == OURS else 2)
        ends.append((rates[-1], peer.facts.label, colour))
    if not ends:
        axes.text(
            0.5,
            0.5,
            "too few images reach a common score",
            ha="center",
            fontsize=9,
            transform=axes.transAxes,
        )
        axes.set_axis_off()
        return
    axes.set_yscale("log")
    axes.set_xlim(70, reached[-1])
    axes.set_ylabel("bytes a pixel", fontsize=9)
    axes.yaxis.set_major_locator(mpl.ticker.LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
    axes.yaxis.set_major_formatter(mpl.ticker.FormatStrFormatter("%g"))
    axes.yaxis.set_minor_locator(mpl.ticker.NullLocator())
    _label_ends(axes, ends)
    axes.text(0.02, 0.94, f"{len(common)} images", transform=axes.transAxes, fontsize=9, va="top")


def _common(run: SetRun) -> tuple[list[int], list[float]]:
    """The images, and the scores, that every encoder reaches on all these images."""
    curves_of = [
        [peer.curves[index] for peer in run.peers.values()]
        for index in range(len(run.images.sources))
    ]
    everywhere = {
        index: [points for points in of_image if points]
        for index, of_image in enumerate(curves_of)
        if all(of_image)
    }
    for highest in _RATE_SCORES[::-1]:
        common = [
            index
            for index, of_image in everywhere.items()
            if all(curves.bytes_at(points, highest) is not None for points in of_image)
        ]
        if len(common) >= max(2, _ENOUGH * len(everywhere)):
            return common, [float(score) for score in _RATE_SCORES if score <= highest]
    return [], []


def _rate(peer: PeerRun, images: Sequence[int], pixels: Sequence[float], score: float) -> float:
    """Geometric mean over the images of the bytes a pixel."""
    logarithms = []
    for index in images:
        points = peer.curves[index]
        found = curves.bytes_at(points, score) if points else None
        assert found is not None
        logarithms.append(math.log(found / pixels[index]))
    return math.exp(fmean(logarithms))


def _label_ends(axes: Axes, ends: Sequence[tuple[float, str, str]]) -> None:
    """Names at the right ends of the lines, moved apart where they would touch."""
    low, high = (math.log(value) for value in axes.get_ylim())
    ordered = sorted(ends)
    places = [(math.log(value) - low) / (high - low) for value, _, _ in ordered]
    for _ in range(200):
        for lower, upper in itertools.pairwise(range(len(places))):
            missing = _LABELS_APART - (places[upper] - places[lower])
            if missing > 0:
                places[lower] -= missing / 2
                places[upper] += missing / 2
    places = [place - max(0.0, places[-1] - 1.0) for place in places]
    for place, (_, label, colour) in zip(places, ordered, strict=True):
        axes.text(
            1.02,
            place,
            label,
            color=colour,
            fontsize=9,
            va="center",
            transform=axes.transAxes,
        )
