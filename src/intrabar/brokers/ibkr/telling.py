"""What TWS says without being asked, as facts of the account.

A status says neither symbol nor price, and a cost says no fill: of each order the newest frame is
kept, and of each fill the frame until its cost has come. Nothing is decided by what is kept.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any

from msgspec.structs import replace

from intrabar.brokers.ibkr.looking import Looker
from intrabar.brokers.ibkr.reading import completed_fact, fill_fact, order_fact, vendor_id
from intrabar.brokers.ibkr.words import CANCELLED, HARMLESS, REFUSES
from intrabar.errors import LinkError
from intrabar.links.ibkr import raw
from intrabar.links.ibkr.wire import Wire
from intrabar.model.broker_facts import CashFact, FillFact, OrderFact
from intrabar.model.facts import LinkFact

Told = OrderFact | FillFact | CashFact | LinkFact
CUT, BACK = frozenset({1100, 2110}), frozenset({1101, 1102})
"""TWS has lost its connection to IB; it has it again, with or without what was subscribed."""
NAN = float("nan")
_KEPT = 2_000


class Telling:
    """Hears raw facts, tells those of one account.

    Parameters
    ----------
    looker : Looker
    wire : callable
        The connection that is there now, or None.
    """

    def __init__(self, looker: Looker, wire: Callable[[], Wire | None]) -> None:
        self.told: asyncio.Queue[Told | None] = asyncio.Queue()
        self.cut = ""  # why TWS has no connection to IB
        self._looker, self._wire = looker, wire
        self._frames: OrderedDict[tuple[int, int], raw.Order] = OrderedDict()
        self._last: OrderedDict[str, OrderFact] = OrderedDict()
        self._fills: OrderedDict[str, raw.Execution] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def tell(self, fact: Told | None) -> None:
        """Tell a fact; None: there are no more."""
        self.told.put_nowait(fact)

    def named(self, ref: str) -> list[raw.Order]:
        """The newest frames of the orders of that name."""
        return [order for order in self._frames.values() if order.ref == ref]

    def numbered(self, client_id: int, number: int) -> raw.Order | None:
        """The newest frame of an order."""
        return self._frames.get((client_id, number))

    def stop(self) -> None:
        """Ask no more."""
        for task in list(self._tasks):
            task.cancel()

    def hear(self, fact: raw.Fact) -> None:
        """Take in a raw fact; that the connection is lost is not for here."""
        names = self._looker.names.symbols
        match fact:
            case raw.Order() if fact.account == self._looker.account:
                _keep(self._frames, (fact.client_id, fact.order_id), fact)
            case raw.Status():
                order = self.numbered(fact.client_id, fact.order_id)
                if order is not None:
                    self._tell_order(order_fact(order, fact, names))
                elif (wire := self._wire()) is not None:
                    self._start(self._looker.open_orders(wire))  # it is heard again, with its order
            case raw.Execution(request=-1) if fact.account == self._looker.account:
                _keep(self._fills, fact.id, fact)
                self.tell(fill_fact(fact, names, NAN))
            case raw.Commission() if fact.currency == self._looker.currency:
                if (fill := self._fills.pop(fact.id, None)) is not None:
                    self.tell(fill_fact(fill, names, fact.amount))
            case raw.Notice():
                self._hear_notice(fact)
            case raw.Garbage():
                self.tell(LinkFact("syncing", f"frame {fact.kind} of TWS cannot be read"))
                self.tell(LinkFact("up", "look at the account"))

    def _tell_order(self, fact: OrderFact) -> None:
        """Tell how an order stands, once: TWS repeats itself, and in every list."""
        if repr(self._last.get(fact.vendor_id)) != repr(fact):  # NaN is NaN
            _keep(self._last, fact.vendor_id, fact)
            self.tell(fact)

    def _hear_notice(self, notice: raw.Notice) -> None:
        wire = self._wire()
        if notice.code in CUT:
            self.cut = notice.text
            self.tell(LinkFact("down", f"TWS {notice.code}: {notice.text}"))
        elif notice.code in BACK:
            self.cut = ""
            self.tell(LinkFact("up", f"TWS {notice.code}: {notice.text}: look at the account"))
        elif wire is None or notice.id in wire.watches:
            return  # it answers a request
        elif notice.code not in HARMLESS | {CANCELLED}:
            order = self.numbered(wire.client_id, notice.id)
            if order is not None:
                self._start(self._settle(wire, order, notice))

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        async def done() -> None:
            with contextlib.suppress(LinkError):  # the next look at the account says it
                await work

        task = asyncio.ensure_future(done())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _settle(self, wire: Wire, order: raw.Order, notice: raw.Notice) -> None:
        """Ask what has become of an order that TWS has remarked something of."""
        names, perm = self._looker.names.symbols, vendor_id(order.perm_id)
        _, alive = await self._looker.open_orders(wire)
        over = await self._looker.completed(wire)
        facts = [*alive, *(completed_fact(row, names, NAN) for row in over)]
        found = [fact for fact in facts if fact.vendor_id == perm]
        if found:
            self._tell_order(found[-1])
        elif notice.code in REFUSES:
            self.tell(replace(order_fact(order, None, names), state="rejected", text=notice.text))


def _keep(kept: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > _KEPT:
        kept.popitem(last=False)
