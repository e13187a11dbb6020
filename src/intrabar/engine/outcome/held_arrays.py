"""Series that a strategy carries with it: arrays of the whole timeline, wherever it keeps them.

A strategy sees a bar at a time, unless somebody gave it an array that was worked out before the
run: as an attribute, in a closure, in a table of its module. Such arrays are found and named.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

DEEPEST = 4
MANY = 64  # items of a list that are worth a look


def held_arrays(strategy: Any, rows: int) -> dict[str, NDArray[Any]]:
    """Arrays, lists, mappings and columns with a row per bar, by where they are found.

    Parameters
    ----------
    strategy : strategy
    rows : int
        Bars of the timeline.
    """
    found: dict[str, NDArray[Any]] = {}
    seen: dict[int, Any] = {}  # kept alive, so that no number is another value's
    waiting: list[tuple[str, Any, int]] = [("", strategy, 0)]
    while waiting:
        name, value, depth = waiting.pop(0)
        if id(value) in seen or isinstance(value, str | bytes | type | types.ModuleType):
            continue
        seen[id(value)] = value
        if _is_series(value, rows):
            with suppress(ValueError):  # rows of different lengths are no array
                found[name] = np.asarray(list(value.values()) if _is_table(value) else value)
        elif depth < DEEPEST:
            waiting += [(n, v, depth + 1) for n, v in _parts(name, value)]
    return found


def _is_series(value: Any, rows: int) -> bool:
    if isinstance(value, np.ndarray):
        return bool(value.shape[:1] == (rows,))
    if isinstance(value, list | tuple) or _is_table(value) or _is_frame(value):
        return len(value) == rows and rows > 1
    return False


def _is_table(value: Any) -> bool:
    """A mapping that may have a value for every bar, by its number or time."""
    return isinstance(value, dict)


def _is_frame(value: Any) -> bool:
    """A column or a table of pandas or polars."""
    return hasattr(value, "to_numpy") and hasattr(value, "__len__")


def _parts(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """What a value is made of, each part with the name that leads to it."""
    dot = f"{name}." if name else ""
    if isinstance(value, Mapping):
        yield from ((f"{name}[{key!r}]", part) for key, part in value.items())
    elif isinstance(value, list | tuple):
        yield from ((f"{name}[{k}]", part) for k, part in enumerate(value[:MANY]))
    elif isinstance(value, types.FunctionType):
        yield from _around(value)
    elif isinstance(value, types.MethodType):
        yield from (("", value.__func__), (name, value.__self__))
    elif not isinstance(value, np.ndarray | np.generic) and not _is_frame(value):
        inside = {f.name: getattr(value, f.name) for f in fields(value)} if _is_data(value) else {}
        inside |= getattr(value, "__dict__", {})
        yield from ((f"{dot}{key}", part) for key, part in inside.items())
        for owner in type(value).__mro__:
            if owner.__module__.partition(".")[0] not in ("builtins", "intrabar"):
                yield from ((f"{dot}{k}", _plain(v)) for k, v in vars(owner).items() if _told(k, v))


def _is_data(value: Any) -> bool:
    return is_dataclass(value) and not isinstance(value, type)


def _told(key: str, value: Any) -> bool:
    return not key.startswith("__") or isinstance(value, types.FunctionType)


def _plain(value: Any) -> Any:
    return value.__func__ if isinstance(value, staticmethod | classmethod) else value


def _around(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """What a function reaches beside its arguments: its closure, and globals that it names."""
    code = function.__code__
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not filled yet
            continue
    for name in code.co_names:
        if name in function.__globals__:
            yield name, function.__globals__[name]
