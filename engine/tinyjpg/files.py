"""Writing files so that nobody ever sees, or is left with, half of one."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import sys
from pathlib import Path

_NOT_COPYABLE = frozenset(
    {errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENODATA, errno.EINVAL}
)


def write_atomically(
    path: str | os.PathLike[str],
    data: bytes,
    *,
    mode: int = 0o666,
    times_ns: tuple[int, int] | None = None,
) -> None:
    """Write `data` to `path`: all of it, or nothing and the previous file is untouched.

    A symbolic link is followed: its target is replaced, the link stays. An existing file keeps
    its permissions, access control list and user attributes (and its owner, where the process may
    set one); other hard links to it keep the previous content.

    Args:
        path: the file; its folder exists.
        data: the whole content.
        mode: permissions of a file that did not exist, before the umask is applied.
        times_ns: access and modification time to give the file, in nanoseconds since 1970.

    Raises:
        OSError: it could not be written: among others, the file is write-protected
            (PermissionError), a folder (IsADirectoryError) or a device or pipe, which cannot be
            replaced.
    """
    previous = _stat_or_none(path)
    if previous is not None:
        _check_replaceable(path, previous)
    target = Path(os.path.realpath(path))
    # Short and independent of the target's name, which may already be as long as is allowed.
    temporary = target.with_name(f".tinyjpg-{secrets.token_hex(8)}.tmp")
    try:
        # Unlike tempfile.mkstemp, the mode given here lets the kernel apply the umask.
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            if previous is not None:
                _copy_permissions(target, previous, stream.fileno())
            if times_ns is not None:
                os.utime(stream.fileno(), ns=times_ns)
            os.fsync(stream.fileno())
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise
    _sync_folder(target.parent)


def _stat_or_none(path: str | os.PathLike[str]) -> os.stat_result | None:
    try:
        return Path(path).stat()
    except FileNotFoundError:
        return None


def _check_replaceable(path: str | os.PathLike[str], previous: os.stat_result) -> None:
    if stat.S_ISDIR(previous.st_mode):
        raise IsADirectoryError(errno.EISDIR, "is a folder, not a file", os.fspath(path))
    if not stat.S_ISREG(previous.st_mode):
        # A rename would put a file where /dev/null was.
        raise OSError(errno.EINVAL, "is a device or a pipe; write the bytes to it", os.fspath(path))
    if not os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        # A rename only asks the folder; the owner protected the file.
        raise PermissionError(errno.EACCES, "is write-protected", os.fspath(path))


def _copy_permissions(source: Path, previous: os.stat_result, descriptor: int) -> None:
    # Ownership first: changing it clears set-id bits. An ordinary user may not give files away,
    # and replacing someone else's file in a folder one may write to is what that user asked for.
    with contextlib.suppress(PermissionError):
        os.fchown(descriptor, previous.st_uid, previous.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(previous.st_mode))
    _copy_attributes(source, descriptor)


def _copy_attributes(source: Path, descriptor: int) -> None:
    """Copy what people and programs attached to the file; labels of the system are its own."""
    if sys.platform != "linux":
        return
    try:
        for name in os.listxattr(source):
            if name.startswith("user.") or name == "system.posix_acl_access":
                os.setxattr(descriptor, name, os.getxattr(source, name))
    except OSError as error:
        # Not every file system has attributes, nor do two of them allow the same ones.
        if error.errno not in _NOT_COPYABLE:
            raise


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power cut, where the folder can be opened and synced.

    The file is complete and in place by now: reporting a failure here would be untrue.
    """
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
