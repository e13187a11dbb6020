"""Where a Python strategy reads the run's arrays in place, and leaves its orders."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.errors import NotFoundError, OrderError, RunError
from intrabar.model.bars import DAY_NS
from intrabar.model.enums import Gate, Role
from intrabar.model.instant import python_date, utc_ns
from intrabar.model.session import Clock
from intrabar.model.values import is_number, shown
from intrabar.sim import state
from intrabar.sim.inbox import leave
from intrabar.sim.machine import Machine
from intrabar.strategy.rules import BAR_FIELDS

HigherSeries = Callable[[int, str, str], tuple[NDArray[np.float64], NDArray[np.int64]]]
"""Of a column of the market, a series and a time frame: the values over the longer bars, and how
many of these are complete at each row of the timeline."""


class Position(NamedTuple):
    """A sleeve as it stands: signed quantity, average price, levels of its stop and target."""

    qty: float
    entry: float
    stop: float
    target: float


class Desk:
    """Where a strategy reads one instrument and leaves its orders; made by the engine.

    Parameters
    ----------
    machine : Machine
    strategy, column : int
        Row of the strategy, column of the instrument.
    indicators : mapping of name to (t, n) float64
    higher : HigherSeries
    clock : Clock
    """

    def __init__(
        self,
        machine: Machine,
        strategy: int,
        column: int,
        indicators: dict[str, NDArray[np.float64]],
        higher: HigherSeries,
        clock: Clock,
    ) -> None:
        self.higher = higher
        self.clock = clock
        self.longer: dict[tuple[str, str], tuple[NDArray[np.float64], NDArray[np.int64]]] = {}
        self.machine = machine
        self.strategy = strategy
        self.column = column
        self.symbol = machine.market.symbols[column]
        self.bar = -1
        self.closed_gates = 0  # bits 1 << Gate
        self.counts: NDArray[np.int64] | None = None  # of what gates kept back, where there are any
        self.width = len(machine.market.symbols)
        self.look_at(indicators)
        self.refresh()

    def look_at(self, indicators: dict[str, NDArray[np.float64]]) -> None:
        """Look up the arrays of the machine's market, and these."""
        market, column = self.machine.market, self.column
        series = {name: getattr(market, name) for name in BAR_FIELDS}
        self.arrays = {name: array[:, column] for name, array in {**series, **indicators}.items()}
        self.views = {name: memoryview(array) for name, array in self.arrays.items()}
        self.closes = self.views["close"]
        self.scales: dict[str, NDArray[np.float64]] = {}
        self.indicator_views = {name: self.views[name] for name in indicators}

    def refresh(self) -> None:
        """Look the book's arrays up again after they have grown."""
        self.book = self.machine.book
        self.account = self.book.account[0]
        self.instrument = self.book.instruments[self.column]
        self.sleeve = self.book.sleeves[self.strategy * self.width + self.column]

    @property
    def opened(self) -> int:
        """When the present bar opened, ns UTC; a bar that is missing, as one of the period."""
        market, bar = self.machine.market, self.bar
        close, opened = int(market.time[bar]), int(market.open_time[bar, self.column])
        if opened < close:
            return opened
        return close - (market.period if market.period < DAY_NS else 1)

    @property
    def position(self) -> Position:
        """The strategy's position in this instrument, signed quantity first."""
        x = self.sleeve
        return Position(float(x["qty"]), float(x["avg"]), float(x["stop"]), float(x["target"]))

    def last_bars(self, name: str, bars: int, row: int) -> NDArray[np.float64]:
        """The last values of a series up to a row, in the prices of the present bar."""
        if name not in self.arrays:
            raise NotFoundError("series", name, self.arrays)
        end, first = row + 1, self.machine.first
        start = max(0, end - bars)
        if start < first:
            raise RunError(
                f"history({name!r}, {bars}): {end - first} bars are in memory; "
                "run in larger chunks, of at least as many bars"
            )
        part = self.arrays[name][start:end]
        if name in self.scales:
            scale = self.scales[name]
            part = part * (scale[start:end] / scale[self.bar])
        return part

    def longer_bars(self, name: str, timeframe: str, row: int) -> NDArray[np.float64]:
        """A series on a higher time frame, as far as its bars are complete at a row."""
        key = name, timeframe
        if key not in self.longer:
            self.longer[key] = self.higher(self.column, name, timeframe)
        values, seen = self.longer[key]
        part = values[: seen[row] if row >= 0 else 0]
        return part / self.scales[name][self.bar] if name in self.scales else part

    def instant(self, until: Any) -> int:
        """When an order ends that is good until a time (UTC where it has no zone), or for a date.

        Daily bars have dates of their own; of others the exchange's zone says when a date is over.
        """
        stamp = python_date(until) if isinstance(until, np.datetime64) else until
        if not isinstance(stamp, date):
            raise OrderError(
                f"{self.symbol}: until is {shown(until)}, must be a datetime or a date"
            )
        if not 1700 <= stamp.year < 2262:
            raise OrderError(f"{self.symbol}: until is {stamp}, must be from 1700 to 2261")
        if isinstance(stamp, datetime):
            return utc_ns(stamp)
        if self.machine.market.period >= DAY_NS:
            return utc_ns(datetime.combine(stamp, time())) + 1
        over = datetime.combine(stamp + timedelta(days=1), time(), self.clock.zone(self.column))
        return utc_ns(over)

    def count(self, gate: Gate) -> None:
        """Count what a gate, or a size of nothing, has kept back."""
        if self.counts is not None:
            self.counts[gate] += 1

    def is_kept_back(self, side: int, qty: float, reduce_only: bool) -> bool:
        """Whether a closed gate keeps back an order, which is counted; what only reduces goes."""
        held = float(self.sleeve["qty"])
        reduces = reduce_only or (side * held < 0.0 and qty <= abs(held))
        if not self.closed_gates or reduces:
            return False
        self.count(next(gate for gate in Gate if self.closed_gates & (1 << gate)))
        return True

    def take_back(self) -> None:
        """Cancel the orders of the strategy that could open or enlarge its position here."""
        for row in self.machine.working():
            order = self.book.orders[row]
            is_own = order["strategy"] == self.strategy and order["instrument"] == self.column
            if is_own and order["role"] == Role.PLAIN:
                if self.is_kept_back(int(order["side"]), order["qty"], bool(order["reduce_only"])):
                    self.put(state.CANCEL, id=int(order["id"]))

    @property
    def tick(self) -> float:
        """Smallest price step."""
        return float(self.instrument["tick_size"])

    @property
    def waiting(self) -> NDArray[Any]:
        """What is in the inbox and nobody has carried out yet, COMMAND records."""
        part: NDArray[Any] = self.book.inbox[: self.account["inbox"]]
        return part

    def own_order(self, number: Any, what: str = "order") -> Any:
        """An order of the strategy by its number: its record, or its command that still waits.

        Returns
        -------
        ORDER or COMMAND record, or None
            None where it is done.

        Raises
        ------
        OrderError
            No order has this number, or it is another strategy's that works.
        """
        if not (isinstance(number, Integral) and is_number(number)):
            none = "; None says that no order was placed" if number is None else ""
            raise OrderError(
                f"{self.symbol}: {what} is {shown(number)}, must be the number that buy, sell or "
                f"order has returned{none}"
            )
        if not 0 <= int(number) < self.account["next_order"]:
            raise OrderError(f"{self.symbol}: {what} is {number}, and no order has that number")
        order = self._find(number)
        if order is not None and order["strategy"] != self.strategy:
            raise OrderError(f"{self.symbol}: {what} {number} is another strategy's")
        return order

    def _find(self, number: Any) -> Any:
        """An order that works, or waits in the inbox to be submitted, of any strategy."""
        for order in self.waiting:
            if order["kind"] == state.SUBMIT and order["id"] == number:
                return order
        for row in self.machine.working():
            if self.book.orders[row]["id"] == number:
                return self.book.orders[row]
        return None

    def bare_entry(self, level: str) -> float:
        """Signed quantity of the first own entry here that has none of this level; 0 without one.

        Parameters
        ----------
        level : {"stop_loss", "take_profit"}
        """
        submitted = (x for x in self.waiting if x["kind"] == state.SUBMIT)
        working = (self.book.orders[row] for row in self.machine.working())
        for order in (*submitted, *working):
            is_own = order["strategy"] == self.strategy and order["instrument"] == self.column
            is_entry = order["role"] == Role.PLAIN and not order["reduce_only"]
            if is_own and is_entry and np.isnan(order[level]):
                return float(order["side"] * order["qty"])
        return 0.0

    def last_fill(self) -> float | None:
        """The price of the strategy's last fill here in the present bar; None without one."""
        fills = self.book.fills[: self.account["fills"]]
        for fill in reversed(fills[np.searchsorted(fills["bar"], self.bar) :]):
            if fill["strategy"] == self.strategy and fill["instrument"] == self.column:
                return float(fill["price"])
        return None

    def protected(self, role: Role) -> float:
        """How much of the position the stops, or the targets, cover that work or wait."""
        covered, row = 0.0, int(self.instrument["head"])
        while row >= 0:
            order = self.book.orders[row]
            if order["role"] == role and order["strategy"] == self.strategy:
                covered += float(order["qty"] - order["filled"])
            row = int(order["next"])
        for asked in self.waiting:
            is_own = asked["strategy"] == self.strategy and asked["instrument"] == self.column
            if asked["kind"] == state.SUBMIT and is_own and asked["role"] == role:
                covered += float(asked["qty"])
        return covered

    def put(self, kind: int, **values: Any) -> int:
        """Leave a command in the inbox; returns the order's number."""
        return leave(self.book, kind, strategy=self.strategy, instrument=self.column, **values)
