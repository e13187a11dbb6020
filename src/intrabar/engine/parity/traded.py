"""What the records of a session say was ordered, filled and paid."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from intrabar.model.entry import Entry, whole
from intrabar.model.enums import Side

Key = tuple[Any, ...]
"""By what an order of one run is found in another, whose numbers differ."""

OUTSIDE = "outside"
"""The reason of a fill that no order of the session has asked for."""


class Fill(NamedTuple):
    """One fill, as its record has it; `side` is 1 for a buy and -1 for a sale."""

    number: int
    order: int
    strategy: str
    symbol: str
    side: int
    qty: float
    price: float
    cost: float
    row: int
    at: int
    phase: str
    reason: str
    point_value: float


class Equity(NamedTuple):
    """The account at the end of a row."""

    row: int
    time: int
    equity: float
    cash: float


class Traded:
    """Orders, fills, cash and equity, read from the records of a session.

    Parameters
    ----------
    entries : iterable of Entry
        Events among them are passed over.
    """

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.fills: list[Fill] = []
        self.orders: dict[int, dict[str, Any]] = {}  # as they stood last
        self.commands: dict[int, Entry] = {}  # that made an order
        self.decisions: list[Entry] = []  # all commands
        self.refused: dict[int, dict[str, Any]] = {}  # of an order: by what rule
        self.lines: list[dict[str, Any]] = []  # of the ledger
        self.equity: list[Equity] = []
        self._born: dict[int, int] = {}  # order -> row
        self._at: dict[tuple[int, int, int], int] = {}  # place and index -> order
        self._beside: dict[Key, list[int]] = {}  # orders that only their turn tells apart
        self._known: dict[int, Key] = {}  # order -> where in `_beside`
        self._unasked: dict[Key, int] = {}  # fills without an order
        self._keys: dict[int, Key] = {}  # of fills without an order, by their number
        self.add(entries)

    def add(self, entries: Iterable[Entry]) -> None:
        """Read more records."""
        for entry in entries:
            match entry.kind:
                case "command":
                    self._command(entry)
                case "refused":
                    self._refusal(entry)
                case "order":
                    self._order(entry)
                case "fill":
                    self._fill(entry)
                case "cash":
                    self.lines.append(entry.body)
                case "row":
                    body = entry.body
                    worth = float(body["equity"]), float(body["cash"])
                    self.equity.append(Equity(int(body["row"]), int(body["time"]), *worth))

    def key_of(self, order: int) -> Key:
        """By what an order is found in another run: who gave it where, or whose child it is."""
        beside = self._known[order]
        return (*beside, self._beside[beside].index(order))

    def key_of_fill(self, fill: Fill) -> Key:
        """That of its order; of a split or a roll: where it was."""
        if fill.order in self._known and fill.reason != OUTSIDE:
            return self.key_of(fill.order)
        return self._keys[fill.number]

    def ids(self) -> dict[Key, int]:
        """The number of each order by its key."""
        return {self.key_of(order): order for order in self._known}

    def knows(self, order: int) -> bool:
        """Whether an order has a record or was asked for."""
        return order in self._known

    def row_of(self, order: int) -> int:
        """The row in which an order was asked for, or first seen."""
        command = self.commands.get(order)
        return self._born[order] if command is None else command.bar

    def by(self, order: int) -> str:
        """Who asked for an order: strategy, person, session, or the market itself."""
        while order in self.orders and self.orders[order]["parent"] in self.orders:
            order = self.orders[order]["parent"]
        command = self.commands.get(order)
        return "market" if command is None else str(command.body["by"])

    def _beside_of(self, order: int) -> Key:
        command = self.commands.get(order)
        if command is not None:
            body = command.body
            return ("command", body["strategy"], command.bar, command.step, body["by"])
        body = self.orders[order]
        parent = int(body["parent"])
        if parent in self._known:
            return ("child", *self.key_of(parent), body["role"])
        return ("own", body["strategy"], body["symbol"], body["role"], self._born[order])

    def _command(self, entry: Entry) -> None:
        entry = msgspec.structs.replace(entry, body=whole(entry.kind, entry.body))
        self.decisions.append(entry)
        if entry.body["kind"] in ("submit", "refuse"):
            order = int(entry.body["order"])
            self.commands[order] = entry
            self._at[entry.bar, entry.step, int(entry.body["index"])] = order
            self._know(order)

    def _know(self, order: int) -> None:
        beside = self._known[order] = self._beside_of(order)
        insort(self._beside.setdefault(beside, []), order)

    def _refusal(self, entry: Entry) -> None:
        place = entry.body["command"]
        if isinstance(place, int) and (entry.bar, entry.step, place) in self._at:
            self.refused[self._at[entry.bar, entry.step, place]] = entry.body

    def _order(self, entry: Entry) -> None:
        order = int(entry.body["order"])
        self.orders[order] = whole(entry.kind, entry.body)
        self._born.setdefault(order, entry.bar)
        if order not in self._known:
            self._know(order)

    def _fill(self, entry: Entry) -> None:
        body = entry.body
        fill = Fill(
            int(body["index"]),
            int(body["order"]),
            body["strategy"],
            body["symbol"],
            int(Side[body["side"].upper()]),
            float(body["qty"]),
            float(body["price"]),
            float(body["cost"]),
            int(body["row"]),
            entry.at,
            body["phase"],
            body["reason"],
            float(body["point_value"]),
        )
        if fill.reason == "split" and fill.qty == 0.0:
            return  # moves no money
        self.fills.append(fill)
        beside = ("fill", fill.strategy, fill.symbol, fill.reason, fill.row)
        number = self._unasked.get(beside, 0)
        if fill.order < 0 or fill.reason == OUTSIDE:
            self._unasked[beside] = number + 1
        self._keys[fill.number] = (*beside, number)
