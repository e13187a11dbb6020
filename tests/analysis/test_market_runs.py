"""On random runs of the market: fills and ledger add up to the equity that the account recorded."""

from __future__ import annotations

import math
import random
from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from intrabar.analysis import equity_by
from intrabar.engine.outcome.result import Result
from intrabar.engine.run import Setup
from intrabar.engine.scenario.scenario import scenario_machine
from intrabar.errors import ConfigError
from intrabar.model.enums import Settlement
from intrabar.sim.machine import Machine
from intrabar.strategy.signals import Signals
from tests.generators import random_scenario


def result_of(machine: Machine) -> Result:
    """The tables of a machine that a script of orders has traded."""
    setup = Setup(
        machine.market, tuple(machine.instruments), {"s": Signals("HOLD")}, machine.account
    )
    run: Any = SimpleNamespace(setup=setup, machine=machine, running={})
    return Result(run)


@pytest.mark.parametrize("block", range(6))
def test_fills_and_ledger_account_for_the_equity(block: int) -> None:
    seen: Counter[str] = Counter()
    for n in range(150):
        try:
            machine, _script = scenario_machine(random_scenario(random.Random(f"runs/{block}/{n}")))
        except ConfigError:  # a walk has left the grid: no bar
            seen["refused"] += 1
            continue
        machine.advance()
        result = result_of(machine)
        check(result)
        seen.update(result.fills["reason"].to_list())
        seen.update(result.ledger["kind"].to_list())
        seen["converts"] += int(result.market.fx is not None)
    for rule in ("split", "roll", "dividend", "borrow", "swap", "interest", "settlement"):
        assert seen[rule], f"no scenario had a {rule}"
    assert seen["converts"]
    assert seen["refused"] < 3


def check(result: Result) -> None:
    """Compare one run with its account."""
    machine, market, fills = result.run.machine, result.market, result.fills
    rows, initial = result.bars_done, machine.account.cash
    recorded = machine.tape.equity[:rows]
    gained = float(recorded[-1]) - initial
    # Money may differ by the order of additions, 1e-9 of the largest sum that was on the way.
    most = max(initial, float(np.abs(recorded).max()), float(fills["realized"].abs().max() or 0.0))
    near = {"rel": 1e-9, "abs": 1e-9 * most}

    rates = market.fx is not None
    settles = rates and machine.account.settlement is Settlement.DAILY
    accrued = result.ledger.filter(pl.col("kind") != "settlement")["amount"].sum()
    closed = result.campaigns.filter(pl.col("end_bar").is_not_null())["net"].sum()
    open_ = result.campaigns.filter(pl.col("end_bar").is_null())["net"].sum()
    exchange = settled_exchange(result) if settles else 0.0
    assert gained == pytest.approx(closed + open_ + accrued + exchange, **near)

    # What cash did, line by line, with no word of averages.
    moved = cash_moved_by_fills(result)
    assert machine.cash()[-1] - initial == pytest.approx(
        math.fsum(moved) + result.ledger["amount"].sum(), **near
    )
    assert result.campaigns["gross"].sum() - open_profit(result) == pytest.approx(
        fills["realized"].sum(), **near
    )
    if not rates:  # a rate that changes between parts makes first in, first out other money
        paid = fills["cost"].sum() - result.trades["costs"].sum()
        net = result.trades["net"].sum() + open_lots(fills, result) - paid
        assert gained - accrued == pytest.approx(net, **near)

    for key in ("symbol", "strategy"):
        shared = sum(
            equity_by(fills, market, result.point_values, key).values(), np.zeros(len(market))
        )
        per_bar = np.zeros(len(market))
        for bar, kind, amount in result.ledger.select("bar", "kind", "amount").rows():
            per_bar[bar] += amount if kind != "settlement" else 0.0
        if not settles:
            np.testing.assert_allclose(
                (initial + shared + per_bar.cumsum())[:rows], recorded, rtol=1e-9, atol=1e-9 * most
            )

    for one in (result.metrics, *result.metrics_by("symbol").values()):
        assert set(one.reasons) == {k for k, v in one.values.items() if v is None}
        assert all(v is None or np.isfinite(v) for v in one.values.values())
    held = np.array([x["qty"] for x in machine.book.sleeves])
    value = {s: worth(result, s) for s in market.symbols}
    worths = np.array([value[s] for s in market.symbols]) * np.abs(market.close[rows - 1])
    notional = float(np.nansum(np.abs(held) * worths))
    if recorded[-1] > 0.0:
        exposure = result.equity["exposure"][-1] * recorded[-1]
        assert exposure == pytest.approx(notional, rel=1e-9, abs=1e-6 * most)


