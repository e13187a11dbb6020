"""Signals: what to be at every bar, as arrays made with any library. No compiling at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.errors import ConfigError
from intrabar.indicators import Indicator
from intrabar.kernel import carray, cfunc, kernel
from intrabar.model.bars import DatedTimeline, Timeline
from intrabar.model.enums import Reject
from intrabar.model.values import shown, take, zone
from intrabar.sim.callbacks import Hooks
from intrabar.sim.inbox import refuse as refuse_order
from intrabar.sim.machine import Machine
from intrabar.sim.state import WAKE_FLAT, WAKE_HELD
from intrabar.sim.tables import address_of, as_book, pointer
from intrabar.strategy.aligned import placed, require_rows
from intrabar.strategy.caller import CALLER, keeps_back, open_hook, put_order
from intrabar.strategy.gates import Gates, Timetable
from intrabar.strategy.labelled import (
    Reading,
    columns_of,
    is_constant,
    is_labelled,
    is_of_stamps,
    own,
    wrong_length,
)
from intrabar.strategy.protection import is_level
from intrabar.strategy.running_arrays import RunningArrays

NO_PROTECTION = int(Reject.NO_PROTECTION)
WORDS = {"LONG": 1, "BUY": 1, "SHORT": -1, "SELL": -1, "FLAT": 0, "HOLD": np.nan}

# An array of one row stands for every bar: its step from bar to bar is 0 rows.
ARRAYS = ("side", "qty", "stop", "target")
SIGNALS = np.dtype(
    [
        ("caller", CALLER),
        ("close", "i8"),  # (t, n) float64
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
    side : (t,), {symbol: (t,)}, or a frame with a column per symbol; numbers or words
        1 or LONG or BUY, -1 or SHORT or SELL, 0 or FLAT; NaN or HOLD changes nothing. A side
        that the position already has changes nothing either. A frame with a column `side` may
        have `qty`, `stop` and `target` beside it.
    qty : quantity, or an array like `side`
    stop, target : points, arrays like `side`, or None
        Distances from the close of the signal's bar to a protective stop and a target. A signal
        at whose bar one of them is NaN, or would lie at or below 0, is refused (`no_protection`).
    name : str
        How reports call it.
    zero : {"flat", "hold"}
        What a side of 0 says: be flat, or nothing new, as in the events of a `cross`.
    time : str, or stamps
        The column of stamps of a frame, or the stamps of arrays; the index where there is one.
    zone : str or ZoneInfo
        Of stamps that carry none.
    label : {"start", "end"}
        Edge of an intraday bar that a stamp marks; what fits the bars where it is not said.
    gates : Gates
        `session` and `flatten` keep entries back, and close positions in time. A side that turns
        a position round while a gate is closed leaves it, and enters nothing.

    Notes
    -----
    Phase: a signal of bar T is known at its CLOSE and traded at the next OPEN. Values with stamps
    stand at the bars that these name, daily bars by the date of their session; bars that none
    names have no signal. Rows without stamps are those of the timeline: with one instrument, its
    bars.
    """

    side: Any
    qty: Any = 1.0
    stop: Any = None
    target: Any = None
    name: str = field(default="Signals")
    zero: str = "flat"
    time: Any = None
    zone: str | tzinfo | None = None
    label: str | None = None
    gates: Gates = field(default_factory=Gates)

    def __post_init__(self) -> None:
        object.__setattr__(self, "zone", zone("signals: zone", self.zone))
        take(self, "signals: ", {"gates": Gates, "name": str, "zero": ("flat", "hold")})
        if hasattr(self.side, "columns") and "side" in self.side.columns:
            self._take_columns(self.side)
        for what in ARRAYS:
            object.__setattr__(self, what, own(getattr(self, what)))
        if self.side is None:
            raise ConfigError("signals: side is None, must be 1, -1, 0 or NaN for every bar")
        if self.qty is None:
            raise ConfigError("signals: qty is None, must be numbers; leave it out for 1")
        self._reading("side", None)

    def _take_columns(self, frame: Any) -> None:
        """Take side, qty, stop and target out of the frame that has them as columns."""
        names = [name for name in frame.columns if name != self.time]
        for name in names:
            if name not in ARRAYS and is_of_stamps(frame[name].dtype):
                raise ConfigError(f"signals: column {str(name)!r} has stamps; write time=")
            if name not in ARRAYS:
                raise ConfigError(
                    f"signals: column {str(name)!r} beside side is none of {', '.join(ARRAYS)}; "
                    "choose the columns that are meant"
                )
        if isinstance(self.time, str) and self.time in frame.columns:
            object.__setattr__(self, "time", frame[self.time])
        for name in names:
            if name != "side" and getattr(self, name) is not type(self).__dict__[name]:
                raise ConfigError(f"signals: {name} is given twice, in the frame and beside it")
            object.__setattr__(self, name, frame[name])

    def _reading(self, what: str, zone_of: Callable[[int], str] | None) -> Reading:
        how = Reading(f"signals: {what}", self.time, self.zone, self.label)
        return how if zone_of is None else replace(how, zone_of=zone_of)

    def on(
        self, timeline: DatedTimeline, zone_of: Callable[[int], str]
    ) -> tuple[Signals, list[str]]:
        """The same with a row for each bar, and what was left out of what has stamps.

        Raises
        ------
        ConfigError
            A stamp fits no bar, or columns are not the symbols.
        """
        made: dict[str, Any] = {}
        remarks: list[str] = []
        for what in ARRAYS:
            values = getattr(self, what)
            if is_labelled(values) or (self.time is not None and not is_constant(values)):
                how = self._reading(what, zone_of)
                made[what], more = placed(values, timeline, how, partial(as_numbers, what))
                remarks += more
        return (replace(self, **made, time=None) if made else self), remarks

    def indicators(self) -> dict[str, Indicator]:
        """None: they are in the arrays already."""
        return {}

    def grid(self, market: Timeline, what: str) -> NDArray[np.float64]:
        """One of the arrays as (t, n) float64, or as (1, n) where it is the same at every bar.

        NaN where nothing is said; 0 where a stop or a target is not given at all. Words are
        turned into numbers.
        """
        values = getattr(self, what)
        rows, n = len(market), len(market.symbols)
        without = {"side": np.nan, "qty": 1.0}.get(what, 0.0)
        if values is None:
            return np.full((1, n), without)
        how = self._reading(what, None)
        columns = {
            symbol: as_numbers(what, column.values)
            for symbol, column in columns_of(values, market.symbols, how).items()
        }
        if n == 1 and list(columns) == list(market.symbols):
            (alone,) = columns.values()
            if alone.shape in ((), (rows,)):
                return alone.reshape(-1, 1)
        for symbol, column in columns.items():
            if symbol not in market.symbols:
                raise ConfigError(f"signals: {what} has {symbol!r}, which is not traded")
            if column.ndim and column.shape != (rows,):
                raise ConfigError(f"signals: {what} of {symbol} {wrong_length(column, market)}")
        constant = all(column.ndim == 0 for column in columns.values())
        grid = np.full((1 if constant else rows, n), without)
        for symbol, column in columns.items():
            grid[:, market.symbols.index(symbol)] = column
        return grid


