"""Atomic writing: all of the data, or the previous file untouched and nothing else."""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.hardship import NOBODY, file_size_limit, unprivileged
from tinyjpg.files import write_atomically


@pytest.fixture
def unprivileged_folder() -> Iterator[Path]:
    with unprivileged() as folder:
        yield folder


def only_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def test_writes_a_new_file_with_the_permissions_of_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "new.jpg"
    umask = os.umask(0o027)
    try:
        write_atomically(path, b"data")
    finally:
        os.umask(umask)
    assert only_file(tmp_path).read_bytes() == b"data"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_gives_a_new_file_the_mode_asked_for(tmp_path: Path) -> None:
    write_atomically(tmp_path / "secret.jpg", b"data", mode=0o600)
    assert stat.S_IMODE(only_file(tmp_path).stat().st_mode) == 0o600


def test_accepts_a_string(tmp_path: Path) -> None:
    write_atomically(str(tmp_path / "new.jpg"), b"data")
    assert only_file(tmp_path).read_bytes() == b"data"


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o666, 0o755])
def test_an_existing_file_keeps_its_permissions(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "old.jpg"
    path.write_bytes(b"a longer original")
    path.chmod(mode)
    write_atomically(path, b"data", mode=0o666)
    assert only_file(tmp_path).read_bytes() == b"data"
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_an_existing_file_keeps_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "old.jpg"
    path.write_bytes(b"original")
    os.chown(path, NOBODY, NOBODY)
    write_atomically(path, b"data")
    assert (path.stat().st_uid, path.stat().st_gid) == (NOBODY, NOBODY)


def test_an_existing_file_keeps_its_user_attributes(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("extended attributes are Linux's")
    path = tmp_path / "old.jpg"
    path.write_bytes(b"original")
    try:
        os.setxattr(path, "user.xdg.tags", b"holiday")
    except OSError as error:
        pytest.skip(f"this file system has no extended attributes: {error.strerror}")
    write_atomically(path, b"data")
    assert os.getxattr(path, "user.xdg.tags") == b"holiday"


def test_sets_the_times_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "new.jpg"
    times = (1_000_000_000_123_456_000, 1_100_000_000_654_321_000)
    write_atomically(path, b"data", times_ns=times)
    status = path.stat()
    assert (status.st_atime_ns, status.st_mtime_ns) == times


def test_replaces_the_target_of_a_link_and_leaves_the_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "elsewhere" / "photo.jpg"
    target.write_bytes(b"original")
    link = tmp_path / "link.jpg"
    link.symlink_to(Path("elsewhere") / "photo.jpg")
    write_atomically(link, b"data")
    assert link.is_symlink()
    assert only_file(tmp_path / "elsewhere").read_bytes() == b"data"


def test_creates_the_target_of_a_dangling_link(tmp_path: Path) -> None:
    link = tmp_path / "link.jpg"
    link.symlink_to("target.jpg")
    write_atomically(link, b"data")
    assert link.is_symlink()
    assert (tmp_path / "target.jpg").read_bytes() == b"data"


def test_other_hard_links_keep_the_original(tmp_path: Path) -> None:
    path, other = tmp_path / "photo.jpg", tmp_path / "backup.jpg"
    path.write_bytes(b"original")
    other.hardlink_to(path)
    write_atomically(path, b"data")
    assert (path.read_bytes(), other.read_bytes()) == (b"data", b"original")


def test_a_name_as_long_as_can_be_is_fine(tmp_path: Path) -> None:
    path = tmp_path / ("\N{PARTY POPPER}" * 62 + "abc.jpg")
    assert len(os.fsencode(path.name)) == 255
    write_atomically(path, b"data")
    write_atomically(path, b"more")
    assert only_file(tmp_path).read_bytes() == b"more"


def test_a_name_that_is_not_utf8_is_fine(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9\n.jpg")
    write_atomically(path, b"data")
    assert only_file(tmp_path).read_bytes() == b"data"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photos.jpg").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder"):
        write_atomically(tmp_path / "photos.jpg", b"data")
    assert only_file(tmp_path).is_dir()


def test_a_pipe_is_refused_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(OSError, match="is a device or a pipe"):
        write_atomically(path, b"data")
    assert only_file(tmp_path).is_fifo()


def test_a_link_to_a_device_is_refused_and_the_device_stays(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(os.devnull)
    with pytest.raises(OSError, match="is a device or a pipe"):
        write_atomically(link, b"data")
    assert Path(os.devnull).is_char_device()


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "nowhere" / "new.jpg", b"data")


@pytest.mark.parametrize("size", [5_000, 500_000])
def test_a_full_disk_leaves_the_original_and_no_litter(tmp_path: Path, size: int) -> None:
    path = tmp_path / "old.jpg"
    path.write_bytes(b"original")
    with file_size_limit(4096), pytest.raises(OSError, match="File too large"):
        write_atomically(path, b"x" * size)
    assert only_file(tmp_path).read_bytes() == b"original"


def test_a_full_disk_leaves_no_new_file(tmp_path: Path) -> None:
    with file_size_limit(4096), pytest.raises(OSError, match="File too large"):
        write_atomically(tmp_path / "new.jpg", b"x" * 5_000)
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_leaves_the_original_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "old.jpg"
    path.write_bytes(b"original")

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"data")
    assert only_file(tmp_path).read_bytes() == b"original"


def test_a_write_protected_file_is_refused(unprivileged_folder: Path) -> None:
    path = unprivileged_folder / "precious.jpg"
    path.write_bytes(b"original")
    path.chmod(0o444)
    with pytest.raises(PermissionError, match="write-protected"):
        write_atomically(path, b"data")
    assert only_file(unprivileged_folder).read_bytes() == b"original"


def test_a_read_only_folder_is_refused(unprivileged_folder: Path) -> None:
    path = unprivileged_folder / "photo.jpg"
    path.write_bytes(b"original")
    unprivileged_folder.chmod(0o555)
    with pytest.raises(PermissionError):
        write_atomically(path, b"data")
    assert only_file(unprivileged_folder).read_bytes() == b"original"


def test_a_folder_that_may_be_written_but_not_listed_is_fine(unprivileged_folder: Path) -> None:
    path = unprivileged_folder / "photo.jpg"
    path.write_bytes(b"original")
    unprivileged_folder.chmod(0o300)
    write_atomically(path, b"data")
    unprivileged_folder.chmod(0o700)
    assert only_file(unprivileged_folder).read_bytes() == b"data"


def test_a_reader_sees_the_old_or_the_new_file_and_nothing_between(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    contents = {b"a" * 200_000, b"b" * 300_000}
    write_atomically(path, min(contents))
    seen: set[bytes] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for _ in range(20):
            for content in contents:
                write_atomically(path, content)
    finally:
        done.set()
        reader.join()
    assert seen <= contents
