"""Orders of the fake by the numbers that its clients give them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from intrabar.brokers.fakes.account import ALIVE, FakeAccount, Fill, Impossible, News, Order
from intrabar.brokers.fakes.ibkr import frames
from intrabar.brokers.fakes.ibkr.contracts import Contract
from intrabar.brokers.fakes.ibkr.requests import TYPES, Placed

FIRST = 1_900_000_000  # of the permanent numbers
_THEIRS = {ours: theirs for theirs, ours in TYPES.items()}
_WORDS = {"filled": "Filled", "rejected": "Inactive", "cancelled": "Cancelled"}

Contracts = Callable[[str], Contract]


@dataclass
class Owner:
    """Who has sent an order, and as what."""

    client_id: int
    number: int
    placed: Placed


class Desk:
    """Takes orders and tells of them in TWS's words.

    Parameters
    ----------
    account : FakeAccount
    """

    def __init__(self, account: FakeAccount) -> None:
        self.account = account
        self._owners: dict[str, Owner] = {}  # by permanent number
        self._numbers: dict[tuple[int, int], str] = {}
        self._waiting: dict[tuple[int, int], list[Placed]] = {}  # not transmitted, by the family

    def knows(self, client_id: int, number: int) -> bool:
        """Whether a client has an order of that number."""
        return (client_id, number) in self._numbers

    def next_number(self, client_id: int) -> int:
        """The first that a new order may have."""
        return max((n for c, n in self._numbers if c == client_id), default=0) + 1

    def forget(self, client_id: int, number: int) -> None:
        """Let an order that was refused never have been."""
        self._waiting.pop((client_id, number), None)

    def owner(self, order: Order) -> Owner | None:
        """Who has sent an order; None: a person, at TWS itself."""
        return self._owners.get(order.id)

    def place(self, client_id: int, placed: Placed, symbol: str) -> None:
        """Take an order, with those that wait for it where it is transmitted.

        Raises
        ------
        Impossible
        """
        if placed.account != self.account.id:
            raise Impossible("", f"account {placed.account} is not of this login")
        if placed.type not in _THEIRS.values() or not placed.tif:
            raise Impossible("", f"order type {placed.type}, time in force {placed.tif!r}")
        if placed.oca and placed.oca_type != 2:
            raise Impossible("", f"OCA type {placed.oca_type} lets both fill")
        known = self._numbers.get((client_id, placed.number))
        if known is not None:
            self.account.change(
                known, qty=placed.qty, limit_price=placed.limit, stop_price=placed.stop
            )
            self._owners[known].placed = placed
            return
        family = client_id, placed.parent or placed.number
        if placed.parent and family not in self._waiting and family not in self._numbers:
            raise Impossible("", f"parent order {placed.parent} is not there")
        waiting = self._waiting.setdefault(family, [])
        waiting.append(placed)
        if placed.transmit:
            del self._waiting[family]
            self._transmit(client_id, waiting, symbol)

    def cancel(self, client_id: int, number: int) -> None:
        """End an order as its client asks.

        Raises
        ------
        Impossible
        """
        known = self._numbers.get((client_id, number))
        if known is None:
            raise Impossible("unknown", f"OrderId {number} that is to be cancelled is not found")
        self.account.cancel(known)

    def _transmit(self, client_id: int, waiting: list[Placed], symbol: str) -> None:
        held = self.account.positions.get(symbol, (0.0, 0.0))[0]
        names = {placed.number: placed.ref for placed in waiting}
        orders = []
        for placed in waiting:
            order = placed.order(symbol, held, names.get(placed.parent, ""))
            order.id = str(FIRST + len(self._owners))
            self._owners[order.id] = Owner(client_id, placed.number, placed)
            self._numbers[client_id, placed.number] = order.id
            orders.append(order)
        try:
            self.account.place(orders)
        except Impossible:
            for order, placed in zip(orders, waiting, strict=True):
                del self._owners[order.id], self._numbers[client_id, placed.number]
            raise

    # In TWS's words

    def told(self, news: News, contract_of: Contracts) -> list[list[str]]:
        """The frames that a client gets of what has become of its order."""
        order = news.order
        assert order is not None
        contract = contract_of(order.symbol)
        number = self._owners[order.id].number
        if news.fill is not None:
            fill = news.fill
            return [
                self.executed(-1, fill, order, contract),
                self.opened(order, contract),
                self.stands(order, fill.price),
                self.opened(order, contract, commission=str(self.account.fee), paid="USD"),
                self.cost(fill),
            ]
        told = [self.opened(order, contract), self.stands(order)]
        if order.status in ("cancelled", "expired"):
            return [told[1], frames.notice(number, 202, "Order Canceled - reason:")]
        if order.status == "rejected":
            text = f"Order rejected - reason: {order.text}"
            return [*told, frames.notice(number, 201, text)]
        return told

    def opened(self, order: Order, contract: Contract, **more: Any) -> list[str]:
        """Frame 5 of an order."""
        said = self._said(order)
        owner = self.owner(order)
        parent = self.account.orders.get(order.parent)
        above = self.owner(parent) if parent is not None else None
        return frames.open_order(
            contract,
            **said,
            number=owner.number if owner else 0,
            client=owner.client_id if owner else 0,
            parent=above.number if above else 0,
            status=self.word(order),
            **more,
        )

    def stands(self, order: Order, last: float = 0.0) -> list[str]:
        """Frame 3 of an order."""
        owner = self.owner(order)
        average = order.average if order.filled else 0.0
        held = "child" if order.status == "held" else ""
        if order.type in ("stop", "stop_limit"):
            held = ",".join(x for x in (held, "trigger") if x)
        return frames.status(
            owner.number if owner else 0,
            self.word(order),
            order.filled,
            round(order.qty - order.filled, 9),
            average,
            int(order.id),
            owner.client_id if owner else 0,
            last=last,
            held=held,
        )

    def over(self, order: Order, contract: Contract) -> list[str]:
        """Frame 101 of an order."""
        said = self._said(order)
        if order.status == "filled":
            said["qty"] = 0  # as TWS has it: recorded/frames.txt
        texts = {"filled": f"Filled Size: {frames.plain(order.filled)}", "rejected": order.text}
        return frames.completed_order(
            contract,
            **said,
            status=self.word(order),
            filled=frames.plain(order.filled),
            time=time.strftime("%Y%m%d %H:%M:%S UTC", time.gmtime(order.changed / 1e9)),
            text=texts.get(order.status, "Cancelled by Trader"),
        )

    def executed(self, request: int, fill: Fill, order: Order, contract: Contract) -> list[str]:
        """Frame 11 of a fill."""
        owner = self.owner(order)
        fills = [x for x in self.account.fills if x.order == order.id and x.total <= fill.total]
        money = sum(x.qty * x.price for x in fills)
        return frames.execution(
            request,
            owner.number if owner else 0,
            contract,
            exchange="IEX",
            id=exec_id(fill),
            time=time.strftime("%Y%m%d-%H:%M:%S", time.gmtime(fill.time / 1e9)),
            account=self.account.id,
            side="BOT" if fill.side > 0 else "SLD",
            qty=fill.qty,
            price=fill.price,
            perm=int(order.id),
            client=owner.client_id if owner else 0,
            total=fill.total,
            average=money / fill.total,
            ref=order.client_id,
        )

    def cost(self, fill: Fill) -> list[str]:
        """Frame 59 of a fill."""
        return frames.commission(exec_id(fill), str(self.account.fee), "USD")

    def word(self, order: Order) -> str:
        """The status of an order as TWS has it."""
        if order.word:
            return order.word
        if order.status not in ALIVE:
            return _WORDS.get(order.status, "Cancelled")
        is_stop = order.type in ("stop", "stop_limit")
        return "Submitted" if order.status == "working" and not is_stop else "PreSubmitted"

    def _said(self, order: Order) -> dict[str, Any]:
        """What frames 5 and 101 say alike."""
        owner = self.owner(order)
        limit, stop = (
            str(price) if price == price else "0.0"
            for price in (order.limit_price, order.stop_price)
        )
        return {
            "action": "BUY" if order.side > 0 else "SELL",
            "qty": frames.plain(order.qty),
            "type": _THEIRS[order.type],
            "limit": limit,
            "stop": stop,
            "tif": order.tif.upper(),
            "oca": order.group,
            "oca_type": owner.placed.oca_type or 3 if owner else 3,
            "account": self.account.id,
            "ref": order.client_id,
            "perm": order.id,
            "outside": int(owner.placed.outside) if owner else 0,
        }


def exec_id(fill: Fill) -> str:
    """IB's name of a fill; its end is the version."""
    return f"0000e0d5.67fe667b.{int(fill.id[1:]):04}.01"