def as_numbers(what: str, column: Any, place: str = "") -> NDArray[np.float64]:
    """Signals as numbers; words by `WORDS`."""
    place = place or f"signals: {what}"
    try:
        array = np.asarray(column)
    except ValueError:  # rows of different lengths
        raise ConfigError(f"{place}: rows of different lengths; must be a number per bar") from None
    if array.dtype.kind in "OUST":
        known: Mapping[str, float] = WORDS if what == "side" else {}
        words: Sequence[Any] = array.ravel().tolist()
        unknown = sorted({str(w) for w in words if isinstance(w, str) and w.upper() not in known})
        if unknown:
            known_words = ", ".join(known) or "numbers only"
            raise ConfigError(f"{place} has {shown(unknown[0])}; known: {known_words}")
        array = np.array([_number(w, known, place) for w in words]).reshape(array.shape)
    if array.dtype.kind not in "biuf":
        raise ConfigError(f"{place} has values of {array.dtype}, must be numbers")
    numbers = np.ascontiguousarray(array, dtype=float).reshape(array.shape)
    if what != "side":
        refuse(numbers.ravel() <= 0.0, numbers, place, "above 0")
        refuse(np.isnan(numbers.ravel()) & (numbers.ndim == 0), numbers, place, "a number")
        refuse(np.isinf(numbers.ravel()), numbers, place, "finite")
    return numbers


