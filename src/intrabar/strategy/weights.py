"""Weights: how much of the equity to hold of each instrument, as an array. No compiling at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.errors import ConfigError
from intrabar.indicators import Indicator
from intrabar.kernel import carray, cfunc, kernel
from intrabar.model.bars import DatedTimeline, Timeline
from intrabar.model.values import take, zone
from intrabar.sim import state
from intrabar.sim.callbacks import Hooks
from intrabar.sim.costs import in_lots, lots_down
from intrabar.sim.inbox import put
from intrabar.sim.machine import Machine
from intrabar.sim.state import WAKE_FLAT, WAKE_HELD, WAKE_OPEN
from intrabar.sim.tables import address_of, as_book, pointer
from intrabar.strategy.aligned import placed, require_rows
from intrabar.strategy.caller import (
    CALLER,
    act_at_open,
    keeps_back,
    put_closing,
    put_order,
)
from intrabar.strategy.gates import Gates, Timetable
from intrabar.strategy.labelled import Reading, columns_of, is_labelled, own, wrong_length
from intrabar.strategy.running_arrays import RunningArrays

CANCEL = state.CANCEL
WEIGHTS = np.dtype([("caller", CALLER), ("close", "i8"), ("weights", "i8")])


@dataclass(frozen=True, eq=False)
class Weights:
    """Hold target weights of the equity, from the next open on.

    Parameters
    ----------
    weight : (t, n), or {symbol: (t,)}, or a frame with a column per symbol; fraction
        Value to hold over the equity of the account: 0.5 long, -0.5 short, 0 flat. NaN leaves
        an instrument as it is; a row of NaN leaves all. Columns of an array are in the order of
        the instruments; a symbol that a mapping does not have is left as it is.
    name : str
        How reports call it.
    time, zone, label
        Of stamps, as `Signals` has them.
    gates : Gates
        As `Signals` has them: what adds to a position is kept back, and closed positions stay so
        until another weight is given.

    Notes
    -----
    Phase: the weights of bar T are turned into quantities at its CLOSE, `weight * equity / (close
    * point_value)` rounded toward zero to whole lots, and the difference to the position is
    traded at the next OPEN of the instrument. Orders that only reduce a position fill at that
    open before those that add to one or flip it, so that their margin is free. Fees, slippage
    and the gap to the open are not foreseen: weights that add up to 1 want a little more than
    the equity. The newest weight counts: an order that still waits for a bar of its instrument is
    cancelled when another weight is given. Rows are those of the timeline.
    """

    weight: Any
    name: str = field(default="Weights")
    time: Any = None
    zone: str | tzinfo | None = None
    label: str | None = None
    gates: Gates = field(default_factory=Gates)

    def __post_init__(self) -> None:
        object.__setattr__(self, "zone", zone("weights: zone", self.zone))
        take(self, "weights: ", {"gates": Gates, "name": str})
        self._reading(None)
        object.__setattr__(self, "weight", own(self.weight))

    def _reading(self, zone_of: Callable[[int], str] | None) -> Reading:
        how = Reading("weights", self.time, self.zone, self.label)
        return how if zone_of is None else replace(how, zone_of=zone_of)

    def on(
        self, timeline: DatedTimeline, zone_of: Callable[[int], str]
    ) -> tuple[Weights, list[str]]:
        """The same with a row for each bar, as `Signals.on`."""
        if not is_labelled(self.weight) and self.time is None:
            return self, []
        values = self.weight
        if not isinstance(values, Mapping) and np.ndim(values) == 2 and not is_labelled(values):
            values = dict(zip(timeline.symbols, np.asarray(values).T, strict=False))
        made, remarks = placed(values, timeline, self._reading(zone_of), numbers_of)
        return replace(self, weight=made, time=None), remarks

    def indicators(self) -> dict[str, Indicator]:
        """None: they are in the array already."""
        return {}

    def grid(self, market: Timeline) -> NDArray[np.float64]:
        """The weights as (t, n) float64 of a market.

        Raises
        ------
        ConfigError
            A wrong shape, an unknown symbol, or a weight that is not finite.
        """
        given: Any = self.weight
        shape = (len(market), len(market.symbols))
        if isinstance(given, Mapping) or is_labelled(given):
            grid = np.full(shape, np.nan)
            for symbol, column in columns_of(given, market.symbols, self._reading(None)).items():
                if symbol not in market.symbols:
                    raise ConfigError(f"weights: there is {symbol!r}, which is not traded")
                numbers = numbers_of(column.values)
                if numbers.ndim and numbers.shape != (len(market),):
                    raise ConfigError(f"weights: {symbol} {wrong_length(numbers, market)}")
                grid[:, market.symbols.index(symbol)] = numbers
        else:
            grid = numbers_of(given)
            if grid.shape != shape:
                raise ConfigError(
                    f"weights: the array has shape {grid.shape}, must be {shape}: "
                    "a row per bar, a column per instrument"
                )
        if np.isinf(grid).any():
            i, j = np.argwhere(np.isinf(grid))[0]
            raise ConfigError(f"weights: {market.symbols[j]} at bar {i} is not finite")
        return grid


def numbers_of(values: Any, place: str = "weights") -> NDArray[np.float64]:
    """Weights as float64, None as NaN."""
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "biufO":
            raise TypeError(f"there are values of {array.dtype}")
        if array.dtype.kind == "O":
            missing = ("NoneType", "NAType", "NaTType")
            plain = [np.nan if type(x).__name__ in missing else x for x in array.ravel().tolist()]
            array = np.array(plain, dtype=float).reshape(array.shape)
        return np.asarray(array, dtype=float, order="C")
    except (TypeError, ValueError, OverflowError) as e:
        raise ConfigError(f"{place}: must be numbers: {e}") from None


class RunningWeights(RunningArrays):
    """Weights over the bars of a market, to be connected to a machine."""

    def __init__(self, weights: Weights, market: Timeline) -> None:
        super().__init__(tuple(market.symbols))
        self.grid = weights.grid(market)
        wanted = np.asarray(~np.isnan(self.grid).all(axis=1))
        self.wake = np.where(wanted, np.uint8(WAKE_FLAT | WAKE_HELD), np.uint8(0))
        self.wake[1:][wanted[:-1]] |= np.uint8(WAKE_OPEN)

    def connect(self, machine: Machine, row: int, table: Timetable | None = None) -> None:
        """Let the loop of a machine call it, over the market that it shows now."""
        market = machine.market
        self.record = np.zeros(1, WEIGHTS)
        shape = market.close.shape
        require_rows(self.grid, shape[0] - machine.ahead)
        self.record["weights"] = address_of(self.grid, np.float64, (None, shape[1]))
        own = self.record[0]
        self.fill(own, machine, row, table, at_open=True)
        own["caller"]["equity"] = address_of(machine.tape.equity, np.float64, shape[:1])
        context = address_of(self.record, WEIGHTS, (1,))
        machine.connect(row, Hooks(open_hook.address, close_hook.address, 0, context))


@kernel
def cancel_waiting(book: Any, strategy: int, j: int) -> None:
    """Take back what an earlier weight has asked for and no bar has filled."""
    k = book.instruments[j].head
    while k >= 0:
        order = book.orders[k]
        if order.strategy == strategy:
            put(book, CANCEL).id = order.id
        k = order.next


@kernel
def order_toward(
    book: Any,
    record: Any,
    i: int,
    j: int,
    weight: float,
    close: float,
    equity: float,
    reduces: bool,
) -> None:
    """Ask for the order that brings a position to its weight, if it is of the kind wanted.

    `reduces` chooses: orders that only reduce a position, or all others. Worked out anew from
    the same close and equity before each of the two, so that nothing need be remembered between
    a close and the open after it.
    """
    x = book.instruments[j]
    sleeve = book.sleeves[record.caller.strategy * record.caller.instruments_count + j]
    if np.isnan(weight) or not close > 0.0 or sleeve.liquidated != 0:
        return
    size = lots_down(abs(weight) * max(equity, 0.0) / (close * x.point_value), x.lot)
    wanted = size if weight > 0.0 else -size
    change = in_lots(wanted - sleeve.qty, x.lot)
    if change == 0.0 or (change * sleeve.qty < 0.0 and wanted * sleeve.qty >= 0.0) != reduces:
        return
    if not reduces and record.caller.blocked != 0 and keeps_back(record.caller, i, j):
        if sleeve.qty * wanted < 0.0:
            put_closing(book, record.caller.strategy, j, sleeve.qty)
        return
    side = 1 if change > 0.0 else -1
    put_order(book, record.caller.strategy, j, side, abs(change), np.nan, np.nan)


@cfunc("int64(int64, int64)")
def close_hook(context: int, i: int) -> int:
    """`on_close` of weights: what reduces a position, first at the next open."""
    record = carray(pointer(context), 1, WEIGHTS)[0]
    book = as_book(record.caller.book)
    n = record.caller.instruments_count
    weights = carray(pointer(record.weights), (i + 1, n), np.float64)
    closes = carray(pointer(record.close), (i + 1, n), np.float64)
    equity = book.account[0].equity
    for j in range(n):
        if not np.isnan(weights[i, j]) and book.instruments[j].head >= 0:
            cancel_waiting(book, record.caller.strategy, j)
        order_toward(book, record, i, j, weights[i, j], closes[i, j], equity, True)
    return 0


@cfunc("int64(int64, int64)")
def open_hook(context: int, i: int) -> int:
    """`on_open` of weights: the rest of what the close before asked for, at the same open."""
    record = carray(pointer(context), 1, WEIGHTS)[0]
    book = as_book(record.caller.book)
    if record.caller.flatten != 0:
        act_at_open(record.caller, book, i)
    if i == 0:
        return 0
    n = record.caller.instruments_count
    weights = carray(pointer(record.weights), (i + 1, n), np.float64)
    closes = carray(pointer(record.close), (i + 1, n), np.float64)
    equity = carray(pointer(record.caller.equity), i, np.float64)[i - 1]
    for j in range(n):
        order_toward(book, record, i, j, weights[i - 1, j], closes[i - 1, j], equity, False)
    return 0
