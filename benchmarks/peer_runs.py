"""Runs the encoders over a set of images: once at the usual setting, then swept to equal scores."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import curves, sweep_cache
from benchmarks.curves import Point
from benchmarks.peers.encoders.client import Encoded, EncodeError, Encoder
from benchmarks.peers.encoders.table import ENCODERS, OURS, EncoderFacts, Scale
from benchmarks.peers.session import PeerFailedError, PeerMissingError
from benchmarks.scoring import Judge, Score, UnscorableError
from benchmarks.sources import Source, SourceSet
from benchmarks.sweep_cache import Known, SweepCache

# Nearest to the usual setting first.
SCORES = (80.0, 90.0, 70.0)

# No encoder's usual setting costs that much.
_ANOTHER_PICTURE = 0.0


@dataclass(frozen=True, slots=True)
class Usual:
    """One image at the usual setting: what came out, at what cost."""

    bytes: int
    score: Score
    encoded: Encoded


@dataclass(slots=True)
class PeerRun:
    """One encoder on one set of images; lists by image, None where it failed.

    Attributes:
        facts: of the encoder.
        usual: at the usual setting.
        curves: points by ascending setting.
        failures: messages of the encoder, by the name of the image.
        peak: bytes of memory at the usual setting, over all images.
    """

    facts: EncoderFacts
    usual: list[Usual | None] = field(default_factory=list)
    curves: list[list[Point] | None] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    peak: int = 0

    def fail(self, source: Source, error: Exception) -> None:
        """Note why an image is missing, without the places of this machine."""
        name = source.path.name
        self.failures[name] = str(error).replace(str(source.path), name)


@dataclass(frozen=True, slots=True)
class SetRun:
    """All encoders on one set, by name; `source_bytes` by image."""

    images: SourceSet
    source_bytes: tuple[int, ...]
    peers: Mapping[str, PeerRun]


@dataclass(slots=True)
class Available:
    """The encoders of this machine, by name, with commands and versions; notes on the others."""

    facts: Mapping[str, EncoderFacts] = field(default_factory=lambda: ENCODERS)
    commands: dict[str, list[str]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def find(self, names: Sequence[str]) -> None:
        """Look for `names`; a missing one is noted with what to do about it."""
        for name in names:
            try:
                command = self.facts[name].command()
                with Encoder(command) as encoder:
                    version = encoder.version
            except (PeerMissingError, PeerFailedError) as error:
                print(error, file=sys.stderr)
                if str(error) not in self.missing:
                    self.missing.append(str(error))
                continue
            self.commands[name] = command
            self.versions[name] = version


@dataclass(frozen=True, slots=True)
class Runner:
    """Measures sets.

    Attributes:
        available: the encoders.
        cache: of swept results.
        scratch: an empty folder for outputs.
        quality: the usual setting of the encoders whose scale ends at 100.
        say: told of each step.
    """

    available: Available
    cache: SweepCache
    scratch: Path
    quality: int
    say: Callable[[str], None]

    def run(self, images: SourceSet) -> SetRun:
        """Measure every encoder that handles the format of the set."""
        names = [
            name
            for name in self.available.commands
            if images.format in self.available.facts[name].scales
        ]
        peers = {name: PeerRun(self.available.facts[name]) for name in names}
        outputs: dict[tuple[str, int], Path] = {}
        encoded: dict[tuple[str, int], Encoded] = {}
        for name in names:
            self._usual(name, images, peers[name], outputs, encoded)
        with ExitStack() as stack:
            swept = {name: _Swept(self.available.commands[name], stack) for name in names}
            for index, source in enumerate(images.sources):
                judge = Judge(source.path.read_bytes())
                for name in names:
                    self.say(f"{images.name}: {index + 1} of {len(images.sources)}, {name}")
                    self._image(
                        _Task(name, source, judge, swept[name], self._scale(name, images)),
                        peers[name],
                        outputs.get((name, index)),
                        encoded.get((name, index)),
                    )
        sizes = tuple(one.path.stat().st_size for one in images.sources)
        return SetRun(images, sizes, peers)

    def _scale(self, name: str, images: SourceSet) -> Scale:
        scale = self.available.facts[name].scales[images.format]
        if scale.best != 100:
            return scale
        return Scale(scale.worst, scale.best, self.quality, scale.promised)

    def _usual(
        self,
        name: str,
        images: SourceSet,
        run: PeerRun,
        outputs: dict[tuple[str, int], Path],
        encoded: dict[tuple[str, int], Encoded],
    ) -> None:
        """All images in one fresh process, as its memory is measured."""
        setting = self._scale(name, images).usual
        with Encoder(self.available.commands[name]) as encoder:
            # The first image of a process pays for loading and start-up: it comes again.
            for index, source in [(0, images.sources[0]), *enumerate(images.sources)]:
                self.say(f"{images.name}: {name} at {setting}, {source.path.name}")
                path = self.scratch / f"{name}-{index}{source.path.suffix}"
                try:
                    encoded[name, index] = encoder.encode(source.path, path, setting)
                    outputs[name, index] = path
                except EncodeError as error:
                    run.fail(source, error)
                except PeerFailedError as error:
                    run.fail(source, error)
                    break
        run.peak = encoder.peak

    def _image(
        self, task: _Task, run: PeerRun, output: Path | None, encoded: Encoded | None
    ) -> None:
        run.usual.append(None)
        run.curves.append(None)
        if output is None or encoded is None:
            return
        data = output.read_bytes()
        output.unlink()
        try:
            score = _same_picture(task.judge.score(data))
            run.usual[-1] = Usual(len(data), score, encoded)
            first = Point(task.scale.position(task.scale.usual), score.worst, len(data))
            run.curves[-1] = curves.sweep(
                lambda position: self._measure(task, position), first, task.scale, SCORES
            )
        except (UnscorableError, EncodeError, PeerFailedError) as error:
            run.fail(task.source, error)

    def _measure(self, task: _Task, position: int) -> Point:
        setting = task.scale.setting(position)
        version = f"{task.name} {self.available.versions[task.name]} "
        version += (
            sweep_cache.engine_fingerprint()
            if task.name == OURS
            else sweep_cache.encoders_fingerprint()
        )
        key = sweep_cache.key(version, task.digest, setting)
        known = self.cache.get(key)
        if known is None:
            output = self.scratch / f"{task.name}{task.source.path.suffix}"
            data = task.swept.encode(task.source.path, output, setting)
            score = task.judge.score(data)
            known = Known(len(data), score.worst, score.mean)
            self.cache.put(key, known)
        return Point(position, known.worst, known.bytes)


def _same_picture(score: Score) -> Score:
    if score.worst < _ANOTHER_PICTURE:
        raise UnscorableError("it shows another picture: turned, or its frames damaged")
    return score


@dataclass(slots=True)
class _Swept:
    """The process that an encoder is swept in, started when it is first needed."""

    command: Sequence[str]
    stack: ExitStack
    encoder: Encoder | None = None

    def encode(self, source: Path, output: Path, setting: int) -> bytes:
        if self.encoder is None:
            self.encoder = self.stack.enter_context(Encoder(self.command))
        try:
            self.encoder.encode(source, output, setting)
        except PeerFailedError:
            self.encoder = None
            raise
        data = output.read_bytes()
        output.unlink()
        return data


@dataclass(slots=True)
class _Task:
    """One image for one encoder."""

    name: str
    source: Source
    judge: Judge
    swept: _Swept
    scale: Scale
    digest: str = ""

    def __post_init__(self) -> None:
        self.digest = hashlib.sha256(self.source.path.read_bytes()).hexdigest()
