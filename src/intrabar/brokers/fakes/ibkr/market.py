"""Prices at the fake: bars follow from a contract and a time alone, and are always the same."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from intrabar.brokers.fakes.ibkr.contracts import Contract
from intrabar.brokers.fakes.ibkr.frames import Row
from intrabar.links.clock import Clock

SIZES = {
    **{f"{n} secs": n for n in (5, 10, 15, 30)},
    "1 min": 60,
    **{f"{n} mins": 60 * n for n in (2, 3, 5, 10, 15, 20, 30)},
    "1 hour": 3_600,
    "1 day": 86_400,
}
SPANS = {"S": 1, "D": 86_400, "W": 7 * 86_400, "M": 30 * 86_400, "Y": 365 * 86_400}
STEP = 5
"""Seconds of the bars that all others are made of."""


class FakeMarket:
    """Trades in every five seconds, round the clock.

    Parameters
    ----------
    clock : Clock
    begins : float
        Seconds since 1970 before which there is nothing.
    """

    def __init__(self, clock: Clock, begins: float = 0.0) -> None:
        self.sleep, self._clock, self.begins = clock.sleep, clock, begins
        self.ends: dict[str, float] = {}  # when a contract has traded for the last time
        self.shut: list[tuple[float, float]] = []  # from when to when nothing is traded
        self.prices: dict[str, float] = {}

    def seconds(self) -> float:
        """What time it is."""
        return self._clock.now() / 1e9

    def rows(self, contract: Contract, end: float, span: str, size: str) -> list[Row]:
        """Bars up to an instant; the last is half a bar where it has not ended."""
        count, unit = span.split(" ")
        width, until = SIZES[size], min(end, self.seconds())
        start = max(until - int(count) * SPANS[unit], self.begins)
        first = math.ceil(start / width) * width
        starts = range(first, math.ceil(until / width) * width, width)
        return [row for at in starts if (row := self.row(contract, at, width, until)) is not None]

    def row(self, contract: Contract, at: int, width: int, until: float) -> Row | None:
        """One bar as far as it goes at an instant."""
        until = min(until, self.ends.get(contract.local, until))
        apart = STEP if width < 86_400 else 3_600  # a day is of some of them
        times = range(at, at + width, apart)
        traded = [t for t in times if t + STEP <= until and not self._is_shut(t)]
        steps = [self._step(contract, t) for t in traded]
        if not steps:
            return None
        label = str(at) if width < 86_400 else _day(at)
        volume = -1.0 if contract.kind == "CASH" else float(sum(step[4] for step in steps))
        return (
            label,
            steps[0][0],
            max(step[1] for step in steps),
            min(step[2] for step in steps),
            steps[-1][3],
            volume,
        )

    def price(self, contract: Contract) -> float:
        """The last price."""
        at = int(self.seconds()) // STEP * STEP - STEP
        return self._step(contract, at)[3]

    def _is_shut(self, at: float) -> bool:
        return any(first <= at < last for first, last in self.shut)

    def _step(self, contract: Contract, at: int) -> tuple[float, float, float, float, int]:
        """Open, high, low, close and volume of five seconds."""
        base = self.prices.get(contract.local, 100.0)
        mix = (at // STEP * 2_654_435_761 + contract.con_id) % 2**32
        moves = [(mix >> shift) % 9 - 4 for shift in (3, 11)]
        open_, close = (round(base + contract.tick * move, 6) for move in moves)
        high = round(max(open_, close) + contract.tick * (mix % 3), 6)
        low = round(min(open_, close) - contract.tick * (mix % 2), 6)
        return open_, high, low, close, 1 + mix % 50


def _day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y%m%d")
