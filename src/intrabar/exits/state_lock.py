"""One writer of a bandit's state: a file lock that ends with the process, whatever ends that."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from intrabar.durable import lock as lock_file
from intrabar.errors import RunError


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
        if not lock_file(file):
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
