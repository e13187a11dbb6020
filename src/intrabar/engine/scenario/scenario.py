"""Scenarios: small runs written down whole, the project's way of explaining and comparing rules.

A scenario names instruments, bars and orders; the result names fills, order states and equity.
It passes through the same loop as every strategy: the orders of the file are one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.engine.scenario.format import check_scenario
from intrabar.model.bars import DAY_NS, Action, Detail, Market, agrees
from intrabar.model.enums import (
    ActionKind,
    FillReason,
    LedgerKind,
    MarginCall,
    MarginCheck,
    OrderStatus,
    OrderType,
    PathPolicy,
    Phase,
    Reject,
    Role,
    RunStatus,
    Settlement,
    TimeInForce,
)
from intrabar.model.instrument import Instrument
from intrabar.sim import state
from intrabar.sim.account import Account
from intrabar.sim.inbox import leave
from intrabar.sim.machine import Machine

ACTIONS = {
    "split": ActionKind.SPLIT,
    "dividend": ActionKind.DIVIDEND,
    "roll_from": ActionKind.ROLL,
}
PRICES = ("qty", "limit_price", "stop_price", "trail", "stop_loss", "take_profit")
MARGINS = (
    "initial_margin",
    "maintenance_margin",
    "initial_margin_rate",
    "maintenance_margin_rate",
)


def scenario_market(scenario: dict[str, Any]) -> Market:
    """The bars of a scenario as a market: a bar a day, each a session of its own by default."""
    symbols = tuple(str(x["symbol"]) for x in scenario["instruments"])
    bars = scenario["bars"]
    length = max(len(rows) for rows in bars.values())
    table = np.full((5, length, len(symbols)), np.nan)
    for j, symbol in enumerate(symbols):
        for t, row in enumerate(bars.get(symbol, [])):
            if row is not None:
                table[:, t, j] = row
    real = ~np.isnan(table[0])
    last = np.maximum.accumulate(np.where(real, np.arange(length)[:, None], -1), axis=0)
    carried = np.take_along_axis(table[3], np.maximum(last, 0), axis=0)
    time = np.arange(length, dtype=np.int64) * DAY_NS
    day = np.array(scenario.get("days") or range(length), np.int64)
    # The last row of each day at which a symbol has a bar.
    latest = {(d, j): t for t, d in enumerate(day) for j in range(len(symbols)) if real[t, j]}
    session_end = np.zeros(real.shape, np.uint8)
    for (_, j), t in latest.items():
        session_end[t, j] = 1
    return Market(
        symbols=symbols,
        time=time,
        open=np.ascontiguousarray(table[0]),
        high=np.ascontiguousarray(table[1]),
        low=np.ascontiguousarray(table[2]),
        close=np.where(last >= 0, carried, np.nan),
        volume=np.nan_to_num(table[4]),
        session_end=session_end,
        open_time=np.repeat(time[:, None], len(symbols), axis=1),
        period=DAY_NS,
        day=day,
        fx=_rates(scenario, length),
        detail=_detail(scenario, table, symbols),
        actions=tuple(_action(x, symbols) for x in scenario.get("actions") or []),
    )


def _rates(scenario: dict[str, Any], length: int) -> NDArray[np.float64] | None:
    rates = scenario.get("fx")
    if not rates:
        return None
    ones = [1.0] * length
    columns = [rates.get(x.get("currency", "USD"), ones) for x in scenario["instruments"]]
    return np.ascontiguousarray(np.array(columns, np.float64).T)


def _detail(
    scenario: dict[str, Any], table: NDArray[np.float64], symbols: tuple[str, ...]
) -> Detail | None:
    given = scenario.get("detail")
    if not given:
        return None
    first = np.zeros(table.shape[1:], np.int64)
    count = np.zeros(table.shape[1:], np.int64)
    bars: list[list[float]] = []
    for symbol, rows in given.items():
        j = symbols.index(symbol)
        tick = float(scenario["instruments"][j].get("tick_size", 0.01))
        for t, lower in enumerate(rows):
            if lower and agrees(table[:4, t, j], np.array(lower, np.float64), tick):
                first[t, j], count[t, j] = len(bars), len(lower)
                bars.extend(lower)
    return Detail(first, count, np.array(bars, np.float64).reshape(-1, 4))


def _action(given: dict[str, Any], symbols: tuple[str, ...]) -> Action:
    at, j = int(given["at"]), symbols.index(given["symbol"])
    for key, kind in ACTIONS.items():
        if key in given:
            return Action(at, j, kind, float(given[key]))
    margins = {name: float(given[name]) for name in MARGINS if name in given}
    return Action(at, j, ActionKind.MARGIN, **margins)


class ScriptedOrders:
    """The orders of a scenario as a strategy: what is asked for, at its bar and phase."""

    def __init__(self, scenario: dict[str, Any], machine: Machine) -> None:
        self.machine = machine
        self.ids: dict[str, int] = {}
        self.symbols = machine.market.symbols
        self.script: dict[tuple[str, int], list[dict[str, Any]]] = {}
        self.waiting: dict[str, str] = {}
        for order in scenario.get("orders") or []:
            self.script.setdefault((order["phase"], int(order["at"])), []).append(order)
            if "id" in order and order.get("oco"):
                self.waiting[order["oco"]] = order["id"]
        machine.connect(
            0,
            machine.python_hooks(
                on_open=lambda bar: self.submit_all("open", bar),
                on_close=lambda bar: self.submit_all("close", bar),
            ),
        )

    def submit_all(self, phase: str, bar: int) -> None:
        """Put what the script asks for at a bar and phase into the inbox."""
        for order in self.script.get((phase, bar), []):
            self.submit(order)

    def order_id(self, name: str) -> int:
        """The number of an order or of a bracket's child, -1 while there is none."""
        if name in self.ids:
            return self.ids[name]
        parent, _, leg = name.rpartition(".")
        role = {"stop": Role.STOP, "target": Role.TARGET}.get(leg)
        if role is None or parent not in self.ids:
            return -1
        orders = self.machine.orders()
        match = orders[(orders["parent"] == self.ids[parent]) & (orders["role"] == role)]
        return int(match["id"][-1]) if match.size else -1

    def submit(self, order: dict[str, Any]) -> None:
        """Put one order, cancel or change of the script into the inbox."""
        book = self.machine.book
        prices = {name: order.get(name) for name in PRICES}
        if "cancel" in order or "modify" in order:
            kind = state.CANCEL if "cancel" in order else state.MODIFY
            leave(book, kind, id=self.order_id(order.get("cancel") or order["modify"]), **prices)
            return
        partner = order.get("oco") or self.waiting.get(order["id"], "")
        self.ids[order["id"]] = leave(
            book,
            state.SUBMIT,
            instrument=self.symbols.index(order["symbol"]),
            side=1 if order["side"] == "buy" else -1,
            type=OrderType[order["type"].upper()],
            tif=TimeInForce[order.get("tif", "gtc").upper()],
            role=Role.PLAIN,
            reduce_only=bool(order.get("reduce_only")),
            oco=self.ids.get(partner, -1),
            until=int(order.get("until") or 0) * DAY_NS,
            **prices,
        )


