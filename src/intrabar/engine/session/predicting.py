"""Where the predictions of a session come from: the protocol, and several side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from intrabar.data.heard import Heard, Said, hash_of_rows, name_of
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

    def changes(self, heard: Mapping[Request, Heard], until: int) -> list[Told]:
        """What of bars up to an instant (ns UTC) is said otherwise now than was heard."""

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


def nothing(
    request: Request, symbols: Sequence[str], row: ClosedRow, why: str, *, fails: bool = False
) -> Told:
    """The event of a row of which nothing was said; `fails`: a person must know of it."""
    said = [[symbols[bar.column], row.time, {"predicted_return": None}] for bar in row.bars]
    return prediction(request, said, why, **({"fails": True} if fails else {}))


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

    def changes(self, heard: Mapping[Request, Heard], until: int) -> list[Told]:
        """What is said otherwise now than was heard."""
        return [told for one in self._predictors for told in one.changes(heard, until)]
