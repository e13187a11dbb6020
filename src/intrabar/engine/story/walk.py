"""How far along the path of one bar a story has come: legs, and jumps between lower bars."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from intrabar.engine.story.words import price_text
from intrabar.model.enums import PathPolicy
from intrabar.model.prices import near, reaches, same
from intrabar.sim.machine import Machine
from intrabar.sim.path import low_first, shortest

Prices = tuple[float, float, float, float]
SHOWN = 4  # lower bars whose corners are named


class Leg(NamedTuple):
    """A straight part of a path, or the jump from one lower bar to the next."""

    start_name: str
    start: float
    end_name: str
    end: float
    jumps: bool


class Walk:
    """The path of one bar, or of its lower bars one after the other.

    Parameters
    ----------
    bars : sequence of (open, high, low, close) and whether the low comes first
    tick : price
    """

    def __init__(self, bars: Sequence[tuple[Prices, bool]], tick: float) -> None:
        self.tick, self.bars = tick, len(bars)
        self.low_first = bars[0][1]
        self.legs: list[Leg] = []
        for n, ((open_, high, low, close), is_low_first) in enumerate(bars):
            of = f" of lower bar {n + 1}" if len(bars) > 1 else ""
            if n and not same(open_, self.legs[-1].end, tick):
                last = self.legs[-1]
                self.legs.append(Leg(last.end_name, last.end, f"open{of}", open_, True))
            corners = [("low", low), ("high", high)]
            corners = [("open", open_), *(corners if is_low_first else corners[::-1])]
            corners.append(("close", close))
            for (a, start), (b, end) in pairwise(corners):
                self.legs.append(Leg(a + of, start, b + of, end, False))
        self.leg, self.here = 0, self.legs[0].start
        self.jumped = False

    def text(self) -> str:
        """The corners in order."""
        words = [price_text(self.legs[0].start, self.tick)]
        for n, leg in enumerate(self.legs):
            if self.bars > SHOWN and n:
                return f"over its {self.bars} lower bars, each on its shorter path"
            if leg.end != leg.start or self.bars == 1:
                words.append(f"{'jump to ' * leg.jumps}{price_text(leg.end, self.tick)}")
        return " > ".join(words)

    def reach(self, price: float, rising: bool, level: float) -> str:
        """Go on to where a leg reaches a price, or a jump a level, and say where that is.

        Afterwards `here` is where the market stands, and `jumped` whether it jumped there.
        """
        sign, tick = (1 if rising else -1), self.tick
        for n in range(self.leg, len(self.legs)):
            leg = self.legs[n]
            if leg.jumps:
                if reaches(sign, leg.end, level, tick):
                    self.leg, self.here, self.jumped = n, leg.end, True
                    return f"jumped over by the {leg.end_name}, {price_text(leg.end, self.tick)}"
                continue
            begin = self.here if n == self.leg else leg.start
            goes_there = (leg.end > leg.start) == rising and leg.end != leg.start
            if goes_there and reaches(sign, leg.end, price, tick):
                self.leg, self.jumped = n, False
                self.here = begin if sign * (begin - price) > near(begin, price, tick) else price
                return (
                    f"reached on the way {'up' if rising else 'down'} "
                    f"from the {leg.start_name} {price_text(leg.start, self.tick)} "
                    f"to the {leg.end_name} {price_text(leg.end, self.tick)}"
                )
        return "reached"


def prices_of(machine: Machine, bar: int, j: int) -> Prices | None:
    """Open, high, low and close of a bar; None where there is none."""
    tape = machine.tape
    prices = _prices([x[bar, j] for x in (tape.open, tape.high, tape.low, tape.close)])
    return None if np.isnan(prices[0]) else prices


def walk_of(machine: Machine, bar: int, j: int) -> Walk | None:
    """The path that the market is about to take through a bar; None where there is no bar."""
    tape, book = machine.tape, machine.book
    prices = prices_of(machine, bar, j)
    if prices is None:
        return None
    tick = float(book.instruments[j]["tick_size"])
    count = int(tape.detail_count[bar, j]) if tape.detail_count.shape[0] else 0
    if book.account[0]["path_policy"] == PathPolicy.DETAIL and count:
        first = int(tape.detail_first[bar, j])
        lower = [_prices(row) for row in tape.detail[first : first + count]]
        return Walk([(x, bool(shortest(*x, tick))) for x in lower], tick)
    return Walk([(prices, bool(low_first(book, j, *prices)))], tick)


def is_detailed(machine: Machine, bar: int, j: int) -> bool:
    """Whether a bar has lower bars."""
    tape = machine.tape
    return bool(tape.detail_count.shape[0] and tape.detail_count[bar, j])


def _prices(values: Sequence[float]) -> Prices:
    open_, high, low, close = (float(x) for x in values)
    return open_, high, low, close