def scenario_machine(scenario: dict[str, Any]) -> tuple[Machine, ScriptedOrders]:
    """A machine at the first bar of a scenario, and the script that is connected to it.

    Raises
    ------
    ConfigError, NotFoundError
        A field is missing, unknown or out of range; the message names the place.
    """
    check_scenario(scenario)
    market = scenario_market(scenario)
    instruments = []
    for x in scenario["instruments"]:
        values = {name: value for name, value in x.items() if name != "symbol"}
        instruments.append(Instrument.from_mapping(str(x["symbol"]), values))
    given = dict(scenario.get("account") or {})
    account = Account(
        cash=float(given.get("cash", 100_000.0)),
        margin_call=MarginCall[given.get("margin_call", "all").upper()],
        margin_check=MarginCheck[given.get("margin_check", "reject").upper()],
        path_policy=PathPolicy[scenario.get("path_policy", "worst").upper()],
        cash_account=given.get("type") == "cash",
        close_at_end=bool(given.get("close_at_end") or scenario.get("close_at_end")),
        close_delisted=bool(given.get("close_delisted")),
        seed=int(scenario.get("seed", 0)),
        path_trust=float(scenario.get("path_trust", 1.0)),
        currency=given.get("currency", "USD"),
        interest_rate=float(given.get("interest_rate", 0.0)),
        debit_rate=float(given.get("debit_rate", 0.0)),
        settlement=Settlement[given.get("settlement", "none").upper()],
    )
    wake = np.full((len(market), 1), 7, np.uint8)
    machine = Machine(market, instruments, account, wake)
    return machine, ScriptedOrders(scenario, machine)


