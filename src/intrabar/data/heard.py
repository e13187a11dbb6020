"""Predictions that a session is told as its rows come, in the place of those of a file."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from intrabar.data.chances import chance_above_nothing
from intrabar.data.prediction_file import QUANTILE
from intrabar.indicators.given import Request
from intrabar.model.bars import Floats, Times

_numbers = itertools.count()

Said = list[Any]
"""[symbol, close time in ns UTC, {column: number or None}], as a journal has it."""


Table = tuple[Times, dict[str, Floats]]
"""Close times, ns UTC, and at them the values of each column."""


class Heard:
    """What has been said on one request so far.

    Parameters
    ----------
    request : Request
    names : sequence of str
        The columns that strategies read by name.
    """

    def __init__(self, request: Request, names: Sequence[str]) -> None:
        self.request, self.key = request, f"heard {next(_numbers)}"
        self.names = tuple(names)
        self._rows: dict[str, list[tuple[int, Mapping[str, float]]]] = {}

    def take(self, rows: Iterable[Said]) -> None:
        """Rows of an event."""
        for symbol, time, values in rows:
            known = self._rows.setdefault(symbol, [])
            numbers = {k: float("nan") if x is None else float(x) for k, x in values.items()}
            known.append((int(time), numbers))

    def forget(self, until: int) -> None:
        """Let go of rows of bars that closed by an instant (ns UTC), but for the last one."""
        for known in self._rows.values():
            count = sum(time <= until for time, _ in known)
            del known[: min(count, len(known) - 1)]

    def table(self, symbol: str, columns: Iterable[str]) -> Table:
        """The closes of an instrument of which something was said, and the values of columns."""
        rows = self._rows.get(symbol, [])
        times = np.array([time for time, _ in rows], np.int64)
        return times, {x: np.array([_value(v, x) for _, v in rows]) for x in columns}

    def has(self, time: int) -> bool:
        """Whether a row of this close was told, of any instrument."""
        return any(rows[-1][0] >= time for rows in self._rows.values() if rows)

    def series(self, column: str) -> Mapping[str, tuple[Times, Floats]]:
        """The values of a column by instrument, as they are when they are read."""
        return _Growing(self._rows, column)


class _Growing(Mapping[str, tuple[Times, Floats]]):
    def __init__(
        self, rows: Mapping[str, list[tuple[int, Mapping[str, float]]]], column: str
    ) -> None:
        self._rows, self._column = rows, column

    def __getitem__(self, symbol: str) -> tuple[Times, Floats]:
        rows = self._rows[symbol]
        times = np.array([time for time, _ in rows], np.int64)
        return times, np.array([_value(values, self._column) for _, values in rows])

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def _value(values: Mapping[str, float], column: str) -> float:
    nothing = float("nan")
    if column == "predicted_price":  # a return: whoever reads it makes a price of it
        return values.get("predicted_return", nothing)
    if column not in ("chance_up", "chance_down"):
        return values.get(column, nothing)
    if "confidence" in values:
        return values["confidence"]
    quantiles = {k: np.array([x]) for k, x in values.items() if QUANTILE.fullmatch(k)}
    if len(quantiles) < 2:
        return nothing
    up = float(chance_above_nothing(quantiles)[0])
    return up if column == "chance_up" else 1.0 - up


def hash_of_rows(rows: list[Said]) -> str:
    """16 hexadecimal digits of what was said."""
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()[:16]


def name_of(request: Request) -> str:
    """A request, as an event names it."""
    return f"{request.file} {request.horizon or 'shortest'}"
