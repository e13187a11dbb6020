"""Looks at an account at TradeStation: orders of all pages, positions, money, one order."""

from __future__ import annotations

import math
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from msgspec.structs import replace

from intrabar.brokers.tickets import Terms, same
from intrabar.brokers.tradestation.reading import fill_facts, held, order_fact
from intrabar.errors import BadAnswer, LinkError
from intrabar.links.clock import SECOND_NS, Clock
from intrabar.links.reading import begin, number
from intrabar.links.tradestation.client import Client, DeniedError
from intrabar.links.tradestation.market_data import EXCHANGE
from intrabar.links.tradestation.service import NAME
from intrabar.model.bars import DAY_NS
from intrabar.model.broker_facts import OrderFact, Ref

PAGE = 600  # orders
LISTED = 90 * DAY_NS
"""How far back orders that are over are listed: the vendor has said 90 days, later two years."""

CLOCKS_APART = 5 * SECOND_NS
"""By which the vendor's clock may be behind ours at most, where orders are known by their time."""


class Looks:
    """What the vendor says of one account when it is asked.

    Parameters
    ----------
    client : Client
    account : str
    clock : Clock
    """

    def __init__(self, client: Client, account: str, clock: Clock) -> None:
        self._client, self._clock = client, clock
        self._place = f"/brokerage/accounts/{quote(account)}"

    async def of_orders(self, since: int) -> dict[str, Any]:
        """Orders, fills, and from when on those that are over are all there."""
        orders = await self.orders(since)
        done_since = min(since, midnight(self._clock.now()))
        return {"orders": tuple(orders), "fills": fill_facts(orders), "done_since": done_since}

    async def of_positions(self) -> dict[str, Any]:
        """Positions."""
        told = await self._read("positions")
        return {"positions": dict(map(held, _listed(told, "positions", "Positions")))}

    async def of_money(self) -> dict[str, Any]:
        """What the account is worth, and what of it may be spent."""
        listed = _listed(await self._read("balances"), "balances", "Balances")
        if not listed:
            raise BadAnswer(f"{NAME}: balances: there is none")
        one, place = listed[0], f"{NAME}: balances"
        equity, funds, cash = (
            number(one.get(key), f"{place}: {key}")
            for key in ("Equity", "BuyingPower", "CashBalance")
        )
        detail = one.get("BalanceDetail") or {}
        unsettled = number(detail.get("UnsettledFunds"), f"{place}: UnsettledFunds")
        if not math.isfinite(equity):
            raise BadAnswer(f"{place}: no Equity: {begin(one)}")
        return {"balance": equity, "funds": funds, "settled": cash - unsettled}

    async def orders(self, since: int, *, is_urgent: bool = False) -> list[OrderFact]:
        """Orders that are open, and those that are over from an instant (ns) on, of all pages.

        Raises
        ------
        LinkError
            Also where a page or an account is missing.
        """
        today = await self._pages("orders", {}, is_urgent)
        if since >= midnight(self._clock.now()):
            return today
        since = max(since, self._clock.now() - LISTED)
        before = await self._pages("historicalorders", {"since": _day(since)}, is_urgent)
        mine = {x.vendor_id for x in today}
        return [*today, *(x for x in before if x.vendor_id not in mine)]

    async def find(self, ref: Ref) -> OrderFact | None:
        """An order by its own id; where none is known, the one of its terms that is nobody's.

        Raises
        ------
        LinkError
            Nobody knows, or several may be it.
        """
        if ref.vendor_ids:
            return await self._by_id(ref)
        orders = await self.orders(max(ref.sent - CLOCKS_APART, 0), is_urgent=True)
        fits = [x for x in orders if x.vendor_id not in ref.others and _is_it(ref, x)]
        if len(fits) > 1:
            ids = ", ".join(x.vendor_id for x in fits)
            raise LinkError(f"{NAME}: {ref.client_id} may be any of the orders {ids}")
        return _named(fits[0], ref) if fits else None

    async def _by_id(self, ref: Ref) -> OrderFact | None:
        """Among the orders of today and those that are open, else among older ones."""
        ids = ",".join(map(quote, ref.vendor_ids))
        day = _day(max(ref.sent, self._clock.now() - LISTED))
        for path, asked in ((f"orders/{ids}", {}), (f"historicalorders/{ids}", {"since": day})):
            told = await self._read(path, asked, is_urgent=True, or_none=True)
            facts = [order_fact(x) for x in told.get("Orders") or ()]
            living = [x for x in facts if x.state in ("acked", "working")]
            if facts:
                return _named((living or facts)[-1], ref)
            lacks = [x for x in told.get("Errors") or () if x.get("Error") != "NotFound"]
            _listed({"Orders": [], "Errors": lacks}, path, "Orders")
        return None

    async def _pages(self, path: str, asked: dict[str, str], is_urgent: bool) -> list[OrderFact]:
        found: list[OrderFact] = []
        token = ""
        while True:
            more = {"nextToken": token} if token else {}
            page = {"pageSize": str(PAGE), **asked, **more}
            told = await self._read(path, page, is_urgent=is_urgent)
            found += [order_fact(x) for x in _listed(told, path, "Orders")]
            before, token = token, str(told.get("NextToken") or "")
            if not token:
                return found
            if token == before:
                raise BadAnswer(f"{NAME}: {path}: the next page is the same page")

    async def _read(
        self,
        path: str,
        asked: dict[str, str] | None = None,
        *,
        is_urgent: bool = False,
        or_none: bool = False,
    ) -> dict[str, Any]:
        """An answer about the account; that there is nothing (404) is empty where that is told."""
        try:
            return await self._client.read(f"{self._place}/{path}", asked, is_urgent=is_urgent)
        except DeniedError as error:
            if or_none and error.status == 404:
                return {}
            raise BadAnswer(f"{NAME}: {path}: {error.text}") from None


async def had(part: Awaitable[dict[str, Any]]) -> dict[str, Any] | LinkError:
    """A part of a look, or why it was not had."""
    try:
        return await part
    except LinkError as error:
        return error


def midnight(at: int) -> int:
    """When the day of an instant began at the exchange, ns UTC."""
    there = datetime.fromtimestamp(at // SECOND_NS, EXCHANGE)
    begun = there.replace(hour=0, minute=0, second=0, microsecond=0)
    return round(begun.timestamp()) * SECOND_NS


def _listed(told: dict[str, Any], path: str, key: str) -> list[Any]:
    """A part of an answer that is whole.

    Raises
    ------
    LinkError
    """
    for error in told.get("Errors") or ():
        raise LinkError(f"{NAME}: {path}: {error.get('Error')}: {error.get('Message')}")
    found = told.get(key)
    if not isinstance(found, list):
        raise BadAnswer(f"{NAME}: {path}: no {key} in the answer: {begin(told)}")
    return found


def _is_it(ref: Ref, fact: OrderFact) -> bool:
    """Whether an order may be the one that was sent: of the same terms, and no older."""
    order = ref.order
    asked, there = (
        (x.symbol, x.side, x.type, Terms(x.qty, x.limit_price, x.stop_price)) for x in (order, fact)
    )
    alike = asked[:3] == there[:3] and same(asked[3], there[3])
    return alike and fact.time >= ref.sent - CLOCKS_APART


def _named(fact: OrderFact, ref: Ref) -> OrderFact:
    return replace(fact, client_id=ref.client_id)


def _day(at: int) -> str:
    return datetime.fromtimestamp(at // SECOND_NS, UTC).date().isoformat()
