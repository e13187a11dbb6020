"""What a session needs to trade through a broker: its line, what is seen, and who guards."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec

from intrabar.app.workers.broker_line import BrokerLine
from intrabar.app.workers.guarding import Guarding
from intrabar.app.workers.hook_watch import Notify
from intrabar.app.workers.intake import Told
from intrabar.app.workers.sights import Sights
from intrabar.app.workers.simulated_exchange import SimulatedExchange
from intrabar.brokers.door import Door
from intrabar.brokers.guard import Deed
from intrabar.brokers.managed import Committed, Refuse, RiskManagedBroker
from intrabar.brokers.names import is_emergency
from intrabar.brokers.sending import Sending
from intrabar.engine.session.broker_events import report_body
from intrabar.engine.session.effects import Effect, Send
from intrabar.engine.session.row import ClosedRow
from intrabar.engine.session.session import Session
from intrabar.journal.emergency import Emergency
from intrabar.links.broker import Broker
from intrabar.links.clock import SECOND_NS, Clock
from intrabar.links.maintenance import Window
from intrabar.model.broker_facts import AccountFacts, Refused, Request
from intrabar.model.facts import Quote
from intrabar.risk.at_the_wire import AtTheWire, Standing
from intrabar.risk.records import Seen, Working

LEAVES = ("close", "flatten", "kill")
"""What a person may ask for that leaves positions."""
OF_ALL = ("row.closed", "row.opened")
"""Events at which hooks may ask for any symbol."""


@dataclass(eq=False)
class Trading:
    """One account, as a session that lives has it.

    Parameters
    ----------
    broker : Broker
    clock : Clock
    lease_until : callable
    emergency : Emergency
    notify : callable
    fits : callable
        Raises where the account that answers is not that of the session.
    windows : sequence of Window
    exchange : SimulatedExchange, optional
        The broker itself, where its market is moved on by the rows.
    """

    broker: Broker
    clock: Clock
    lease_until: Callable[[], int]
    emergency: Emergency
    notify: Notify = lambda notice: None
    fits: Callable[[AccountFacts], None] = lambda facts: None
    windows: Sequence[Window] = ()
    exchange: SimulatedExchange | None = None
    line: BrokerLine = field(init=False)
    session: Session = field(init=False)

    def begin(self, tell: Callable[[Told], None], session: Session) -> None:
        """Know the session that trades, and where what is told goes."""
        self.session = session
        plan, fills = session.plan, session.plan.broker
        assert fills is not None
        self.sights = Sights(plan.symbols)
        for row in session.rows:
            self.sights.row(row)
        self._wire = AtTheWire(plan.limits, fills.act_within)
        self._quoted: dict[str, int] = {}
        exchanges = plan.exchanges
        broker = RiskManagedBroker(
            self.broker, self.clock, self.lease_until, lambda fact: self.line.degraded(fact)
        )
        self.line = BrokerLine(
            broker,
            self.clock,
            tell,
            self._refuse_of,
            is_open=lambda now: any(x.is_open(now) for x in exchanges),
            fits=self.fits,
            notify=self.notify,
            looked=self.sights.look,
            windows=self.windows,
            is_recorded=self.exchange is not None,
        )
        guarding = Guarding(broker, self.emergency, self.clock, fills.code, self.notify)
        self.guarding = guarding

    @property
    def is_first(self) -> bool:
        """Whether the account is to be seen before any bar: where time is that of the bars."""
        return self.exchange is not None and not self.line.has_synced

    def view(self, kind: str, now: int) -> dict[str, Any]:
        """What is known of the moment, for an event of a kind."""
        return self.sights.body(None if kind in OF_ALL else self._concerned(), now)

    def quoted(self, quote: Quote, now: int) -> bool:
        """Take a quote in; whether the session is to hear of it: once a second, of what it has."""
        self.sights.quote(quote, now)
        if quote.symbol not in self._concerned():
            return False
        last = self._quoted.get(quote.symbol, 0)
        if now - last < SECOND_NS:
            return False
        self._quoted[quote.symbol] = now
        return True

    def before(self, row: ClosedRow) -> list[dict[str, Any]]:
        """What the market behind the broker does until a row closes: bodies of `report`."""
        if self.exchange is None:
            self.sights.row(row)
            return []
        facts = self.exchange.until(row.time)
        self.sights.row(row)
        return [report_body(fact) for fact in facts]

    async def after(self) -> None:
        """Let what a row has asked for be answered, where time is that of the bars."""
        if self.exchange is not None:
            await self.line.settled()

    def carry_out(self, effects: Iterable[Effect], committed: Committed) -> None:
        """Let leave what is committed; what stands then is what the guard goes by."""
        self.guarding.levels = self._levels()
        self.guarding.earlier = [
            Deed("exit", t.sent, t.name, t.symbol)
            for t in self._door.tickets.values()
            if is_emergency(t.name)
        ]
        self.line.carry_out(effects, committed)

    def guard(self) -> Coroutine[Any, Any, None]:
        """What goes on while the journal is away."""
        return self.guarding.run()

    def leave(self, asked: Mapping[str, Any]) -> list[str]:
        """Let the guard leave what a person asks to leave, while the journal is away.

        Returns
        -------
        list of str
            The symbols; none where it was asked for something else.
        """
        if asked["kind"] not in LEAVES:
            return []
        named = asked.get("symbol")
        symbols = [named] if named is not None else list(self.session.plan.symbols)
        self.guarding.exits.update(symbols)
        return symbols

    # What of the session is read between two turns

    def _concerned(self) -> set[str]:
        held = {one["symbol"] for one in self.session.positions}
        return held | {ticket.symbol for ticket in self._door.blotter.open}

    @property
    def _door(self) -> Door:
        door = self.session.door
        assert door is not None
        return door

    def _levels(self) -> dict[str, float]:
        """By symbol, where its stop was committed to be; NaN where it has none."""
        levels = dict.fromkeys(self.session.plan.symbols, float("nan"))
        for one in self.session.positions:
            if one["stop"] is not None:
                levels[one["symbol"]] = float(one["stop"])
        return levels

    def _refuse_of(self, one: Send) -> Refuse:
        return partial(self._refused, one)

    def _refused(self, one: Send, now: int) -> Refused | None:
        """The second look at an order that adds."""
        order = _order_of(one.sending)
        working = Working(
            -1,
            self._door.tickets[one.sending.ticket].strategy,
            order.symbol,
            order.side,
            order.qty,
            type=order.type,
            limit_price=order.limit_price,
            stop_price=order.stop_price,
        )
        found = self._wire.refusal(working, one.made_at, self._standing(order.symbol), now)
        return None if found is None else Refused(found.text, not_sent=True, code="risk")

    def _standing(self, symbol: str) -> Standing:
        plan = self.session.plan
        equity = self.session.equity
        return Standing(
            self.session.judge.breaker,
            plan.account.cash if equity is None else equity,
            {symbol: Seen(self.sights.price(symbol))},
            {x.symbol: x.point_value for x in plan.instruments},
            {x.symbol: x.lot for x in plan.instruments},
        )


def _order_of(sending: Sending) -> Request:
    """The order that is sent, or what a change makes of one."""
    if sending.group:
        return sending.group[0]
    assert sending.ref is not None
    order, change = sending.ref.order, sending.change
    if change is None:
        return order
    said = {x: v for x in ("qty", "limit_price", "stop_price") if (v := getattr(change, x)) == v}
    return msgspec.structs.replace(order, **said)
