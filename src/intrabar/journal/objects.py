"""Files named by the digest of what is in them: written once, whole, and never changed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from intrabar.durable import write_durably
from intrabar.errors import IntegrityError, StoreError


def put(folder: Path, content: bytes) -> str:
    """Keep some content; its name.

    Raises
    ------
    StoreError
        It cannot be written.
    """
    name = hashlib.sha256(content).hexdigest()
    path = folder / "objects" / name
    try:
        kept = path.read_bytes()
    except OSError:  # not there yet; what cannot be read cannot be kept, and is written again
        kept = b""
    if kept != content:
        write_whole(path, content)
    return name


def get(folder: Path, name: str) -> bytes:
    """The content of a name.

    Raises
    ------
    IntegrityError
        It is not there, or not what was written.
    """
    path = folder / "objects" / name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise IntegrityError(f"{path} cannot be read: {error.strerror}") from None
    if hashlib.sha256(content).hexdigest() != name:
        raise IntegrityError(f"{path} is not what was written: its content has another digest")
    return content


def look(folder: Path, name: str, size: int) -> None:
    """Only that it is there, and as long as it was.

    Raises
    ------
    IntegrityError
        It is not.
    """
    path = folder / "objects" / name
    found = path.stat().st_size if path.is_file() else None
    if found != size:
        raise IntegrityError(
            f"{path} is missing" if found is None else f"{path} has {found} bytes, not {size}"
        )


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that is there whole, also after a loss of power, or not at all.

    Raises
    ------
    StoreError
        It cannot be written; nothing is left.
    """
    try:
        write_durably(path, content)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}") from None
