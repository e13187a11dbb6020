"""Stops and targets that the broker does not hold: new attempts, watched by us, left (3.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from intrabar.brokers.cover import DELAYS, RESTS, TRY_AGAIN, WATCH_FOR, Climb, Sight, climb
from intrabar.brokers.door import Door
from intrabar.brokers.plan import Row
from intrabar.brokers.tickets import OPEN, Ticket
from intrabar.engine.session.broker_fills import BrokerFills
from intrabar.engine.session.moment import Moment
from intrabar.engine.session.ways_out import Deeds, WaysOut

SEES = 2.5  # periods: a bar that is older shows nothing any more


class Ladder:
    """Rows whose order is not at the broker though the book wants it there.

    Parameters
    ----------
    door : Door
    ways_out : WaysOut
    fills : BrokerFills
    period : int, ns
    """

    def __init__(self, door: Door, ways_out: WaysOut, fills: BrokerFills, period: int) -> None:
        self._door, self._ways_out, self._fills = door, ways_out, fills
        self._longest = SEES * period / 1e9
        self.climbs: dict[int, Climb] = {}  # by order
        self._rows: dict[int, Row] = {}

    def keeps(self, row: Row, rows: Mapping[int, Row]) -> bool:
        """Whether a row is watched by us rather than sent: the account cannot hold it safely.

        A stop of a type that the account lacks; a target beside a stop where they cannot be
        alternatives, for both could fill; an exit that would rest beside either.
        """
        can = self._fills.can
        if can.nets:
            return False
        if row.role == "stop":
            return row.type not in can.types
        if row.role == "target":
            stops = any(r.role == "stop" and r.sleeve == row.sleeve for r in rows.values())
            return stops and not can.oco
        if row.type == "market" or not self._leaves(row):
            return False
        return any(
            t.reduce_only and (t.strategy, t.symbol) == row.sleeve for t in self._door.blotter.open
        )

    def watched(self, sleeve: tuple[str, str]) -> float:
        """How much of a sleeve's stops only we watch."""
        return sum(
            self._rows[order].rest
            for order, at in self.climbs.items()
            if at.watched_since and self._rows[order].role == "stop"
            and self._rows[order].sleeve == sleeve
        )  # fmt: skip

    def advance(
        self,
        gone: Iterable[Row],
        kept: Iterable[Row],
        looked: Mapping[str, int],
        moment: Moment,
    ) -> Deeds:
        """One step for each row.

        Parameters
        ----------
        gone : iterable of Row
            Stops and targets whose ticket has ended.
        kept : iterable of Row
            Those that were never sent (`keeps`).
        looked : mapping of ticket to ns
            When a look-up has last answered of it.
        moment : Moment
        """
        deeds = Deeds.none()
        there: dict[int, Climb] = {}
        for rows, is_kept in ((gone, False), (kept, True)):
            for row in rows:
                at = self.climbs.get(row.order) or self._first(row, is_kept, moment.now)
                self._rows[row.order] = row
                if self._ways_out.of(row.sleeve) is None:
                    at = self._step(row, at, is_kept, looked, moment, deeds)
                there[row.order] = at
        self.climbs = {k: at for k, at in self.climbs.items() if self._is_coming(k)} | there
        self._rows = {order: self._rows[order] for order in self.climbs}
        return deeds

    def next_timer(self, moment: Moment) -> Iterable[int]:
        """When rows want to be asked again; a level is asked for at each quote."""
        for order, at in self.climbs.items():
            leaves = self._ways_out.of(self._rows[order].sleeve) is not None
            if leaves or at.is_out or self._is_coming(order):
                continue
            is_level = self._rows[order].role != "stop" or not at.attempts
            if at.watched_since and is_level:
                continue  # the quotes say when it is reached
            if at.watched_since:
                yield at.last + TRY_AGAIN
                yield at.watched_since + WATCH_FOR
            elif at.attempts < len(DELAYS):
                yield at.last + DELAYS[at.attempts]

    def _is_coming(self, order: int) -> bool:
        """Whether a new attempt is on its way, and does not rest yet."""
        living = [t for t in self._door.blotter.of_row(order) if t.state in OPEN]
        return bool(living) and not any(t.state in RESTS for t in living)

    def _first(self, row: Row, is_kept: bool, now: int) -> Climb:
        if is_kept:
            return Climb(now, now, watched_since=now)
        if self._ways_out.left.get(row.sleeve) == now:  # its own chain has cancelled it
            return Climb(now, now - DELAYS[0])
        return Climb(now, now)

    def _leaves(self, row: Row) -> bool:
        return self._door.positions.get(row.sleeve, 0.0) * row.side < 0.0

    def _last(self, row: Row) -> Ticket | None:
        mine = self._door.blotter.of_row(row.order)
        return max(mine, key=lambda t: t.sent, default=None)

    def _step(
        self,
        row: Row,
        at: Climb,
        is_kept: bool,
        looked: Mapping[str, int],
        moment: Moment,
        deeds: Deeds,
    ) -> Climb:
        is_stop = row.type in ("stop", "stop_limit")
        level = row.terms.stop_price if is_stop else row.terms.limit_price
        through = moment.is_through(row.symbol, row.side, level, is_stop)
        if is_kept or row.role != "stop":
            return self._watch(row, at, is_kept, through, looked, moment, deeds)
        last, names = self._last(row), self._targets_beside(row)
        seen = looked.get(last.name, 0) if last is not None else moment.now
        if at.last < at.since:  # a chain of ours has cancelled it: nothing is to be looked up
            seen = moment.now
        sight = Sight(through, bool(names), seen, moment.sees(row.symbol, self._longest))
        then, rung = climb(at, sight, self._fills.on_stop_refused == "exit", moment.now)
        if rung == "unblock":
            door, now = self._door, moment.now
            free = (n for n in names if door.may_change(n, now))
            asked = [n for n in free if door.tickets[n].asked != "cancel"]
            deeds.sendings.extend(self._door.cancel(name) for name in asked)
            if not asked:
                return then
        elif rung == "look_up" and last is not None:
            self._door.doubts[last.name] = None
            return then
        elif rung == "attempt":
            deeds.sendings.append(self._door.attempt(row, moment.now))
        elif rung == "watch":
            text = f"{row.symbol}: its stop was refused {at.attempts} times; the level is watched"
            deeds.pages.append((f"stop {row.symbol}", text))
        elif rung == "exit" and not self._ways_out.begin(row):
            return at
        if rung:
            deeds.records.append(_body(row, rung, then))
        return then

    def _watch(
        self,
        row: Row,
        at: Climb,
        is_kept: bool,
        through: bool,
        looked: Mapping[str, int],
        moment: Moment,
        deeds: Deeds,
    ) -> Climb:
        """A level that is watched; of a target that has ended there is one new attempt before."""
        new = row.order not in self.climbs
        if through and self._ways_out.begin(row):
            deeds.records.append(_body(row, "exit", at))
            return at
        if not is_kept and at.attempts == 0 and not at.watched_since:
            return self._once_more(row, at, looked, moment, deeds)
        if not at.watched_since:
            at, new = Climb(at.since, moment.now, at.attempts, moment.now), True
        if new:
            deeds.records.append(_body(row, "watch", at))
        return at

    def _once_more(
        self, row: Row, at: Climb, looked: Mapping[str, int], moment: Moment, deeds: Deeds
    ) -> Climb:
        last = self._last(row)
        if moment.now - at.last < DELAYS[0]:
            return at
        if last is not None and at.last >= at.since and looked.get(last.name, 0) <= at.since:
            self._door.doubts[last.name] = None
            return at
        if self.keeps(row, {r.order: r for r in self._door.rows(moment.now)}):
            return Climb(at.since, moment.now, 1)
        deeds.sendings.append(self._door.attempt(row, moment.now))
        then = Climb(at.since, moment.now, 1)
        deeds.records.append(_body(row, "attempt", then))
        return then

    def _targets_beside(self, row: Row) -> Sequence[str]:
        """Targets at the broker that a new stop would not be an alternative of."""
        if self._fills.can.nets:
            return ()
        return [
            t.name
            for t in self._door.blotter.open
            if (t.strategy, t.symbol) == row.sleeve
            and t.reduce_only
            and t.type == "limit"
            and t.state in OPEN
        ]


def _body(row: Row, rung: str, at: Climb) -> dict[str, Any]:
    return {
        "what": "rung",
        "rung": rung,
        "strategy": row.strategy,
        "symbol": row.symbol,
        "order": row.order,
        "role": row.role,
        "since": at.since,
        "attempts": at.attempts,
    }
