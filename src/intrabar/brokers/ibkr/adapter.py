"""Orders at Interactive Brokers, through Trader Workstation or IB Gateway.

It goes by the frames of TWS alone and holds no order: whatever decides is asked for. The login is
that of TWS, so there is no secret here.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

from intrabar.brokers.fitting import unfit, unfit_change
from intrabar.brokers.ibkr.login import log_in
from intrabar.brokers.ibkr.looking import Looker, Names, matching
from intrabar.brokers.ibkr.placing import Answers, changed, fields_of
from intrabar.brokers.ibkr.reading import completed_fact, vendor_id
from intrabar.brokers.ibkr.telling import Telling, Told
from intrabar.brokers.ibkr.words import COVERS, TIFS, TYPES
from intrabar.errors import GateError, LinkError
from intrabar.links.broker import Offer, Wanted
from intrabar.links.clock import Clock
from intrabar.links.ibkr import raw
from intrabar.links.ibkr.contracts import point_value
from intrabar.links.ibkr.finding import contract_of
from intrabar.links.ibkr.settings import settings_of
from intrabar.links.ibkr.wire import Wire
from intrabar.links.lines import delay
from intrabar.model.broker_facts import (
    Accepted,
    AccountFacts,
    Can,
    Change,
    Grid,
    OrderFact,
    Outcome,
    Ref,
    Refused,
    Request,
    Snapshot,
    Unknown,
)
from intrabar.model.facts import LinkFact

_T = TypeVar("_T")
_A_PERSON = 6  # attempts from which on the pauses are long: only a person can help
RESTING = frozenset({"limit", "stop", "stop_limit"})


class Ibkr:
    """One account at Interactive Brokers.

    Parameters
    ----------
    credentials : mapping
        `host`, `port`, `client_id`, `zone`, `contracts` (`links.ibkr.settings`).
    wanted : Wanted
    clock : Clock
    seconds : float
        In which a call ends; one question to TWS may take less than half of it.
    silence : float
        After so many seconds without a byte the connection counts as dead.
    patience : float
        Seconds in which TWS may still say more of an order.

    Raises
    ------
    ConfigError
    """

    can = Can(
        types=frozenset(TYPES),
        tifs=frozenset(TIFS),
        bracket=True,
        oco=True,
        replace="same",
        dedups=False,
        echoes_id=True,
        fill_ids=True,
        lists_done=0,
        covers=COVERS,
        nets=False,
        fractional=False,
        paper=True,
    )

    def __init__(
        self,
        credentials: dict[str, Any],
        wanted: Wanted,
        clock: Clock,
        *,
        seconds: float = 10.0,
        silence: float = 30.0,
        patience: float = 1.0,
    ) -> None:
        self.settings = settings_of(credentials, wanted.kind)
        self._wanted, self._clock = wanted, clock
        self._seconds, self._silence = seconds, silence
        self._looker = Looker(wanted.account, Names({}, {}), self.settings.local)
        self._telling = Telling(self._looker, lambda: self._wire)
        self._answers = Answers(clock, seconds / 2.0, self._of_number, patience)
        self._listed: dict[str, raw.Listed] = {}
        self._grids: dict[str, Grid] = {}
        self._wire: Wire | None = None
        self._returning: asyncio.Task[None] | None = None
        self._chance = random.Random(0)

    async def connect(self) -> AccountFacts:
        """Log in at TWS, and read the account and its symbols."""
        wire, signs = await self._log_in()
        try:
            for symbol in self._wanted.symbols:
                await self._learn(wire, symbol)
            await self._looker.figures(wire)
        except BaseException:
            await wire.close()
            raise
        self._wire = wire
        self._telling.tell(LinkFact("up"))
        await self._hear_orders(wire)
        return AccountFacts(self._wanted.account, signs, self._looker.currency, dict(self._grids))

    async def submit(self, group: tuple[Request, ...]) -> tuple[Outcome, ...]:
        """Send orders: only the last child lets TWS transmit its entry, so they leave together."""
        refused = unfit(group, self.can, self._grids) or self._unready(group)
        wire = self._wire
        if refused is not None or wire is None:
            no = refused or _not_connected()
            return tuple(no for _ in group)
        try:
            oca = {x.client_id: await self._group_of(wire, x, group) for x in group}
            numbers = {request.client_id: wire.next_number() for request in group}
        except LinkError as error:
            return tuple(Refused(str(error), not_sent=True) for _ in group)
        with wire.watches.over(*numbers.values()) as news:
            for place, request in enumerate(group):
                what, name = self._listed[request.symbol], request.client_id
                fields = fields_of(
                    request,
                    what.kind,
                    self._wanted.account,
                    oca[name],
                    parent=numbers.get(request.parent, 0),
                    transmit=not any(_family(x) == _family(request) for x in group[place + 1 :]),
                )
                try:
                    wire.place(numbers[name], what, **fields)
                except LinkError as error:
                    no_or_unknown = _unsent(str(error)) if not place else Unknown(str(error))
                    return tuple(no_or_unknown for _ in group)
            return await self._answers.to_submit(list(numbers.values()), news)

    async def replace(self, ref: Ref, change: Change) -> Outcome:
        """Send an order again under its number, as it is to be."""
        refused = unfit_change(ref, change, self.can, self._grids) or self._unready((ref.order,))
        wire = self._wire
        if refused is not None or wire is None:
            return refused or _not_connected()
        try:
            there = await self._there(wire, ref)
            if isinstance(there, Refused):
                return there
            order = changed(ref.order, change, there)
            fields = fields_of(
                order, there.listed.kind, there.account, there.oca, parent=there.parent_id
            )
            with wire.watches.over(there.order_id) as news:
                wire.place(there.order_id, self._listed[order.symbol], **fields)
                return await self._answers.to_change(there.order_id, order, news)
        except LinkError as error:
            return _unsent(str(error))

    async def cancel(self, ref: Ref) -> Outcome:
        """Ask TWS for the end of an order."""
        wire = self._wire
        if wire is None:
            return _not_connected()
        try:
            known = self._telling.named(ref.client_id)
            mine = len(known) == 1 and known[0].client_id == wire.client_id
            there = known[0] if mine else await self._there(wire, ref)
            if isinstance(there, Refused):
                return there
            with wire.watches.over(there.order_id) as news:
                wire.cancel(there.order_id)
                outcome = await self._answers.to_cancel(there.order_id, news)
        except LinkError as error:
            return _unsent(str(error))
        return Accepted(vendor_id(there.perm_id)) if isinstance(outcome, Accepted) else outcome

    async def find(self, ref: Ref) -> OrderFact | None:
        """An order by its name, among those that work and those that are over."""
        return await self._read(lambda wire: self._find(wire, ref))

    async def _find(self, wire: Wire, ref: Ref) -> OrderFact | None:
        by_ref, facts = await self._looker.open_orders(wire)
        if (order := matching(by_ref, ref.client_id)) is not None:
            return next(x for x in facts if x.vendor_id == vendor_id(order.perm_id))
        done: dict[str, list[raw.Completed]] = {}
        for row in await self._looker.completed(wire):
            done.setdefault(row.ref, []).append(row)
        if (over := matching(done, ref.client_id)) is None:
            return None
        average = await self._looker.average_of(wire, over.perm_id) if over.filled else raw.NAN
        return completed_fact(over, self._looker.names.symbols, average)

    async def snapshot(self, since: int) -> Snapshot:
        """One look; what is over as far back as TWS has it."""
        return await self._read(lambda wire: self._looker.look(wire, since, self._clock.now()))

    async def events(self) -> AsyncIterator[Told]:
        """What TWS says from now on, and how the connection is."""
        while (fact := await self._telling.told.get()) is not None:
            yield fact

    async def close(self) -> None:
        """Leave TWS; orders that rest stay."""
        wire, self._wire = self._wire, None
        self._telling.stop()
        if self._returning is not None:
            self._returning.cancel()
        if wire is not None:
            await wire.close()
        self._telling.tell(None)

    # The connection

    async def _log_in(self) -> tuple[Wire, dict[str, str]]:
        hear = self._hear
        return await log_in(
            self.settings, self._wanted, self._clock, hear, 0.4 * self._seconds, self._silence
        )

    async def _learn(self, wire: Wire, symbol: str) -> None:
        """Keep what a symbol is at IB."""
        details = await contract_of(wire, symbol, self.settings.contracts)
        what, names = details.listed, self._looker.names
        value = point_value(what.multiplier, details.magnifier)
        self._listed[symbol] = what
        names.symbols[what.con_id], names.values[what.con_id] = symbol, value
        lot = 1.0 if what.kind == "STK" else details.lot  # parts of a share the API does not take
        self._grids[symbol] = Grid(details.tick, lot, value)

    def _hear(self, fact: raw.Fact) -> None:
        if not isinstance(fact, raw.Lost):
            self._telling.hear(fact)
        elif self._wire is not None:
            self._wire = None
            self._telling.tell(LinkFact("down", fact.why))
            self._returning = asyncio.ensure_future(self._return(fact.why))

    async def _return(self, why: str) -> None:
        """Connect again, for ever."""
        attempt = 0
        while self._wire is None:
            await self._clock.sleep(delay(attempt, self._chance))
            attempt += 1
            self._telling.tell(LinkFact("connecting", why))
            try:
                self._wire, _ = await self._log_in()
            except (LinkError, GateError) as error:
                why = str(error)
                self._telling.tell(LinkFact("down", why))
                if isinstance(error, GateError):
                    attempt = max(attempt, _A_PERSON)
            else:
                self._telling.cut = ""
                self._telling.tell(LinkFact("up", "connected again: look at the account"))
                await self._hear_orders(self._wire)

    async def _hear_orders(self, wire: Wire) -> None:
        """Have every order that works told, since its statuses do not say what it is."""
        with contextlib.suppress(LinkError):  # the next look says it
            await self._looker.open_orders(wire)

    async def _read(self, ask: Callable[[Wire], Awaitable[_T]]) -> _T:
        """An answer of TWS; asked again, on the next connection too, as long as there is time."""
        end = self._clock.tick() + self._seconds
        while True:
            try:
                wire = self._wire
                if wire is None:
                    raise LinkError("not connected to TWS")
                return await ask(wire)
            except LinkError:
                left = end - self._clock.tick()
                if left <= 0.0:
                    raise
                if self._wire is None and self._returning is not None:
                    await asyncio.wait({self._returning}, timeout=left)
                else:
                    await self._clock.sleep(min(left, 0.1 * self._seconds))

    def _unready(self, group: tuple[Request, ...]) -> Refused | None:
        """Why nothing can leave now."""
        if self._telling.cut:
            return _unsent(f"TWS has no connection to IB: {self._telling.cut}")
        for request in group:
            if request.symbol not in self._listed:
                text = f"{request.symbol} was not named when the account was connected"
                return Refused(text, not_sent=True, code="unknown_symbol")
        return None

    # Orders that are there

    async def _group_of(self, wire: Wire, request: Request, group: tuple[Request, ...]) -> str:
        """The OCA group of an order; none can be joined later, so every exit that rests has one.

        Raises
        ------
        LinkError
        """
        if request.type not in RESTING:
            return ""
        if request.parent:
            return _oca(request.parent)
        together = [x.client_id for x in group if x.client_id in (request.oco, request.client_id)]
        is_exit = request.reduce_only or not request.opens
        if not request.oco or len(together) > 1:
            return _oca(together[0]) if is_exit else ""
        there = self._telling.named(request.oco)
        if not there:
            by_ref, _ = await self._looker.open_orders(wire)
            there = by_ref.get(request.oco, [])
        return there[-1].oca if there else ""

    async def _there(self, wire: Wire, ref: Ref) -> raw.Order | Refused:
        """The order as TWS has it now, with the number that a request needs.

        Raises
        ------
        LinkError
        """
        by_ref, _ = await self._looker.open_orders(wire)
        order: raw.Order | None = matching(by_ref, ref.client_id)
        if order is None:
            return Refused(f"TWS has no open order {ref.client_id}", code="not_open")
        if order.client_id != wire.client_id:
            return Refused(
                f"order {ref.client_id} belongs to client id {order.client_id} of TWS, and this is "
                f"{wire.client_id}: set credentials.client_id to {order.client_id}",
                code="cannot",
            )
        return order

    async def _of_number(self, number: int) -> raw.Order | raw.Completed | None:
        """What TWS has of an order that this connection has sent.

        Raises
        ------
        LinkError
        """
        wire = self._wire
        if wire is None:
            raise LinkError("not connected to TWS")
        for order in await wire.open_orders():
            if isinstance(order, raw.Order) and order.order_id == number:
                if order.client_id == wire.client_id:
                    return order
        sent = self._telling.numbered(wire.client_id, number)
        over = await self._looker.completed(wire)
        return next((x for x in over if sent is not None and x.perm_id == sent.perm_id), None)


def _family(request: Request) -> str:
    """Of an entry and its children."""
    return request.parent or request.client_id


def _oca(name: str) -> str:
    return f"{name}.oca"


def _unsent(text: str) -> Refused:
    return Refused(text, not_sent=True)


def _not_connected() -> Refused:
    return _unsent("not connected to TWS")


OFFER = Offer(Ibkr, Ibkr.can)
