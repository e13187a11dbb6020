"""The floor: the hand-written C loops of floor.c, built once in a temporary folder."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import bars
import numpy as np
import workloads as w
from engine_process import Outcome, Task, serve


class Result(ctypes.Structure):
    """`outcome` of floor.c."""

    _fields_ = [("equity", ctypes.c_double), ("fills", ctypes.c_int64)]


def library() -> ctypes.CDLL:
    built = Path(mkdtemp()) / "floor.so"
    source = Path(__file__).with_name("floor.c")
    flags = ["-O3", "-march=native", "-shared", "-fPIC"]
    subprocess.run(["gcc", *flags, "-o", built, source, "-lm"], check=True)
    return ctypes.CDLL(str(built))


FLOOR = library()


def call(name: str, *arguments: Any) -> None:
    """Call a function of floor.c: arrays by pointer, whole numbers as int64, others as double.

    A `ctypes.c_int` stays what it is.
    """

    def passed(x: Any) -> Any:
        if isinstance(x, np.ndarray):
            return x.ctypes.data_as(ctypes.c_void_p)
        if isinstance(x, int):
            return ctypes.c_int64(x)
        return ctypes.c_double(x) if isinstance(x, float) else x

    getattr(FLOOR, name)(*[passed(x) for x in arguments])


def entry_prices(columns: bars.Columns, rules: str) -> np.ndarray:
    """Price of an order of the bar before: the open, or that bar's close for some engines."""
    if rules != "at the close":
        return np.ascontiguousarray(columns["open"])
    return np.concatenate((columns["close"][:1], columns["close"][:-1]))


def w1(size: int, rules: str) -> Task:
    _, columns = bars.minutes(size)
    entry, close = entry_prices(columns, rules), np.ascontiguousarray(columns["close"])
    fast, slow = ctypes.c_int(w.FAST), ctypes.c_int(w.SLOW)

    def run() -> Outcome:
        equity, result = np.empty(size), Result()
        money = (w.CASH, w.UNITS, w.FEE, equity, ctypes.byref(result))
        call("cross", entry, close, size, fast, slow, *money)
        return Outcome(result.fills, result.equity)

    return run


def w2(size: int, rules: str) -> Task:
    _, columns = bars.minutes(size)
    prices = [np.ascontiguousarray(columns[k]) for k in ("open", "high", "low", "close")]
    periods = [ctypes.c_int(x) for x in (w.EMA_FAST, w.EMA_SLOW, w.ATR)]
    late = ctypes.c_int("late" in rules)
    slips = (
        w.SLIP,
        0.0 if "only entries slip" in rules else w.SLIP,
        w.SLIP if "targets slip" in rules else 0.0,
    )

    def run() -> Outcome:
        equity, result = np.empty(size), Result()
        money = (w.CASH, w.UNITS, w.FEE, *slips, late, equity, ctypes.byref(result))
        call("bracket", *prices, size, *periods, w.STOP, w.TARGET, w.WARM, *money)
        return Outcome(result.fills, result.equity)

    return run


def w3(size: int, rules: str) -> Task:
    _, columns = bars.hours(w.HOURS)
    entry, close = entry_prices(columns, rules), np.ascontiguousarray(columns["close"])
    fast, slow = (np.array(x, np.int32) for x in zip(*w.pairs(size), strict=True))

    def run() -> Outcome:
        equity, results = np.empty(w.HOURS), (Result * size)()
        money = (w.CASH, w.UNITS, w.FEE, equity, results)
        call("crosses", entry, close, w.HOURS, fast, slow, size, *money)
        return Outcome(sum(r.fills for r in results), sum(r.equity for r in results))

    return run


def w4(size: int, rules: str) -> Task:
    time, columns = bars.days(w.DAYS, size)
    ends = bars.month_ends(time)
    how = [ctypes.c_int(x) for x in (w.BEST, w.LOOK, rules != "fractions")]

    def run() -> Outcome:
        equity, result = np.empty(w.DAYS), Result()
        money = (w.GROSS, w.PANEL_CASH, w.FEE, equity, ctypes.byref(result))
        panel = (columns["open"], columns["close"], ends, len(ends), w.DAYS, size)
        call("momentum", *panel, *how, *money)
        return Outcome(result.fills, result.equity)

    return run


if __name__ == "__main__":
    serve("", {"W1": w1, "W2": w2, "W3": w3, "W4": w4})
