"""A strategy in Python: free to do anything, called by the loop at the phases that it asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.errors import StrategyError
from intrabar.indicators import Indicator
from intrabar.model.enums import FillReason, Gate, OrderStatus, Phase, Reject, Role, Side
from intrabar.model.session import Clock
from intrabar.model.values import named
from intrabar.sim.machine import Machine
from intrabar.sim.state import WAKE_FLAT, WAKE_HELD, WAKE_OPEN
from intrabar.strategy.blame import blame, blamed, moment
from intrabar.strategy.copied import FOR_A_REPLAY, copied
from intrabar.strategy.desk import Desk, HigherSeries
from intrabar.strategy.gated import Gated
from intrabar.strategy.gates import Gates, Timetable, counted
from intrabar.strategy.views import AtClose, AtOpen, View


@dataclass(frozen=True, slots=True)
class FillNotice:
    """What the market did to an order of the strategy."""

    order: int
    symbol: str
    side: Side
    qty: float
    price: float
    cost: float
    reason: FillReason
    phase: Phase


@dataclass(frozen=True, slots=True)
class OrderNotice:
    """An order of the strategy that is done: filled, cancelled, rejected or expired."""

    order: int
    symbol: str
    status: OrderStatus
    reject: Reject
    role: Role


class Strategy:
    """Subclass it, as a dataclass where it has parameters, and write the hooks that you need.

    Only hooks that a subclass defines are called. None of them is called while every instrument
    still lacks an indicator (warm-up).

    Examples
    --------
    >>> @dataclass
    ... class Dip(ib.Strategy):
    ...     below: float = 30.0
    ...     def indicators(self):
    ...         return {"rsi": ib.rsi(14)}
    ...     def on_close(self, now):
    ...         if now.is_flat and now["rsi"] < self.below:
    ...             now.buy(10, stop_loss=0.95 * now.close)
    ...         elif not now.is_flat and now["rsi"] > 50:
    ...             now.close_position()
    >>> ib.backtest(Dip(25), bars)

    Notes
    -----
    `gates`, an attribute of the class or of the instance, keeps back its entries outside of
    sessions and closes its positions in time: `gates = Gates(session=True, flatten="16:55")`.
    """

    gates: Gates = Gates()
    predictions_file: Any = None
    """Predictions that a configuration gives it: a path, or a mapping with `file`."""
    hears_warm_up: bool = False
    """Called on the rows before trading begins too, where its orders are refused."""

    @property
    def name(self) -> str:
        """How reports call it, unless the configuration gives it another name; may be set."""
        own: str = self.__dict__.get("_name", type(self).__name__)
        return own

    @name.setter
    def name(self, given: str) -> None:
        self.__dict__["_name"] = named(f"{type(self).__name__}: name", given)

    def indicators(self) -> dict[str, Indicator]:
        """What it reads by name, computed once for the whole run: `{"fast": ema(12)}`."""
        return {}

    def on_start(self) -> None:
        """Before the first bar."""

    def on_open(self, now: AtOpen) -> None:
        """Only the open is known. A market order submitted here fills at it."""

    def on_close(self, now: AtClose) -> None:
        """The whole bar is known. Orders submitted here start at the next open."""

    def on_fill(self, fill: FillNotice, now: AtOpen) -> None:
        """One of its orders was filled. Phase: after INTRABAR, and after the close's fills.

        The close is not known yet, and a market-on-close submitted here fills at it: so a notice
        sees no more than the open.
        """

    def on_order(self, order: OrderNotice, now: AtOpen) -> None:
        """One of its orders is done. Phase and view as `on_fill`."""

    def on_stop(self) -> None:
        """After the last bar."""


class RunningStrategy:
    """A Python strategy connected to a machine.

    Parameters
    ----------
    strategy : Strategy
    machine : Machine
    row : int
        Row of the strategy in the machine.
    columns : mapping of name to (t, n) float64
        Its indicators.
    higher : HigherSeries
        Its columns and indicators on higher time frames.
    clock : Clock
    table : Timetable or None
        Of its gates; None where it has none.
    """

    is_compiled = False

    def __init__(
        self,
        strategy: Strategy,
        machine: Machine,
        row: int,
        columns: dict[str, NDArray[np.float64]],
        higher: HigherSeries,
        clock: Clock,
        table: Timetable | None = None,
    ) -> None:
        self.strategy = strategy
        self.machine = machine
        symbols = machine.market.symbols
        width = range(len(symbols))
        self.desks = [Desk(machine, row, j, columns, higher, clock) for j in width]
        self._rebind: Callable[[], None] = lambda: None
        opens: dict[str, View] = {}
        closes: dict[str, View] = {}
        for desk in self.desks:
            opens[desk.symbol] = AtOpen(desk, 1, opens)
            closes[desk.symbol] = AtClose(desk, 0, closes)
        self._views = (opens, closes)
        self.at_open: AtOpen = next(iter(opens.values()))  # type: ignore[assignment]
        self.at_close: AtClose = next(iter(closes.values()))  # type: ignore[assignment]
        self._counts = np.zeros((len(self.desks), len(Gate)), np.int64)
        for desk in self.desks:
            desk.counts = self._counts[desk.column]
        self.gated = None if table is None else Gated(table, self.desks)
        # What belongs to the run is not copied along with what the strategy remembers.
        self._kept = {id(x): x for x in (machine, *self.desks, *opens.values(), *closes.values())}
        machine.on_growth.append(self._refresh)
        machine.connect(
            row,
            machine.python_hooks(
                on_open=self._on_open if self.gated or defines(strategy, "on_open") else None,
                on_close=self._close_hook()
                if self.gated or defines(strategy, "on_close")
                else None,
                on_notice=self._on_notice
                if defines(strategy, "on_fill") or defines(strategy, "on_order")
                else None,
            ),
        )

    def show(self, columns: dict[str, NDArray[np.float64]], table: Timetable | None = None) -> None:
        """Read the market that the machine shows now, and these arrays of it."""
        if self.gated is not None and table is not None:
            self.gated.table = table
        for desk in self.desks:
            desk.look_at(columns)

    def finish(self) -> None:
        """Tell the strategy that the run is over, and drop the views, which name each other."""
        try:
            self.tell("on_stop")
        finally:
            for views in self._views:
                views.clear()
            self._kept.clear()
            self._rebind = lambda: None

    def tell(self, hook: str) -> None:
        """Call `on_start` or `on_stop`."""
        with blamed(self.strategy.name, f"in {hook}"):
            getattr(self.strategy, hook)()

    def _refresh(self) -> None:
        for desk in self.desks:
            desk.refresh()

    def scale(self, scales: Mapping[str, NDArray[np.float64]]) -> None:
        """Let what is read of earlier bars be shown in the prices of the present one.

        Parameters
        ----------
        scales : mapping of name to (t, n) float64
            What a value of a bar is multiplied with to stand beside those of other bars; of
            columns and indicators that have a unit, where prices are adjusted.
        """
        for desk in self.desks:
            desk.scales = {name: array[:, desk.column] for name, array in scales.items()}

    def _on_open(self, bar: int) -> None:
        for desk in self.desks:
            desk.bar = bar
        if self.gated is not None:
            self.gated.at_open(bar)
        if defines(self.strategy, "on_open"):
            self._call(Phase.OPEN, self.strategy.on_open, self.at_open)

    def _close_hook(self) -> Any:
        """`on_close` with as little around it as can be: it is the hot path of Python."""
        on_close, now, desks = self.strategy.on_close, self.at_close, self.desks

        def rebind() -> None:
            nonlocal on_close
            on_close = self.strategy.on_close

        self._rebind = rebind
        if (gated := self.gated) is not None:

            def after_gates(bar: int) -> None:
                for desk in desks:
                    desk.bar = bar
                gated.at_close(bar)
                self._call(Phase.CLOSE, on_close, now)

            return after_gates
        if len(desks) > 1:

            def every(bar: int) -> None:
                for desk in desks:
                    desk.bar = bar
                try:
                    on_close(now)
                except Exception as e:
                    raise self._blame(e, Phase.CLOSE) from e

            return every
        desk = desks[0]

        def only(bar: int) -> None:
            desk.bar = bar
            try:
                on_close(now)
            except Exception as e:
                raise self._blame(e, Phase.CLOSE) from e

        return only

    def _on_notice(self, index: int) -> None:
        book = self.machine.book
        bar = int(book.account["bar"][0])
        for desk in self.desks:
            desk.bar = bar
        if self.gated is not None:
            self.gated.at_notice(bar)
        notice = book.notices[index]
        symbols = self.machine.market.symbols
        if notice["fill"] >= 0:
            f = book.fills[notice["fill"]]
            fill = FillNotice(
                int(f["order"]),
                symbols[f["instrument"]],
                Side(f["side"]),
                float(f["qty"]),
                float(f["price"]),
                float(f["cost"]),
                FillReason(f["reason"]),
                Phase(f["phase"]),
            )
            self._call(Phase.INTRABAR, self.strategy.on_fill, fill, self.at_open)
        else:
            o = book.orders[notice["order"]]
            order = OrderNotice(
                int(o["id"]),
                symbols[o["instrument"]],
                OrderStatus(o["status"]),
                Reject(o["reject"]),
                Role(o["role"]),
            )
            self._call(Phase.INTRABAR, self.strategy.on_order, order, self.at_open)

    def _call(self, phase: Phase, hook: Any, *arguments: Any) -> None:
        try:
            hook(*arguments)
        except Exception as e:
            raise self._blame(e, phase) from e

    def _blame(self, error: Exception, phase: Phase) -> StrategyError:
        """The bar, the phase and the line at which a strategy raised."""
        return blame(self.strategy.name, moment(self.machine, phase), error)

    def checkpoint(self) -> tuple[Strategy, NDArray[np.int64]]:
        """A deep copy of the strategy, all that its attributes hold; and what its gates counted.

        Raises
        ------
        StrategyError
            An attribute cannot be copied; the message names it.
        """
        return copied(self.strategy, self._kept, FOR_A_REPLAY), self._counts.copy()

    def return_to(self, checkpoint: tuple[Strategy, NDArray[np.int64]]) -> None:
        """Go on with the strategy as a checkpoint holds it; the checkpoint stays good."""
        self.strategy = copied(checkpoint[0], self._kept, FOR_A_REPLAY)
        self._counts[:] = checkpoint[1]
        self._rebind()

    def gate_counts(self) -> list[tuple[str, str, int]]:
        """(symbol, gate, how often it blocked), where it did."""
        return counted(self._counts, tuple(desk.symbol for desk in self.desks))


def defines(strategy: Strategy, hook: str) -> bool:
    """Whether a strategy's class has a hook of its own."""
    return getattr(type(strategy), hook) is not getattr(Strategy, hook)


def wake_of_strategy(
    strategy: Strategy,
    columns: dict[str, NDArray[np.float64]],
    rows: int,
    is_gated: bool = False,
) -> NDArray[np.uint8]:
    """When a Python strategy is called: (t,) uint8 of WAKE_* bits; a gated one at every phase."""
    bits = 0
    if is_gated or defines(strategy, "on_open"):
        bits |= WAKE_OPEN
    if is_gated or defines(strategy, "on_close"):
        bits |= WAKE_FLAT | WAKE_HELD
    wake = np.full(rows, bits, np.uint8)
    for column in columns.values():
        warm = ~np.isnan(column).all(axis=1)
        first = int(np.argmax(warm)) if warm.any() else rows
        wake[:first] = 0
        if first < rows:
            wake[first] &= ~np.uint8(WAKE_OPEN)
    return wake
