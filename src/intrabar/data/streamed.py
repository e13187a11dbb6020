"""Large texts of bars, read in pieces: the same bars and verdicts, in little memory.

The first rows say how all are read. What needs all rows to be known (period, zone, calendar, label)
is taken from the first ones too and held against all at the end. Where a file does not go on as it
began, where its rows are not in order, and wherever something has to be asked or refused, it is
read whole instead, so that there is one answer to each file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from intrabar.data import calendars
from intrabar.data.checks import IN_ORDER, bars_of, rejected_rows
from intrabar.data.evidence import Evidence
from intrabar.data.first_rows import Rows, days_of, first_rows, is_sorted
from intrabar.data.readers import RawBars, Reading
from intrabar.data.reading.lines import Lines, NotPlainError
from intrabar.data.reading.placing import edges, rounded_up
from intrabar.data.session_verdicts import SessionVerdicts
from intrabar.data.stamps import Stamps, to_utc
from intrabar.data.verdicts import CODES, SOUND, Finding, Verdicts, broken_rules
from intrabar.errors import DataError
from intrabar.model.bars import Bars, Times

PIECE = 1 << 22
HEAD = 1 << 20
LARGE = 1 << 25
"""Bytes from which on a file is read in pieces."""


class Streamed:
    """The bars of a large text in pieces, and when all were taken what was found in them.

    Parameters
    ----------
    path : Path
    symbol : str
    how : Reading
    piece : int, optional
        Bytes that are read at a time; None: `PIECE`.

    Raises
    ------
    NotPlainError
        While the bars are taken too: the file is to be read whole.
    """

    def __init__(self, path: Path, symbol: str, how: Reading, piece: int | None = None) -> None:
        self._lines, self._symbol, self._how = Lines(path, piece or PIECE), symbol, how
        head, is_all = _head(path)
        self.first = first_rows(head, how, is_all=is_all)
        placed = self.first.placed
        self._verdicts = Verdicts()
        self._sessions = SessionVerdicts(placed.calendar, placed.period)
        self._evidence = Evidence(self.first.place, placed)
        self._rejected: list[pl.DataFrame] = []
        self._last_close = int(np.iinfo(np.int64).min)
        self._lost = self._huge = self._prices = 0
        self._told: list[Finding] = []

    def __iter__(self) -> Iterator[Bars]:
        waiting: list[Rows] = []
        for rows in self._pieces():
            waiting.append(rows)
            cut = _last_day(waiting)
            if cut is not None:
                yield from self._bars(_joined([*waiting[:-1], _some(rows, 0, cut)]))
                waiting = [_some(rows, cut, None)]
        if waiting:
            yield from self._bars(_joined(waiting))
        self._require_same()

    @property
    def sha256(self) -> str:
        """Of the file."""
        return self._lines.sha256

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The verdicts, as `checks.check` has them."""
        return (
            *self._verdicts.rejecting(),
            *self._verdicts.findings(IN_ORDER, self.first.has_volume),
            *self._told,
            *(Finding("reading", "warning", 1, note) for note in self.first.notes),
        )

    @property
    def rejected(self) -> pl.DataFrame:
        """The rows that were set aside."""
        return pl.concat(self._rejected) if self._rejected else pl.DataFrame()

    def _pieces(self) -> Iterator[Rows]:
        number, last = self.first.layout.skip + 1, int(np.iinfo(np.int64).min)
        skip = self.first.layout.skip
        for piece in self._lines:
            if skip:
                parts = piece.split(b"\n", skip)
                skip -= len(parts) - 1
                piece = parts[-1]
                if not piece:
                    continue
            lines = piece.count(b"\n") + (not piece.endswith(b"\n"))
            rows = self.first.read(piece, number, lines)
            first, number = number, number + lines
            wall = rows.stamps.wall
            ok = rows.stamps.readable
            if rows.text is None and (self._is_odd(rows, last) or not ok.all()):
                rows = self.first.read(piece, first, lines, with_text=True)
            if ok.any():
                last = int(wall[ok][-1])
            if rows.rows.size:
                yield rows

    def _is_odd(self, rows: Rows, last: int) -> bool:
        """Whether a row may have to be set aside."""
        wall = rows.stamps.wall
        if not wall.size or wall[0] <= last or (wall[1:] <= wall[:-1]).any():
            return True
        broken = broken_rules(rows.prices, rows.volume, rows.stamps.readable, rows.long)
        return bool(broken.any())

    def _bars(self, rows: Rows) -> Iterator[Bars]:
        stamps, ok = rows.stamps, rows.stamps.readable
        placed = self.first.placed
        self._lost += int(np.count_nonzero(~ok))
        self._count_prices(rows)
        try:
            utc = to_utc(stamps, placed.zone, rows.rows, self._how.ambiguous)
        except DataError as error:
            raise NotPlainError from error
        if ok.any() and placed.lacking and rounded_up(utc[ok]) != placed.lacking:
            raise NotPlainError
        raw_utc = utc
        utc = np.where(ok, utc + placed.lacking, utc)
        opening, close = edges(utc, ok, placed.period, placed.label)
        if not is_sorted(close[ok]) or (ok.any() and int(close[ok][0]) <= self._last_close):
            raise NotPlainError
        session = np.zeros_like(utc)
        session[ok] = calendars.trade_dates(placed.calendar, opening[ok])
        self._evidence.take(stamps, raw_utc, opening, session)
        if ok.any():
            self._last_close = int(close[ok][-1])
            new = np.append(True, np.diff(close[ok]) > 0)
            self._sessions.take(opening[ok][new], close[ok][new], session[ok][new])
        raw = self._raw(rows, opening, close, session)
        used = self._judged(raw, rows.text)
        if used.size:
            every = used.size == raw.rows.size
            bars, moved = bars_of(raw, slice(None) if every else used, self._symbol)
            self._verdicts.take_bars(bars, moved)
            yield bars

    def _judged(self, raw: RawBars, text: pl.DataFrame | None) -> Times:
        """Rows that are used; the others are set aside."""
        broken = broken_rules(raw.prices, raw.volume, raw.readable, raw.long)
        sound = np.flatnonzero(broken == SOUND)
        again = np.append(False, raw.close_time[sound][1:] == raw.close_time[sound][:-1])
        broken[sound[again]] = CODES["duplicate"]
        if again.any():
            kept = sound[np.maximum.accumulate(np.where(again, 0, np.arange(sound.size)))][again]
            twice = sound[again]
            figures = np.column_stack([raw.prices, raw.volume])
            other = (figures[twice] != figures[kept]).any(axis=1)
            twice, kept = twice[other], kept[other]
            self._verdicts.take_differing(
                raw.rows[twice], raw.rows[kept], raw.prices[twice, 3], raw.prices[kept, 3]
            )
        self._verdicts.take_rows(raw.rows, broken)
        if (broken != SOUND).any():
            if text is None:
                raise NotPlainError
            self._rejected.append(rejected_rows(text, raw.rows, broken))
        return np.flatnonzero(broken == SOUND)

    def _count_prices(self, rows: Rows) -> None:
        with np.errstate(invalid="ignore"):
            below = np.minimum(rows.prices[:, 0], rows.prices[:, 3]) < 0
            self._huge += int(np.count_nonzero(rows.prices >= 1e7))
        if (below & rows.stamps.readable).any():
            raise NotPlainError
        self._prices += int(np.count_nonzero(~np.isnan(rows.prices)))

    def _raw(self, rows: Rows, opening: Times, close: Times, session: Times) -> RawBars:
        first = self.first
        return RawBars(
            rows.rows, opening, close, session, rows.stamps.readable, rows.prices, rows.volume,
            first.placed.period, first.form.name, first.placed.label, first.placed.zone,
            first.placed.calendar, "", "", pl.DataFrame(), first.has_volume, rows.long,
        )  # fmt: skip

    def _require_same(self) -> None:
        """Require of all rows what the first ones said of them, and that nothing is refused."""
        told = self._verdicts
        set_aside = told.rows - told.used - told.count("duplicate")
        differ = told.differing > 1 and 3 * told.differing >= told.used + told.differing
        scaled = self._how.scale is None and 2 * self._huge >= self._prices
        if differ or scaled or 3 * self._lost > told.rows or 2 * set_aside > told.rows:
            raise NotPlainError
        self._told = self._sessions.findings()
        if not self._evidence.bears_out or not self._sessions.holds:
            raise NotPlainError


