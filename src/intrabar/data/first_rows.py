"""What the first rows of a large text tell of all its rows, so that it can be read in pieces.

Whatever they do not settle for certain makes the file one that is read whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.data.formats import Format
from intrabar.data.periods import HOUR_NS
from intrabar.data.readers import (
    UNDEFINED,
    Reading,
    place_of,
    prices_in,
    stamps_in,
    twofold,
    understood,
    volume_in,
    volumes_in,
)
from intrabar.data.reading.lines import NotPlainError
from intrabar.data.reading.numbers import numbers_of, one_by_one
from intrabar.data.reading.placing import Place, Placed, place
from intrabar.data.reading.several import has_one_meaning
from intrabar.data.reading.stamp_rule import StampRule, rule_of
from intrabar.data.reading.text import MORE, Layout, cells_of, layout_of, text_table
from intrabar.data.reading.words import TICKERS, plain
from intrabar.data.stamps import Stamps
from intrabar.errors import ConfigError, DataError
from intrabar.model.bars import DAY_NS, Floats, Times

ROWS = 2000
"""First rows by which a file is known."""


class Rows(NamedTuple):
    """Some rows of a file as numbers.

    Parameters
    ----------
    rows : (n,) int64
        Number of each in the file.
    stamps : Stamps
    prices : (n, 4) float64
    volume : (n,) float64
    long : (n,) bool
    text : DataFrame or None
        Their cells, where a row may have to be set aside.
    """

    rows: Times
    stamps: Stamps
    prices: Floats
    volume: Floats
    long: NDArray[np.bool_]
    text: pl.DataFrame | None


@dataclass(frozen=True, slots=True, eq=False)
class FirstRows:
    """How all rows of a text are read.

    Parameters
    ----------
    layout : Layout
    form : Format
    time, clock : str
        Columns.
    rule : StampRule
    constant : dict
        Columns that say the same in every row, such as a ticker, and what.
    place : Place
    placed : Placed
        Where the first rows lie.
    scale : float or None
    has_volume : bool
    notes : tuple of str
    """

    layout: Layout
    form: Format
    time: str
    clock: str
    rule: StampRule
    constant: dict[str, str | None]
    place: Place
    placed: Placed
    scale: float | None
    has_volume: bool
    notes: tuple[str, ...]

    def read(self, piece: bytes, first: int, lines: int, *, with_text: bool = False) -> Rows:
        """Read some lines, of which the first has a number.

        Raises
        ------
        NotPlainError
            A row is written in another way than the first ones.
        """
        names, separator = list(self.layout.names), self.layout.separator
        form = self.form
        numeric = (*form.price_columns, *form.volume, *form.other_volumes)
        numeric = () if with_text else numeric
        wanted = {self.time, self.clock, *numeric, *self.constant, MORE}
        columns = None if with_text else [n for n in (*names, MORE) if n in wanted]
        try:
            frame = cells_of(piece, separator, names, 0, numeric, columns)
        except pl.exceptions.PolarsError as error:
            if with_text:
                raise NotPlainError from error
            return self.read(piece, first, lines, with_text=True)
        if frame.height != lines:
            raise NotPlainError
        rows = np.arange(first, first + lines, dtype=np.int64)
        if frame[self.time].null_count() or (self.clock and frame[self.clock].null_count()):
            if not with_text:
                return self.read(piece, first, lines, with_text=True)
            full = frame.select(~pl.all_horizontal(pl.all().is_null())).to_series()
            frame, rows = frame.filter(full), rows[full.to_numpy()]
        for column, value in self.constant.items():
            text = frame[column].str.strip_chars()
            said = text.filter((text != "") & (text != (value or "")))
            if len(said):
                raise NotPlainError
        stamps = self.rule.read(frame[self.time], frame[self.clock] if self.clock else None)
        if stamps is None:
            raise NotPlainError
        prices, volume = self._numbers(frame)
        more = frame[MORE]
        long = np.zeros(frame.height, np.bool_)
        if more.null_count() < frame.height:
            long = (more.str.strip_chars().fill_null("") != "").to_numpy()
        text_of_rows = frame.drop(MORE) if with_text else None
        return Rows(rows, stamps, prices, volume, long, text_of_rows)

    def _numbers(self, frame: pl.DataFrame) -> tuple[Floats, Floats]:
        def column(name: str, *, is_price: bool = False) -> Floats:
            values = one_by_one(frame[name], is_price)
            if values is None:
                raise NotPlainError
            return np.asarray(values.fill_null(float("nan")).to_numpy(), np.float64)

        prices = np.empty((frame.height, 4), order="F")
        for i, pair in enumerate(self.form.prices):
            prices[:, i] = np.mean([column(c, is_price=True) for c in pair], axis=0)
        prices[prices >= UNDEFINED] = np.nan
        if self.scale is not None:
            prices *= self.scale
        for name in self.form.other_volumes:
            column(name)
        if not self.has_volume:
            return prices, np.zeros(frame.height)
        return prices, np.sum([column(c) for c in self.form.volume], axis=0)


def first_rows(head: bytes, how: Reading, *, is_all: bool) -> FirstRows:
    """What the first lines of a text tell of all.

    Parameters
    ----------
    head : bytes
        Whole lines.
    how : Reading
    is_all : bool
        There are no others.

    Raises
    ------
    NotPlainError
        They do not tell enough.
    """
    if head.lstrip()[:1] in (b"[", b"{", b"<", b"") or how.only or how.decimal == ",":
        raise NotPlainError
    try:
        return _first_rows(head, how, is_all)
    except (DataError, ConfigError) as error:
        raise NotPlainError from error


def _first_rows(head: bytes, how: Reading, is_all: bool) -> FirstRows:
    layout = layout_of(head, how.columns)
    table = text_table(head, how.columns)
    if not layout.separator or (table.frame.height < ROWS and not is_all):
        raise NotPlainError
    if not layout.headed and re.match(r"\d{8} \d{2}:\d{2}$", str(table.frame[0, 0])):
        raise NotPlainError  # LEAN's, if all prices are whole
    mine, how, form, (time, clock) = understood(table, how)
    frame, rows = mine.frame, mine.rows
    same = frame.columns == table.frame.columns or not layout.headed
    if frame.shape != table.frame.shape or not same or plain(form.prices[3][0]) == "prc":
        raise NotPlainError
    if len([c for c in form.times if c not in form.clocks]) > 1:
        raise NotPlainError
    stamps = stamps_in(frame, time, clock, how, rows)
    rule = rule_of(frame[time], frame[clock] if clock else None, how.time_format, stamps)
    where = place_of(mine, form, time, how)
    placed = place(stamps, rows, where)
    numbers = numbers_of(frame, form.price_columns, volumes_in(frame, form), how.decimal)
    prices, price_notes = prices_in(frame, form, numbers, how.scale)
    volume, has_volume, volume_notes = volume_in(frame, form, numbers)
    traded = bool((np.isfinite(volume) & (volume != 0) & (volume != -1)).any())
    settled = traded if form.volume else not has_volume
    if form.volume and volume_notes and "not read" not in volume_notes[0]:
        settled = False
    if rule is None or not settled or not 0 < placed.period <= HOUR_NS:
        raise NotPlainError
    aware = stamps.aware[stamps.readable]
    if bool(price_notes) != (how.scale is not None) or aware.any() != aware.all():
        raise NotPlainError
    names = tuple(frame.columns)
    notes = (*mine.notes, *placed.notes, *price_notes, *volume_notes, *twofold(form))
    made = FirstRows(
        replace(layout, names=names),
        form,
        time,
        clock,
        rule,
        _constant(frame, form),
        where,
        placed,
        how.scale,
        has_volume,
        notes,
    )
    body = head.split(b"\n", layout.skip)[layout.skip]
    lines = body.count(b"\n") + (not body.endswith(b"\n"))
    again = made.read(body, layout.skip + 1, lines)
    pairs = ((again.prices, prices), (again.volume, volume), (again.rows, rows))
    if not all(np.array_equal(a, b, equal_nan=True) for a, b in pairs):
        raise NotPlainError
    return made


def _constant(frame: pl.DataFrame, form: Format) -> dict[str, str | None]:
    """Columns that must go on as they begin, lest they name another instrument."""
    found: dict[str, str | None] = {}
    for column in frame.columns:
        if column in form.columns or column.startswith("column "):
            continue
        text = frame[column].str.strip_chars()
        values = text.filter(text != "").unique(maintain_order=True).to_list()
        if plain(column) not in TICKERS and has_one_meaning(column, text, values):
            continue
        if len(values) > 1:
            raise NotPlainError
        found[column] = values[0] if values else None
    return found


def is_sorted(times: Times) -> bool:
    """Whether no time is before the one before it."""
    return bool((times[1:] >= times[:-1]).all())


def days_of(wall: Times) -> Times:
    """Dates of stamps, days since 1970."""
    return np.floor_divide(wall, DAY_NS)
