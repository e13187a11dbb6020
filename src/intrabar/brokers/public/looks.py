"""Orders of one account as Public.com shows them."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from datetime import timedelta
from typing import TypeVar

from intrabar.brokers.names import PROTECTS, name_of
from intrabar.brokers.public.ids import name_in, order_id
from intrabar.brokers.public.words import DAYS, TYPES, fact_of, fills_of, moment
from intrabar.errors import LinkError
from intrabar.links.clock import SECOND_NS, Clock
from intrabar.links.public import AbsentError, Account, DeclinedError, Holdings, Order, Public
from intrabar.model.bars import DAY_NS
from intrabar.model.broker_facts import FillFact, OrderFact, Ref

_T = TypeVar("_T")
LIMIT = 500  # orders of one answer
MINUTE_NS = 60 * SECOND_NS
OVER = ("filled", "cancelled", "expired", "rejected")


class Looks:
    """What may be asked of the orders of an account.

    Parameters
    ----------
    link : Public
    account : str
    clock : Clock
    """

    def __init__(self, link: Public, account: str, clock: Clock) -> None:
        self._link, self._account, self._clock = link, account, clock

    def fact(self, order: Order, among: Iterable[Order] = ()) -> OrderFact:
        """An order as it is told."""
        return fact_of(order, self._account, among)

    def fills(self, order: Order) -> list[FillFact]:
        """Its fills."""
        return fills_of(order, self._account)

    async def accounts(self) -> list[Account]:
        """The accounts of the login."""
        return await _had(self._link.accounts())

    async def portfolio(self) -> Holdings:
        """Positions, money, and all orders that are open."""
        return await _had(self._link.portfolio(self._account))

    async def order(self, vendor_id: str) -> Order:
        """An order of the last 30 days.

        Raises
        ------
        AbsentError
            There is none, or it is not shown yet.
        LinkError
        """
        try:
            return await self._link.order(self._account, vendor_id)
        except DeclinedError as error:
            raise LinkError(str(error)) from None

    async def standing(self, ref: Ref) -> Order | None:
        """An order as the vendor has it: alone, or among what is open, where it may be older."""
        own = order_id(ref.client_id, self._account)
        vendor_id = ref.vendor_ids[-1] if ref.vendor_ids else own
        try:
            return await self.order(vendor_id)
        except AbsentError:
            held = await self.portfolio()
            found = next((o for o in held.orders if o.order_id == vendor_id), None)
        if found is None and is_child(ref) and not ref.vendor_ids:
            found = await self._leg(ref)
        if found is None and ref.sent and self._clock.now() - ref.sent > DAYS * DAY_NS:
            raise LinkError(f"public: {ref.client_id} is older than what Public shows of orders")
        return found

    async def _leg(self, ref: Ref) -> Order | None:
        """The exit of a bracket, which the vendor has named by itself.

        Raises
        ------
        LinkError
            Several may be it.
        """
        entry = order_id(ref.client_id[:-1], self._account)
        legs = [
            order
            for order in await self.orders()
            if order.bracket_id == entry != order.order_id
            and order.type.value == TYPES[ref.order.type]
            and not name_in(order.order_id, self._account)
        ]
        if len(legs) > 1:
            raise LinkError(f"public: {len(legs)} orders may be {ref.client_id}")
        return legs[0] if legs else None

    async def unborn(self, ref: Ref) -> OrderFact | None:
        """An exit whose entry is alive, or ended without a fill: it is a part of it."""
        entry = order_id(ref.client_id[:-1], self._account)
        try:
            parent = self.fact(await self.order(entry))
        except AbsentError:
            return None
        if parent.filled or parent.state == "filled":
            return None
        order, over = ref.order, parent.state in OVER
        return OrderFact(
            "",
            ref.client_id,
            order.symbol,
            order.side,
            order.type,
            order.qty,
            "cancelled" if over else "acked",
            limit_price=order.limit_price,
            stop_price=order.stop_price,
            time=parent.time,
            parent=parent.client_id,
        )

    async def orders(self) -> list[Order]:
        """All orders of 30 days; where an answer is full, its time is halved."""
        now = self._clock.now()
        spans = [(moment(now - 30 * DAY_NS + MINUTE_NS), moment(now + MINUTE_NS))]
        found: dict[str, Order] = {}
        while spans:
            after, before = spans.pop()
            part = await _had(self._link.orders(self._account, after, before))
            if len(part) < LIMIT:
                found |= {order.order_id: order for order in part}
                continue
            half = after + (before - after) / 2
            if half - after < timedelta(seconds=1):
                raise LinkError(f"public: {LIMIT} orders within a second: not all are shown")
            spans += [(after, half), (half, before)]
        return list(found.values())


def is_child(ref: Ref) -> bool:
    """Whether the vendor may have made it itself, as the exit of a bracket."""
    name = name_of(ref.client_id)
    return name is not None and name.part in PROTECTS


async def _had(call: Awaitable[_T]) -> _T:
    """What is always there: that the vendor says no is a fault of the link."""
    try:
        return await call
    except (AbsentError, DeclinedError) as error:
        raise LinkError(str(error)) from None
