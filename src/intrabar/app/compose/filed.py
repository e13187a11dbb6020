"""The predictions of a session out of files, which may grow while it lives."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np

from intrabar.data.heard import Heard, Said, name_of
from intrabar.data.prediction_rows import FileRows, NewBar, Prediction
from intrabar.engine.session.predicting import Told, nothing, prediction
from intrabar.engine.session.row import ClosedRow
from intrabar.errors import IntrabarError
from intrabar.indicators.given import Request
from intrabar.model.enums import ActionKind
from intrabar.model.instant import instant_text


class Filed:
    """The rows of files, each at the close on which it was made, as the files stand by then.

    Parameters
    ----------
    files : mapping of Request to FileRows
    symbols : sequence of str
    waits : float
        Seconds that the row of a bar which has just closed is waited for; 0 for bars of the past.
    """

    def __init__(
        self, files: Mapping[Request, FileRows], symbols: Sequence[str], waits: float = 0.0
    ) -> None:
        self._files, self._symbols, self._waits = files, tuple(symbols), waits

    def history(self, rows: Sequence[ClosedRow]) -> list[Told]:
        """What is said of rows before the first that is traded."""
        told = []
        for request, file in self._files.items():
            made = [(self._symbols[bar.column], row.time) for row in rows for bar in row.bars]
            found = [(symbol, time, file.at(symbol, time)) for symbol, time in made]
            said: list[Said] = [[s, t, _numbers(x)] for s, t, x in found if x is not None]
            if said:
                told.append(prediction(request, said, file_sha256=file.model))
        return told

    def resume(self, rows: Sequence[ClosedRow], models: Mapping[str, str]) -> None:
        """Rows that were lived already."""
        for row in rows:
            self._take(row)

    def changes(self, heard: Mapping[Request, Heard], until: int) -> list[Told]:
        """Which files say otherwise of bars up to an instant than was heard."""
        told = []
        for request, file in self._files.items():
            known = {s: heard[request].table(s, file.columns) for s in self._symbols}
            told += _changed(request, file.changed(known, until))
        return told

    def row(self, row: ClosedRow) -> list[Told]:
        """What is said of the next row: as soon as all of it is there, or when time is up."""
        self._take(row)
        due = time.monotonic() + (0.0 if row.late else self._waits)
        told: list[Told] = []
        errors: dict[Request, str] = {}
        while True:
            for request, file in self._files.items():
                try:
                    told += _changed(request, file.look(row.time - 1))
                    errors.pop(request, None)
                except IntrabarError as error:  # it may be half written
                    errors[request] = str(error)
            if time.monotonic() >= due or not (errors or self._lacks(row)):
                break
            time.sleep(AGAIN)
        return told + [self._of(request, row, errors.get(request)) for request in self._files]

    def _take(self, row: ClosedRow) -> None:
        splits = {x.column for x in row.actions if x.kind == ActionKind.SPLIT}
        for bar in row.bars:
            new = NewBar(row.time, bar.open_time, bar.close, row.day, bar.column in splits)
            for file in self._files.values():
                file.take(self._symbols[bar.column], new)

    def _lacks(self, row: ClosedRow) -> bool:
        symbols = [self._symbols[bar.column] for bar in row.bars]
        return any(
            file.tells(symbol) and file.at(symbol, row.time) is None
            for file in self._files.values()
            for symbol in symbols
        )

    def _of(self, request: Request, row: ClosedRow, error: str | None) -> Told:
        file = self._files[request]
        if error is not None:
            return nothing(request, self._symbols, row, error, fails=True)
        said: list[Said] = []
        until, missing = dict[str, str](), list[str]()
        for bar in row.bars:
            symbol = self._symbols[bar.column]
            found = file.at(symbol, row.time)
            said.append([symbol, row.time, NOTHING if found is None else _numbers(found)])
            if found is None:
                missing.append(symbol)
            elif found.trained_until is not None:
                until[symbol] = instant_text(found.trained_until)
        why = f"{file.name} has no row of this bar of {', '.join(missing)}" if missing else ""
        more = {"trained_until": until} if until else {}
        return prediction(request, said, why, file_sha256=file.model, **more)


AGAIN = 0.5  # seconds between two looks for rows that are not there yet
NOTHING: dict[str, float | None] = {"predicted_return": None}


def _numbers(found: Prediction) -> dict[str, float | None]:
    return {name: x if np.isfinite(x) else None for name, x in found.values.items()}


def _changed(request: Request, text: str) -> list[Told]:
    return [("prediction.changed", {"request": name_of(request), "text": text})] if text else []
