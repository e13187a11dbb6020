"""A market of its own behind the broker protocol: what every rule and fault is tried against.

It is a `Machine` with one strategy, the account itself. Whoever has it moves its market on, step by
step, right after the session's; what has happened in a step is then told.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import numpy as np
from msgspec.structs import replace

from intrabar.brokers.fitting import unfit, unfit_change, unheld
from intrabar.brokers.names import PROTECTS
from intrabar.model.bars import DAY_NS, Market
from intrabar.model.broker_facts import (
    Accepted,
    AccountFacts,
    Can,
    CashFact,
    Change,
    FillFact,
    Grid,
    OrderFact,
    Outcome,
    Ref,
    Refused,
    Request,
    Snapshot,
)
from intrabar.model.enums import OrderStatus, OrderType, Role, Side, TimeInForce
from intrabar.model.facts import LinkFact
from intrabar.model.instrument import Instrument
from intrabar.sim import state
from intrabar.sim.account import Account
from intrabar.sim.inbox import leave
from intrabar.sim.machine import Machine

PARTS = {role: part for part, role in PROTECTS.items()}
PLACES = 9  # of a price or quantity; what floats leave of adding fractions is beyond
NAN = float("nan")
OVER = {
    OrderStatus.FILLED: "filled",
    OrderStatus.CANCELLED: "cancelled",
    OrderStatus.EXPIRED: "expired",
    OrderStatus.REJECTED: "rejected",
}

Fact = OrderFact | FillFact | CashFact | LinkFact


class SimulatedBroker:
    """An account at a simulated broker.

    Parameters
    ----------
    market : Market
    instruments : sequence of Instrument
    account : Account
    nets : bool
        False: it does what most vendors do. A flip in one order is refused, and so is an exit of
        shares that another one holds; nothing is reduce-only, and no entry takes children.
    """

    can = Can(
        frozenset(x.word for x in OrderType),
        frozenset(x.word for x in TimeInForce),
        bracket=True,
        oco=True,
        replace="same",
        dedups=True,
        echoes_id=True,
        fill_ids=True,
        lists_done=DAY_NS * 3_650,
        covers=frozenset({"working"}),
        nets=True,
        fractional=True,
        paper=True,
    )

    def __init__(
        self,
        market: Market,
        instruments: Sequence[Instrument],
        account: Account,
        nets: bool = True,
    ) -> None:
        self.can = replace(type(self).can, nets=nets, bracket=nets)
        wake = np.zeros((len(market), 1), np.uint8)
        self.machine = Machine(market, instruments, account, wake)
        self._symbols = [x.symbol for x in instruments]
        self._numbers: dict[str, int] = {}  # client id -> the machine's number
        self._names: dict[int, str] = {}
        self._unborn: dict[str, Request] = {}  # children whose entry has not filled
        self._coming: dict[str, Request] = {}  # orders that its market has not taken yet
        self._told = self._over = self._made = self._lines = 0
        self._totals: dict[int, tuple[float, float]] = {}  # by number: quantity, money
        self._grids = {x.symbol: grid_of(x) for x in instruments}
        self._events: asyncio.Queue[Fact | None] = asyncio.Queue()
        self._is_closed = False

    async def connect(self) -> AccountFacts:
        """It is always there."""
        self._events, self._is_closed = asyncio.Queue(), False
        currency = self.machine.account.currency
        return AccountFacts("simulated", {"kind": "paper"}, currency, self._grids)

    async def submit(self, group: tuple[Request, ...]) -> tuple[Outcome, ...]:
        """Send an order, an entry with its stop and target, or two alternatives."""
        refusal = self._refusal(group)
        if refusal is not None:
            return (refusal,) * len(group)
        if any(request.parent for request in group):
            return self._take(group[0], group[1:])
        return tuple(outcome for request in group for outcome in self._take(request, ()))

    def _refusal(self, group: tuple[Request, ...]) -> Refused | None:
        if self._is_closed:
            return Refused("the link is closed", not_sent=True)
        for request in group:
            if request.symbol not in self._symbols:
                return Refused(f"no instrument {request.symbol}", code="unknown_symbol")
            if request.client_id in self._numbers:
                return Refused("a client id must be unique", code="id_clash")
            if not self.can.nets and (refusal := self._not_held(request, group)) is not None:
                return refusal
        return unfit(group, self.can, self._grids)

    def _not_held(self, request: Request, group: tuple[Request, ...]) -> Refused | None:
        """Why an order is refused that would turn a position, or leave what another leaves."""
        book, column = self.machine.book, self._symbols.index(request.symbol)
        beside = {request.oco, *(x.client_id for x in group)}
        orders = book.orders[self.machine.working()]
        mine = orders[(orders["instrument"] == column) & (orders["side"] == request.side)]
        others = [o for o in mine if self._names.get(int(o["id"])) not in beside]
        coming = [x for name, x in self._coming.items() if name not in beside]
        taken = sum(float(o["qty"] - o["filled"]) for o in others) + sum(
            x.qty for x in coming if (x.symbol, x.side) == (request.symbol, request.side)
        )
        return unheld(request, float(book.sleeves["qty"][column]), taken)

    def _take(self, entry: Request, children: tuple[Request, ...]) -> tuple[Outcome, ...]:
        levels = {self._leg(child): child for child in children}
        stop, target = levels.get("stop_loss"), levels.get("take_profit")
        self.machine.make_room(1)
        number = leave(
            self.machine.book,
            state.SUBMIT,
            instrument=self._symbols.index(entry.symbol),
            strategy=0,
            side=entry.side,
            type=OrderType[entry.type.upper()],
            tif=TimeInForce[entry.tif.upper()],
            role=Role.PLAIN,
            reduce_only=entry.reduce_only and self.can.nets,
            oco=self._numbers.get(entry.oco, -1),
            until=entry.until,
            qty=entry.qty,
            limit_price=entry.limit_price,
            stop_price=entry.stop_price,
            stop_loss=None if stop is None else stop.stop_price,
            take_profit=None if target is None else target.limit_price,
        )
        self._name(number, entry.client_id)
        self._coming[entry.client_id] = entry
        for child in children:
            self._numbers[child.client_id] = -1  # taken, and not alive yet
            self._unborn[child.client_id] = child
        return (Accepted(str(number)), *(Accepted() for _ in children))

    async def replace(self, ref: Ref, change: Change) -> Outcome:
        """Change an order that works."""
        number = self._working(ref.client_id)
        if number is None:
            return Refused("not an open order", code="not_open")
        refusal = unfit_change(ref, change, self.can, self._grids)
        if refusal is not None:
            return refusal
        self.machine.make_room(1)
        values = {"qty": change.qty, "limit_price": change.limit_price}
        leave(self.machine.book, state.MODIFY, id=number, stop_price=change.stop_price, **values)
        return Accepted(str(number), works=True)

    async def cancel(self, ref: Ref) -> Outcome:
        """Take an order back, where it works."""
        number = self._working(ref.client_id)
        if number is None:
            return Refused("not an open order", code="not_open")
        self.machine.make_room(1)
        leave(self.machine.book, state.CANCEL, id=number)
        return Accepted(str(number))

    async def find(self, ref: Ref) -> OrderFact | None:
        """An order that it has, or has had."""
        if (request := {**self._unborn, **self._coming}.get(ref.client_id)) is not None:
            return self._waiting(request, "acked")
        number = self._numbers.get(ref.client_id, -1)
        rows = np.flatnonzero(self._rows()["id"] == number)
        return self._order(self._rows()[rows[0]]) if len(rows) else None

    async def snapshot(self, since: int) -> Snapshot:
        """All of the account; its memory is whole, whatever `since` says."""
        book = self.machine.book
        held = {
            symbol: (float(book.sleeves["qty"][j]), float(book.sleeves["avg"][j]))
            for j, symbol in enumerate(self._symbols)
            if book.sleeves["qty"][j]
        }
        fills: list[FillFact] = []
        totals: dict[int, tuple[float, float]] = {}
        for k, fill in enumerate(self.machine.fills()):
            fills += self._fill(k, fill, totals)
        return Snapshot(
            self._now(),
            frozenset({"orders", "fills", "positions", "balance"}),
            (
                *(self._order(row) for row in self._rows() if int(row["id"]) in self._names),
                *(self._waiting(x, "acked") for x in self._unborn.values()),
                *(self._waiting(x, "acked") for x in self._coming.values()),
            ),
            tuple(fills),
            held,
            self._worth(),
        )

    async def events(self) -> AsyncIterator[Fact]:
        """What happens, in its order."""
        if not self._is_closed:
            yield LinkFact("up")
        while (fact := await self._events.get()) is not None:
            yield fact

    async def close(self) -> None:
        """End the stream."""
        self._is_closed = True
        self._events.put_nowait(None)

    def advance(self, bar: int, step: int) -> list[Fact]:
        """Move the market on to a step of a bar; what that has brought, which is told as well."""
        self.machine.advance(bar, step)
        facts = self._news()
        for fact in facts:
            self._events.put_nowait(fact)
        return facts

    def _news(self) -> list[Fact]:
        facts: list[Fact] = []
        for number in self._rows()["id"][self._made :].tolist():
            self._coming.pop(self._names.get(number, ""), None)
        born = {int(row["id"]): row for row in self._rows()[self._made :] if self._adopt(row)}
        fills = self.machine.fills()
        lines = self.machine.ledger()
        for n in range(self._lines, len(lines)):
            facts += self._filled(fills, int(lines[n]["fills"]), born)
            j = int(lines[n]["instrument"])
            symbol = self._symbols[j] if j >= 0 else ""
            facts.append(CashFact(f"c{n}", float(lines[n]["amount"]), symbol))
        facts += self._filled(fills, len(fills), born)
        rows, self._lines = self._rows(), len(lines)
        made = rows[self._made :]
        made = made[made["done"] < 0]  # of the others it is told how they ended
        facts += [self._order(row) for row in made if int(row["id"]) in self._names]
        over = self.machine.done_since(self._over)
        for row in over:
            if (name := self._names.get(int(row["id"]))) is not None:
                facts += [self._order(row), *self._never_born(name)]
        account = self.machine.book.account[0]
        self._over, self._made = int(account["log"]), len(rows)
        return facts

    def _filled(self, fills: Any, until: int, born: dict[int, Any]) -> list[Fact]:
        """The fills that have not been told, up to a number of them; a child before its own."""
        facts: list[Fact] = []
        for k in range(self._told, until):
            if (row := born.pop(int(fills[k]["order"]), None)) is not None:
                facts.append(replace(self._order(row), state="working", filled=0.0))
            facts += self._fill(k, fills[k], self._totals)
        self._told = max(self._told, until)
        return facts

    def _never_born(self, entry: str) -> list[OrderFact]:
        """Children of an entry that is over, which nothing has brought to life."""
        left = [child for child in self._unborn.values() if child.parent == entry]
        for child in left:
            del self._unborn[child.client_id]
            self._numbers[child.client_id] = -2
        return [self._waiting(child, "cancelled") for child in left]

    def _waiting(self, child: Request, word: str) -> OrderFact:
        """An order that has no place in the market yet."""
        number = self._numbers[child.client_id]
        return OrderFact(
            str(number) if number >= 0 else "",
            child.client_id,
            child.symbol,
            child.side,
            child.type,
            child.qty,
            word,
            limit_price=child.limit_price,
            stop_price=child.stop_price,
            time=self._now(),
        )

    def _worth(self) -> float:
        """Cash, and what the positions have gained at the present marks."""
        book = self.machine.book
        moved = book.instruments["mark"] - book.sleeves["basis"]
        gained = book.sleeves["qty"] * moved * book.instruments["point_value"]
        return float(book.account["cash"][0] + gained[book.sleeves["qty"] != 0.0].sum())

    def _rows(self) -> Any:
        return self.machine.book.orders[: int(self.machine.book.account["orders"][0])]

    def _adopt(self, row: Any) -> bool:
        """Whether it is a child; it has its name by its parent's, later ones have none."""
        parent, role = int(row["parent"]), Role(int(row["role"]))
        if parent not in self._names or role not in PARTS:
            return False
        name = self._names[parent] + PARTS[role]
        if self._unborn.pop(name, None) is not None:
            self._name(int(row["id"]), name)
        else:
            self._names[int(row["id"])] = ""
        return True

    def _name(self, number: int, client_id: str) -> None:
        self._numbers[client_id], self._names[number] = number, client_id

    def _working(self, client_id: str) -> int | None:
        number = self._numbers.get(client_id, -1)
        rows = self.machine.book.orders[self.machine.working()]
        lives = client_id in self._coming or (rows["id"] == number).any()
        return number if number >= 0 and lives else None

    @staticmethod
    def _leg(child: Request) -> str:
        return "take_profit" if child.type == OrderType.LIMIT.word else "stop_loss"

    def _now(self) -> int:
        bar = min(self.machine.bar, len(self.machine.market) - 1)
        return int(self.machine.market.time[bar])

    def _fill(self, k: int, fill: Any, totals: dict[int, tuple[float, float]]) -> list[FillFact]:
        if not fill["qty"]:
            return []  # a split
        number, qty, price = int(fill["order"]), float(fill["qty"]), float(fill["price"])
        total, money = totals.get(number, (0.0, 0.0))
        totals[number] = (round(total + qty, PLACES), money + qty * price)
        return [
            FillFact(
                f"f{k}",
                str(number),
                self._names.get(number, ""),
                self._symbols[fill["instrument"]],
                int(fill["side"]),
                qty,
                price,
                float(fill["cost"]),
                totals[number][0] if number in self._names else qty,
                self._now(),
            )
        ]

    def _order(self, row: Any) -> OrderFact:
        status, number = OrderStatus(int(row["status"])), int(row["id"])
        filled, money = self._totals.get(number, (0.0, 0.0))
        word = OVER.get(status, "working")
        if word == "filled" and filled < row["qty"]:
            word = "cancelled"  # what margin or position cut off is dropped
        return OrderFact(
            str(number),
            self._names[number],
            self._symbols[row["instrument"]],
            Side(int(row["side"])),
            OrderType(int(row["type"])).word,
            float(row["qty"]),
            word,
            filled,
            money / filled if filled else float("nan"),
            round(float(row["limit_price"]), PLACES),
            round(float(row["stop_price"]), PLACES),
            self._now(),
            self._names.get(int(row["parent"]), ""),
        )


def grid_of(instrument: Instrument) -> Grid:
    """What prices and quantities of an instrument are multiples of."""
    return Grid(instrument.tick_size or NAN, instrument.lot, instrument.point_value)
