"""The tables of the comparison with peers, as Markdown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from benchmarks import curves, report
from benchmarks.curves import LOSSLESS, Point
from benchmarks.peer_runs import PeerRun, SetRun, Usual
from benchmarks.peers.encoders.table import OURS, EncoderFacts

_MEBI = 1024 * 1024


def encoders(facts: Mapping[str, EncoderFacts], versions: Mapping[str, str]) -> str:
    """Which formats the encoders handle and what is swept."""
    rows = [
        [
            facts[name].label,
            ", ".join(one.upper() for one in facts[name].scales),
            facts[name].how,
            versions[name],
        ]
        for name in versions
    ]
    return _text_table(["encoder", "formats", "swept setting and options", "version"], rows)


def usual(run: SetRun) -> str:
    """Every encoder at its usual setting; with the mean frame where there are animations."""
    animated = any(
        one.score.mean != one.score.worst
        for peer in run.peers.values()
        for one in peer.usual
        if one is not None
    )
    rows = []
    for peer in run.peers.values():
        done = [
            (one, size, source.megapixels)
            for one, size, source in zip(
                peer.usual, run.source_bytes, run.images.sources, strict=True
            )
            if one is not None
        ]
        if not done:
            continue
        total = sum(one.bytes for one, _, _ in done)
        scores = [one.score.worst for one, _, _ in done]
        rows.append(
            [
                peer.facts.label,
                f"{len(done)}",
                f"{total:,}",
                f"{total / sum(size for _, size, _ in done):.3f}",
                f"{fmean(scores):.1f}",
                _deviation(scores),
                f"{min(scores):.1f}",
                *([f"{fmean(one.score.mean for one, _, _ in done):.1f}"] if animated else []),
                f"{sum(one.encoded.cpu for one, _, _ in done) / sum(mp for _, _, mp in done):.2f}",
                f"{peer.peak / _MEBI:.0f}",
            ]
        )
    columns = ["", "images", "bytes", "of source", "score", "std", "min"]
    columns += ["mean frame"] * animated
    return report.table([*columns, "CPU s/MP", "peak MiB"], rows)


@dataclass(frozen=True, slots=True)
class EqualScore:
    """Ours against a peer at one score.

    Attributes:
        images: which both reach.
        lossless: of them, where ours is lossless.
        geometric: mean of the ratios of the images; None without images.
        total: ratio of the sums of bytes; None without images.
        lossy: geometric mean where ours is lossy; None without such images.
    """

    images: int
    lossless: int
    geometric: float | None
    total: float | None
    lossy: float | None


def equal_score(
    ours: Sequence[Sequence[Point] | None], peer: Sequence[Sequence[Point] | None], score: float
) -> EqualScore:
    """Compare the curves of the same images, None where there is none."""
    pairs = []
    for one, other in zip(ours, peer, strict=True):
        if one is None or other is None:
            continue
        mine, theirs = curves.bytes_at(one, score), curves.bytes_at(other, score)
        if mine is not None and theirs is not None:
            pairs.append((mine, theirs, curves.lossless_at(one, score)))
    return EqualScore(
        images=len(pairs),
        lossless=sum(lossless for *_, lossless in pairs),
        geometric=_geometric([mine / theirs for mine, theirs, _ in pairs]),
        total=sum(one for one, _, _ in pairs) / sum(other for _, other, _ in pairs)
        if pairs
        else None,
        lossy=_geometric([mine / theirs for mine, theirs, lossless in pairs if not lossless]),
    )


def at_equal_scores(run: SetRun, scores: Sequence[float]) -> str | None:
    """Ours against every peer at every score; None without a peer."""
    others = [name for name in run.peers if name != OURS]
    if OURS not in run.peers or not others:
        return None
    rows = []
    for name in others:
        for score in sorted(scores):
            one = equal_score(run.peers[OURS].curves, run.peers[name].curves, score)
            rows.append(
                [
                    f"{run.peers[name].facts.label} at {score:.0f}",
                    f"{one.images}",
                    f"{one.lossless}",
                    *(_ratio(value) for value in (one.geometric, one.total, one.lossy)),
                ]
            )
    columns = ["TinyJPG / peer", "images both reach", "ours lossless"]
    return report.table([*columns, "geometric mean", "of sums", "where ours is lossy"], rows)


def consistency(runs: Sequence[SetRun]) -> str:
    """How closely our own scores keep to the quality, by set; lossy results only."""
    rows = []
    for run in runs:
        peer = run.peers.get(OURS)
        done = [one for one in peer.usual if one is not None] if peer else []
        lossy = [one for one in done if one.score.worst < LOSSLESS]
        own = [one.encoded.score for one in lossy if one.encoded.score is not None]
        counts = [f"{len(lossy)}", f"{len(done) - len(lossy)}"]
        scores = [*_statistics([one.score.worst for one in lossy]), *_statistics(own)]
        rows.append([run.images.name, *counts, *scores, _probes(lossy)])
    columns = ["", "lossy", "lossless or kept", "score", "std", "min"]
    return report.table([*columns, "engine's own", "std", "min", "probes"], rows)


def _statistics(scores: Sequence[float]) -> tuple[str, str, str]:
    if not scores:
        return ("", "", "")
    return (f"{fmean(scores):.2f}", _deviation(scores, 2), f"{min(scores):.2f}")


def failures(peer: PeerRun) -> str | None:
    """What an encoder did not manage, in a sentence; None where all went well."""
    if not peer.failures:
        return None
    reasons = sorted({message.splitlines()[0][:120] for message in peer.failures.values()})
    more = f" and {len(reasons) - 2} more reasons" if len(reasons) > 2 else ""
    return f"{peer.facts.label} without {len(peer.failures)} images: {'; '.join(reasons[:2])}{more}"


def _probes(done: Sequence[Usual]) -> str:
    probes = [one.encoded.probes for one in done if one.encoded.probes is not None]
    return f"{fmean(probes):.1f}" if probes else ""


def _geometric(ratios: Sequence[float]) -> float | None:
    return math.exp(fmean(map(math.log, ratios))) if ratios else None


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _deviation(values: Sequence[float], digits: int = 1) -> str:
    return f"{stdev(values):.{digits}f}" if len(values) > 1 else ""


def _text_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
