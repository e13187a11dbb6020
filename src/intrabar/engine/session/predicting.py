"""Where the predictions of a session come from: the protocol, and the rows of files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from intrabar.data.heard import Said, hash_of_rows, name_of
from intrabar.data.prediction_place import Placement
from intrabar.engine.session.row import ClosedRow
from intrabar.indicators.given import Request

Told = tuple[str, dict[str, Any]]
"""The kind and the body of an event."""


class Predictor(Protocol):
    """What says what is expected at the close of a row; it is given each row once, in order."""

    def history(self, rows: Sequence[ClosedRow]) -> list[Told]:
        """What is said of rows before the first that is traded."""

    def resume(self, rows: Sequence[ClosedRow], models: Mapping[str, str]) -> None:
        """Rows that were lived already, and the models that were in use: nothing is asked."""

    def row(self, row: ClosedRow) -> list[Told]:
        """What is said of the next row."""


def prediction(request: Request, rows: list[Said], why: str = "", **told: Any) -> Told:
    """The event of what was said.

    Parameters
    ----------
    request : Request
    rows : list of [symbol, time, {column: number or None}]
    why : str
        Why nothing was; "" where something was.
    told
        What else is known: the model's hash, its `trained_until`.
    """
    body = {"request": name_of(request), "rows": rows, "hash": hash_of_rows(rows), **told}
    return "prediction", body | ({"why": why} if why else {})


def nothing(request: Request, symbols: Sequence[str], row: ClosedRow, why: str) -> Told:
    """The event of a row of which nothing was said."""
    said = [[symbols[bar.column], row.time, {"predicted_return": None}] for bar in row.bars]
    return prediction(request, said, why)


class Filed:
    """The rows of files, each at the close on which it was made.

    Parameters
    ----------
    placements : mapping of Request to Placement
    symbols : sequence of str
    """

    def __init__(self, placements: Mapping[Request, Placement], symbols: Sequence[str]) -> None:
        self._placements, self._symbols = placements, tuple(symbols)

    def history(self, rows: Sequence[ClosedRow]) -> list[Told]:
        """What is said of rows before the first that is traded."""
        return [x for request in self._placements for x in self._of(request, rows)]

    def resume(self, rows: Sequence[ClosedRow], models: Mapping[str, str]) -> None:
        """A file forgets nothing."""

    def row(self, row: ClosedRow) -> list[Told]:
        """What is said of the next row."""
        return self.history([row])

    def _of(self, request: Request, rows: Sequence[ClosedRow]) -> list[Told]:
        where = self._placements[request]
        said: list[Said] = []
        for row in rows:
            for bar in row.bars:
                symbol = self._symbols[bar.column]
                times = where.close_time.get(symbol, np.zeros(0, np.int64))
                at = int(np.searchsorted(times, row.time))
                if at < len(times) and times[at] == row.time:
                    said.append([symbol, row.time, self._values(where, symbol, at)])
        return [prediction(request, said, file_sha256=where.file.sha256)] if said else []

    def _values(self, where: Placement, symbol: str, at: int) -> dict[str, float | None]:
        k, file = int(where.rows[symbol][at]), where.file
        columns = {"predicted_return": file.predicted_return, **file.quantiles}
        if file.confidence is not None:
            columns["confidence"] = file.confidence
        numbers = {name: float(values[k]) for name, values in columns.items()}
        return {name: x if np.isfinite(x) else None for name, x in numbers.items()}


class Several:
    """Predictors side by side.

    Parameters
    ----------
    predictors : sequence of Predictor
    """

    def __init__(self, predictors: Sequence[Predictor]) -> None:
        self._predictors = tuple(predictors)

    def history(self, rows: Sequence[ClosedRow]) -> list[Told]:
        """What is said of rows before the first that is traded."""
        return [told for one in self._predictors for told in one.history(rows)]

    def resume(self, rows: Sequence[ClosedRow], models: Mapping[str, str]) -> None:
        """Rows that were lived already."""
        for one in self._predictors:
            one.resume(rows, models)

    def row(self, row: ClosedRow) -> list[Told]:
        """What is said of the next row."""
        return [told for one in self._predictors for told in one.row(row)]
