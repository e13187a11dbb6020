"""Why no entry is made now, of one instrument or of all; each reason ends with what made it.

What is known comes from the events of the journal alone, so that a re-run finds the same reasons at
the same places.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from intrabar.data.verdicts import utc_text
from intrabar.engine.session.clocks import SECOND_NS, blocks_from
from intrabar.engine.session.closing import Expiry, Flatten, closing, next_closing
from intrabar.engine.session.exchange import Exchange
from intrabar.engine.session.row import ClosedRow
from intrabar.engine.session.seal import Note, alarm
from intrabar.model.bars import DAY_NS
from intrabar.model.facts import LinkFact

Reason = Literal[
    "link", "clock_skew", "data_stale", "late_bars", "corrected", "closing", "expiring"
]

FAR = 0.01
"""By how much a close may be corrected and its entries still be made."""
_LATE, _WITHIN = 3, 20  # late bars within so many rows
_BAD = 3


class Block(NamedTuple):
    """A reason for no entries, and what made it."""

    reason: Reason
    text: str


class _Known(NamedTuple):
    """What the calendar says from an instant to another."""

    first: int
    end: int
    span: tuple[int, int] | None


class _State:
    """What the bars of one instrument have shown."""

    def __init__(self, started: int) -> None:
        self.last = started  # close time of its last bar
        self.bad = 0  # bars in a row that cannot be
        self.late: deque[int] = deque(maxlen=_LATE)  # rows before which late ones came
        self.is_late = False
        self.in_time = 0  # bars since the last late one
        self.corrected = -1  # the row through which a correction blocks
        self.ahead = 0  # until when a bar of the future waits


class Blocks:
    """The reasons for no entries of a session.

    Parameters
    ----------
    symbols : sequence of str
    exchanges : sequence of Exchange
        Of each.
    period, grace : int, ns
        Of the bars; how long a row waits for them.
    started : int, ns UTC
    flatten : Flatten, optional
    expiries : mapping of symbol to Expiry
    ages : bool
        Whether bars that do not come make an instrument stale; in a record nothing newer is there.
    """

    def __init__(
        self,
        symbols: Sequence[str],
        exchanges: Sequence[Exchange],
        period: int,
        grace: int,
        started: int,
        *,
        flatten: Flatten | None = None,
        expiries: Mapping[str, Expiry] | None = None,
        ages: bool = True,
    ) -> None:
        self._at = {symbol: j for j, symbol in enumerate(symbols)}
        one_of = {exchange.calendar: exchange for exchange in exchanges}
        self._symbols = tuple(symbols)
        self._exchanges = tuple(one_of[exchange.calendar] for exchange in exchanges)
        self._period, self._flatten, self._ages = period, flatten, ages
        self._grace = grace
        self._stale = max(2 * period + grace, 30 * SECOND_NS)
        self._expiries = {self._at[symbol]: one for symbol, one in (expiries or {}).items()}
        self._state = [_State(started) for _ in symbols]
        self._rows = 0
        self._skew = 0
        self._link: LinkFact | None = None
        self._spans: dict[str, _Known] = {}

    def row(self, row: ClosedRow) -> None:
        """A row is sealed, and is about to be run."""
        self._rows += 1
        for bar in row.bars:
            state = self._state[bar.column]
            state.last, state.bad = row.time, 0
            state.in_time += 1
            if state.in_time >= _WITHIN:
                state.is_late = False

    def note(self, kind: str, body: Mapping[str, Any]) -> list[Note]:
        """An event of the journal; what it is not concerned with is passed over."""
        j = self._at.get(str(body.get("symbol", "")), -1)
        if kind == "clock":
            self._skew = int(body["skew"])
            if j >= 0 and "until" in body:
                self._state[j].ahead = max(self._state[j].ahead, int(body["until"]))
        if j < 0:
            return []
        state = self._state[j]
        if kind in ("bar.late", "bar.corrected"):
            off = body["close_off"]
            if off is None or off > FAR:
                state.corrected = self._rows + 1
        if kind == "bar.bad":
            state.bad += 1
            if state.bad == _BAD:
                text = f"{self._symbols[j]}: {_BAD} bars in a row cannot be: {body['reason']}"
                return [alarm(f"data_stale.{self._symbols[j]}", text)]
        if kind == "bar.late":
            return self._late(j)
        return []

    def link(self, fact: LinkFact) -> None:
        """The state of the source."""
        self._link = fact

    def reasons(self, now: int) -> dict[str, Reason]:
        """The first reason of each symbol that has no entries."""
        if of_all := self._of_all():
            return dict.fromkeys(self._symbols, of_all[0].reason)
        why = ((symbol, self._own(j, now)) for symbol, j in self._at.items())
        return {symbol: blocks[0].reason for symbol, blocks in why if blocks}

    def leaving(self, now: int) -> list[str]:
        """Symbols whose positions are closed now, by the calendar."""
        if self._flatten is None and not self._expiries:
            return []
        return [symbol for symbol, j in self._at.items() if self.leaves(j, now)]

    def next_leaving(self, now: int) -> int | None:
        """When positions are next closed by the calendar, later than an instant; None: never."""
        times = [x.flatten for x in self._expiries.values() if x.flatten > now]
        if self._flatten is not None:
            times += [next_closing(self._flatten, x, now) for x in set(self._exchanges)]
        return min(times, default=None)

    def why(self, column: int, now: int) -> tuple[Block, ...]:
        """The reasons for which an instrument has no entries; none: it may have them."""
        return (*self._of_all(), *self._own(column, now))

    def _own(self, column: int, now: int) -> list[Block]:
        """Those that are not the reasons of all."""
        state, symbol = self._state[column], self._symbols[column]
        found = []
        if state.ahead > now + self._skew:
            found.append(
                Block("clock_skew", f"a bar of {symbol} closes at {utc_text(state.ahead)}")
            )
        if state.bad >= _BAD:
            found.append(Block("data_stale", f"{state.bad} bars of {symbol} in a row cannot be"))
        elif self._ages and self.is_stale(column, now):
            found.append(
                Block("data_stale", f"the last bar of {symbol} is of {utc_text(state.last)}")
            )
        if state.is_late:
            left = _WITHIN - state.in_time
            text = f"{_LATE} bars of {symbol} were late; {left} rows in time are to come"
            found.append(Block("late_bars", text))
        if state.corrected >= self._rows:
            found.append(Block("corrected", f"a close of {symbol} was wrong by more than 1 %"))
        if self._flatten is not None or self._expiries:
            found += self._by_calendar(column, now)
        return found

    def leaves(self, column: int, now: int) -> bool:
        """Whether positions of an instrument are closed now, by the calendar."""
        ends = self._expiries.get(column)
        if ends is not None and now >= ends.flatten:
            return True
        return self._closing(column, now) is not None

    def is_stale(self, column: int, now: int, times: int = 1) -> bool:
        """Whether no bar of an instrument has come for too long, while its exchange was open.

        Parameters
        ----------
        column : int
        now : int, ns UTC
        times : int
            So many times too long.
        """
        exchange, last = self._exchanges[column], self._state[column].last
        if self._period >= DAY_NS:
            for _ in range(times + 1):
                last = exchange.next_close(last)
            return now > last + self._grace
        since = max(last, exchange.open_since(now))
        return exchange.is_open(now) and now - since > times * self._stale

    def _of_all(self) -> list[Block]:
        found = []
        if self._link is not None and self._link.state != "up":
            text = f"the source is {self._link.state}: {self._link.reason}".rstrip(": ")
            found.append(Block("link", text))
        if abs(self._skew) > blocks_from(self._period):
            seconds = self._skew / SECOND_NS
            text = f"the server's clock is {seconds:+.1f} s ahead of this machine's"
            found.append(Block("clock_skew", text))
        return found

    def _by_calendar(self, column: int, now: int) -> list[Block]:
        found = []
        span = self._closing(column, now)
        if span is not None:
            text = f"positions are closed from {utc_text(span[0])} to {utc_text(span[1])}"
            found.append(Block("closing", text))
        ends = self._expiries.get(column)
        if ends is not None and now >= ends.no_entries:
            text = f"the contract ends; it is flattened at {utc_text(ends.flatten)}"
            found.append(Block("expiring", text))
        return found

    def _closing(self, column: int, now: int) -> tuple[int, int] | None:
        """The span around an instant in which positions are closed; None: outside of any."""
        exchange = self._exchanges[column]
        if self._flatten is None:
            return None
        known = self._spans.get(exchange.calendar)
        if known is None or not known.first <= now < known.end:
            span = closing(self._flatten, exchange, now)
            edges = span or (now, next_closing(self._flatten, exchange, now))
            known = self._spans[exchange.calendar] = _Known(*edges, span)
        return known.span

    def _late(self, j: int) -> list[Note]:
        """A bar came after its row was sealed."""
        state = self._state[j]
        state.late.append(self._rows)
        state.in_time = 0
        if state.is_late or len(state.late) < _LATE or self._rows - state.late[0] >= _WITHIN:
            return []
        state.is_late = True
        text = (
            f"{self._symbols[j]}: {_LATE} bars came late within {_WITHIN} rows; no entries until "
            f"{_WITHIN} came in time"
        )
        return [alarm(f"late_bars.{self._symbols[j]}", text)]