def _number(word: Any, known: Mapping[str, float], place: str) -> float:
    if isinstance(word, str):
        return known[word.upper()]
    if word is None or type(word).__name__ in ("NAType", "NaTType"):
        return np.nan
    try:
        return float(word)
    except (TypeError, ValueError, OverflowError):
        raise ConfigError(f"{place} has {shown(word)}, must be a number") from None


def refuse(wrong: NDArray[np.bool_], numbers: NDArray[np.float64], place: str, must: str) -> None:
    """Raise an error that names the first of some numbers that is wrong."""
    if wrong.any():
        first = numbers.ravel()[np.argmax(wrong)]
        raise ConfigError(f"{place} has {first:g}, must be {must}")


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


class RunningSignals(RunningArrays):
    """Signals over the bars of a market, to be connected to a machine."""

    def __init__(self, signals: Signals, market: Timeline) -> None:
        super().__init__(tuple(market.symbols))
        self.arrays = {what: signals.grid(market, what) for what in ARRAYS}
        self.zero_holds = signals.zero == "hold"
        side = self.arrays["side"]
        self.wake, wrong = wake_where_said(side, self.zero_holds, WAKE_FLAT | WAKE_HELD)
        if wrong:
            known = np.isin(side, (1.0, -1.0, 0.0)) | np.isnan(side)
            refuse(~known.ravel(), side, "signals: side", "1, -1, 0 or NaN")

    def connect(self, machine: Machine, row: int, table: Timetable | None = None) -> None:
        """Let the loop of a machine call it, over the market that it shows now."""
        market = machine.market
        self.record = np.zeros(1, SIGNALS)
        shape = market.close.shape
        for what, array in self.arrays.items():
            is_one_row = len(array) == 1  # for every bar
            require_rows(array, 1 if is_one_row else shape[0] - machine.ahead)
            self.record[what] = address_of(array, np.float64, (None, shape[1]))
            self.record[f"{what}_step"] = 0 if is_one_row else 1
        self.record["zero_holds"] = self.zero_holds
        own = self.record[0]
        self.fill(own, machine, row, table, at_open=False)
        self.reads = np.array([self.record["side"][0]], np.int64)
        context = address_of(self.record, SIGNALS, (1,))
        reads = address_of(self.reads, np.int64, (1,))
        at_open = 0 if table is None else open_hook.address
        machine.connect(row, Hooks(at_open, close_hook.address, 0, context, reads, len(self.reads)))


@kernel
def at(address: int, step: int, i: int, j: int, n: int) -> float:
    """Row `i * step`, column `j` of an array with `n` columns."""
    return carray(pointer(address), (i * step + 1) * n, np.float64)[i * step * n + j]


@cfunc("int64(int64, int64)")
def close_hook(context: int, i: int) -> int:
    """`on_close` of signals: market orders that bring each position to the side asked for."""
    record = carray(pointer(context), 1, SIGNALS)[0]
    book = as_book(record.caller.book)
    n = record.caller.instruments_count
    closes = carray(pointer(record.close), (i + 1, n), np.float64)
    for j in range(n):
        side = at(record.side, record.side_step, i, j, n)
        sleeve = book.sleeves[record.caller.strategy * n + j]
        held = sleeve.qty
        if (
            sleeve.entries > 0
            or not is_said(side, record.zero_holds != 0)
            or side * held > 0.0
            or (side == 0.0 and held == 0.0)
        ):
            continue
        if side != 0.0 and record.caller.blocked != 0 and keeps_back(record.caller, i, j):
            if held == 0.0:
                continue
            side = 0.0
        stop = target = np.nan
        change = -held
        price, tick, is_refused = closes[i, j], book.instruments[j].tick_size, False
        if side != 0.0:
            change += side * at(record.qty, record.qty_step, i, j, n)
            to_stop = at(record.stop, record.stop_step, i, j, n)
            to_target = at(record.target, record.target_step, i, j, n)
            if to_stop != 0.0:
                stop = price - side * to_stop
                is_refused = not is_level(stop, price, int(-side), tick)
            if to_target != 0.0:
                target = price + side * to_target
                is_refused = is_refused or not is_level(target, price, int(side), tick)
        direction = 1 if change > 0.0 else -1
        command = put_order(book, record.caller.strategy, j, direction, abs(change), stop, target)
        if is_refused:
            refuse_order(command, NO_PROTECTION)
    return 0
