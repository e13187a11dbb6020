"""What goes on while the journal is away: fresh looks, and the three deeds of the guard.

Each deed is a line of the emergency file, on disk, before it is sent; where not even that can be
written it is sent all the same, and a person is told so (live, section 4).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from intrabar.app.workers.hook_watch import Notify
from intrabar.brokers.guard import Deed, guard
from intrabar.brokers.managed import Committed, RiskManagedBroker
from intrabar.brokers.sending import Sending
from intrabar.engine.session.bodies import body_from, in_body
from intrabar.engine.session.turn import Notice
from intrabar.errors import LinkError
from intrabar.journal.emergency import Emergency
from intrabar.links.clock import Clock
from intrabar.model.broker_facts import OrderFact, Ref, Request, Snapshot
from intrabar.model.enums import OrderType

EACH = 5.0  # seconds between two looks


class Guarding:
    """The guard of one account.

    Parameters
    ----------
    broker : RiskManagedBroker
    emergency : Emergency
    clock : Clock
    code : str
        Of the session.
    notify : callable

    Attributes
    ----------
    levels : dict of symbol to price
        Where stops were last committed to be.
    exits : set of str
        Symbols that a person has asked to leave.
    earlier : list of Deed
        Of emergencies that are over: their numbers are never used again.
    """

    def __init__(
        self,
        broker: RiskManagedBroker,
        emergency: Emergency,
        clock: Clock,
        code: str,
        notify: Notify,
    ) -> None:
        self._broker, self._emergency, self._clock = broker, emergency, clock
        self._code, self._notify = code, notify
        self.levels: dict[str, float] = {}
        self.exits: set[str] = set()
        self.earlier: list[Deed] = []

    async def run(self) -> None:
        """Look and do what is missing, until it is cancelled."""
        self.exits.clear()
        while True:
            try:
                look = await self._broker.snapshot(0)
            except LinkError as error:
                text = f"the journal is away, and so is the broker: {error}"
                self._notify(Notice("page", "guard", text))
            else:
                before = [*self.earlier, *deeds_in(self._emergency.lines())]
                for deed in guard(look, self.levels, self.exits, before, self._code):
                    await self._do(deed, look)
            await self._clock.sleep(EACH)

    async def _do(self, deed: Deed, look: Snapshot) -> None:
        line = {"deed": in_body(deed)}
        written = self._emergency.note(line)
        without = "" if written else "; the emergency file has no line of it"
        text = f"without a journal: {deed.kind} {deed.symbol} {deed.name}{without}"
        self._notify(Notice("page", f"guard {deed.symbol} {deed.kind}", text))
        now = Committed(self._clock.now(), self._clock.tick())
        await self._broker.send(sending_of(deed, look.orders), now, holds_lease=False)


def sending_of(deed: Deed, orders: Iterable[OrderFact]) -> Sending:
    """What leaves for a deed."""
    if deed.kind == "cancel":
        found = next(x for x in orders if x.client_id == deed.name)
        return Sending(deed.name, ref=ref_of(found))
    kind = OrderType.STOP if deed.kind == "stop" else OrderType.MARKET
    request = Request(
        deed.name,
        deed.symbol,
        deed.side,
        kind.word,
        deed.qty,
        stop_price=deed.stop_price if deed.kind == "stop" else math.nan,
        reduce_only=True,
        position=-deed.side * deed.qty,
    )
    return Sending(deed.name, (request,))


def ref_of(order: OrderFact) -> Ref:
    """An order that a look has shown, as an adapter is told of it."""
    asked = Request(
        order.client_id,
        order.symbol,
        order.side,
        order.type,
        order.qty,
        order.limit_price,
        order.stop_price,
    )
    return Ref(asked, (order.vendor_id,), order.time)


def deeds_in(lines: Iterable[dict[str, object]]) -> list[Deed]:
    """What an emergency file says that was done."""
    return [body_from(line["deed"], Deed) for line in lines if "deed" in line]
