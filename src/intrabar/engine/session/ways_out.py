"""The exit chains of a session: one way out of a sleeve at a time (live, section 3.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from intrabar.brokers.chain import (
    AGAIN_AFTER,
    LEAVE_AFTER,
    LOOK_AFTER,
    PATIENCE,
    Chain,
    Deed,
    Stage,
    advance,
)
from intrabar.brokers.door import Door
from intrabar.brokers.plan import PROTECTIVE, Row, Sleeve
from intrabar.brokers.sending import Sending
from intrabar.brokers.tickets import OPEN, Ticket
from intrabar.engine.session.moment import Moment


class Deeds(NamedTuple):
    """What is asked for: requests that leave, what is recorded, and whom a person is paged about.

    Parameters
    ----------
    sendings : list of Sending
    records : list of dict
        Bodies of `protect`.
    pages : list of (key, text)
    """

    sendings: list[Sending]
    records: list[dict[str, Any]]
    pages: list[tuple[str, str]]

    @staticmethod
    def none() -> Deeds:
        """Nothing so far."""
        return Deeds([], [], [])


class WaysOut:
    """Who is leaving, and how far.

    Parameters
    ----------
    door : Door
    """

    def __init__(self, door: Door) -> None:
        self._door = door
        self.chains: dict[int, Chain] = {}  # by order
        self._of: dict[int, Row] = {}
        self._protects: dict[int, dict[str, None]] = {}  # tickets that stood when it began
        self._market: dict[int, str] = {}  # the latest MARKET of each
        self.left: dict[Sleeve, int] = {}  # when a chain of a sleeve was over

    def begin(self, row: Row) -> bool:
        """Let a row leave, where nobody leaves its sleeve; whether it has begun."""
        if self.of(row.sleeve) is not None:
            return False
        self.chains[row.order], self._of[row.order] = Chain(row.order), row
        living = (t for t in self._protective(row) if t.state in OPEN)
        self._protects[row.order] = dict.fromkeys(t.name for t in living)
        self._door.books.leaving.add(row.order)
        return True

    def of(self, sleeve: Sleeve) -> Chain | None:
        """The chain of a sleeve."""
        return next((c for k, c in self.chains.items() if self._of[k].sleeve == sleeve), None)

    def advance(self, rows: Mapping[int, Row], moment: Moment) -> Deeds:
        """One step of each chain."""
        deeds = Deeds.none()
        for order in list(self.chains):
            self._step(order, rows.get(order), moment, deeds)
        return deeds

    def next_timer(self, moment: Moment) -> Iterable[int]:
        """When chains want to be asked again."""
        for order, chain in self.chains.items():
            if chain.stage is Stage.REFUSED:
                yield chain.since + AGAIN_AFTER
            elif chain.stage is Stage.LEAVING:
                yield chain.since + PATIENCE
            elif not moment.trades(self._of[order].symbol):
                yield moment.exchanges[self._of[order].symbol].next_open(moment.now)
            elif chain.since:
                yield chain.since + (LEAVE_AFTER if chain.looked else LOOK_AFTER)

    def _protective(self, row: Row) -> list[Ticket]:
        """Tickets of the stops and targets of a sleeve, and what they had when it began."""
        door = self._door
        names = dict(self._protects.get(row.order, {}))
        for one in door.blotter.open:
            if (one.strategy, one.symbol) == row.sleeve and one.reduce_only:
                names.setdefault(one.name)
        names.pop(self._market.get(row.order, ""), None)
        return [door.tickets[name] for name in names]

    def _step(self, order: int, row: Row | None, moment: Moment, deeds: Deeds) -> None:
        door, chain, known = self._door, self.chains[order], self._of[order]
        held = abs(door.positions.get(known.sleeve, 0.0))
        market = self._market.get(order)
        leaving = None if market is None else door.tickets[market]
        left = 0.0 if row is None else min(row.rest, held)
        move = advance(
            chain,
            self._protective(known),
            leaving,
            left,
            moment.trades(known.symbol),
            moment.now,
        )
        self.chains[order] = move.chain
        for deed in move.deeds:
            self._do(deed, row or known, move.chain, moment.now, deeds)
        if move.chain != chain or move.deeds:
            deeds.records.append(_body(known, move.chain, left, move.deeds))
        if move.chain.stage is Stage.OVER:
            self._over(order, moment.now)

    def _over(self, order: int, now: int) -> None:
        row = self._of.pop(order)
        del self.chains[order]
        self._protects.pop(order, None)
        self._market.pop(order, None)
        self._door.books.leaving.discard(order)
        self.left[row.sleeve] = now

    def _do(self, deed: Deed, row: Row, chain: Chain, now: int, deeds: Deeds) -> None:
        door = self._door
        if deed.kind == "cancel":
            if door.may_change(deed.ticket, now):
                deeds.sendings.append(door.cancel(deed.ticket))
        elif deed.kind == "look_up":
            door.doubts[deed.ticket] = None
        elif deed.kind == "market":
            sending = door.leave(row, deed.qty, now)
            self._market[row.order] = sending.ticket
            deeds.sendings.append(sending)
        elif deed.kind == "stop":
            deeds.sendings.extend(
                door.attempt(stop, now)
                for stop in door.rows(now)
                if stop.sleeve == row.sleeve and stop.role == "stop" and stop.order != row.order
            )
        else:
            text = f"{row.symbol}: an exit was refused {chain.tries} times; it is tried again"
            deeds.pages.append((f"exit {row.symbol}", text))


def is_protective(row: Row) -> bool:
    """Whether a row is the stop or the target of a position."""
    return row.role in PROTECTIVE


def _body(row: Row, chain: Chain, left: float, deeds: Iterable[Deed]) -> dict[str, Any]:
    return {
        "what": "chain",
        "strategy": row.strategy,
        "symbol": row.symbol,
        "order": row.order,
        "stage": chain.stage.value,
        "since": chain.since,
        "tries": chain.tries,
        "left": left,
        "does": [deed.kind for deed in deeds],
    }
