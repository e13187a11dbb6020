"""Facts of a source in, sealed rows out: no clock is read, `now` comes with every call.

A row is due at its close time, and sealed when every instrument in session has its bar, or after
`close_grace`; who has none is not in it. At each scheduled close of an exchange a row is sealed
even where nobody has a bar, so that days end by the calendar.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from intrabar.data.alongside import Alongside
from intrabar.data.rates import LONGEST
from intrabar.data.verdicts import utc_text
from intrabar.engine.session.clocks import SECOND_NS, WARNS, Skew, blocks_from
from intrabar.engine.session.column import Column, Place
from intrabar.engine.session.due_actions import DueActions
from intrabar.engine.session.exchange import Exchange
from intrabar.engine.session.graces import Graces
from intrabar.engine.session.marks import Marks
from intrabar.engine.session.row import ClosedRow, RowAction, RowBar
from intrabar.engine.session.sound import Prices, Sound, prices_told, sound
from intrabar.errors import ConfigError
from intrabar.model.bars import DAY_NS, Bars
from intrabar.model.facts import BarClosed, Fact, Heartbeat, LinkFact, SourceCan
from intrabar.model.instrument import Instrument

AHEAD = 2 * SECOND_NS
"""What a bar may lie ahead of the server's clock."""
KEPT = 1000
"""Sealed rows against which a bar that comes late is held."""
_WAITING = 64  # bars of the future that are kept of one instrument
_NEVER = 2**63 - 1


class Note(msgspec.Struct, frozen=True):
    """What is to be told of a fact: a kind of the journal, and its fields."""

    kind: str
    body: dict[str, Any]


@dataclass(slots=True)
class _Waiting:
    """A row that is not sealed yet: the bars that came, and the columns that are waited for."""

    bars: dict[int, tuple[Prices, Place]] = field(default_factory=dict)
    missing: set[int] = field(default_factory=set)


