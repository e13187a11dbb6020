"""One writer of a bandit's state: a file lock that ends with the process, whatever ends that."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from intrabar.errors import RunError

FAR = 1 << 20  # a byte behind the number of the process, which others can read


@contextmanager
def held_state(path: Path) -> Iterator[None]:
    """Hold the state of a file as its one writer.

    Raises
    ------
    RunError
        Another process holds it, or its folder cannot be written to.
    """
    lock = path.with_name(f".{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(lock, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    except OSError as error:
        raise RunError(f"{lock} cannot be written: {error.strerror or error}") from None
    try:
        if not _locked(file):
            holder = os.read(file, 32).decode("ascii", "replace").strip() or "unknown"
            raise RunError(
                f"{path} is held by the process {holder}: stop that session, or give this one a "
                "state of its own"
            )
        os.ftruncate(file, 0)
        os.write(file, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(file)


def _locked(file: int) -> bool:
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
