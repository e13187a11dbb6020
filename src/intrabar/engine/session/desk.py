"""The desk of a session whose fills come from a broker: what is at the broker, and what must be.

Facts enter by the door; at the end of each turn the plan is run, and what is missing at the broker
leaves: cancels, what protects, exits, entries. It decides nothing that the book does not want.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from intrabar.brokers.door import Door
from intrabar.brokers.plan import Intent, Plan, Row, Sleeve, adds
from intrabar.brokers.reconcile import Book, reconcile
from intrabar.brokers.sending import Sending
from intrabar.brokers.tickets import Ended, NoAnswer, State, Ticket
from intrabar.engine.session.account_rules import unfit
from intrabar.engine.session.bodies import in_body
from intrabar.engine.session.broker_events import LookedUp, Told, answered, reported, snapshot_of
from intrabar.engine.session.broker_fills import BrokerFills
from intrabar.engine.session.broker_records import action_body, intent_body, ticket_body
from intrabar.engine.session.clocks import SECOND_NS
from intrabar.engine.session.covering import Covering
from intrabar.engine.session.effects import Effect, Look, LookUp, Send, Urgency, in_order
from intrabar.engine.session.holding import held_until
from intrabar.engine.session.ladder import Ladder
from intrabar.engine.session.looks import Looks
from intrabar.engine.session.moment import Moment
from intrabar.engine.session.turn import Notice
from intrabar.engine.session.waits import Waits
from intrabar.engine.session.ways_out import Deeds, WaysOut, is_protective
from intrabar.model.broker_facts import CashFact
from intrabar.risk.breaker import ACCOUNT
from intrabar.risk.records import Refusal
from intrabar.sim.machine import Machine

ROUNDS = 10
"""How often the plan is run in one turn at the most: each run has something new to say."""
AGAIN = SECOND_NS
"""How long something waits that has not left, before it is decided anew."""
THREE, WITHIN = 3, 600 * SECOND_NS
"""So many anomalies within so long move the breaker."""


class Desk:
    """What a session does through a broker.

    Parameters
    ----------
    fills : BrokerFills
    machine : Machine
    strategies : sequence of str
        By their rows.
    period : int, ns
    started : int, ns UTC
    requires_stop : bool
        Of the limits.

    Attributes
    ----------
    records : list of (kind, body)
        Since they were taken.
    notices : list of Notice
    moves : list of (event, text)
        Of the breaker.
    excess : set of (strategy, symbol)
        Positions that exits have made: they are closed at once.
    """

    def __init__(
        self,
        fills: BrokerFills,
        machine: Machine,
        strategies: tuple[str, ...],
        period: int,
        started: int,
        requires_stop: bool,
    ) -> None:
        self.fills = fills
        self.door = Door(
            machine,
            strategies,
            fills.rules,
            fills.can.fill_ids,
            fills.absence_after,
            self._held,
        )
        self.looks = Looks(started)
        self.waits = Waits(self.door)
        self.ways_out = WaysOut(self.door)
        self.ladder = Ladder(self.door, self.ways_out, fills, period)
        self.covering = Covering(self.door, self.ways_out, self.ladder, fills, requires_stop)
        self.records: list[tuple[str, dict[str, Any]]] = []
        self.notices: list[Notice] = []
        self.moves: list[tuple[str, str]] = []
        self.moment: Moment
        self.excess: set[Sleeve] = set()
        self._effects: list[Effect] = []
        self._not_left: dict[int, int] = {}  # by order: when it was to leave and did not
        self._anomalies: list[int] = []
        self._is_restored = self._is_catching_up = False

    def begin(self, moment: Moment) -> None:
        """An event has come."""
        self.moment = moment

    # What comes

    def outcome(self, body: Mapping[str, Any]) -> None:
        """What a request was answered."""
        told = answered(body)
        for name, one in told.outcomes:
            submits, replaces = told.request == "submit", told.request == "replace"
            self.door.answer(name, one, submits, replaces, self.moment.now)
            ticket = self.door.tickets[name]
            if ticket.state is State.REFUSED:
                self._not_left[ticket.order] = self.moment.now

    def report(self, body: Mapping[str, Any]) -> None:
        """What the stream, or a look-up, tells."""
        told, now = reported(body), self.moment.now
        if isinstance(told, LookedUp):
            self.waits.answered(told.name, now)
            self._looked_up(told)
            return
        self._told(told)

    def _looked_up(self, told: LookedUp) -> None:
        """A look-up is answered; where no list reaches back to the send, the position decides."""
        now, ticket = self.moment.now, self.door.tickets[told.name]
        is_up, reaches = self.looks.link == "up", now - ticket.sent <= self.fills.reaches_back
        self.door.looked_up(told.name, told.fact, now, is_up and reaches)
        was_missed = self.door.is_missed(told.name, now)
        if told.fact is None and is_up and not reaches and was_missed:
            differs = ticket.symbol in self.looks.differences
            if not differs and self.looks.is_synced:
                self.door.doubts.pop(told.name, None)
                self.door.hear(told.name, Ended(State.EXPIRED), now)

    def link(self, state: Any) -> None:
        """The broker's link has another state."""
        self.looks.linked(state, self.moment.now)
        self.waits.forget()

    def resumed(self, is_restored: bool = False, is_catching_up: bool = False) -> None:
        """The process is another one: what was not answered is in doubt, and all is seen anew.

        While it is catching up its strategies are not there yet, and nothing is entered.
        """
        self._is_restored, self._is_catching_up = is_restored, is_catching_up
        self.looks.linked("down", self.moment.now)
        self.waits.forget()
        for ticket in self.door.blotter.open:
            if ticket.state is State.SENT or ticket.asked != "none":
                self.door.hear(ticket.name, NoAnswer("the process ended"), self.moment.now)

    def snapshot(self, body: Mapping[str, Any], equity: float, day: int, acting: frozenset[str]
                 ) -> None:  # fmt: skip
        """A look at the account has come."""
        look, looks, now = snapshot_of(body), self.looks, self.moment.now
        known = replace(
            self.door.known(equity, looks.gap),
            codes=self.fills.codes | {self.fills.code},
            acting=acting,
            differences=looks.differences,
            is_start=not looks.has_seen,
            is_restored=self._is_restored,
            tolerates=self.fills.foreign == "tolerate",
        )
        actions = reconcile(known, look)
        self.door.carry_out(actions, now)
        pages = looks.took(look, actions, equity, day, now)
        self.notices += [Notice("page", key, text) for key, text in pages]
        for one in actions:
            if isinstance(one, Book):
                text = f"{one.symbol}: {one.qty:g} were closed by hand at {one.price:g}"
                self.notices.append(Notice("alarm", f"manual {one.symbol}", text))
        body = {"actions": [action_body(one) for one in actions], "synced": looks.is_synced}
        self.records.append(("reconcile", {**body, "gap": in_body(looks.gap)}))

    def blocks(self) -> dict[str, str]:
        """Why nothing is entered, by "account" or symbol."""
        doubtful = (self.door.tickets[name] for name in self.door.doubts)
        unknown = {t.symbol: "unknown" for t in doubtful}
        unknown |= {t.symbol: "unknown" for t in self.door.blotter.open if t.state == "unknown"}
        catching_up = {ACCOUNT: "catching_up"} if self._is_catching_up else {}
        return {**unknown, **self.looks.blocks(), **catching_up}

    def unfit(self, commands: Any) -> list[tuple[int, Refusal]]:
        """What of the commands that wait the account does not take, by place."""
        return unfit(commands, self.door.books, self.fills, self.moment)

    # What leaves

    def settle(self, may_enter: bool) -> list[Effect]:
        """Run the plan; what leaves, in its order.

        Parameters
        ----------
        may_enter : bool
            Nothing in the session itself speaks against entries.
        """
        self._read_steps()
        if self.looks.has_seen and self.looks.listens:
            for _ in range(ROUNDS):
                if not self._round(may_enter):
                    break
            self._cancels()
        self._asks()
        for body, notice in self.covering.look(self.moment):
            self.records.append(("protect", body))
            self.notices += [] if notice is None else [notice]
        for symbol in self.looks.trips(self.moment.now):
            self.moves.append(("drift", f"{symbol} differs from the broker for over five minutes"))
        for before, after in self.door.blotter.changed():
            self.records.append(("ticket", ticket_body(before, after)))
        effects, self._effects = in_order(self._effects), []
        return effects

    def is_wished(self, order: int) -> bool:
        """Whether the end of an order has been asked of the broker."""
        living = [t for t in self.door.blotter.of_row(order) if t.open_qty > 0.0]
        return bool(living) and all(t.wished for t in living)

    @property
    def is_flat(self) -> bool:
        """Whether nothing is held, and nothing may fill, as far as anybody knows."""
        return not self.door.positions and not self.door.blotter.open and self.looks.is_synced

    @property
    def is_covered(self) -> bool:
        """Whether a look has come, nothing leaves by a chain, and no cover is missing."""
        return self.looks.has_seen and self.covering.is_whole and not self.ways_out.chains

    def next_timer(self) -> int | None:
        """When the next event is wanted at the latest."""
        parts = (self.ways_out, self.ladder, self.waits) if self.looks.has_seen else ()
        times = [t for part in parts for t in part.next_timer(self.moment)]
        times += self.looks.next_timer(bool(self.door.blotter.open))
        times += [at + AGAIN for at in self._not_left.values() if parts]
        times += self.covering.next_timer()
        times += [r.made for r in self.door.rows(self.moment.now) if r.is_held]
        return min(times, default=None)

    def _held(self, row: Row, now: int) -> Row:
        waits = self.fills.holds and row.type == "market" and adds(row, self.door.positions)
        return held_until(row, self.moment.exchanges[row.symbol], now) if waits else row

    def _round(self, may_enter: bool) -> bool:
        """Run the plan once; whether anything has come of it."""
        now, door = self.moment.now, self.door
        self._end_what_is_over()
        self._not_left = {k: at for k, at in self._not_left.items() if now - at < AGAIN}
        found = door.plan(now)
        rows = {row.order: row for row in door.rows(now)}
        kept = [r for r in rows.values() if self._is_kept(r, rows)]
        exits = [row for row in found.exits if row.type == "market"]
        begun = [self.ways_out.begin(row) for row in exits]
        rests = [row for row in found.exits if row.type != "market" and row not in kept]
        for row in rests:
            self._send(door.attempt(row, now), rows)
        gone = [row for row in found.climbs if row not in kept]
        climbed = self.ladder.advance(gone, kept, self.waits.looked, self.moment)
        self._do(climbed, rows)
        moved = self.ways_out.advance(rows, self.moment)
        self._do(moved, rows)
        intents = [x for x in found.intents if self._leaves(x, rows, kept, may_enter)]
        sendings = door.commit(Plan(tuple(intents), found.late), now)
        for sending in sendings:
            self._send(sending, rows)
        return bool(sendings or found.late or any(begun) or rests or climbed.sendings
                    or moved.sendings or moved.records)  # fmt: skip

    def _is_kept(self, row: Row, rows: Mapping[int, Row]) -> bool:
        """Whether we watch a row that was never sent, as the account cannot hold it safely."""
        if any(t.state != "refused" for t in self.door.blotter.of_row(row.order)):
            return row.order in self.ladder.climbs and row.role != "stop" and not self._lives(row)
        return not row.is_held and self.ladder.keeps(row, rows)

    def _lives(self, row: Row) -> bool:
        return any(t.open_qty > 0.0 for t in self.door.blotter.of_row(row.order))

    def _leaves(
        self, intent: Intent, rows: Mapping[int, Row], kept: Iterable[Row], may_enter: bool
    ) -> bool:
        """Whether an intent is carried out now."""
        row = rows.get(intent.order)
        if not self.door.may_change(intent.ticket, self.moment.now):
            return False
        if intent.kind == "cancel":
            return self.ways_out.chains.get(intent.order) is None or row is None
        if row is None:  # of a child whose number is its entry's
            return True
        if row in kept or row.order in self._not_left or row.order in self.ways_out.chains:
            return False  # what a chain has sent is as large as the position, not as its row
        chain = self.ways_out.of(row.sleeve)
        if is_protective(row):
            return chain is None
        if not adds(row, self.door.positions):
            return True
        blocks = self.blocks()
        free = may_enter and "account" not in blocks and row.symbol not in blocks
        return (free or intent.kind == "replace") and chain is None

    def _end_what_is_over(self) -> None:
        """End exits of positions that are gone: at a broker that nets nothing they would open."""
        if self.fills.can.nets:
            return
        for row in self.door.rows(self.moment.now):
            held = self.door.positions.get(row.sleeve, 0.0)
            is_over = row.reduce_only and not is_protective(row) and held * row.side >= 0.0
            if is_over and not self._lives(row):
                self.door.books.end(row.order, State.CANCELLED)

    def _do(self, deeds: Deeds, rows: Mapping[int, Row]) -> None:
        for sending in deeds.sendings:
            self._send(sending, rows)
        for body in deeds.records:
            self.records.append(("protect", body))
            if body.get("rung") == "watch" and body["role"] == "stop":
                self.moves.append(("watched", f"the stop of {body['symbol']} is watched by us"))
        self.notices += [Notice("page", key, text) for key, text in deeds.pages]

    def _send(self, sending: Sending, rows: Mapping[int, Row]) -> None:
        """Let something leave, as soon as the turn is committed."""
        ticket = self.door.tickets[sending.ticket]
        row = rows.get(self.door.blotter.row_of(ticket))
        is_entry, made = False, self.moment.now
        urgency = Urgency.EXIT
        if not sending.group and sending.change is None:
            urgency = Urgency.CANCEL
        elif row is not None and is_protective(row) and ticket.type != "market":
            urgency = Urgency.PROTECT
        elif not ticket.reduce_only and row is not None and adds(row, self.door.positions):
            urgency, is_entry, made = Urgency.ENTRY, True, row.made
        self._effects.append(Send(sending, urgency, is_entry, made))
        self.records.append(("intent", intent_body(sending, ticket.order, urgency)))

    def _cancels(self) -> None:
        sendings, stuck = self.waits.cancels(self.moment)
        for sending in sendings:
            self._send(sending, {})
        for name in stuck:
            text = f"{name}: the broker has not ended it, though asked four times"
            self.notices.append(Notice("alarm", f"cancel {name}", text))

    def _asks(self) -> None:
        """Ask for what is in doubt, and for a look where one is due."""
        looks, now = self.looks, self.moment.now
        names = self.waits.look_ups(self.moment) if looks.has_seen else []
        self._effects += [LookUp(name, self.door.ref(name)) for name in names]
        living = self.door.blotter.open
        is_due = looks.is_due(now, bool(living))
        if is_due:
            self._effects.append(Look(looks.since([t.sent for t in living])))
        if names or is_due:
            self.records.append(("asked", {"look_up": names, "look": is_due}))

    def _told(self, told: Told) -> None:
        if isinstance(told, CashFact):
            self.door.told(told, self.moment.now)
        elif self.door.told(told, self.moment.now) is None:  # nobody's: a look will say whose
            self.looks.want(self.moment.now)

    def _read_steps(self) -> None:
        """What the order table has said of the events of this turn."""
        now = self.moment.now
        for event, step in self.door.books.steps:
            ticket = step.ticket
            if step.bookings:
                self.covering.filled(ticket.strategy, ticket.symbol, now)
                keys = [in_body(booking) for booking in step.bookings]
                self.records.append(("booked", {"ticket": ticket.name, "bookings": keys}))
                self._look_for_excess(ticket)
            if step.anomaly:
                self._anomaly(ticket.symbol, f"{ticket.name}: {step.anomaly} ({event})")
        self.door.books.steps.clear()

    def _look_for_excess(self, ticket: Ticket) -> None:
        """Whether an exit has turned its position: two that left it have both filled."""
        sleeve = ticket.strategy, ticket.symbol
        turned = self.door.positions.get(sleeve, 0.0) * ticket.side > 0.0
        if ticket.reduce_only and turned and sleeve not in self.excess:
            self.excess.add(sleeve)
            text = f"{ticket.symbol}: two exits have filled; what is too much is closed"
            self.moves.append(("both_legs", text))

    def _anomaly(self, symbol: str, text: str) -> None:
        """Something that should not be: no entries of the symbol until all is clean again."""
        now = self.moment.now
        self.looks.anomalies[symbol] = text
        self.looks.want(now)
        self.notices.append(Notice("alarm", f"anomaly {symbol}", text))
        self._anomalies = [at for at in self._anomalies if now - at < WITHIN] + [now]
        if "beyond its quantity" in text:
            self.moves.append(("overfill", text))
        elif len(self._anomalies) >= THREE:
            self.moves.append(("anomalies", f"{THREE} anomalies within ten minutes: {text}"))
