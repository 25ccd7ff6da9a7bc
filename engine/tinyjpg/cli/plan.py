"""Which files a run reads and where each result goes, decided before anything is written."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tinyjpg.cli.record import Failure, Record, Status
from tinyjpg.cli.settings import Beside, InPlace, Into, Overwrite, Settings, UsageError
from tinyjpg.cli.text import printable
from tinyjpg.errors import UnsupportedFormatError
from tinyjpg.formats import EXTENSIONS, sniff

# More than any signature needs, and enough for the message about an unknown one.
_SIGNATURE_BYTES: Final = 16

EXISTS: Final = "the output exists"


@dataclass(frozen=True, slots=True)
class Task:
    """One file to optimise.

    Attributes:
        source: the file, as the command line led to it.
        output: where the result goes; `source` itself in place.
        size: bytes of the file when it was found.
        atime_ns: when it had been read last, in nanoseconds since 1970.
    """

    source: Path
    output: Path
    size: int
    atime_ns: int


@dataclass(slots=True)
class Plan:
    """What a run has to do.

    Attributes:
        tasks: in the order of the command line, folders by name.
        settled: files that need no work, for they failed or are skipped.
        not_images: files in folders that are no JPEG, PNG, WebP or GIF.
        former_results: files in folders that a former run made.
        links: links in folders, which are not written through.
        unentered: folders in folders that stay closed without --recursive.
    """

    tasks: list[Task] = field(default_factory=list)
    settled: list[Record] = field(default_factory=list)
    not_images: int = 0
    former_results: int = 0
    links: int = 0
    unentered: int = 0

    @property
    def left_out(self) -> int:
        """Files in folders that are passed over without a record each."""
        return self.not_images + self.former_results + self.links

    def fail(self, path: str | Path, error: OSError) -> None:
        """Settle `path` as failed."""
        self.settled.append(Record(path=str(path), status=Status.FAILED, error=Failure.of(error)))

    def skip(self, path: Path, reason: str, output: Path | None = None) -> None:
        """Settle `path` as skipped, because of `output` where that is the reason."""
        self.settled.append(
            Record(
                path=str(path),
                status=Status.SKIPPED,
                output=None if output is None else str(output),
                reason=reason,
            )
        )


@dataclass(frozen=True, slots=True)
class _Found:
    """A file, and its name relative to what the command line named."""

    path: Path
    relative: Path
    status: os.stat_result


def make_plan(paths: Sequence[str], settings: Settings) -> Plan:
    """Find the images of `paths`, files and folders, and give each its output.

    Raises:
        UsageError: two images have one output, a result would replace another's original, or the
            folder for the results cannot be one.
    """
    if isinstance(settings.destination, Into):
        _check_folder(settings.destination.folder)
    plan = Plan()
    found = [image for path in paths for image in _find(Path(path), settings, plan)]
    for task in _assign(found, settings):
        if settings.overwrite is Overwrite.NEVER and os.path.lexists(task.output):
            plan.skip(task.source, EXISTS, task.output)
        else:
            plan.tasks.append(task)
    return plan


def _check_folder(folder: Path) -> None:
    if folder.exists():
        if not folder.is_dir():
            raise UsageError(f"--output {printable(folder)} is a file; name a folder")
    elif folder.suffix.lower() in EXTENSIONS:
        raise UsageError(
            f"--output {printable(folder)} looks like a file; name a folder, or for one file use "
            "tinyjpg optimize - <INPUT >OUTPUT"
        )


def _find(path: Path, settings: Settings, plan: Plan) -> Iterator[_Found]:
    """The images that `path`, named on the command line, stands for."""
    try:
        status = path.stat()
    except OSError as error:
        plan.fail(path, error)
        return
    if stat.S_ISDIR(status.st_mode):
        yield from _images_in(path, settings, plan)
    elif not stat.S_ISREG(status.st_mode):
        reason = "it is not a regular file; to read a pipe, name - and redirect"
        plan.fail(path, OSError(errno.EINVAL, reason))
    elif _is_former_result(path, settings):
        plan.skip(path, "its name is that of a result")
    else:
        yield _Found(path, Path(path.name), status)


def _images_in(folder: Path, settings: Settings, plan: Plan) -> Iterator[_Found]:
    """The images of `folder`, by content; hidden files and folders are not looked at.

    Links to folders are not followed, so there are no loops.
    """
    for parent, folders, files in os.walk(folder, onerror=lambda error: _fail_folder(error, plan)):
        here = Path(parent)
        visible = sorted(
            name
            for name in folders
            if not name.startswith(".") and not _is_output(here / name, settings)
        )
        folders[:] = visible if settings.recursive else []
        plan.unentered += len(visible) - len(folders)
        for name in sorted(name for name in files if not name.startswith(".")):
            path = here / name
            status = _examine(path, settings, plan)
            if status is not None:
                yield _Found(path, path.relative_to(folder), status)


def _fail_folder(error: OSError, plan: Plan) -> None:
    plan.fail(os.fsdecode(error.filename), error)


def _is_output(folder: Path, settings: Settings) -> bool:
    """Whether `folder` is the one that results go into, so that a second run ignores them."""
    destination = settings.destination
    return (
        isinstance(destination, Into)
        and destination.folder.is_dir()
        and folder.is_dir()
        and folder.samefile(destination.folder)
    )


def _examine(path: Path, settings: Settings, plan: Plan) -> os.stat_result | None:
    """The state of an image found inside a folder, before it is read; None to leave it out."""
    if _is_former_result(path, settings):
        plan.former_results += 1
        return None
    if isinstance(settings.destination, InPlace) and path.is_symlink():
        # It may lead out of the folder that was named, to something nobody meant to change.
        plan.links += 1
        return None
    try:
        status = path.stat()
        # Opening a pipe would wait for somebody to write to it.
        if stat.S_ISREG(status.st_mode) and _is_image(path):
            return status
    except OSError as error:
        # A link to nowhere or to itself, or a file deleted since the folder was listed.
        if error.errno not in {errno.ENOENT, errno.ELOOP}:
            plan.fail(path, error)
            return None
    plan.not_images += 1
    return None


def _is_image(path: Path) -> bool:
    with path.open("rb", buffering=0) as stream:
        try:
            sniff(stream.read(_SIGNATURE_BYTES))
        except UnsupportedFormatError:
            return False
    return True


def _is_former_result(path: Path, settings: Settings) -> bool:
    destination = settings.destination
    return isinstance(destination, Beside) and destination.made(path.name)


def _assign(found: Sequence[_Found], settings: Settings) -> Iterator[Task]:
    """Give every image its output; an image found twice is one task.

    Raises:
        UsageError: two images have one output, or a result would replace another's original.
    """
    in_place = isinstance(settings.destination, InPlace)
    originals = {os.path.realpath(image.path): image.path for image in found}
    taken: dict[str, _Found] = {}
    for image in found:
        output = _output(image, settings)
        target = os.path.realpath(output)
        other = taken.setdefault(target, image)
        if other is not image:
            if os.path.realpath(other.path) != os.path.realpath(image.path):
                raise UsageError(
                    f"{printable(other.path)} and {printable(image.path)} would both be written "
                    f"to {printable(output)}; optimise them in two runs, or name the folder that "
                    "holds both"
                )
            continue
        if not in_place and target in originals:
            raise UsageError(
                f"the result of {printable(image.path)} would replace the original "
                f"{printable(originals[target])}; name another folder, or use --in-place"
            )
        yield Task(image.path, output, image.status.st_size, image.status.st_atime_ns)


def _output(image: _Found, settings: Settings) -> Path:
    match settings.destination:
        case InPlace():
            return image.path
        case Beside() as beside:
            return image.path.with_name(beside.name(image.path.name))
        case Into(folder):
            return folder / image.relative
