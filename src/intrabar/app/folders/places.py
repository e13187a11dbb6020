"""Where folders are: those that are read by their names, and those that are to be."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from intrabar.errors import NotFoundError, RunError, UsageError


def folder_of(given: Path, homes: Sequence[Path], file: str, kind: str, to_make: str) -> Path:
    """A folder that is there: as it is given, or of that name in one of some folders.

    Parameters
    ----------
    given : Path
    homes : sequence of Path
        Looked into one after the other.
    file : str
        That such a folder has.
    kind : str
        What is looked for: "policy", "dataset".
    to_make : str
        The command that makes one.

    Raises
    ------
    NotFoundError
        There is none: names those that are near, or where it was looked for.
    """
    places = list(dict.fromkeys([given, *(home / given for home in homes)]))
    for place in places:
        if (place / file).is_file():
            return place
    known = [x.parent.name for home in homes for x in home.glob(f"*/{file}")]
    looked = ", ".join(map(str, places))
    raise NotFoundError(kind, str(given), known, f"there is none at {looked}; {to_make} makes one")


def require_new(folder: Path, kind: str) -> None:
    """Refuse a folder that could not be stored, before hours are spent on it.

    Parameters
    ----------
    folder : Path
        That is to be.
    kind : str
        What it is to be: "policy", "dataset".

    Raises
    ------
    UsageError
        It is there.
    RunError
        Nothing can be written where it is to be.
    """
    if folder.exists():
        raise UsageError(f"{folder} is there already; give another name, or remove it")
    require_writable(folder.parent, kind)


def require_writable(home: Path, kind: str) -> None:
    """Refuse a folder in which nothing can be written, or that cannot be made.

    Raises
    ------
    RunError
    """
    last = next(x for x in (home.absolute(), *home.absolute().parents) if x.exists())
    if not (last.is_dir() and os.access(last, os.W_OK | os.X_OK)):
        raise RunError(
            f"no {kind} can be stored in {home}: {last} is no folder that can be written"
        )
