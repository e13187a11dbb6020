"""Margins that change in the course of time: a table of dates and amounts, or rates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from intrabar.data.tables import day_of, number_of, read_table
from intrabar.errors import DataError
from intrabar.model.bars import Action, Bars, Times
from intrabar.model.enums import ActionKind

COLUMNS = {
    "initial": "initial_margin",
    "maintenance": "maintenance_margin",
    "initial_rate": "initial_margin_rate",
    "maintenance_rate": "maintenance_margin_rate",
}


@dataclass(frozen=True, slots=True)
class Margins:
    """Margins from each date on, by date; NaN where a column is not given."""

    symbol: str
    rows: tuple[tuple[int, dict[str, float]], ...]
    source: str
    sha256: str

    def placed(self, bars: Bars, time: Times, column: int) -> list[Action]:
        """The same for a market: in force from the first bar of the instrument at or after a date.

        Parameters
        ----------
        bars : Bars
        time : (t,) int64, ns UTC
            Of the market.
        column : int
        """
        found: dict[int, Action] = {}
        for date, values in self.rows:
            at = int(np.searchsorted(bars.session, date, "left"))
            if at < len(bars):  # of several on one bar the last holds
                bar = int(np.searchsorted(time, bars.close_time[at]))
                found[bar] = Action(bar, column, ActionKind.MARGIN, **values)
        return list(found.values())


def read_margins(path: Path | str, symbol: str) -> Margins:
    """Read a table `date,initial,maintenance` (money a contract) or `..._rate` (of notional).

    Where only one way is given, the other is 0 from then on.

    Raises
    ------
    DataError
        The file or a row cannot be read; the message names the line.
    """
    table = read_table(path)
    has = {name.strip().lower() for name in table.header}
    given = [name for name in COLUMNS if name in has]
    if "date" not in has or not given:
        raise DataError(
            f"{table.source}: the columns are {', '.join(table.header)}; needed are date, and "
            "initial and maintenance, or initial_rate and maintenance_rate"
        )
    ways = {name.endswith("_rate") for name in given}
    rows = []
    for line, row in table.rows():
        values = {
            field: number_of(table, line, row, name, least=0.0)
            if name in given
            else (math.nan if name.endswith("_rate") in ways else 0.0)
            for name, field in COLUMNS.items()
        }
        rows.append((day_of(table, line, row, "date"), values))
    rows.sort(key=lambda row: row[0])
    return Margins(symbol, tuple(rows), table.source, table.sha256)
