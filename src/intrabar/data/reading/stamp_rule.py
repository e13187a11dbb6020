"""How every stamp of a file is written, told by its first rows: what makes reading it quick.

A rule reads the stamps as `parse_stamps` does, or says that one is written in another way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from intrabar.data.reading.dates import CLOCKS, YEAR_FIRST, in_years
from intrabar.data.reading.offsets import split_tails
from intrabar.data.stamps import (
    DIGIT_DATES,
    Stamps,
    digits_of_times,
    instants_of,
    made_stamps,
    parse_stamps,
    text_of,
    times_of_day,
)
from intrabar.errors import ConfigError, DataError

_WITHOUT_A_TAIL = re.compile(r".*%(?:M|T|R).*%(?:[SMpYdTR]|\.f)$|.*%[TR]$")


@dataclass(frozen=True, slots=True)
class StampRule:
    """How every stamp of a file is written.

    Parameters
    ----------
    forms : tuple of str
        In `strftime`'s words, the likeliest first; none for instants since 1970.
    offset : bool
        There is an offset behind each.
    clock_digits : int
        Most digits of a time of day that stands in a column of its own, 0 where it has colons.
    width : int
        Characters of each stamp where dates are digits alone; else 0.
    """

    forms: tuple[str, ...] = ()
    offset: bool = False
    clock_digits: int = 0
    width: int = 0

    def read(self, column: pl.Series, clock: pl.Series | None) -> Stamps | None:
        """The stamps of some rows; None where one is written in another way."""
        if isinstance(column.dtype, pl.Datetime) and clock is None:
            return parse_stamps(column)
        text = text_of(column)
        if clock is not None:
            if digits_of_times(clock) > self.clock_digits:
                return None
            text = text + " " + times_of_day(clock, self.clock_digits)
        if not self.forms:
            return self._instants(text)
        if self.width:
            text = text.set(~text.str.contains(r"^\d+$"), None)
            if (text.str.len_chars() != self.width).any():
                return None
        offset = None
        if self.offset:
            tails = split_tails(text)
            if tails is None or not _are_no_stamps(text.filter(tails.offset.is_null())):
                return None
            text, offset = tails.text, tails.offset
        wall = self._wall(text)
        if wall is None:
            return None
        return made_stamps(wall, None if offset is None else wall - offset, clock=True)

    def _wall(self, text: pl.Series) -> pl.Series | None:
        blank = text.null_count()
        for form in self.forms:
            # A cache of texts costs more than it spares: stamps differ.
            moment = text.str.to_datetime(form, time_unit="us", strict=False, cache=False)
            wall = in_years(moment)
            if wall.null_count() == blank:
                return wall
        return wall if _are_no_stamps(text.filter(wall.is_null())) else None

    def _instants(self, text: pl.Series) -> Stamps | None:
        number = text.cast(pl.Int64, strict=False)
        if text.str.starts_with("+").any():
            return None
        odd = text.filter(number.is_null())
        if odd.str.contains(r"\.", literal=False).any() or (number.abs() < 10**4).any():
            return None
        utc = instants_of(number)
        return made_stamps(utc, utc, clock=True)


def _are_no_stamps(text: pl.Series) -> bool:
    """Whether no text is a stamp in any way."""
    try:
        return not parse_stamps(text.drop_nulls()).readable.any()
    except (DataError, ConfigError):
        return False


def rule_of(
    column: pl.Series, clock: pl.Series | None, time_format: str | None, stamps: Stamps
) -> StampRule | None:
    """The rule of the first rows of a file; None where there is none.

    Parameters
    ----------
    column, clock : Series
        The columns of stamps, and of times of day.
    time_format : str, optional
        As the user gives it.
    stamps : Stamps
        What `parse_stamps` read in them.
    """
    for rule in _candidates(column, clock, time_format, stamps):
        made = rule.read(column, clock)
        if made is not None and _same(made, stamps) and not _may_be_swapped(rule, column, clock):
            return rule
    return None


def _candidates(
    column: pl.Series, clock: pl.Series | None, time_format: str | None, stamps: Stamps
) -> Iterator[StampRule]:
    aware = bool(stamps.aware.any())
    digits = 0 if clock is None else digits_of_times(clock)
    if time_format is not None:
        if _WITHOUT_A_TAIL.fullmatch(time_format) and not aware and clock is None:
            yield StampRule((time_format,))
        return
    if clock is None and (column.dtype.is_integer() or aware):
        yield StampRule()
    text = text_of(column).drop_nulls()
    if not len(text):
        return
    width = len(text[0])
    if clock is None and text[0].isdigit():
        if width in (12, 14):
            yield StampRule((DIGIT_DATES[width],), width=width)
        return
    days = [d for d in YEAR_FIRST if (d == "%Y%m%d") == text[0][:5].isdigit()]
    for sign in "/.-":
        if re.match(rf"\d{{1,2}}\{sign}", text[0]):
            days = [f"%m{sign}%d{sign}%Y", f"%d{sign}%m{sign}%Y"]
    for day in days:
        for time in CLOCKS:
            whole = f"{day} {time}"
            forms = (whole.removesuffix("%.f"), whole) if whole.endswith("%.f") else (whole,)
            yield StampRule(forms, aware, digits)
            if aware or clock is None:
                yield StampRule(tuple(f.replace(" ", "T", 1) for f in forms), aware, digits)


def _may_be_swapped(rule: StampRule, column: pl.Series, clock: pl.Series | None) -> bool:
    """Whether day and month can be exchanged in all of the first rows."""
    if not rule.forms or rule.forms[0].startswith(("%Y", "%d.")):
        return False
    day = {"%m": "%d", "%d": "%m"}
    swapped = [day.get(f[:2], "") + f[2] + day.get(f[3:5], "") + f[5:] for f in rule.forms]
    text = text_of(column)
    if clock is not None:
        text = text + " " + times_of_day(clock, rule.clock_digits)
    if rule.offset:
        return True
    moments = (text.str.to_datetime(f, strict=False, cache=False) for f in swapped)
    return all(m.null_count() == text.null_count() for m in moments)


def _same(one: Stamps, other: Stamps) -> bool:
    return all(
        np.array_equal(a, b)
        for a, b in (
            (one.wall, other.wall),
            (one.utc, other.utc),
            (one.readable, other.readable),
            (one.aware, other.aware),
        )
    )
