"""One look at an account at TWS: its parts, each of which may fail by itself."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Mapping
from datetime import datetime, tzinfo
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from intrabar.brokers.ibkr.reading import (
    average_price,
    completed_fact,
    costs_of,
    fill_fact,
    newest,
    order_fact,
    symbol_of,
)
from intrabar.errors import BadAnswer, LinkError
from intrabar.links.clock import SECOND_NS
from intrabar.links.ibkr import raw
from intrabar.links.ibkr.wire import Wire
from intrabar.links.reading import number
from intrabar.model.broker_facts import OrderFact, Snapshot

NEW_YORK = ZoneInfo("America/New_York")
_T = TypeVar("_T")


class Names(NamedTuple):
    """What contracts are called here, and what a move of 1 in their prices is worth: by number."""

    symbols: dict[int, str]
    values: dict[int, float]


class Looker:
    """Looks at one account.

    Parameters
    ----------
    account : str
    names : Names
    zone : tzinfo or None
        Of TWS.
    """

    def __init__(self, account: str, names: Names, zone: tzinfo | None) -> None:
        self.account, self.names, self.currency = account, names, ""
        self._zone = zone

    async def look(self, wire: Wire, since: int, now: int) -> Snapshot:
        """All of the account.

        Raises
        ------
        LinkError
            No part was had.
        """
        failed: list[LinkError] = []

        async def part(call: Awaitable[_T]) -> _T | None:
            try:
                return await call
            except LinkError as error:
                failed.append(error)
                return None

        listed, fills, held, values = await asyncio.gather(
            part(self._orders(wire)),
            part(wire.executions(self.account, since)),
            part(wire.positions()),
            part(self.figures(wire)),
        )
        if len(failed) == 4:
            raise failed[0]
        parts = {"orders": listed, "fills": fills, "positions": held, "balance": values}
        whole = {name for name, rows in parts.items() if rows is not None}
        figures = values or {}
        if not math.isfinite(figures.get("NetLiquidation", math.nan)):
            whole.discard("balance")
        executions = [x for x in fills or [] if isinstance(x, raw.Execution)]
        executions = [x for x in executions if x.account == self.account]
        costs = costs_of((x for x in fills or [] if isinstance(x, raw.Commission)), self.currency)
        averages = {x.perm_id: x.average for x in sorted(executions, key=lambda x: x.total)}
        alive, over = listed or ([], [])
        orders = self._merged(alive, over, averages)
        days = figures.get("DayTradesRemaining", math.nan)
        return Snapshot(
            now,
            frozenset(whole),
            orders,
            newest(fill_fact(x, self.names.symbols, costs.get(x.id, math.nan)) for x in executions),
            self._positions(held or []),
            figures.get("NetLiquidation", math.nan),
            self.midnight(now),
            figures.get("AvailableFunds", math.nan),
            figures.get("SettledCash", math.nan),
            days if days >= 0.0 else math.nan,
        )

    async def _orders(self, wire: Wire) -> tuple[list[OrderFact], list[raw.Completed]]:
        """Orders that work first: one that ends meanwhile is then in both lists."""
        _, alive = await self.open_orders(wire)
        return alive, await self.completed(wire)

    async def open_orders(self, wire: Wire) -> tuple[dict[str, list[raw.Order]], list[OrderFact]]:
        """The orders that work: by our names as TWS has them, and as facts.

        Raises
        ------
        BadAnswer
            How one of them stands is not said.
        LinkError
        """
        rows = await wire.open_orders()
        stand = {x.perm_id: x for x in rows if isinstance(x, raw.Status)}
        listed = {x.perm_id: x for x in rows if isinstance(x, raw.Order)}
        mine = [x for x in listed.values() if x.account == self.account]
        by_ref: dict[str, list[raw.Order]] = {}
        facts = []
        for order in mine:
            if order.perm_id not in stand:
                raise BadAnswer(
                    f"TWS: how order {order.perm_id} of {order.listed.symbol} stands is not said; "
                    "nothing of the list is taken"
                )
            by_ref.setdefault(order.ref, []).append(order)
            facts.append(order_fact(order, stand[order.perm_id], self.names.symbols))
        return by_ref, facts

    async def completed(self, wire: Wire) -> list[raw.Completed]:
        """The orders that are over."""
        return [x for x in await wire.completed() if x.account == self.account]

    def midnight(self, now: int) -> int:
        """Since when TWS has what is over: the last midnight of New York, or of its own zone."""
        moment = datetime.fromtimestamp(now / SECOND_NS, NEW_YORK)
        days = (moment, moment.astimezone(self._zone))
        starts = (d.replace(hour=0, minute=0, second=0, microsecond=0) for d in days)
        return max(round(start.timestamp()) for start in starts) * SECOND_NS

    def _merged(
        self,
        alive: list[OrderFact],
        over: list[raw.Completed],
        averages: Mapping[int, float],
    ) -> tuple[OrderFact, ...]:
        done = [
            completed_fact(x, self.names.symbols, averages.get(x.perm_id, math.nan)) for x in over
        ]
        ended = {fact.vendor_id for fact in done}
        return (*(fact for fact in alive if fact.vendor_id not in ended), *done)

    def _positions(self, held: list[raw.Held]) -> dict[str, tuple[float, float]]:
        return {
            symbol_of(x.listed, self.names.symbols): (x.qty, average_price(x, self.names.values))
            for x in held
            if x.account == self.account and x.qty
        }

    async def figures(self, wire: Wire) -> dict[str, float]:
        """The account's figures by name; its currency is that of the net liquidation.

        Raises
        ------
        LinkError
        """
        mine = [x for x in await wire.values() if x.account == self.account]
        for value in mine:
            if value.tag == "NetLiquidation":
                self.currency = value.currency
        return {x.tag: number(x.value, f"{x.tag} of {self.account}") for x in mine}

    async def average_of(self, wire: Wire, perm_id: int) -> float:
        """At which price an order has filled; NaN where TWS has its fills no more.

        Raises
        ------
        LinkError
        """
        fills = await wire.executions(self.account, 0)
        mine = [x for x in fills if isinstance(x, raw.Execution) and x.perm_id == perm_id]
        return max(mine, key=lambda x: x.total).average if mine else math.nan


def matching(orders: Mapping[str, list[Any]], client_id: str) -> Any | None:
    """The one order of that name; None: there is none.

    Raises
    ------
    LinkError
        There are several.
    """
    found = orders.get(client_id, [])
    if len(found) > 1:
        ids = ", ".join(str(x.perm_id) for x in found)
        raise LinkError(f"TWS has several orders named {client_id}: {ids}")
    return found[0] if found else None
