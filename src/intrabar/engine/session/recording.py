"""What a machine has done since it was last looked at, as records of a journal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from intrabar.model.entry import Entry, in_json, said, whole
from intrabar.model.enums import (
    FillReason,
    LedgerKind,
    OrderStatus,
    OrderType,
    Phase,
    Reject,
    Role,
    Side,
    TimeInForce,
)
from intrabar.sim.inbox import replace_waiting
from intrabar.sim.machine import Machine
from intrabar.sim.state import CANCEL, COMMAND, MODIFY, MOVE_STOP, MOVE_TARGET, REFUSE, SUBMIT

KINDS = {
    SUBMIT: "submit", CANCEL: "cancel", MODIFY: "modify", MOVE_STOP: "move_stop",
    MOVE_TARGET: "move_target", REFUSE: "refuse",
}  # fmt: skip
NUMBERS = ("qty", "limit_price", "stop_price", "trail", "stop_loss", "take_profit")
CHANGING = ("qty", "filled", "limit_price", "stop_price", "status", "triggered")
"""What of a working order changes."""


class Recording:
    """Reads fills, orders and cash of a machine, each once.

    Parameters
    ----------
    machine : Machine
    strategies : sequence of str
        By their rows.
    """

    def __init__(self, machine: Machine, strategies: Sequence[str]) -> None:
        self.machine, self.strategies = machine, tuple(strategies)
        self.symbols = tuple(x.symbol for x in machine.instruments)
        self._fills = self._done = self._lines = 0  # read of those in memory
        self._given_away = 0  # fills that are no longer in memory
        self._working: dict[int, tuple[float, ...]] = {}
        self._stand = b""  # the working orders, as they lay in memory

    def changes(self, at: int) -> list[Entry]:
        """What has happened since the last call: orders, fills and what else moved cash."""
        fills, lines, done = self._counts()
        records = [self._fill(at, k) for k in range(self._fills, fills)]
        if lines > self._lines:
            records += [self._line(at, line) for line in self.machine.ledger()[self._lines :]]
        if done > self._done:
            records += [self._order(at, o) for o in self.machine.done_since(self._done)]
        records += self._changed(at)
        self._fills, self._lines, self._done = fills, lines, done
        return records

    def hand_over(self) -> None:
        """Let the machine forget what is over; it must have been read."""
        before = len(self.machine.fills())
        self.machine.hand_over()
        self._given_away += before - len(self.machine.fills())
        self._fills, self._lines, self._done = self._counts()

    def command(self, at: int, step: int, place: int, command: Any, by: str) -> Entry:
        """A command that waits, as the inbox has it."""
        body: dict[str, Any] = {
            "index": place,
            "by": by,
            "kind": KINDS[int(command["kind"])],
            "order": int(command["id"]),
            "strategy": self.strategies[command["strategy"]],
            "symbol": self.symbols[command["instrument"]],
            "side": int(command["side"]),
            "type": OrderType(int(command["type"])).word,
            "tif": TimeInForce(int(command["tif"])).word,
            "role": Role(int(command["role"])).word,
            "reduce_only": bool(command["reduce_only"]),
            "oco": int(command["oco"]),
            "reject": Reject(int(command["reject"])).word,
            "until": int(command["until"]),
        }
        body |= {name: in_json(float(command[name])) for name in NUMBERS}
        return Entry(at, self.machine.bar, step, "command", said("command", body))

    def _counts(self) -> tuple[int, int, int]:
        """Of fills, lines of the ledger and orders that are done, those in memory."""
        account = self.machine.book.account[0]
        return int(account["fills"]), int(account["ledger"]), int(account["log"])

    def _changed(self, at: int) -> list[Entry]:
        orders = self.machine.book.orders.take(self.machine.working())
        stand = orders.tobytes()
        if stand == self._stand:  # most often
            return []
        self._stand = stand
        fields = zip(*(orders[name].tolist() for name in CHANGING), strict=True)
        now = dict(zip(orders["id"].tolist(), fields, strict=True))
        records = [
            self._order(at, order)
            for order, (number, values) in zip(orders, now.items(), strict=True)
            if not _same(values, self._working.get(number))
        ]
        self._working = now
        return records

    def _place(self) -> tuple[int, int]:
        account = self.machine.book.account[0]
        return int(account["bar"]), int(account["step"])

    def _order(self, at: int, order: Any) -> Entry:
        body = {
            "order": int(order["id"]),
            "parent": int(order["parent"]),
            "strategy": self.strategies[order["strategy"]],
            "symbol": self.symbols[order["instrument"]],
            "side": Side(int(order["side"])).word,
            "type": OrderType(int(order["type"])).word,
            "tif": TimeInForce(int(order["tif"])).word,
            "role": Role(int(order["role"])).word,
            "qty": float(order["qty"]),
            "filled": float(order["filled"]),
            "limit_price": in_json(float(order["limit_price"])),
            "stop_price": in_json(float(order["stop_price"])),
            "status": OrderStatus(int(order["status"])).word,
            "reject": Reject(int(order["reject"])).word,
            "reduce_only": bool(order["reduce_only"]),
            "oco": int(self.machine.book.orders["id"][order["oco"]]) if order["oco"] >= 0 else -1,
        }
        return Entry(at, *self._place(), "order", said("order", body))

    def _fill(self, at: int, k: int) -> Entry:
        fill = self.machine.fills()[k]
        body = {
            "index": self._given_away + k,
            "order": int(fill["order"]),
            "strategy": self.strategies[fill["strategy"]],
            "symbol": self.symbols[fill["instrument"]],
            "side": Side(int(fill["side"])).word,
            "qty": float(fill["qty"]),
            "price": float(fill["price"]),
            "cost": float(fill["cost"]),
            "realized": float(fill["realized"]),
            "position": float(fill["position"]),
            "stop": in_json(float(fill["stop"])),
            "target": in_json(float(fill["target"])),
            "point_value": float(fill["point_value"]),
            "cash": float(fill["cash"]),
            "reason": FillReason(int(fill["reason"])).word,
            "phase": Phase(int(fill["phase"])).word,
            "row": int(fill["bar"]),
        }
        return Entry(at, *self._place(), "fill", body)

    def _line(self, at: int, line: Any) -> Entry:
        of_it = int(line["strategy"]), int(line["instrument"])
        body = {
            "kind": LedgerKind(int(line["kind"])).word,
            "amount": float(line["amount"]),
            "cash": float(line["cash"]),
            "strategy": self.strategies[of_it[0]] if of_it[0] >= 0 else "",
            "symbol": self.symbols[of_it[1]] if of_it[1] >= 0 else "",
            "row": int(line["bar"]),
        }
        return Entry(at, *self._place(), "cash", body)


def command_of(
    body: Mapping[str, Any], strategies: Sequence[str], symbols: Sequence[str]
) -> np.ndarray[Any, Any]:
    """A journalled command as a COMMAND record, (1,)."""
    body, row = whole("command", body), np.zeros(1, COMMAND)
    words = {name: kind for kind, name in KINDS.items()}
    row["kind"] = words[body["kind"]]
    row["id"] = body["order"]
    row["strategy"] = strategies.index(body["strategy"])
    row["instrument"] = symbols.index(body["symbol"])
    row["type"] = OrderType[body["type"].upper()]
    row["tif"] = TimeInForce[body["tif"].upper()]
    row["role"] = Role[body["role"].upper()]
    row["reject"] = Reject[body["reject"].upper()]
    for name in ("side", "reduce_only", "oco", "until"):
        row[name] = body[name]
    for name in NUMBERS:
        row[name] = float(body[name])
    return row


def leave_recorded(
    machine: Machine, entries: Sequence[Entry], strategies: Sequence[str], symbols: Sequence[str]
) -> None:
    """Leave the journalled commands of strategies in the place of what their hooks have left."""
    commands = [
        command_of(entry.body, strategies, symbols)
        for entry in entries
        if entry.body["by"] == "strategy"
    ]
    machine.make_room(len(commands))
    replace_waiting(machine.book, np.concatenate(commands or [np.zeros(0, COMMAND)]))


def _same(one: tuple[float, ...], other: tuple[float, ...] | None) -> bool:
    """Whether two orders stand alike; NaN is NaN."""
    return other is not None and all(
        a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(one, other, strict=True)
    )
