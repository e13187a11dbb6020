"""What is asked of an account at Alpaca: orders by all their names, whole lists, one look.

Alpaca gives the legs of a bracket names of its own, and shows whose legs they are only in lists
that are nested; a changed order is a new one. What is kept here is that alone, which never changes:
whose leg an order is, and what orders had filled that were replaced.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from intrabar.brokers.alpaca import words
from intrabar.brokers.names import PROTECTS, name_of
from intrabar.errors import BadAnswer, IntrabarError, LinkError
from intrabar.links.alpaca.rest import Refusal, Rest, instant, stamp
from intrabar.links.clock import SECOND_NS, Clock
from intrabar.links.reading import begin, number
from intrabar.model.bars import DAY_NS
from intrabar.model.broker_facts import FillFact, OrderFact, Ref, Snapshot

Order = Mapping[str, Any]

_OF_PARENTS = ("id", "client_order_id", "order_class", "status", "replaced_by")
_SKEW = 5 * SECOND_NS  # of Alpaca's clock and ours, at most
_FILLS = 100  # of a page
_LONGEST = 91 * DAY_NS  # an order lives at most 90 days
_NEAR = 2 * SECOND_NS  # of each other are the times of an order and its legs
_CHAIN = 200  # changes of one order


class Looks:
    """Questions about one account.

    Parameters
    ----------
    rest : Rest
    clock : Clock
    page : int
        Orders of a page; Alpaca gives 500 at most.
    """

    def __init__(self, rest: Rest, clock: Clock, page: int = 500) -> None:
        self._rest, self._clock, self._page = rest, clock, page
        self._parents: dict[str, Order] = {}  # by the id of a leg
        self._names: dict[str, str] = {}  # by the id of a leg that was asked for: our name of it
        self._carried: dict[str, tuple[float, float]] = {}  # by id: filled and paid up to its end
        self._looked = (0, 0)  # when the last whole look was, and the oldest order alive then

    async def account(self) -> Order:
        """The account of the keys."""
        told = await self._read("/account", {})
        if not isinstance(told, dict):
            raise BadAnswer(f"alpaca: no account but {begin(told)}")
        return told

    async def by_id(self, vendor_id: str, *, nested: bool = False) -> Order | None:
        """An order by Alpaca's name of it; None: there is none."""
        return await self._order(f"/orders/{vendor_id}", {"nested": "true"} if nested else {})

    async def by_name(self, client_id: str) -> Order | None:
        """An order by our name of it; None: there is none."""
        return await self._order("/orders:by_client_order_id", {"client_order_id": client_id})

    async def found(self, ref: Ref) -> Order | None:
        """The order that a reference means.

        Raises
        ------
        LinkError
            Nobody knows; also where several may be it.
        """
        order = None
        for vendor_id in reversed(ref.vendor_ids):
            order = order or await self.by_id(vendor_id)
        return order or await self.by_name(ref.client_id) or await self._leg(ref)

    async def newest(self, ref: Ref) -> Order | None:
        """The same, or the order that has taken its place."""
        order = await self.found(ref)
        return order if order is None or not order.get("replaced_by") else await self._now(order)

    async def fact(self, order: Order, entry: Order | None = None) -> OrderFact:
        """What an order is, under our name of it and with all that its like have filled.

        Parameters
        ----------
        entry : mapping, optional
            Whose leg it is, as it is now; else it is looked up where that says something.
        """
        parent = entry or await self._parent(order)
        waits = words.waits(order, parent)
        if waits and parent is not None and (entry is None or parent.get("replaced_by")):
            waits = words.waits(order, await self._now(parent))
        before = await self._before(order)
        return self._named(words.order_fact(order, parent, before, waits=waits))

    def knows(self, order: Order) -> bool:
        """Whether it is known what an order is called here: all but legs that were not seen."""
        is_named = not words.has_legs(order) or name_of(words.said(order)) is not None
        return is_named or str(order["id"]) in self._parents

    def noted(self, order: Order, parent: Order | None, name: str = "") -> OrderFact:
        """The same of one that was just shown, with whose leg it is and, where known, our name."""
        if parent is not None:
            self._parents[str(order["id"])] = {key: parent.get(key) for key in _OF_PARENTS}
        if name and parent is not None:
            self._names[str(order["id"])] = name
        fact = words.order_fact(order, parent, waits=words.waits(order, parent))
        return self._named(fact)

    def _named(self, fact: OrderFact) -> OrderFact:
        name = self._names.get(fact.vendor_id)
        return fact if name is None else replace(fact, client_id=name)

    async def family(self, order: Order) -> list[OrderFact]:
        """What the entry, legs and alternatives of an order are now."""
        if not words.has_legs(order):
            return []
        parent = await self._parent(order)
        top = await self.by_id(str((parent or order)["id"]), nested=True)
        listed = words.flat([] if top is None else [top], "alpaca: legs")
        for one, its in listed:
            self.noted(one, its)
        return [await self.fact(one, its) for one, its in listed if one["id"] != order["id"]]

    async def untold(self, since: int, told: Mapping[str, float]) -> set[str]:
        """Ids of the newest fills that a stream has not told.

        Parameters
        ----------
        since : int, ns UTC
        told : mapping
            By the id of an order: the cumulative quantity that the stream has told.
        """
        asked = {"after": stamp(since), "direction": "desc", "page_size": _FILLS}
        page = await self._read("/account/activities/FILL", asked)
        fills = page if isinstance(page, list) else []
        return {
            str(one.get("id"))
            for one in fills
            if number(one.get("cum_qty"), "cum_qty") > told.get(str(one.get("order_id")), 0.0)
        }

    async def snapshot(self, since: int) -> Snapshot:
        """One look at the account.

        Raises
        ------
        LinkError
            No part was had.
        """
        at = self._clock.now()
        found = await asyncio.gather(
            self._orders(since, at),
            self._fills(since),
            self._positions(),
            self.account(),
            return_exceptions=True,
        )
        names = ("orders", "fills", "positions", "balance")
        parts: dict[str, Any] = {}
        for name, part in zip(names, found, strict=True):
            if isinstance(part, BaseException) and not isinstance(part, IntrabarError):
                raise part
            if not isinstance(part, BaseException):
                parts[name] = part
        if not parts:
            raise next(x for x in found if isinstance(x, BaseException))
        account = parts.get("balance", {})
        orders: dict[str, tuple[OrderFact, float]] = parts.get("orders", {})
        balance, funds = (number(account.get(x), x) for x in ("equity", "buying_power"))
        complete = {name for name in parts if name != "balance" or balance == balance}
        return Snapshot(
            at,
            frozenset(complete),
            tuple(
                fact for fact, _ in orders.values() if fact.time >= since - _SKEW or is_alive(fact)
            ),
            tuple(_named(one, orders) for one in parts.get("fills", ())),
            parts.get("positions", {}),
            balance,
            done_since=since if "orders" in parts else at,
            funds=funds,
        )

    # Parts of a look

    async def _orders(self, since: int, at: int) -> dict[str, tuple[OrderFact, float]]:
        """All that live, and all that are over from an instant on, whenever they were made.

        By id, each with what the orders had filled whose place it has taken.
        """
        looked, oldest = self._looked
        first = min(since, oldest) if looked and since >= looked else since - _LONGEST
        alive = await self._pages({"status": "open"}, 0)
        found: dict[str, tuple[Order, Order | None]] = {}
        listed = await self._pages({"status": "all", "nested": "true"}, max(first - _SKEW, 0))
        for order, parent in words.flat(listed, "alpaca: orders"):
            found[str(order["id"])] = order, parent
            self.noted(order, parent)
        for order, _ in words.flat(alive, "alpaca: open orders"):
            found.setdefault(str(order["id"]), (order, None))
        facts = {}
        for vendor_id, (order, parent) in found.items():
            facts[vendor_id] = await self.fact(order, parent), (await self._before(order))[0]
        lives = [words.created(found[x][0]) for x, (fact, _) in facts.items() if is_alive(fact)]
        self._looked = at, min(lives, default=at) - _NEAR
        return facts

    async def _fills(self, since: int) -> list[FillFact]:
        found: list[FillFact] = []
        token = None
        while True:
            asked = {"after": stamp(since), "direction": "asc", "page_size": _FILLS}
            page = await self._read("/account/activities/FILL", {**asked, "page_token": token})
            if not isinstance(page, list) or not all(isinstance(x, dict) for x in page):
                raise BadAnswer(f"alpaca: no list of fills but {begin(page)}")
            found += [_fill(one) for one in page]
            if len(page) < _FILLS:
                return found
            last = page[-1].get("id")
            if not last or last == token:
                raise BadAnswer("alpaca: the pages of fills do not go on")
            token = last

    async def _positions(self) -> dict[str, tuple[float, float]]:
        told = await self._read("/positions", {})
        if not isinstance(told, list) or not all(isinstance(x, dict) for x in told):
            raise BadAnswer(f"alpaca: no list of positions but {begin(told)}")
        held = {}
        for one in told:
            symbol = str(one.get("symbol"))
            place = f"alpaca: position {symbol}"
            qty, average = (number(one.get(x), f"{place}: {x}") for x in ("qty", "avg_entry_price"))
            side = {"long": 1.0, "short": -1.0}.get(str(one.get("side")))
            if side is None or not qty == qty:
                raise BadAnswer(f"{place}: side or quantity cannot be read: {begin(one)}")
            held[symbol] = side * abs(qty), average
        return held

    async def _pages(self, asked: dict[str, str], after: int) -> list[Order]:
        """All orders of a list, whose pages are told by when they were sent.

        Raises
        ------
        BadAnswer
            A page does not go on from the one before.
        """
        found: dict[str, Order] = {}
        while True:
            more = {
                "limit": self._page,
                "direction": "asc",
                "after": stamp(after) if after else None,
            }
            page = await self._read("/orders", {**asked, **more})
            listed = [order for order, parent in words.flat(page, "alpaca: orders") if not parent]
            new = [order for order in listed if order["id"] not in found]
            found.update((str(order["id"]), order) for order in new)
            if len(listed) < self._page:
                return list(found.values())
            last = max(words.created(order) for order in listed)
            if not new or last <= after:
                raise BadAnswer("alpaca: the pages of orders do not go on")
            after = last - 1_000_000  # orders of the same moment may be on both pages

    # One order

    async def _leg(self, ref: Ref) -> Order | None:
        """A leg, which Alpaca knows by no name of ours: by its entry, or by what it asks for."""
        name, order = name_of(ref.client_id), ref.order
        entry = order.parent
        if not entry and name is not None and name.part in PROTECTS:
            entry = ref.client_id[:-1]
        if entry:
            top = await self.by_name(entry)
            for _ in range(_CHAIN):
                if top is None:
                    return None
                whole = await self.by_id(str(top["id"]), nested=True)
                for leg, parent in words.flat([whole] if whole else [], "alpaca: legs"):
                    if parent is not None and words.is_limit(leg) == (order.type == "limit"):
                        self.noted(leg, parent, ref.client_id)
                        return leg
                top = await self.by_id(str(top["replaced_by"])) if top.get("replaced_by") else None
        if order.opens or not ref.sent:
            return None
        listed = await self._pages({"status": "all", "nested": "true"}, ref.sent - _NEAR)
        fits = []
        for leg, parent in words.flat(listed, "alpaca: orders"):
            is_ours = parent is not None and parent.get("order_class") == "oco"
            if is_ours and leg["id"] not in ref.others and words.fits(leg, order):
                fits.append((leg, parent))
        if len(fits) > 1:
            raise LinkError(f"alpaca: {ref.client_id} may be any of {len(fits)} orders")
        for leg, parent in fits:
            self.noted(leg, parent, ref.client_id)
        return fits[0][0] if fits else None

    async def _now(self, order: Order) -> Order:
        """An order as it is now, or the one that has taken its place."""
        vendor_id = str(order["id"])
        for _ in range(_CHAIN):
            order = await self.by_id(vendor_id) or order
            if not order.get("replaced_by"):
                break
            vendor_id = str(order["replaced_by"])
        return order

    async def _parent(self, order: Order) -> Order | None:
        """Whose leg an order is; None: nobody's."""
        vendor_id = str(order["id"])
        known = self._parents.get(vendor_id) or self._parents.get(str(order.get("replaces")))
        if known is None and words.has_legs(order) and name_of(words.said(order)) is None:
            at = words.created(order)
            until = stamp(at + _NEAR)
            asked = {"status": "all", "nested": "true", "until": until}
            for one, parent in words.flat(await self._pages(asked, at - _NEAR), "alpaca: orders"):
                self.noted(one, parent)
            known = self._parents.get(vendor_id)
        if known is not None:
            self._parents[vendor_id] = known
        return known

    async def _before(self, order: Order) -> tuple[float, float]:
        """What the orders have filled whose place one has taken: quantity and money."""
        replaced = str(order.get("replaces") or "")
        if not replaced:
            return 0.0, 0.0
        if replaced not in self._carried:
            old = await self.by_id(replaced)
            if old is None:
                raise BadAnswer(f"alpaca: the order that {order['id']} replaces is not there")
            fact = words.order_fact(old, None, await self._before(old))
            filled = fact.filled, fact.filled * fact.average if fact.filled else 0.0
            if old.get("status") != "replaced":
                return filled  # it may still fill
            self._carried[replaced] = filled
        return self._carried[replaced]

    async def _order(self, path: str, asked: dict[str, str]) -> Order | None:
        try:
            told = await self._read(path, asked)
        except Refusal as error:
            if error.status == 404:
                return None
            raise
        if not isinstance(told, dict) or not told.get("id"):
            raise BadAnswer(f"alpaca: no order but {begin(told)}")
        return told

    async def _read(self, path: str, asked: dict[str, Any]) -> Any:
        return await self._rest.read("trading", path, asked)


def is_alive(fact: OrderFact) -> bool:
    """Whether an order may still fill."""
    return fact.state in ("acked", "working", "partial", "unknown")


def _fill(one: Order) -> FillFact:
    """A fill, under no name yet and with what its own order has filled."""
    place = f"alpaca: fill {one.get('id')}"
    qty, price, total = (
        number(one.get(key), f"{place}: {key}") for key in ("qty", "price", "cum_qty")
    )
    side = words.SIDES.get(str(one.get("side")))
    if side is None or not (qty > 0.0 and price > 0.0):
        raise BadAnswer(f"{place} cannot be read: {begin(dict(one))}")
    return FillFact(
        str(one.get("id")),
        str(one.get("order_id")),
        "",
        str(one.get("symbol")),
        side,
        qty,
        price,
        total=total,
        time=instant(one.get("transaction_time"), f"{place}: time"),
    )


def _named(fill: FillFact, orders: Mapping[str, tuple[OrderFact, float]]) -> FillFact:
    """A fill under the name of its order; `orders` as `Looks._orders` has them."""
    if fill.vendor_id not in orders:
        return fill
    order, before = orders[fill.vendor_id]
    return replace(fill, client_id=order.client_id, total=fill.total + before)
