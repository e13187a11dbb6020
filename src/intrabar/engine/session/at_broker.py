"""A session at a broker: its events, its moment, its breaker; what the market does elsewhere."""

from __future__ import annotations

from math import inf, isfinite, nan
from typing import Any

from intrabar.engine.session.blocks import Blocks
from intrabar.engine.session.broker_fills import BrokerFills
from intrabar.engine.session.commands import Commands
from intrabar.engine.session.desk import Desk
from intrabar.engine.session.effects import Effect
from intrabar.engine.session.exchange import Exchange
from intrabar.engine.session.moment import Moment
from intrabar.engine.session.plan import Plan
from intrabar.engine.session.turn import Notice
from intrabar.engine.session.view import View, view_in
from intrabar.engine.session.wind_down import WindDown
from intrabar.errors import NotFoundError, StateError, UsageError
from intrabar.model.entry import Entry
from intrabar.model.enums import ActionKind, OrderType, Role
from intrabar.model.values import Bounds, number
from intrabar.risk.breaker import FLATTENING
from intrabar.risk.day import Broker
from intrabar.risk.judge import Judge
from intrabar.risk.records import Seen
from intrabar.sim.inbox import leave
from intrabar.sim.machine import Machine
from intrabar.sim.state import SUBMIT

TOLD = frozenset({"outcome", "report", "snapshot", "timer", "quote"})
"""Kinds of events that only a session at a broker has; beside them its `link`."""
PERSONS = ("adopt", "transfer")
BELIEVED = 90.0  # seconds: a balance that is older counts for nothing
SETTLES = 5
"""How often the session's own acts and the plan take turns in one event at the most."""
SOONEST = 100_000_000  # ns behind the last event: whoever asks for less would turn in a circle
POSITIVE = Bounds(above=True)


