"""Bars that no market has: nothing crashes, hangs or breaks an invariant; ruin is a result."""

from __future__ import annotations

import os

import numpy as np
import pytest

from intrabar.engine.run import Run, Setup
from intrabar.exits import FixedRatio, TrailingATR
from intrabar.model.bars import Market
from intrabar.model.enums import MarginCheck, PathPolicy, RunStatus
from intrabar.model.instrument import Instrument
from intrabar.sim.account import Account
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip

BARS = int(os.environ.get("INTRABAR_HOSTILE_BARS", "20000"))  # a million by hand
SCALES = (5e-324, 1e-300, 1e-8, 1.0, 97.0, 1e6, 1e12)
TICKS = (1e-9, 0.01, 1.0, 1e6)


def hostile(rng: np.random.Generator, scale: float, tick: float) -> Market:
    """Zero ranges, huge gaps, equal prices, volume 0, sub-normal and enormous prices."""
    steps = rng.choice([0.0, 0.0, 1e-12, 0.001, 0.2, 3.0], BARS) * rng.standard_normal(BARS)
    middle = scale * np.exp(np.clip(np.cumsum(steps) * 0.05, -30.0, 30.0))
    four = middle[:, None] * np.exp(
        rng.choice([0.0, 0.0, 1e-9, 0.01, 1.0], (BARS, 1)) * rng.standard_normal((BARS, 4))
    )
    four = np.clip(four, 5e-324, 1e15)
    four[rng.random(BARS) < 0.2] = tick  # runs of one price
    grid = [x.reshape(-1, 1).copy() for x in (four[:, 0], four.max(1), four.min(1), four[:, 3])]
    time = np.arange(BARS, dtype=np.int64) * 60_000_000_000
    volume = np.where(rng.random(BARS) < 0.3, 0.0, rng.integers(1, 10**9, BARS)).astype(float)
    ends = (rng.random((BARS, 1)) < 0.01).astype(np.uint8)
    when = time.reshape(-1, 1).copy()
    return Market(("A",), time, *grid, volume.reshape(-1, 1), ends, when, 60_000_000_000)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("tick", TICKS)
def test_no_bar_is_too_hostile(scale: float, tick: float) -> None:
    rng = np.random.default_rng([SCALES.index(scale), TICKS.index(tick)])
    market = hostile(rng, scale, tick)
    instrument = Instrument(
        "A",
        tick_size=tick,
        lot=1e-6,
        slippage_ticks=1.0,
        slippage_impact=0.1,
        commission_rate=1e-4,
        max_volume_share=0.1,
        initial_margin_rate=0.1,
        maintenance_margin_rate=0.05,
        borrow_rate=0.02,
        swap_long=-1e-9,
    )
    for policy in (PathPolicy.WORST, PathPolicy.NEAREST, PathPolicy.RANDOM):
        account = Account(1e9, path_policy=policy, margin_check=MarginCheck.REDUCE)
        for exit_ in (FixedRatio(3), TrailingATR(3)):
            run = Run(Setup(market, (instrument,), {"b": Bot(CoinFlip(1, 0.5), exit_)}, account))
            run.to_end()
            machine = run.machine
            equity = machine.tape.equity[: machine.bars_done]
            assert np.isfinite(equity).all()
            assert (equity[:-1] > 0.0).all()
            assert machine.status is RunStatus.RUINED or machine.bars_done == BARS
            fills = machine.fills()
            assert np.isfinite(fills["price"]).all()
            assert (fills["qty"] > 0.0).all()
            # What cash moved by is what fills and the ledger say.
            moved = (fills["realized"] - fills["cost"]).sum() + machine.ledger()["amount"].sum()
            cash = machine.cash()[-1]
            assert abs(cash - (1e9 + moved)) <= 1e-6 * max(1e9, np.abs(fills["realized"]).sum())
