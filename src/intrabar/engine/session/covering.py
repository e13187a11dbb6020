"""Whether each position is covered: what is needed, what there is, and since when it is short."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from intrabar.brokers.cover import cover, is_naked, need
from intrabar.brokers.door import Door
from intrabar.brokers.plan import Sleeve
from intrabar.engine.session.broker_fills import BrokerFills
from intrabar.engine.session.clocks import SECOND_NS
from intrabar.engine.session.ladder import Ladder
from intrabar.engine.session.moment import Moment
from intrabar.engine.session.turn import Notice
from intrabar.engine.session.ways_out import WaysOut


class Covering:
    """The cover of the sleeves.

    Parameters
    ----------
    door : Door
    ways_out : WaysOut
    ladder : Ladder
    fills : BrokerFills
    requires_stop : bool
    """

    def __init__(
        self,
        door: Door,
        ways_out: WaysOut,
        ladder: Ladder,
        fills: BrokerFills,
        requires_stop: bool,
    ) -> None:
        self._door, self._ways_out, self._ladder = door, ways_out, ladder
        self._fills, self._requires = fills, requires_stop
        self._filled: dict[Sleeve, int] = {}
        self._naked: set[Sleeve] = set()  # those that a person was paged of
        self._short: dict[Sleeve, int] = {}  # since when less is covered than needed

    def filled(self, strategy: str, symbol: str, now: int) -> None:
        """A position has changed."""
        self._filled[strategy, symbol] = now

    @property
    def is_whole(self) -> bool:
        """Whether all positions are covered."""
        return not self._short

    def of(self, sleeve: Sleeve, position: float, now: int) -> tuple[float, float]:
        """What must be covered of a sleeve, and what is."""
        level = self._level(sleeve)
        needed = need(abs(position), position, self._requires, level)
        stops = [
            t
            for t in self._door.blotter.open
            if (t.strategy, t.symbol) == sleeve and t.type in ("stop", "stop_limit")
            and t.side * position < 0.0
        ]  # fmt: skip
        watched = self._ladder.watched(sleeve) if self._fills.watched_stops else 0.0
        return needed, cover(stops, position, self._ways_out.of(sleeve), watched, now)

    def look(self, moment: Moment) -> list[tuple[dict[str, Any], Notice | None]]:
        """What has changed: records, and whom it is told."""
        found: list[tuple[dict[str, Any], Notice | None]] = []
        short: dict[Sleeve, int] = {}
        for sleeve, position in self._door.positions.items():
            needed, covered = self.of(sleeve, position, moment.now)
            if covered >= needed:
                continue
            since = short[sleeve] = self._short.get(sleeve, moment.now)
            body = _body(sleeve, needed, covered, since)
            if sleeve not in self._short:
                found.append((body, None))
            since = max(since, self._filled.get(sleeve, 0))
            seconds = self._fills.naked_seconds
            if sleeve not in self._naked and is_naked(needed, covered, since, moment.now, seconds):
                self._naked.add(sleeve)
                text = f"{sleeve[1]}: {covered:g} of {needed:g} are covered by a stop"
                found.append((body, Notice("page", f"naked {sleeve[1]}", text)))
        for sleeve in [s for s in self._short if s not in short]:
            self._naked.discard(sleeve)
            found.append((_body(sleeve, 0.0, 0.0, moment.now), None))
        self._short = short
        return found

    def next_timer(self) -> Iterator[int]:
        """When a position that is short of cover becomes naked."""
        seconds = round(self._fills.naked_seconds * SECOND_NS)
        for sleeve, since in self._short.items():
            if sleeve not in self._naked:
                yield max(since, self._filled.get(sleeve, 0)) + seconds + 1

    def without_level(self) -> list[Sleeve]:
        """Positions that must have a stop and have no level for one."""
        if not self._requires:
            return []
        return [s for s in self._door.positions if not self._level(s)]

    def _level(self, sleeve: Sleeve) -> bool:
        books = self._door.books
        n = len(books.symbols)
        k = books.strategies.index(sleeve[0]) * n + books.symbols.index(sleeve[1])
        return bool(np.isfinite(books.machine.book.sleeves["stop"][k]))


def _body(sleeve: Sleeve, needed: float, covered: float, since: int) -> dict[str, Any]:
    return {
        "what": "cover",
        "strategy": sleeve[0],
        "symbol": sleeve[1],
        "need": needed,
        "cover": covered,
        "since": since,
    }
