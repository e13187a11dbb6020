"""Orders that a person gives to a session whose market fills."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from intrabar.engine.session.plan import BY_HAND, Plan
from intrabar.engine.session.row import ClosedRow
from intrabar.errors import NotFoundError, OrderError, UsageError
from intrabar.model.enums import OrderType, Role, Side, TimeInForce
from intrabar.model.values import Bounds, number, word
from intrabar.sim.inbox import leave
from intrabar.sim.machine import Machine
from intrabar.sim.state import CANCEL, MODIFY, MOVE_STOP, MOVE_TARGET, STEP_END, STEP_NEW, SUBMIT

ORDERS = ("order", "modify", "cancel", "close", "move_stop", "move_target")
"""The kinds of commands of a person that are about orders."""
PRICES = ("limit_price", "stop_price", "trail", "stop_loss", "take_profit")
POSITIVE = Bounds(above=True)
OF_A_POSITION = {"close": SUBMIT, "move_stop": MOVE_STOP, "move_target": MOVE_TARGET}


class Asked(NamedTuple):
    """Something that a person has asked for: a kind, the fields of a COMMAND, and when."""

    kind: str
    values: dict[str, Any]
    at: int


class Hand:
    """What persons have asked for and no step has taken yet.

    A row is run whole, when it is closed. What is asked for before a row opens is taken at its
    open, what comes later at its end: nobody gets a price that was there before the order.

    Parameters
    ----------
    plan : Plan
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._asked: list[Asked] = []

    def ask(self, body: Mapping[str, Any], machine: Machine, at: int) -> None:
        """Take an order, a change or a cancel.

        Parameters
        ----------
        body : mapping
            `kind` (order, modify, cancel, close, move_stop, move_target), `strategy` ("by hand"
            where it is left out), `symbol`, `order`, `side`, `qty`, `type`, `tif`, prices.
        machine : Machine
        at : int, ns UTC

        Raises
        ------
        UsageError, OrderError
            It is none of the session's, or no order.
        """
        kind = body["kind"]
        if kind in ("modify", "cancel"):
            values = self._of_working(body, machine)
        else:
            values = self._of_sleeve(body)
            if kind == "order":
                values |= _order(body)
        values |= {
            name: number(f"{name}:", body[name], POSITIVE)
            for name in (*PRICES, "qty")
            if body.get(name) is not None
        }
        if kind == "order" and "qty" not in values:
            raise OrderError("order: qty is missing")
        if "qty" in values and kind == "order":
            _require_lots(values["qty"], self._plan.instruments[values["instrument"]].lot)
        level = {"move_stop": "stop_price", "move_target": "limit_price"}.get(kind)
        if level is not None and level not in values:
            raise OrderError(f"{kind}: the new price is missing: {level}")
        self._asked.append(Asked(kind, values, at))

    def put(self, machine: Machine, step: int, row: ClosedRow) -> int:
        """Leave in the inbox what is due at a step; how many commands that are."""
        due = [one for one in self._asked if step in self._steps(one, row)]
        self._asked = [one for one in self._asked if one not in due]
        return self._put(machine, due)

    def put_all(self, machine: Machine) -> int:
        """Leave all of it in the inbox, where no step has to be waited for."""
        due, self._asked = self._asked, []
        return self._put(machine, due)

    def _put(self, machine: Machine, due: list[Asked]) -> int:
        if not due:
            return 0
        machine.make_room(len(due))
        before = int(machine.book.account["inbox"][0])
        last = len(self._plan.strategies)
        for one in due:
            values = dict(one.values)
            if one.kind == "close" and not _closes(values, machine):
                continue
            if values["strategy"] == last:
                machine.unused = 0
            leave(machine.book, self._kind(one.kind), **values)
        return int(machine.book.account["inbox"][0]) - before

    def _kind(self, kind: str) -> int:
        return {"order": SUBMIT, "modify": MODIFY, "cancel": CANCEL, **OF_A_POSITION}[kind]

    def _steps(self, one: Asked, row: ClosedRow) -> tuple[int, ...]:
        """The steps of a row at which something is taken."""
        opens = [bar.open_time for bar in row.bars if bar.column == one.values["instrument"]]
        is_before = not opens or one.at <= opens[0]
        return (STEP_NEW, STEP_END) if is_before else (STEP_END,)

    def _of_sleeve(self, body: Mapping[str, Any]) -> dict[str, Any]:
        names, symbols = self._plan.names, self._plan.symbols
        symbol = body.get("symbol")
        broker = self._plan.broker
        owner = None if broker is None or symbol is None else broker.owner(symbol)
        strategy = body.get("strategy") or owner or BY_HAND
        if strategy not in names:
            raise NotFoundError("strategy", strategy, names)
        if symbol is None and len(symbols) == 1:
            symbol = symbols[0]
        if symbol is None:
            raise UsageError("symbol is missing: " + ", ".join(symbols))
        if symbol not in symbols:
            raise NotFoundError("symbol", symbol, symbols)
        return {"strategy": names.index(strategy), "instrument": symbols.index(symbol)}

    def _of_working(self, body: Mapping[str, Any], machine: Machine) -> dict[str, Any]:
        working = machine.book.orders[machine.working()]
        found = working[working["id"] == body["order"]]
        if not len(found):
            known = [str(n) for n in working["id"].tolist()]
            raise NotFoundError("working order", str(body["order"]), known, "no order works")
        names = ("id", "strategy", "instrument", "side")
        return {name: int(found[0][name]) for name in names}


def _order(body: Mapping[str, Any]) -> dict[str, Any]:
    if body.get("side") is None:
        raise OrderError("order: side is missing: buy or sell")
    return {
        "side": int(word("side:", body["side"], Side)),
        "type": int(word("type:", body.get("type") or "market", OrderType)),
        "tif": int(word("tif:", body.get("tif") or "gtc", TimeInForce)),
        "role": int(Role.PLAIN),
        "reduce_only": int(bool(body.get("reduce_only"))),
    }


def _closes(values: dict[str, Any], machine: Machine) -> bool:
    """Fill in what closes a position; False where there is none."""
    width = len(machine.instruments)
    held = float(machine.book.sleeves["qty"][values["strategy"] * width + values["instrument"]])
    if held == 0.0:
        return False
    values |= {"side": -1 if held > 0.0 else 1, "qty": abs(held), "reduce_only": 1}
    values |= {"type": int(OrderType.MARKET), "role": int(Role.PLAIN)}
    return True


def _require_lots(qty: float, lot: float) -> None:
    lots = qty / lot
    if lots < 1.0 - 1e-9 or abs(lots - round(lots)) > 1e-9 or not math.isfinite(lots):
        raise OrderError(f"order: qty is {qty:g}, must be whole lots of {lot:g}")
