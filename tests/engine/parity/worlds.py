"""Random sessions with splits, dividends, rolls, rates, nights and settlement, and their money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from intrabar.engine.run import Setup
from intrabar.model.bars import Action
from intrabar.model.entry import Entry
from intrabar.model.enums import ActionKind, Settlement
from tests.engine.replay.replays import everyone


def world(seed: int) -> Setup:
    """Everyone's setup with some of what can befall an instrument."""
    draw = np.random.default_rng(seed)
    setup = everyone(seed, bars=int(draw.integers(20, 41)), missing=float(draw.choice([0.0, 0.2])))
    market, account = setup.market, setup.account
    t = len(market)
    actions = []
    for row in np.flatnonzero(draw.random(t) < 0.08):
        column = int(draw.integers(2))
        if row == 0 or np.isnan(market.open[row, column]):
            continue
        kind = draw.choice([ActionKind.SPLIT, ActionKind.DIVIDEND, ActionKind.ROLL])
        value = {
            ActionKind.SPLIT: float(draw.choice([2.0, 1.5, 0.5])),
            ActionKind.DIVIDEND: 0.5,
            ActionKind.ROLL: round(float(market.close[row - 1, column]) + 0.3, 2),
        }[kind]
        actions.append(Action(int(row), column, ActionKind(kind), value))
    fx = None
    instruments = list(setup.instruments)
    if draw.random() < 0.4:
        fx = np.column_stack([np.ones(t), 1.1 * np.exp(np.cumsum(draw.normal(0, 0.002, t)))])
        instruments[1] = replace(instruments[1], currency="EUR")
    tick = {"slippage_ticks": float(draw.choice([0.0, 1.0, 2.0])), "fee_per_trade": 1.0}
    instruments = [
        replace(x, **tick, borrow_rate=0.1, swap_long=-0.5, initial_margin_rate=0.05)
        for x in instruments
    ]
    day = market.time // 86_400_000_000_000 + np.arange(t) // 7
    market = replace(market, actions=tuple(actions), fx=fx, day=day)
    if draw.random() < 0.4:
        account = replace(account, settlement=Settlement.DAILY)
    account = replace(account, interest_rate=0.02, debit_rate=0.06)
    return replace(setup, market=market, account=account, instruments=tuple(instruments))


def equity_of(journal: Sequence[Entry], setup: Setup) -> float:
    """The equity at the last row, from fills and ledger alone, row by row: the slow way."""
    market = setup.market
    cash = setup.account.cash
    held: dict[tuple[str, str], list[float]] = {}  # quantity, basis
    points = np.array([x.point_value for x in setup.instruments])
    booked: dict[int, list[Entry]] = {}
    for entry in journal:
        if entry.kind in ("fill", "cash"):
            booked.setdefault(entry.body["row"], []).append(entry)
    for row in range(len(market)):
        # Splits come before the fills of the row, a settlement after all of them.
        for action in market.actions:
            for (_, symbol), one in held.items():
                is_its = (action.bar, market.symbols[action.instrument]) == (row, symbol)
                if is_its and action.kind is ActionKind.SPLIT:
                    one[0] *= action.value
                    one[1] /= action.value
        for entry in sorted(booked.get(row, []), key=lambda e: e.kind == "cash"):
            body = entry.body
            owner = (body["strategy"], body["symbol"])
            if entry.kind == "cash":
                cash += body["amount"]
                if body["kind"] == "settlement":
                    held[owner][1] = float(market.close[row, market.symbols.index(owner[1])])
                continue
            one = held.setdefault(owner, [0.0, 0.0])
            if body["reason"] == "split" and body["qty"] == 0.0:
                continue
            signed = body["qty"] if body["side"] == "buy" else -body["qty"]
            cash -= body["cost"]
            left = one[0] + signed
            if one[0] * signed >= 0.0:
                one[1] = (one[1] * abs(one[0]) + body["price"] * abs(signed)) / (abs(left) or 1.0)
            else:
                closed = min(abs(one[0]), abs(signed)) * (1.0 if one[0] > 0 else -1.0)
                cash += closed * (body["price"] - one[1]) * body["point_value"]
                if one[0] * left < 0.0:
                    one[1] = body["price"]
            one[0] = left
    if market.fx is not None:
        points = points * market.fx[-1]
    for (_, symbol), (qty, basis) in held.items():
        column = market.symbols.index(symbol)
        cash += qty * (float(market.close[-1, column]) - basis) * points[column]
    return cash
