"""Files that are there whole, also after a loss of power, or as they were."""

from __future__ import annotations

import os
import sys
from pathlib import Path

FAR = 1 << 20  # the byte that is locked on Windows: behind what others may read


def lock(file: int) -> bool:
    """Whether an open file is now held by this process alone, until it is closed."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(file, FAR, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
            os.lseek(file, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.lseek(file, 0, os.SEEK_SET)
        return False
    return True


def write_durably(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Put a file in the place of another; its folder is made.

    Parameters
    ----------
    path : path
    content : bytes
    mode : int
        Who may read and write it, less what the process takes away (umask).

    Raises
    ------
    OSError
        It cannot be written; what stood there stands there still, and nothing is left beside it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    try:
        write_synced(part, content, mode)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_synced(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Write a file that is on the disk when this returns."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make renamed files stay renamed; Windows has no such call, and needs none."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