class Sealer:
    """The rows of a session, in order, made of the facts of its source.

    Parameters
    ----------
    instruments : sequence of Instrument
        In the order of the market's columns.
    period : int, ns
    can : SourceCan
    started : int, ns UTC
        Bars that closed by then are older than the session.
    before : sequence of ClosedRow
        The last rows of the history, or of the journal: rows go on behind them.
    recorded : mapping of symbol to Bars, optional
        The record that is lived through: no row of it is late.
    hours : "regular" or "extended"
        Whether bars outside the sessions are dropped.
    graces : Graces
    along : mapping of symbol to Alongside
        Tables of splits, dividends, margins and rolls.
    marks : Marks, optional
        Rates of exchange; None where all is in the account's currency.

    Raises
    ------
    ConfigError
        A calendar is missing, or an option is wrong.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        period: int,
        can: SourceCan,
        started: int,
        *,
        before: Sequence[ClosedRow] = (),
        recorded: Mapping[str, Bars] | None = None,
        hours: Literal["regular", "extended"] = "regular",
        graces: Graces | None = None,
        along: Mapping[str, Alongside] | None = None,
        marks: Marks | None = None,
    ) -> None:
        if hours not in ("regular", "extended"):
            raise ConfigError(f"live.hours: is {hours!r}, must be regular or extended")
        self.period, self._started = period, started
        self.grace, self._act_within = (graces or Graces()).in_ns(can, period)
        self._is_live = recorded is None
        exchanges = {x.calendar: Exchange(x.calendar, period) for x in instruments}
        self._columns = [
            Column(
                x,
                period,
                exchanges[x.calendar],
                None if recorded is None else recorded[x.symbol],
                hours == "regular",
            )
            for x in instruments
        ]
        self._at = {column.symbol: j for j, column in enumerate(self._columns)}
        self._exchanges = [x for calendar, x in exchanges.items() if calendar]
        self._marks = marks
        self.skew = Skew()
        self.counts: dict[str, Counter[str]] = {c.symbol: Counter() for c in self._columns}
        self._level = 0
        self._is_up, self._contact = True, started
        self._rows: dict[int, _Waiting] = {}
        self._ahead: dict[tuple[int, int], BarClosed] = {}
        self._bad: dict[str, BarClosed] = {}
        self._told_rates: dict[str, int] = {}
        n = len(self._columns)
        self.last = before[-1].time if before else started
        self._day = before[-1].day if before else None
        self._has_rows = bool(before)
        self._closes, self._newest = [float("nan")] * n, [0] * n
        days: list[int | None] = [None] * n
        self._sealed: dict[int, dict[int, Prices]] = {}
        self._late: dict[tuple[int, int], Prices] = {}
        self._oldest = before[0].time if before else started + 1
        for row in before:
            self._remember(row)
            for bar in row.bars:
                days[bar.column] = self._columns[bar.column].exchange.date(bar.open_time)
        self._due = [
            DueActions(j, (along or {}).get(c.symbol, Alongside()), days[j])
            for j, c in enumerate(self._columns)
        ]
        if marks is not None:
            marks.require_all(self._closes)

    def take(self, fact: Fact, now: int) -> list[Note]:
        """Take what the source tells, and say what is wrong with it."""
        if isinstance(fact, LinkFact):
            is_up = fact.state in ("up", "degraded")
            if is_up and not self._is_up:
                self._contact = now  # what was missed comes now
            self._is_up = is_up
        elif isinstance(fact, Heartbeat):
            if fact.time:
                self.skew.take(fact.time, now)
                return self._skew_told()
        elif isinstance(fact, BarClosed):
            return self._take_bar(fact, now)
        return []

    def due(self, now: int) -> tuple[list[ClosedRow], list[Note]]:
        """The rows that are sealed by now, in order, and what there is to be told of them."""
        rows: list[ClosedRow] = []
        notes: list[Note] = []
        server = now + self.skew.ns
        for key in [key for key in self._ahead if key[0] <= server]:
            notes += self._take_bar(self._ahead.pop(key), now)
        while self._is_up:
            time, is_closing = self._next()
            waiting = self._rows.get(time)
            is_whole = waiting is not None and not waiting.missing
            if time == _NEVER or not (is_whole or now >= self._due_at(time)):
                break
            rows.append(self._seal(time, now, is_closing, notes))
        return rows, notes

    def next_timer(self, now: int) -> int | None:
        """When `due` has something to do though no fact comes, ns UTC; `None` for never."""
        skew = self.skew.ns
        times = [time - skew for time, _ in self._ahead]
        if self._is_up:
            times.append(self._due_at(self._next()[0]))
        first = min(times, default=_NEVER)
        return None if first >= _NEVER else max(first, now)

    def _due_at(self, time: int) -> int:
        """When a row is sealed as it is."""
        return _NEVER if time == _NEVER else max(time, self._contact) + self.grace

    def _next(self) -> tuple[int, bool]:
        """Time of the next row, and whether it is one of the calendar alone."""
        first = min(self._rows, default=_NEVER)
        closing = _NEVER
        for exchange in self._exchanges if self._has_rows else ():  # before the first no day ends
            close = exchange.next_close(self.last)
            if close < first and close < closing:
                newest = (
                    column.across(close, self._newest[j])
                    for j, column in enumerate(self._columns)
                    if column.exchange is exchange
                )
                closing = min(closing, max(newest))
        return (closing, True) if closing < first else (first, False)

    def _take_bar(self, bar: BarClosed, now: int) -> list[Note]:
        j = self._at.get(bar.symbol)
        if j is None:
            return self._aside(bar, "nobody asked for this symbol")
        column, counts = self._columns[j], self.counts[bar.symbol]
        if bar.period not in (0, self.period):
            return self._aside(bar, f"its period is {bar.period} ns, not {self.period}")
        if bar.time < self._oldest:
            counts["older"] += 1
            return []
        made = sound(bar, column.tick)
        if isinstance(made, str):
            return self._aside(bar, made)
        if bar.time > now + self.skew.ns + AHEAD:
            return self._kept(bar, j, now)
        place = column.place(bar.time, self._newest[j])
        if isinstance(place, str):
            return self._aside(bar, place)
        if column.is_dropped(place, bar.time):
            counts["outside"] += 1
            return self._told_outside(bar) if counts["outside"] == 1 else []
        self._bad.pop(bar.symbol, None)
        if bar.time <= self.last:
            return self._behind(bar, j, made)
        self._lay(bar.time, j, made, place)
        return []

    def _lay(self, time: int, j: int, made: Sound, place: Place) -> None:
        """Put a bar into its row; of two versions the newer counts."""
        counts = self.counts[self._columns[j].symbol]
        row = self._rows.get(time)
        if row is None:
            row = self._rows[time] = _Waiting()
            row.missing.update(k for k, c in enumerate(self._columns) if c.expects(time))
        stood = row.bars.get(j)
        if stood is not None:
            counts["equal" if stood[0] == made.prices else "replaced"] += 1
        if made.clamped:
            counts["clamped"] += 1
        if made.without_volume:
            counts["without volume"] += 1
        row.bars[j] = made.prices, place
        row.missing.discard(j)

    def _kept(self, bar: BarClosed, j: int, now: int) -> list[Note]:
        """Keep a bar of the future until its time."""
        key = (bar.time, j)
        if key not in self._ahead and sum(k == j for _, k in self._ahead) >= _WAITING:
            return self._aside(bar, f"{_WAITING} bars of the future are waiting already")
        is_new = self._ahead.get(key) != bar
        self._ahead[key] = bar
        self.counts[bar.symbol]["ahead"] += 1
        ahead = bar.time - now - self.skew.ns
        body = {"skew": self.skew.ns, "symbol": bar.symbol, "ahead": ahead, "until": bar.time}
        return [Note("clock", body)] if is_new else []

    def _behind(self, bar: BarClosed, j: int, made: Sound) -> list[Note]:
        """A bar whose row is sealed, or was none: the row stays."""
        key, counts = (bar.time, j), self.counts[bar.symbol]
        stood = self._sealed.get(bar.time, {}).get(j)
        if made.prices in (self._late.get(key), stood):
            counts["equal"] += 1
            return []
        self._late[key] = made.prices
        kind = "bar.late" if stood is None else "bar.corrected"
        counts[kind] += 1
        what = "no row" if bar.time not in self._sealed else "no bar in its row"
        base = self._carried(bar.time, j) if stood is None else stood[3]
        body = {
            "symbol": bar.symbol,
            "time": bar.time,
            "bar": prices_told(bar),
            "stood": None if stood is None else list(stood),
            "close_off": None if base is None else abs(made.prices[3] / base - 1.0),
            "reason": what if stood is None else "other values than its row",
        }
        return [Note(kind, body)]

    def _carried(self, time: int, j: int) -> float | None:
        """The close that stood in a row without a bar; None where it is not known."""
        earlier = (t for t in reversed(self._sealed) if t <= time and j in self._sealed[t])
        at = next(earlier, None)
        return None if at is None else self._sealed[at][j][3]

    def _aside(self, bar: BarClosed, reason: str) -> list[Note]:
        """Keep a bar that cannot be aside; told again it is counted."""
        if bar.symbol in self.counts:
            self.counts[bar.symbol]["bad"] += 1
        told = self._bad.get(bar.symbol)
        if told is not None and told.time == bar.time and prices_told(told) == prices_told(bar):
            return []
        if bar.symbol in self.counts or len(self._bad) < KEPT:
            self._bad[bar.symbol] = bar
        body = {"symbol": bar.symbol, "time": bar.time, "bar": prices_told(bar), "reason": reason}
        return [Note("bar.bad", body)]

    def _told_outside(self, bar: BarClosed) -> list[Note]:
        text = (
            f"{bar.symbol}: bars outside the sessions of its exchange are dropped, first that of "
            f"{utc_text(bar.time)}; live.hours: extended takes them"
        )
        return [Note("alarm", {"severity": "info", "key": f"outside.{bar.symbol}", "text": text})]

    def _skew_told(self) -> list[Note]:
        """Tell the skew where it passes what warns or what blocks, there and back."""
        size = abs(self.skew.ns)
        level = (size > WARNS) + (size > blocks_from(self.period))
        if level == self._level:
            return []
        self._level = level
        return [Note("clock", {"skew": self.skew.ns})]

    def _seal(self, time: int, now: int, is_closing: bool, notes: list[Note]) -> ClosedRow:
        waiting = self._rows.pop(time, None) or _Waiting()
        opened = (place.open_time for _, place in waiting.bars.values())
        since = self.last if self._has_rows else min(opened)
        ending = {x.calendar for x in self._exchanges if x.next_close(since) <= time}
        bars: list[RowBar] = []
        actions: list[RowAction] = []
        day = -_NEVER if self._day is None else self._day
        for j, (prices, place) in sorted(waiting.bars.items()):
            ends = place.ends_session or self._columns[j].calendar in ending
            found, wrong = self._due[j].take(
                place.day, time, self._closes[j], is_first_row=not self._has_rows
            )
            actions += found
            if wrong:
                notes.append(alarm(f"actions.{self._columns[j].symbol}", wrong))
            bars.append(RowBar(j, *prices, place.open_time, ends))
            day = max(day, place.day)
        row = ClosedRow(
            time,
            tuple(bars),
            day,
            actions=tuple(actions),
            late=self._is_live and now > time + self._act_within,
            closing=is_closing,
            opened=any(bar.open_time < self._started < time for bar in bars),
            ends=tuple(
                j
                for j, column in enumerate(self._columns)
                if column.calendar in ending and j not in waiting.bars
            ),
        )
        self._remember(row)
        self.last, self._day, self._has_rows = time, day, True
        if self._marks is None:
            return row
        notes += self._old_rates(self._marks, row)
        return msgspec.structs.replace(row, fx=self._marks.at(self._closes))

    def _remember(self, row: ClosedRow) -> None:
        own: dict[int, Prices] = {}
        for bar in row.bars:
            own[bar.column] = (bar.open, bar.high, bar.low, bar.close, bar.volume)
            self._closes[bar.column] = bar.close
            self._newest[bar.column] = row.time
        self._sealed[row.time] = own
        if len(self._sealed) > KEPT:
            del self._sealed[next(iter(self._sealed))]
            self._oldest = next(iter(self._sealed))
            for key in [key for key in self._late if key[0] < self._oldest]:
                del self._late[key]

    def _old_rates(self, marks: Marks, row: ClosedRow) -> list[Note]:
        """Tell once a day which rates of the history are too old."""
        notes = []
        for pair, known in marks.of_history.items():
            name = "".join(pair)
            if row.time - known.time > LONGEST and self._told_rates.get(name) != row.day:
                self._told_rates[name] = row.day
                text = (
                    f"the rate of exchange {name} is of {utc_text(known.time)}, more than "
                    f"{LONGEST // DAY_NS} days old; trade {name} too, so that its bars come"
                )
                notes.append(alarm(f"rate.{name}", text))
        return notes


def alarm(key: str, text: str) -> Note:
    """What a person is to be told, once a key in a while."""
    return Note("alarm", {"severity": "alarm", "key": key, "text": text})
