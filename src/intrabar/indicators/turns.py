"""Sine and cosine of the parts of a turn, the same bits on every machine.

The C library's differ in the last bits. These come from whole numbers and are rounded once.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from intrabar.indicators.indicator import Floats, Times

ONE = 1 << 160
KEPT = 1 << 40  # the last of these bits are wrong after some thousand steps

PARTS = {"hour": 1440, "day": 7}
CLOCK = ("hour_sin", "hour_cos", "day_sin", "day_cos")
"""Features of the close in the exchange's zone: of the minute of its day, of its weekday."""


def clock_value(name: str, part: Times) -> Floats:
    """One of `CLOCK` by the minute of the local day, or by the weekday (Monday is 0)."""
    unit, kind = name.split("_")
    table = turn(PARTS[unit])[0 if kind == "sin" else 1]
    return np.asarray(table[part])


@cache
def turn(parts: int) -> tuple[Floats, Floats]:
    """Sine and cosine of `k / parts` of a turn, k from 0 on: (parts,) float64 each."""
    angle = 2 * _pi() // parts
    step_sin, step_cos = _series(angle, angle), _series(ONE, angle)
    sin, cos = [0], [ONE]
    for _ in range(parts - 1):
        s, c = sin[-1], cos[-1]
        sin.append((s * step_cos + c * step_sin) // ONE)
        cos.append((c * step_cos - s * step_sin) // ONE)
    tables = tuple(
        np.array([(x + KEPT // 2) // KEPT / (ONE // KEPT) for x in values]) for values in (sin, cos)
    )
    for table in tables:
        table.flags.writeable = False
    return tables[0], tables[1]


def _series(term: int, angle: int) -> int:
    """Taylor's series of the sine (from `angle`) or the cosine (from `ONE`) of an angle."""
    total, k = term, 1 if term == ONE else 2
    while term:
        term = -term * angle * angle // (ONE * ONE * k * (k + 1))
        if term == -1:  # rounded down from nearly nothing
            break
        total, k = total + term, k + 2
    return total


def _pi() -> int:
    """Pi by Machin's formula."""
    return 4 * (4 * _arctan_of_one_over(5) - _arctan_of_one_over(239))


def _arctan_of_one_over(x: int) -> int:
    power, total, k, sign = ONE // x, 0, 1, 1
    while power:
        total += sign * (power // k)
        power, k, sign = power // (x * x), k + 2, -sign
    return total