class AtBroker:
    """What of a session is at a broker.

    Parameters
    ----------
    plan : Plan
    fills : BrokerFills
    judge : Judge
    wind_down : WindDown
    """

    def __init__(self, plan: Plan, fills: BrokerFills, judge: Judge, wind_down: WindDown) -> None:
        self._plan, self._fills = plan, fills
        self._judge, self._wind_down = judge, wind_down
        judge.flat_by_look = True
        one_of: dict[str, Exchange] = {x.calendar: x for x in plan.exchanges}
        of_each = zip(plan.symbols, plan.exchanges, strict=True)
        self._exchanges = {symbol: one_of[x.calendar] for symbol, x in of_each}
        self._leaving: set[str] = set()  # symbols that a person has asked to leave
        self._desk: Desk | None = None

    @property
    def desk(self) -> Desk:
        """Where its orders stand.

        Raises
        ------
        StateError
            It has had no row yet.
        """
        if self._desk is None:
            raise StateError("a session with broker fills begins with a history: none has come")
        return self._desk

    def open(self, machine: Machine, commands: Commands, blocks: Blocks, started: int) -> None:
        """The first rows are there: from here on it trades outside."""
        self._machine, self._commands, self._blocks = machine, commands, blocks
        requires = bool(self._plan.limits.require_stop)
        period, names = self._plan.period, self._plan.names
        self._desk = Desk(self._fills, machine, names, period, started, requires)
        commands.desk = self._desk
        self.begin(self._event)

    def begin(self, event: Entry) -> None:
        """An event has come: what is known at its moment."""
        self._event = event
        if self._desk is None:
            return
        view = view_in(event.body)
        machine, symbols = self._machine, self._plan.symbols
        marks = machine.book.instruments["mark"].tolist()
        last = int(machine.tape.time[machine.bar - 1]) if machine.bar else 0
        ages = {s: min(view.of(s).bar_age, (event.at - last) / 1e9) for s in symbols}
        moment = Moment(
            event.at, view, self._exchanges, dict(zip(symbols, marks, strict=True)), ages
        )
        self._desk.begin(moment)
        self._commands.judged.quotes = {s: _seen(moment, s) for s in view.symbols}
        self._commands.judged.broker = self._believed(view)

    def take(self, event: Entry) -> None:
        """Take in what only a broker's session is told."""
        desk = self.desk
        match event.kind:
            case "outcome":
                desk.outcome(event.body)
            case "report":
                desk.report(event.body)
            case "snapshot":
                day = self._judge.state.day.number
                equity = self._equity() if self._is_priced() else nan
                desk.snapshot(event.body, equity, day, self._acting())
                self._adopt_what_leaves()
            case "link":
                desk.link(event.body["state"])
        self._commands.changes()

    def obey(self, body: dict[str, Any]) -> None:
        """Adopt a position, or name a transfer, as a person asks.

        Raises
        ------
        UsageError, StateError, NotFoundError, ConfigError
        """
        if body["kind"] == "transfer":
            amount = number("amount:", body["amount"], Bounds())
            self.desk.looks.transferred(amount)
            return
        self._adopt(body)

    def settle(self, may_enter: bool) -> list[Effect]:
        """At the end of a turn: the session's own acts, then the plan; what leaves."""
        desk, effects = self.desk, list[Effect]()
        self._losses()
        self._leaving |= self._wind_down.taken()
        for _ in range(SETTLES):
            effects += desk.settle(may_enter)
            for move, text in desk.moves:
                self._judge.move(move, text=text)
            desk.moves.clear()
            leaving = {*self._leaving, *self._blocks.leaving(desk.moment.now)}
            held = {symbol for _, symbol in desk.door.positions}
            desk.excess &= desk.door.positions.keys()
            bare = [*desk.covering.without_level(), *desk.excess]
            if not self._commands.session(sorted(leaving & held), bare):
                break
        self._leaving &= held | desk.looks.drifts.keys()
        self._let_down()
        self._commands.changes()
        return effects

    def blocks(self) -> dict[str, str]:
        """Why nothing is entered, by "account" or symbol."""
        return self.desk.blocks()

    def known(self) -> dict[str, bool]:
        """What a person must know to resume (`Breaker.resume`)."""
        looks = self.desk.looks
        return {
            "reconciled": looks.is_synced and not looks.drifts,
            "links_up": looks.link == "up",
            "covered": self.desk.covering.is_whole,
        }

    def taken(self) -> tuple[list[tuple[str, dict[str, Any]]], list[Notice]]:
        """Records and notices since the last call."""
        desk = self.desk
        records, notices = desk.records, desk.notices
        desk.records, desk.notices = [], []
        return records, notices

    def next_timer(self, now: int) -> int | None:
        """When it wants an event at the latest, ns UTC."""
        if self._desk is None:
            return None
        times = [self._desk.next_timer(), self._blocks.next_leaving(now)]
        due = min((t for t in times if t is not None), default=None)
        return None if due is None else max(due, self._desk.moment.now + SOONEST)

    def _believed(self, view: View) -> Broker | None:
        """What the broker says of the account, where it counts."""
        looks, account = self.desk.looks, view.account
        if not (isfinite(account.balance) and isfinite(looks.gap)):
            return None
        counts = account.age <= BELIEVED and looks.link == "up" and not isfinite(looks.suspected)
        return Broker(account.balance, looks.gap, counts and self._fills.foreign == "block")

    def _equity(self) -> float:
        """E: of the book, at the prices of the moment."""
        book, moment = self._commands.judged.book(), self.desk.moment
        return book.equity + sum(
            one.qty
            * (moment.price(one.symbol) - book.marks[one.symbol])
            * book.point_values[one.symbol]
            for one in book.sleeves
        )

    def _is_priced(self) -> bool:
        """Whether all that is held has a price of the moment: else no balance can be compared."""
        moment = self.desk.moment
        held = {symbol for _, symbol in self.desk.door.positions}
        return all(isfinite(moment.quoted(s)) and moment.trades(s) for s in held)

    def _acting(self) -> frozenset[str]:
        """Symbols with a split whose row is not there yet."""
        machine, symbols = self._machine, self._plan.symbols
        return frozenset(
            symbols[a.instrument]
            for a in machine.market.actions
            if a.bar >= machine.bar and a.kind is ActionKind.SPLIT
        )

    def _losses(self) -> None:
        """Hold the limits of losses against the moment, where it has prices."""
        judged = self._commands.judged
        if judged.quotes or judged.broker is not None:
            self._judge.between_rows(self._equity(), self.desk.moment.now, judged.broker)

    def _let_down(self) -> None:
        """What was flattening halts, when a look shows that nothing is left."""
        desk = self.desk
        flattens = any(c.level is FLATTENING for c in self._judge.breaker.causes)
        if flattens and desk.looks.shows_nothing and desk.is_flat:
            self._judge.move("flat", text="a look shows no position and no order")

    def _adopt_what_leaves(self) -> None:
        """What is to be left is left as the broker has it, so that both end flat."""
        desk = self.desk
        flattens = any(c.level is FLATTENING for c in self._judge.breaker.causes)
        for symbol, drift in list(desk.looks.drifts.items()):
            if flattens or symbol in self._leaving:
                self._book(symbol, drift.qty, drift.average)

    def _adopt(self, body: dict[str, Any]) -> None:
        symbol, desk = body.get("symbol"), self.desk
        if symbol not in self._plan.symbols:
            raise NotFoundError("symbol", str(symbol), self._plan.symbols)
        if symbol not in desk.looks.drifts:
            raise StateError(f"adopt: nothing of {symbol} is unexplained; see session status")
        stop = body.get("stop")
        if stop is None and self._plan.limits.require_stop:
            raise UsageError(f"adopt: {symbol} needs a stop (require_stop): --stop PRICE")
        price = None if stop is None else number("stop:", stop, POSITIVE)
        drift = desk.looks.drifts[symbol]
        strategy = self._book(symbol, drift.qty, drift.average)
        held = desk.door.positions.get((self._plan.names[strategy], symbol), 0.0)
        if price is None or not held:
            return
        self._machine.make_room(1)
        leave(
            self._machine.book,
            SUBMIT,
            strategy=strategy,
            instrument=self._plan.symbols.index(symbol),
            side=-1 if held > 0.0 else 1,
            type=int(OrderType.STOP),
            role=int(Role.STOP),
            reduce_only=1,
            qty=abs(held),
            stop_price=price,
        )

    def _book(self, symbol: str, qty: float, average: float) -> int:
        """Take a difference into the book; the row of the strategy whose it is."""
        desk, names = self.desk, self._plan.names
        owner = self._fills.owner(symbol)
        held = (s for s, other in desk.door.positions if other == symbol)
        strategy = names.index(owner if owner is not None else next(held, names[-1]))
        if strategy == len(names) - 1:
            self._machine.unused = 0
        price = average if isfinite(average) else desk.moment.price(symbol)
        desk.door.books.move(strategy, symbol, qty, price)
        desk.covering.filled(names[strategy], symbol, desk.moment.now)
        desk.looks.explain(symbol)
        desk.looks.want(desk.moment.now)
        return strategy


def _seen(moment: Moment, symbol: str) -> Seen:
    """A quote as the limits read it."""
    seen = moment.view.of(symbol)
    quoted = moment.quoted(symbol)
    age = seen.quote_age if isfinite(quoted) else inf
    return Seen(quoted, age, seen.bid, seen.ask)
