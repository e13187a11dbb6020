"""Signals: what to be at every bar, as arrays made with any library. No compiling at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.errors import ConfigError
from intrabar.indicators import Indicator
from intrabar.kernel import carray, cfunc, kernel
from intrabar.model.bars import Timeline
from intrabar.sim.access import as_book, pointer
from intrabar.sim.machine import Hooks, Machine
from intrabar.sim.state import WAKE_FLAT, WAKE_HELD
from intrabar.strategy.bot_kernel import BOT, put_order

WORDS = {"LONG": 1, "BUY": 1, "SHORT": -1, "SELL": -1, "FLAT": 0, "HOLD": np.nan}

# An array of one row stands for every bar: its step from bar to bar is 0 rows.
ARRAYS = ("side", "qty", "stop", "target")
SIGNALS = np.dtype(
    [
        ("bot", BOT),
        *((n, "i8") for n in ARRAYS),
        *((f"{n}_step", "i8") for n in ARRAYS),
        ("zero_holds", "i8"),
    ]
)


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
    zero : {"flat", "hold"}
        What a side of 0 says: be flat, or nothing new, as in the events of a `cross`.

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
    zero: str = "flat"

    def __post_init__(self) -> None:
        if self.zero not in ("flat", "hold"):
            raise ConfigError(f"signals: zero is {self.zero!r}, must be 'flat' or 'hold'")

    def indicators(self) -> dict[str, Indicator]:
        """None: they are in the arrays already."""
        return {}

    def grid(self, market: Timeline, what: str) -> NDArray[np.float64]:
        """One of the arrays as (t, n) float64, or as (1, n) where it is the same at every bar.

        NaN where nothing is said. Words are turned into numbers.
        """
        values = getattr(self, what)
        rows, n = len(market), len(market.symbols)
        if values is None:
            return np.full((1, n), np.nan)
        given: Mapping[str, Any]
        if isinstance(values, Mapping):
            given = values
        elif np.ndim(values) == 0:
            given = dict.fromkeys(market.symbols, values)
        else:
            given = {market.symbols[0]: values}
        columns = {symbol: as_numbers(column, what) for symbol, column in given.items()}
        if n == 1 and list(columns) == list(market.symbols):
            (alone,) = columns.values()
            if alone.shape in ((), (rows,)):
                return alone.reshape(-1, 1)
        for symbol, column in columns.items():
            if symbol not in market.symbols:
                raise ConfigError(f"signals: {what} has {symbol!r}, which is not traded")
            if column.ndim and column.shape != (rows,):
                raise ConfigError(
                    f"signals: {what} of {symbol} has {column.size} rows, "
                    f"the timeline has {rows} bars"
                )
        constant = all(column.ndim == 0 for column in columns.values())
        grid = np.full((1 if constant else rows, n), 1.0 if what == "qty" else np.nan)
        for symbol, column in columns.items():
            grid[:, market.symbols.index(symbol)] = column
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
    numbers = np.ascontiguousarray(array, dtype=float).reshape(array.shape)
    if what != "side":
        refuse(numbers.ravel() <= 0.0, numbers, what, "above 0")
    return numbers


def refuse(wrong: NDArray[np.bool_], numbers: NDArray[np.float64], what: str, must: str) -> None:
    """Raise an error that names the first of some numbers that is wrong."""
    if wrong.any():
        first = numbers.ravel()[np.argmax(wrong)]
        raise ConfigError(f"signals: {what} has {first:g}, must be {must}")


@kernel
def is_no_side(x: float) -> bool:
    """Whether a number is none of 1, -1, 0 and NaN."""
    return (x * (1.0 - x * x) != 0.0) & (x == x)


@kernel
def is_said(side: float, zero_holds: bool) -> bool:
    """Whether a side asks for anything."""
    return (side == side) & ((side != 0.0) | (not zero_holds))


@kernel
def wake_where_said(
    side: NDArray[np.float64], zero_holds: bool, bits: int
) -> tuple[NDArray[np.uint8], bool]:
    """These bits at every bar for which something is said, (t,); whether a side is none."""
    wake, wrong = np.empty(side.shape[0], np.uint8), False
    if side.shape[1] == 1:
        alone = side.ravel()
        for i in range(side.shape[0]):  # many at a time
            wrong |= is_no_side(alone[i])
            wake[i] = bits if is_said(alone[i], zero_holds) else 0
        return wake, wrong
    for i in range(side.shape[0]):
        wake[i] = 0
        for j in range(side.shape[1]):
            wrong |= is_no_side(side[i, j])
            if is_said(side[i, j], zero_holds):
                wake[i] = bits
    return wake, wrong


class RunningSignals:
    """Signals over the bars of a market, to be connected to a machine."""

    is_compiled = True

    def __init__(self, signals: Signals, market: Timeline) -> None:
        self.arrays = {what: signals.grid(market, what) for what in ARRAYS}
        self.zero_holds = signals.zero == "hold"
        side = self.arrays["side"]
        self.wake, wrong = wake_where_said(side, self.zero_holds, WAKE_FLAT | WAKE_HELD)
        if wrong:
            known = np.isin(side, (1.0, -1.0, 0.0)) | np.isnan(side)
            refuse(~known.ravel(), side, "side", "1, -1, 0 or NaN")

    def connect(self, machine: Machine, row: int) -> None:
        """Let the loop of a machine call it, over the market that it shows now."""
        market = machine.market
        self.record = np.zeros(1, SIGNALS)
        for what, array in self.arrays.items():
            self.record[what] = array.ctypes.data
            self.record[f"{what}_step"] = 0 if len(array) == 1 else 1
        self.record["zero_holds"] = self.zero_holds
        bot = self.record[0]["bot"]
        bot["strategy"] = row
        bot["book"] = machine.book_address
        bot["instruments_count"] = len(market.symbols)
        bot["columns"] = market.close.ctypes.data
        self.reads = np.array([self.arrays["side"].ctypes.data], np.int64)
        context, reads = self.record.ctypes.data, self.reads.ctypes.data
        machine.connect(row, Hooks(0, close_hook.address, 0, context, reads, len(self.reads)))

    def gate_counts(self) -> list[tuple[str, str, int]]:
        """Signals have no gates."""
        return []

    def checkpoint(self) -> None:
        """Signals remember nothing from bar to bar."""

    def return_to(self, checkpoint: None) -> None:
        """Nothing to put back."""


@kernel
def at(address: int, step: int, i: int, j: int, n: int) -> float:
    """Row `i * step`, column `j` of an array with `n` columns."""
    return carray(pointer(address), (i * step + 1) * n, np.float64)[i * step * n + j]


@cfunc("int64(int64, int64)")
def close_hook(context: int, i: int) -> int:
    """`on_close` of signals: market orders that bring each position to the side asked for."""
    record = carray(pointer(context), 1, SIGNALS)[0]
    bot = record.bot
    book = as_book(bot.book)
    n = bot.instruments_count
    closes = carray(pointer(bot.columns), (i + 1, n), np.float64)
    for j in range(n):
        side = at(record.side, record.side_step, i, j, n)
        sleeve = book.sleeves[bot.strategy * n + j]
        held = sleeve.qty
        if (
            sleeve.entries > 0
            or not is_said(side, record.zero_holds != 0)
            or side * held > 0.0
            or (side == 0.0 and held == 0.0)
        ):
            continue
        stop = target = np.nan
        change = -held
        if side != 0.0:
            change += side * at(record.qty, record.qty_step, i, j, n)
            stop = closes[i, j] - side * at(record.stop, record.stop_step, i, j, n)
            target = closes[i, j] + side * at(record.target, record.target_step, i, j, n)
        direction = 1 if change > 0.0 else -1
        put_order(book, bot.strategy, j, direction, abs(change), stop, target)
    return 0
