"""On random runs of the market: what fills say adds up to the equity that the account recorded."""

from __future__ import annotations

import random

import numpy as np
import polars as pl
import pytest

from intrabar.analysis import Results, campaigns, equity_by, sheet, sheets_by, trades
from intrabar.engine.scenario import scenario_machine
from intrabar.model.enums import FillReason, Phase
from intrabar.sim.machine import Machine
from tests.generators import random_scenario


def table_of(machine: Machine) -> pl.DataFrame:
    """The fills table of a run."""
    fills = machine.fills()
    columns = ("bar", "order", "qty", "price", "cost", "realized", "position", "stop", "target")
    plain = {name: np.ascontiguousarray(fills[name]) for name in columns}
    return pl.DataFrame(plain).with_columns(
        pl.Series("time", machine.market.time[fills["bar"]]).cast(pl.Datetime("ns", "UTC")),
        pl.Series("phase", [Phase(p).word for p in fills["phase"]], dtype=pl.String),
        pl.lit("s").alias("strategy"),
        pl.Series(
            "symbol", [machine.market.symbols[j] for j in fills["instrument"]], dtype=pl.String
        ),
        pl.Series("side", ["buy" if s > 0 else "sell" for s in fills["side"]], dtype=pl.String),
        pl.Series("reason", [FillReason(r).word for r in fills["reason"]], dtype=pl.String),
        pl.Series("ambiguous", fills["ambiguous"] != 0),
    )


@pytest.mark.parametrize("block", range(4))
def test_fills_account_for_the_equity(block: int) -> None:
    filled = 0
    for n in range(100):
        machine, _script = scenario_machine(random_scenario(random.Random(f"runs/{block}/{n}")))
        machine.advance()
        filled += check(machine)
    assert filled > 100


def check(machine: Machine) -> int:
    """Compare one run with its account; how many fills it had."""
    rows, initial = machine.bars_done, machine.account.cash
    recorded = machine.tape.equity[:rows]
    market, fills = machine.market, table_of(machine)
    values = {x.symbol: x.point_value for x in machine.instruments}
    near = {"rel": 1e-9, "abs": 1e-9 * initial}

    found = campaigns(fills, market, values, rows)
    assert initial + found["net"].sum() == pytest.approx(float(recorded[-1]), **near)
    if found["end_bar"].null_count() == 0:
        assert trades(fills)["net"].sum() == pytest.approx(found["net"].sum(), **near)
    for key in ("symbol", "strategy"):
        shared = sum(equity_by(fills, market, values, key).values(), np.zeros(len(market)))
        np.testing.assert_allclose(initial + shared[:rows], recorded, rtol=1e-9)

    equity = pl.DataFrame({"bar": np.arange(rows), "equity": recorded})
    results = Results(market, fills, found, equity, initial, values)
    for one in (sheet(results), *sheets_by(results, "symbol").values()):
        assert set(one.reasons) == {k for k, v in one.values.items() if v is None}
        assert all(v is None or np.isfinite(v) for v in one.values.values())
    return fills.height