def order_names(machine: Machine, script: ScriptedOrders) -> dict[int, str]:
    """What each order so far is called: its id in the file, `parent.stop`, `liquidation`."""
    names = {number: name for name, number in script.ids.items()}
    for order in machine.orders():
        number = int(order["id"])
        if order["role"] == Role.LIQUIDATION:
            names[number] = "liquidation"
        elif order["role"] == Role.END_OF_DATA:
            names[number] = "end_of_data"
        elif number not in names:
            leg = "stop" if order["role"] == Role.STOP else "target"
            names[number] = f"{names[int(order['parent'])]}.{leg}"
    return names


def scenario_result(name: str, machine: Machine, script: ScriptedOrders) -> dict[str, Any]:
    """What happened, in the words of the scenario format."""
    orders = machine.orders()
    names = order_names(machine, script)
    reasons = {
        FillReason.SESSION: FillReason.EXIT.word,
        FillReason.END_OF_DATA: FillReason.EXIT.word,
    }
    symbols = machine.market.symbols
    result = {
        "name": name,
        "fills": [
            {
                "at": int(f["bar"]),
                "phase": Phase(f["phase"]).word,
                "order": names.get(int(f["order"]), FillReason(f["reason"]).word),
                "symbol": symbols[f["instrument"]],
                "side": "buy" if f["side"] > 0 else "sell",
                "qty": float(f["qty"]),
                "price": float(f["price"]),
                "cost": float(f["cost"]),
                "reason": reasons.get(FillReason(f["reason"]), FillReason(f["reason"]).word),
            }
            for f in machine.fills()
            if f["qty"] > 0.0
        ],
        "orders": [
            {
                "id": names[int(o["id"])],
                "status": OrderStatus(o["status"]).word,
                "reason": "" if o["reject"] == Reject.NONE else Reject(o["reject"]).word,
            }
            for o in orders
        ],
        "equity": [float(x) for x in machine.tape.equity[: machine.bars_done]],
        "status": "ruined" if machine.status is RunStatus.RUINED else "finished",
    }
    if len(machine.ledger()):
        result["ledger"] = [
            {
                "at": int(line["bar"]),
                "kind": LedgerKind(line["kind"]).word,
                "symbol": symbols[line["instrument"]] if line["instrument"] >= 0 else "",
                "amount": float(line["amount"]),
            }
            for line in machine.ledger()
        ]
    return result


def run_scenario(scenario: dict[str, Any]) -> dict[str, Any]:
    """Run a scenario through the market and say what happened.

    Parameters
    ----------
    scenario : dict
        One JSON object of the scenario format.

    Returns
    -------
    dict
        `name`, `fills`, `orders`, `equity`, `status`, and `ledger` where it has lines; figures as
        plain numbers, unrounded.
    """
    machine, script = scenario_machine(scenario)
    machine.advance()
    return scenario_result(str(scenario.get("name", "")), machine, script)
