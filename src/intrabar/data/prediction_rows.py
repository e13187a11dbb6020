"""A file of predictions bar by bar: as a session reads it, while rows are added behind.

Its rows stand on bars by the rules of a backtest (`prediction_place`): over all bars where they are
known, else over those so far.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from intrabar.data.calendars import hours_of, trade_dates
from intrabar.data.heard import Table
from intrabar.data.live.grid import Grid
from intrabar.data.prediction_bars import BarsOf
from intrabar.data.prediction_file import PredictionFile, read_predictions
from intrabar.data.prediction_place import Placement, place
from intrabar.data.predictions import column_of
from intrabar.data.verdicts import utc_text
from intrabar.errors import FileError
from intrabar.indicators.given import Request, values_at
from intrabar.model.bars import Times
from intrabar.model.remark import Remark


class Prediction(NamedTuple):
    """What is predicted at a bar.

    Parameters
    ----------
    values : mapping of column to float
        NaN where the model said nothing.
    model : str
        Hash of what made it: of a file that of its bytes.
    trained_until : int, ns UTC, or None
        None where nobody says it.
    """

    values: Mapping[str, float]
    model: str
    trained_until: int | None


@dataclass(frozen=True)
class NewBar:
    """A bar that has closed, as far as predictions are placed by it.

    Parameters
    ----------
    close_time, open_time : int, ns UTC
    close : price
    session : int, days since 1970
    is_split : bool
        There was a split before its open.
    """

    close_time: int
    open_time: int
    close: float
    session: int
    is_split: bool


class FileRows:
    """What a file of predictions says of a bar.

    Parameters
    ----------
    request : Request
    horizon : bars
    columns : tuple of str
        Which of its columns are told.
    bars : mapping of symbol to BarsOf
        Those that are known.
    grids : mapping of symbol to Grid, optional
        When the next bars close. None: all bars are known already.

    Raises
    ------
    FileError
        As for a backtest; or nothing tells on which bars rows to come will be made.
    """

    def __init__(
        self,
        request: Request,
        horizon: int,
        columns: tuple[str, ...],
        bars: Mapping[str, BarsOf],
        grids: Mapping[str, Grid] | None = None,
    ) -> None:
        self.request, self.horizon, self.columns = request, horizon, columns
        self._bars, self._grids = dict(bars), grids
        self._file = read_predictions(request.file)
        self._placed = self._place(self._file)
        self._time_is = self._placed.time_is
        self._is_stale = False

    @property
    def name(self) -> str:
        """Of the file."""
        return self._file.name

    def take(self, symbol: str, bar: NewBar) -> None:
        """A bar has closed; where all bars are known it is one of them."""
        if self._grids is None or symbol not in self._bars:
            return
        own = self._bars[symbol]
        if bar.close_time <= own.close_time[-1]:
            return
        splits = (*own.splits, len(own.close)) if bar.is_split else own.splits
        self._bars[symbol] = replace(
            own,
            close_time=np.append(own.close_time, bar.close_time),
            open_time=np.append(own.open_time, bar.open_time),
            close=np.append(own.close, bar.close),
            session=np.append(own.session, bar.session),
            splits=splits,
        )
        self._is_stale = True

    def look(self, until: int) -> str:
        """Read what is new in the file; what has changed of bars that closed by an instant.

        Parameters
        ----------
        until : int, ns UTC

        Returns
        -------
        str
            "" where nothing has.

        Raises
        ------
        FileError
            It cannot be used any more.
        """
        file = read_predictions(self.request.file)
        if file is self._file and not self._is_stale:
            return ""
        before, placed = self._placed, self._place(file)
        told = "" if file is self._file else self._changes(before, placed, until)
        self._file, self._placed, self._is_stale = file, placed, False
        return told

    def at(self, symbol: str, time: int) -> Prediction | None:
        """What is predicted at the bar that closes at an instant; None where no row is of it."""
        placed = self._placed
        if symbol not in placed.rows:
            return None
        times = placed.close_time[symbol]
        k = int(np.searchsorted(times, time))
        if k == len(times) or times[k] != time:
            return None
        row, until = int(placed.rows[symbol][k]), placed.file.trained_until
        values = {name: float(column_of(placed.file, name)[row]) for name in self.columns}
        known = until is not None and bool(until.readable[row])
        trained = int(placed.trained_until[symbol][k]) if known else None
        return Prediction(values, placed.file.sha256, trained)

    def tells(self, symbol: str) -> bool:
        """Whether rows of an instrument may come."""
        return self._file.symbol is None or symbol in self._file.symbols

    def until(self, symbol: str, time: int) -> Table:
        """The closes up to an instant of the bars with a row, and the values of the columns."""
        return _rows_until(self._placed, self.columns, symbol, time)

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """What there is to say of its rows on the bars that are known."""
        return self._placed.remarks

    @property
    def model(self) -> str:
        """Hash of the file as it was read last."""
        return self._placed.file.sha256

    def changed(self, heard: Mapping[str, Table], until: int) -> str:
        """What of the bars up to an instant it now says otherwise than was heard; "": nothing."""
        return self._told(heard, {s: self.until(s, until) for s in self._bars})

    def _changes(self, before: Placement, placed: Placement, until: int) -> str:
        old, new = (
            {s: _rows_until(one, self.columns, s, until) for s in self._bars}
            for one in (before, placed)
        )
        return self._told(old, new)

    def _told(self, old: Mapping[str, Table], new: Mapping[str, Table]) -> str:
        nothing: Table = np.zeros(0, np.int64), dict.fromkeys(self.columns, np.zeros(0))
        apart = {s: _differing(old.get(s, nothing), new[s]) for s in new}
        count = sum(map(len, apart.values()))
        if not count:
            return ""
        first, symbol = min((int(x[0]), symbol) for symbol, x in apart.items() if len(x))
        return (
            f"{self.name} has changed in its past: {count:,} of its rows, the first of {symbol} "
            f"at {utc_text(first)}, are of bars that are over, and are others now or came too "
            "late; what was traded stays as the journal has it"
        )

    def _place(self, file: PredictionFile) -> Placement:
        request = self.request
        if self._grids is None:
            return place(file, self.horizon, request.time_is, request.zone, self._bars)
        placed = place(
            file, self.horizon, request.time_is, request.zone, self._ahead(), is_open=True
        )
        first = getattr(self, "_time_is", placed.time_is)
        if placed.time_is != first:
            raise FileError(
                f"{file.name}: its prices tell now that Time is {placed.time_is}, and told at the "
                f"start that it is {first}; write time_is"
            )
        return placed

    def _ahead(self) -> dict[str, BarsOf]:
        """The bars so far, and behind them those whose ends a row may name already."""
        assert self._grids is not None
        made = {}
        for symbol, own in self._bars.items():
            grid, ends = self._grids[symbol], [int(own.close_time[-1])]
            for _ in range(self.horizon):
                ends.append(grid.due(ends[-1]))
            close = np.array(ends[1:], np.int64)
            opening = close - grid.period
            day = trade_dates(grid.calendar, close - 1)
            if own.is_daily:
                opening, _ = hours_of(grid.calendar, day)
            made[symbol] = replace(
                own,
                close_time=np.append(own.close_time, close),
                open_time=np.append(own.open_time, opening),
                close=np.append(own.close, np.full(len(close), np.nan)),
                session=np.append(own.session, day),
            )
        return made


def _rows_until(placed: Placement, columns: tuple[str, ...], symbol: str, time: int) -> Table:
    times = placed.close_time.get(symbol, np.zeros(0, np.int64))
    times = times[: np.searchsorted(times, time, "right")]
    rows = placed.rows.get(symbol, times)[: len(times)]
    return times, {x: column_of(placed.file, x)[rows] for x in columns}


def _differing(old: Table, new: Table) -> Times:
    """The closes at which two do not say the same; a row without values is none."""
    times = np.union1d(old[0], new[0])
    apart = np.zeros(len(times), np.bool_)
    for name, values in old[1].items():
        a, b = values_at(old[0], values, times), values_at(new[0], new[1][name], times)
        apart |= (a != b) & ~(np.isnan(a) & np.isnan(b))
    return times[apart]
