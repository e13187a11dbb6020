"""What a run was made with: source code, commit, machine."""

from __future__ import annotations

import hashlib
import inspect
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, time, timedelta, tzinfo
from decimal import Decimal
from pathlib import PurePath
from typing import Any

import numpy as np

from intrabar.engine.tables.lessons import hashes_of
from intrabar.engine.tables.predicted import files_of, predicted_by
from intrabar.errors import IntrabarError
from intrabar.strategy.bot import Bot
from intrabar.strategy.registry import AnyStrategy

LONG = 20
"""Values of a list that are written one by one at most."""

VALUES = bytes | complex | date | time | timedelta | tzinfo | Decimal | PurePath
"""What tells all of itself."""


def commit() -> dict[str, Any]:
    """Commit of the working folder, and whether files in it differ; empty outside of git."""
    try:
        said = [
            subprocess.run(
                ["git", *arguments], capture_output=True, text=True, timeout=5, check=True
            ).stdout.strip()
            for arguments in (["rev-parse", "HEAD"], ["status", "--porcelain", "-uno"])
        ]
    except (OSError, subprocess.SubprocessError):
        return {}
    return {"commit": said[0], "dirty": bool(said[1])}


def machine() -> dict[str, Any]:
    """Facts that a repetition need not share."""
    return {
        "system": platform.platform(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "python": sys.executable,
    }


def sources_of(strategies: Mapping[str, AnyStrategy]) -> dict[str, dict[str, Any]]:
    """Parameters of each strategy, and hashes of what its rules and models are in."""
    return {
        name: {"parameters": parameters(s)[:2_000], "sha256": _source_hash(s), **_read_by(name, s)}
        for name, s in strategies.items()
    }


def _read_by(name: str, strategy: AnyStrategy) -> dict[str, Any]:
    """The hashes of the files of predictions and of the policies that a strategy reads, if any."""
    ways: dict[str, Callable[[], dict[str, Any]]] = {
        "predictions": lambda: files_of(name, strategy),
        "predicted by": lambda: predicted_by(name, strategy),
        "policies": lambda: hashes_of(strategy),
    }
    found: dict[str, Any] = {}
    for what, way in ways.items():
        try:
            found[what] = way()
        except IntrabarError as error:  # one is gone by now
            found[what] = str(error)
    return {what: files for what, files in found.items() if files}


def parameters(thing: Any, within: tuple[int, ...] = (), whole: bool = False) -> str:
    """What an object is made of, the same in every process: no addresses, of arrays the shape.

    Parameters
    ----------
    thing : object
    within : tuple of int
        The objects that hold it; one of them is named again without what it is made of.
    whole : bool
        All of its values, also those of arrays and long lists.
    """
    if isinstance(thing, np.generic):
        thing = thing.item()
    if thing is None or isinstance(thing, bool | int | float | str | VALUES):
        return repr(thing)
    if id(thing) in within:
        return f"{type(thing).__name__}(...)"
    inside = (*within, id(thing))
    if hasattr(thing, "shape"):
        shape = f"{type(thing).__name__} of {' by '.join(map(str, thing.shape))}"
        return f"{shape}: {_values(thing, inside)}" if whole else shape
    if isinstance(thing, Mapping):
        inner = ", ".join(f"{key!r}: {parameters(x, inside, whole)}" for key, x in thing.items())
        return f"{{{inner}}}"
    if isinstance(thing, set | frozenset):
        return f"{{{', '.join(sorted(parameters(x, inside, whole) for x in thing))}}}"
    if isinstance(thing, list | tuple):
        if len(thing) > LONG and not whole:
            return f"{type(thing).__name__} of {len(thing):,}"
        return f"[{', '.join(parameters(x, inside, whole) for x in thing)}]"
    if isinstance(thing, type) or inspect.isroutine(thing):
        return f"{thing.__module__}.{thing.__qualname__}"
    held = {f.name: getattr(thing, f.name) for f in fields(thing)} if is_dataclass(thing) else None
    held = getattr(thing, "__dict__", {}) if held is None else held
    inner = ", ".join(f"{name}={parameters(value, inside, whole)}" for name, value in held.items())
    return f"{type(thing).__name__}({inner})"


def content(strategy: AnyStrategy) -> str:
    """A digest of all that a strategy holds, the values of its arrays too."""
    return hashlib.sha256(parameters(strategy, whole=True).encode()).hexdigest()


def _values(array: Any, inside: tuple[int, ...]) -> str:
    """A digest of what an array holds, or a series or frame with its index and its columns."""
    if hasattr(array, "columns"):
        names, labelled = list(array.columns), hasattr(array, "iloc")
        each = [array.iloc[:, k] if labelled else array[name] for k, name in enumerate(names)]
        return _told([names, *each], inside)
    if hasattr(array, "iloc"):
        return _told([array.index, array.to_numpy()], inside)
    values = np.asarray(array)
    kind = f"{getattr(array, 'dtype', '')} {values.dtype.str}"  # the first one has a zone
    if values.dtype.hasobject:
        return f"{kind} {_told(values.tolist(), inside)}" if values.ndim else kind
    return hashlib.sha256(kind.encode() + np.ascontiguousarray(values).tobytes()).hexdigest()


def _told(parts: Any, inside: tuple[int, ...]) -> str:
    text = parameters(parts, inside, whole=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _source_hash(strategy: AnyStrategy) -> str:
    parts = [strategy.entry, strategy.exit] if isinstance(strategy, Bot) else [strategy]
    digest = hashlib.sha256()
    for part in parts:
        try:
            file = inspect.getsourcefile(type(part))
        except TypeError:
            file = None
        if file:
            with open(file, "rb") as source:
                digest.update(source.read())
    return digest.hexdigest()