def _head(path: Path) -> tuple[bytes, bool]:
    pieces = iter(Lines(path, HEAD))
    head = next(pieces, b"")
    return head, next(pieces, None) is None


def _last_day(waiting: list[Rows]) -> int | None:
    """Where the last day of the newest piece begins, if a day ends in it or before it."""
    rows = waiting[-1]
    ok = np.flatnonzero(rows.stamps.readable)
    if not ok.size:
        return None
    day = days_of(rows.stamps.wall[ok])
    if not is_sorted(day):
        raise NotPlainError
    cut = int(ok[np.searchsorted(day, day[-1])])
    before = [w.stamps.wall[w.stamps.readable][-1:] for w in waiting[:-1]]
    earlier = np.concatenate([np.zeros(0, np.int64), *before])
    if day[0] < day[-1]:
        return cut
    return 0 if earlier.size and days_of(earlier)[-1] < day[-1] else None


def _some(rows: Rows, first: int, end: int | None) -> Rows:
    at = slice(first, end)
    s = rows.stamps
    stamps = replace(s, wall=s.wall[at], utc=s.utc[at], readable=s.readable[at], aware=s.aware[at])
    text = None if rows.text is None else rows.text[at]
    return Rows(rows.rows[at], stamps, rows.prices[at], rows.volume[at], rows.long[at], text)


def _joined(parts: list[Rows]) -> Rows:
    if len(parts) == 1:
        return parts[0]
    stamps = [p.stamps for p in parts]
    return Rows(
        np.concatenate([p.rows for p in parts]),
        Stamps(
            np.concatenate([s.wall for s in stamps]),
            np.concatenate([s.utc for s in stamps]),
            np.concatenate([s.readable for s in stamps]),
            np.concatenate([s.aware for s in stamps]),
            all(s.dates_only for s in stamps),
            True,
        ),
        np.concatenate([p.prices for p in parts]),
        np.concatenate([p.volume for p in parts]),
        np.concatenate([p.long for p in parts]),
        _text_of(parts),
    )


def _text_of(parts: list[Rows]) -> pl.DataFrame | None:
    frames = [p.text for p in parts if p.text is not None]
    if not frames:
        return None
    # Rows whose text was not kept are sound: an empty cell stands for each.
    empty = [frames[0].clear(p.rows.size) if p.text is None else p.text for p in parts]
    return pl.concat(empty)