def worth(result: Result, symbol: str) -> float:
    """Of a move of 1.0 in price at the last close."""
    fx, market = result.market.fx, result.market
    rate = 1.0 if fx is None else fx[result.bars_done - 1, market.symbols.index(symbol)]
    return result.point_values[symbol] * float(rate)


def cash_moved_by_fills(result: Result) -> list[float]:
    """Cash after each fill less cash before it, from the records of both tables."""
    fills, ledger = result.run.machine.fills(), result.run.machine.ledger()
    before, moved, line = result.run.machine.account.cash, [], 0
    for n, fill in enumerate(fills):
        while line < len(ledger) and ledger[line]["fills"] <= n:
            before, line = ledger[line]["cash"], line + 1
        moved.append(fill["cash"] - before)
        before = fill["cash"]
    return moved


def settled_exchange(result: Result) -> float:
    """What rates of exchange did to profits between their settlement and their realization.

    Settled at one rate, a profit is realized at another in the tables; the market has the first.
    """
    settled = result.ledger.filter(pl.col("kind") == "settlement")["amount"].sum()
    booked = math.fsum(cash_moved_by_fills(result)) + result.fills["cost"].sum()
    from_basis = sum(
        x["qty"] * (result.market.close[result.bars_done - 1, j] - x["basis"]) * worth(result, s)
        for j, s in enumerate(result.market.symbols)
        for x in [result.run.machine.book.sleeves[j]]
        if x["qty"]
    )
    return float(
        settled + booked + from_basis - result.fills["realized"].sum() - open_profit(result)
    )


def open_profit(result: Result) -> float:
    """Of the positions of the account at the last close, from their averages."""
    last = result.market.close[result.bars_done - 1]
    return float(
        sum(
            x["qty"] * (last[j] - x["avg"]) * worth(result, result.market.symbols[j])
            for j, x in enumerate(result.run.machine.book.sleeves)
            if x["qty"]
        )
    )


def open_lots(fills: pl.DataFrame, result: Result) -> float:
    """Open profit of what first in, first out leaves, lots kept in a plain list."""
    lots: dict[str, list[list[float]]] = {}
    for f in fills.rows(named=True):
        mine = lots.setdefault(f["symbol"], [])
        if f["qty"] == 0.0:
            lots[f["symbol"]] = [[q * f["price"], p / f["price"]] for q, p in mine]
            continue
        left = f["qty"] * (1.0 if f["side"] == "buy" else -1.0)
        while mine and mine[0][0] * left < 0.0 and abs(left) > 1e-9:
            taken = math.copysign(min(abs(left), abs(mine[0][0])), left)
            mine[0][0] += taken
            left -= taken
            if abs(mine[0][0]) < 1e-9:
                mine.pop(0)
        if abs(f["position"]) < 1e-9:
            mine.clear()
        elif abs(left) > 1e-9:
            mine.append([left, f["price"]])
    last = dict(zip(result.market.symbols, result.market.close[result.bars_done - 1], strict=True))
    return sum(q * (last[s] - p) * worth(result, s) for s, mine in lots.items() for q, p in mine)
