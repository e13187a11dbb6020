"""Splits and dividends of a share: read from files, kept in the catalogue, laid on its bars.

Amounts are those that were paid on a share of the ex-date. A source that has restated them for
later splits, as Yahoo has, is taken back to them.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from intrabar.data.catalogue import Catalogue
from intrabar.data.tables import Table, day_of, number_of, read_table
from intrabar.errors import DataError
from intrabar.model.bars import Action, Bars, Times
from intrabar.model.enums import ActionKind

FORMATS = {
    "intrabar": "date,split,dividend: ex-date, new shares for an old one, money a share",
    "yahoo": "Date,...,Dividends,Stock Splits: amounts restated for later splits",
    "quandl": "Date,...,Ex-Dividend,Split Ratio: amounts as they were paid",
    "alphavantage": "timestamp,...,dividend_amount,split_coefficient: amounts as they were paid",
    "dividends": "Date,Dividends: amounts as they were paid, no splits",
    "lean": "no header; date,price factor,split factor,reference price",
}
_COLUMNS = (("split ratio", "ex-dividend"), ("split_coefficient", "dividend_amount"))
_DIVIDENDS = ("dividends", "dividend_amount", "amount", "ex-dividend")
NEAR = 2e-4
"""Relative distance at which the ratio of two rounded factors is taken for a simple fraction."""


@dataclass(frozen=True, slots=True)
class CorporateAction:
    """What happens to a share on an ex-date; the split goes before the dividend.

    Parameters
    ----------
    date : int
        Days since 1970.
    split : float, > 0
        New shares for an old one.
    dividend : float, >= 0, instrument's currency
        For each share after the split.
    """

    date: int
    split: float = 1.0
    dividend: float = 0.0


@dataclass(frozen=True, slots=True)
class Actions:
    """The splits and dividends of a symbol, by date, and where they came from."""

    symbol: str
    rows: tuple[CorporateAction, ...]
    source: str = ""
    source_sha256: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def content_sha256(self) -> str:
        """Hash of the rows."""
        return hashlib.sha256(
            repr([tuple(asdict(r).values()) for r in self.rows]).encode()
        ).hexdigest()

    @property
    def without_splits(self) -> Actions:
        """For prices that are adjusted for splits: dividends restated for later splits, alone."""
        later, found = 1.0, []
        for row in reversed(self.rows):
            found.append(CorporateAction(row.date, 1.0, row.dividend / later))
            later *= row.split
        return replace(self, rows=tuple(reversed(found)))

    def placed(self, bars: Bars, time: Times, column: int) -> list[Action]:
        """The same for a market: each on the first bar of the share at or after its date.

        Parameters
        ----------
        bars : Bars
        time : (t,) int64, ns UTC
            Of the market.
        column : int

        Raises
        ------
        DataError
            A dividend is as large as the close before it.
        """
        found = []
        for row in self.rows:
            at = int(np.searchsorted(bars.session, row.date, "left"))
            if at == 0 or at == len(bars):  # before the first bar nothing is held
                continue
            bar = int(np.searchsorted(time, bars.close_time[at]))
            if row.split != 1.0:
                found.append(Action(bar, column, ActionKind.SPLIT, row.split))
            if row.dividend > 0.0:
                before = float(bars.close[at - 1]) / row.split
                if row.dividend >= before:
                    raise DataError(
                        f"{self.symbol}: the dividend of {iso(row.date)} is {row.dividend:g}, the "
                        f"close before it {before:g}; is it given for shares of another date?"
                    )
                found.append(Action(bar, column, ActionKind.DIVIDEND, row.dividend))
        return found


def actions_of(rows: Sequence[tuple[Any, float, float]], symbol: str) -> Actions:
    """Splits and dividends from rows of (ex-date, split, dividend) of a program.

    Raises
    ------
    DataError
        A row is no date and two numbers, or a date is there twice.
    """
    try:
        made = [
            CorporateAction(
                int(np.datetime64(str(day)[:10], "D").astype(np.int64)), float(s), float(d)
            )
            for day, s, d in rows
        ]
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(
            f"{symbol}: actions: rows are (date, split, dividend): {str(error)[:200]}"
        ) from None
    if bad := [
        row for row in made if not (0.0 < row.split < math.inf and 0.0 <= row.dividend < math.inf)
    ]:
        raise DataError(f"{symbol}: actions: {bad[0]} has a split or dividend that cannot be")
    return Actions(symbol, _sorted(made, symbol))


def read_actions(path: Path | str, symbol: str) -> Actions:
    """Read splits and dividends from a file of one of `FORMATS`.

    Raises
    ------
    DataError
        The file or a row cannot be read; the message names the line.
    """
    table = read_table(path)
    has = {name.strip().lower() for name in table.header}
    date = next((w for w in ("date", "datetime", "timestamp", "ex-date", "exdate") if w in has), "")
    pair = next((p for p in _COLUMNS if set(p) <= has), None)
    if date and {"dividends", "stock splits"} <= has:
        rows = _restored(_rows(table, date, "stock splits", "dividends"))
    elif date and (has & {"split", "dividend"} or pair):
        rows = _rows(table, date, *(pair or ("split", "dividend")))
    elif date and (alone := next((w for w in _DIVIDENDS if w in has), None)):
        rows = _rows(table, date, "", alone)
    elif len(table.header) == 4 and table.header[0].isdigit() and len(table.header[0]) == 8:
        rows = list(_of_factors(table))
    else:
        known = "\n".join(f"  {name}: {text}" for name, text in FORMATS.items())
        raise DataError(
            f"{table.source}: no splits or dividends; the columns are {', '.join(table.header)}.\n"
            f"Known:\n{known}"
        )
    remarks = _gains(table) if "capital gains" in has else ()
    if "dividends" in has and "stock splits" not in has:
        remarks += (
            "there are no splits in the file: dividends are taken as they were paid, and Yahoo's "
            "are not where a split came after them",
        )
    return Actions(symbol, _sorted(rows, table.source), table.source, table.sha256, remarks)


def _gains(table: Table) -> tuple[str, ...]:
    """A sentence about capital gains, which are paid like dividends and are not read."""
    paid = [
        (line, row)
        for line, row in table.rows()
        if number_of(table, line, row, "capital gains", least=0.0, default=0.0) > 0.0
    ]
    if not paid:
        return ()
    line, row = paid[0]
    return (
        f"{len(paid)} capital gains of the fund are not read, the first of "
        f"{row['capital gains']} in line {line}; add them to the dividends of their dates",
    )


def _sorted(rows: list[CorporateAction], place: str) -> tuple[CorporateAction, ...]:
    rows = sorted(rows, key=lambda row: row.date)
    for a, b in pairwise(rows):
        if a.date == b.date:
            raise DataError(f"{place}: {iso(a.date)} is there twice; put it in one row")
    return tuple(rows)


def _rows(table: Table, date: str, split: str, dividend: str) -> list[CorporateAction]:
    found = []
    for line, row in table.rows():
        ratio = number_of(table, line, row, split, least=0.0, default=1.0) or 1.0
        amount = number_of(table, line, row, dividend, least=0.0, default=0.0)
        if ratio != 1.0 or amount > 0.0:
            found.append(CorporateAction(day_of(table, line, row, date), ratio, amount))
    return found


def _restored(rows: list[CorporateAction]) -> list[CorporateAction]:
    """Amounts as they were paid: multiplied by the splits that came after them."""
    rows = sorted(rows, key=lambda row: row.date)
    later, found = 1.0, []
    for row in reversed(rows):
        found.append(replace(row, dividend=row.dividend * later))
        later *= row.split
    return found


def _of_factors(table: Table) -> Iterator[CorporateAction]:
    """Steps between the rows of a factor file; a row holds up to and including its date."""
    names = ["date", "price", "split", "reference"]
    told = Table(names, [table.header, *table.cells], table.source, table.sha256, 1)
    days = [day_of(told, line, row, "date") for line, row in told.rows()]
    figures = [
        [number_of(told, line, row, name, least=0.0) for name in names[1:]]
        for line, row in told.rows()
    ]
    for date, (now, after) in zip(days, pairwise(figures), strict=False):
        split = _simple(after[1] / now[1]) if after[1] != now[1] else 1.0
        # What both factors say together about a day of split and dividend: the split goes first.
        dividend = now[2] * (1.0 - now[0] / after[0]) / split if now[0] != after[0] else 0.0
        if split != 1.0 or dividend > 0.0:
            yield CorporateAction(date + 1, split, dividend)


def _simple(ratio: float) -> float:
    """A ratio of rounded factors as the fraction that was meant: 2, 7, 3/2, 1/8."""
    near = Fraction(ratio).limit_denominator(20)
    if near and math.isclose(ratio, near, rel_tol=NEAR):
        return float(near)
    return ratio


def keep_actions(catalogue: Catalogue, actions: Actions) -> Path:
    """Put the splits and dividends of a symbol into the catalogue, in place of earlier ones.

    Raises
    ------
    DataError
        The file cannot be written; the earlier one is as it was.
    """
    path = _file(catalogue, actions.symbol)
    given = {
        "schema": 1,
        "symbol": actions.symbol,
        "source": actions.source,
        "source_sha256": actions.source_sha256,
        "content_sha256": actions.content_sha256,
        "rows": [[iso(r.date), r.split, r.dividend] for r in actions.rows],
    }
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(given, indent=1) + "\n", encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error}") from error
    return path


def kept_actions(catalogue: Catalogue, symbol: str) -> Actions | None:
    """The splits and dividends that the catalogue has of a symbol; None where it has none.

    Raises
    ------
    DataError
        The file is damaged.
    """
    path = _file(catalogue, symbol)
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
        rows = tuple(
            CorporateAction(int(np.datetime64(day, "D").astype(np.int64)), float(s), float(d))
            for day, s, d in given["rows"]
        )
        found = Actions(symbol, rows, given["source"], given["source_sha256"])
        sound = found.content_sha256 == given["content_sha256"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is damaged: {error}; import the actions again") from error
    if not sound:
        raise DataError(f"{path}: the rows are not those of its hash; import the actions again")
    return found


def _file(catalogue: Catalogue, symbol: str) -> Path:
    return catalogue.folder_of(symbol) / "actions.json"


def iso(day: int) -> str:
    """A day since 1970 as people write it."""
    return str(np.datetime64(day, "D"))
