"""Signals: what to be at every bar, as arrays made with any library. No compiling at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.errors import ConfigError
from intrabar.indicators import Indicator
from intrabar.kernel import carray, cfunc
from intrabar.model.bars import Market
from intrabar.sim.access import as_book, pointer
from intrabar.sim.machine import Hooks, Machine
from intrabar.sim.state import WAKE_FLAT, WAKE_HELD
from intrabar.strategy.bot_kernel import BOT, put_order

WORDS = {"LONG": 1, "BUY": 1, "SHORT": -1, "SELL": -1, "FLAT": 0, "HOLD": np.nan}

SIGNALS = np.dtype([("bot", BOT), *((n, "i8") for n in ("side", "qty", "stop", "target"))])


@dataclass(frozen=True, eq=False)
class Signals:
    """Be long, short or flat from the next open on, as an array says.

    Parameters
    ----------
    side : (t,) or {symbol: (t,)} of numbers or words
        1 or LONG or BUY, -1 or SHORT or SELL, 0 or FLAT; NaN or HOLD changes nothing. A side
        that the position already has changes nothing either.
    qty : quantity, or an array like `side`
    stop, target : points, arrays like `side`, or None
        Distances from the close of the signal's bar to a protective stop and a target.
    name : str
        How reports call it.

    Notes
    -----
    Phase: a signal of bar T is known at its CLOSE and traded at the next OPEN. Rows are those of
    the timeline: with one instrument, its bars.
    """

    side: Any
    qty: Any = 1.0
    stop: Any = None
    target: Any = None
    name: str = field(default="Signals")

    def indicators(self) -> dict[str, Indicator]:
        """None: they are in the arrays already."""
        return {}

    def grid(self, market: Market, values: Any, what: str, default: float) -> NDArray[np.float64]:
        """One of the arrays as (t, n) float64, words turned into numbers."""
        shape = market.open.shape
        grid = np.full(shape, default)
        if values is None:
            return grid
        columns: Mapping[str, Any]
        if isinstance(values, Mapping):
            columns = values
        elif np.ndim(values) == 0:
            columns = dict.fromkeys(market.symbols, values)
        else:
            columns = {market.symbols[0]: values}
        for symbol, column in columns.items():
            if symbol not in market.symbols:
                raise ConfigError(f"signals: {what} has {symbol!r}, which is not traded")
            numbers = as_numbers(column, what)
            if numbers.ndim and numbers.shape != (shape[0],):
                raise ConfigError(
                    f"signals: {what} of {symbol} has {numbers.size} rows, "
                    f"the timeline has {shape[0]} bars"
                )
            grid[:, market.symbols.index(symbol)] = numbers
        return grid


def as_numbers(column: Any, what: str) -> NDArray[np.float64]:
    """Signals as numbers; words by `WORDS`."""
    array = np.asarray(column)
    if array.dtype.kind in "OUST":
        known: Mapping[str, float] = WORDS if what == "side" else {}
        words: Sequence[Any] = array.ravel().tolist()
        unknown = sorted({str(w) for w in words if isinstance(w, str) and w.upper() not in known})
        if unknown:
            known_words = ", ".join(known) or "numbers only"
            raise ConfigError(f"signals: {what} has {unknown[0]!r}; known: {known_words}")
        array = np.array(
            [known[w.upper()] if isinstance(w, str) else np.nan if w is None else w for w in words]
        ).reshape(array.shape)
    numbers = array.astype(float)
    right = np.isin(numbers, (-1.0, 0.0, 1.0)) if what == "side" else numbers > 0.0
    wrong = numbers[~right & ~np.isnan(numbers)]
    if wrong.size:
        must = "1, -1, 0 or NaN" if what == "side" else "above 0"
        raise ConfigError(f"signals: {what} has {wrong[0]:g}, must be {must}")
    return numbers


class RunningSignals:
    """Signals connected to a machine."""

    is_compiled = True

    def __init__(self, signals: Signals, machine: Machine, row: int) -> None:
        market = machine.market
        self.side = signals.grid(market, signals.side, "side", np.nan)
        self.qty = signals.grid(market, signals.qty, "qty", 1.0)
        self.stop = signals.grid(market, signals.stop, "stop", np.nan)
        self.target = signals.grid(market, signals.target, "target", np.nan)
        self.record = np.zeros(1, SIGNALS)
        self.record["bot"]["strategy"] = row
        self.record["bot"]["book"] = machine.book_address
        self.record["bot"]["instruments_count"] = len(market.symbols)
        self.record["bot"]["columns"] = market.close.ctypes.data
        for name in ("side", "qty", "stop", "target"):
            self.record[name] = getattr(self, name).ctypes.data
        machine.connect(row, Hooks(0, close_hook.address, 0, self.record.ctypes.data))

    def gate_counts(self) -> list[tuple[str, str, int]]:
        """Signals have no gates."""
        return []

    def checkpoint(self) -> None:
        """Signals remember nothing from bar to bar."""

    def return_to(self, checkpoint: None) -> None:
        """Nothing to put back."""


def wake_of_signals(signals: Signals, market: Market) -> NDArray[np.uint8]:
    """Bars with a signal: (t,) uint8 of WAKE_* bits."""
    asks = ~np.isnan(signals.grid(market, signals.side, "side", np.nan)).all(axis=1)
    return np.where(asks, np.uint8(WAKE_FLAT | WAKE_HELD), np.uint8(0)).astype(np.uint8)


@cfunc("int64(int64, int64)")
def close_hook(context: int, i: int) -> int:
    """`on_close` of signals: market orders that bring each position to the side asked for."""
    record = carray(pointer(context), 1, SIGNALS)[0]
    bot = record.bot
    book = as_book(bot.book)
    n = bot.instruments_count
    sides = carray(pointer(record.side), (i + 1, n), np.float64)
    quantities = carray(pointer(record.qty), (i + 1, n), np.float64)
    stops = carray(pointer(record.stop), (i + 1, n), np.float64)
    targets = carray(pointer(record.target), (i + 1, n), np.float64)
    closes = carray(pointer(bot.columns), (i + 1, n), np.float64)
    for j in range(n):
        side = sides[i, j]
        sleeve = book.sleeves[bot.strategy * n + j]
        held = sleeve.qty
        if (
            sleeve.entries > 0
            or np.isnan(side)
            or side * held > 0.0
            or (side == 0.0 and held == 0.0)
        ):
            continue
        wanted = side * quantities[i, j]
        change = wanted - held
        direction = 1 if change > 0.0 else -1
        close = closes[i, j]
        stop = close - side * stops[i, j] if side != 0.0 else np.nan
        target = close + side * targets[i, j] if side != 0.0 else np.nan
        put_order(book, bot.strategy, j, direction, abs(change), stop, target)
    return 0
