"""A sweep: each of its runs is the run alone to the bit, whoever runs it and in whatever order."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import intrabar as ib
from intrabar.app.calls.sweep import planned
from intrabar.research.sweep.threads import Threads
from tests.app.runs_of_it import write_bars
from tests.app.sweeps_of_it import Dip, bars, crossing
from tests.strategy.markets import AtALimit, AtAStop

FRAME = bars()
SPACE = {
    "fast": [3, 5, 9],
    "slow": [20, 33],
    "exit.name": ["FixedRatio", "TrailingATR"],
    "exit.atr_multiple": [1.0, 2.5],
    "risk_fraction": [0.01, 0.05],
    "gates.min_atr": [0.0, 0.9],
    "account.path_policy": ["worst", "best", "random"],
    "instruments.ASSET.slippage_ticks": [0, 3],
}


def alone(p: dict[str, Any]) -> ib.Result:
    """The same variant, written by hand as a configuration."""
    exit_ = {"name": p["exit.name"], "atr_multiple": p["exit.atr_multiple"]}
    params = {
        "fast": p["fast"],
        "slow": p["slow"],
        "risk_fraction": p["risk_fraction"],
        "exit": exit_,
        "gates": {"min_atr": p["gates.min_atr"]},
    }
    return ib.backtest(
        "MovingAverageCrossover",
        FRAME,
        params=params,
        account={"path_policy": p["account.path_policy"], "seed": 4},
        instruments={"ASSET": {"slippage_ticks": p["instruments.ASSET.slippage_ticks"]}},
    )


def swept(**how: Any) -> ib.SweepResult:
    given = {"parameters": SPACE, "sample": "random", "count": 40, "seed": 5, "keep": False}
    account = {"account": {"seed": 4}}
    return ib.sweep("MovingAverageCrossover", FRAME, **{**given, **account, **how})


@pytest.fixture(scope="module")
def result() -> ib.SweepResult:
    return swept(workers=1)


def test_a_run_in_a_sweep_is_the_run_alone(result: ib.SweepResult) -> None:
    assert result.failed == 0
    assert result.table["campaigns"].sum() > 200
    for row, outcome in zip(result.table.iter_rows(named=True), result.outcomes, strict=True):
        expected = alone(dict(outcome.trial.parameters))
        assert row["digest"] == expected.digest
        assert dict(outcome.metrics) == dict(expected.metrics.values)
        assert outcome.status == expected.status.word


def test_a_name_of_the_run_and_of_the_strategy_is_asked_about() -> None:
    with pytest.raises(ib.ConfigError, match=r"a setting of the run .*write AtALimit\.period"):
        ib.sweep(ib.Bot(AtALimit(), ib.FixedPercent()), FRAME, parameters={"period": [3, 9]})


@pytest.mark.parametrize("entry", [AtALimit, AtAStop])
def test_a_bot_that_rests_and_leaves_by_a_signal_is_itself_in_a_sweep(entry: Any) -> None:
    period = f"{entry.__name__}.period"
    parameters = {period: [3, 9], "away": [0.1, 0.6], "exit.stop": [0.01, 0.05]}
    sizes = {"equity_fraction": [0.2, 0.8]}
    base = ib.Bot(entry(), ib.FixedPercent())
    result = ib.sweep(base, FRAME, parameters=parameters | sizes, keep=False)
    assert result.failed == 0
    assert result.table["campaigns"].min() > 0
    assert result.table["digest"].n_unique() == len(result.outcomes)
    for row, outcome in zip(result.table.iter_rows(named=True), result.outcomes, strict=True):
        p = dict(outcome.trial.parameters)
        leaves = ib.FixedPercent(p["exit.stop"])
        bot = ib.Bot(entry(p[period], p["away"]), leaves, equity_fraction=p["equity_fraction"])
        assert row["digest"] == ib.backtest(bot, FRAME).digest


@pytest.mark.parametrize("workers", [2, 4])
def test_threads_change_nothing(result: ib.SweepResult, workers: int) -> None:
    again = swept(workers=workers)
    assert again.digest == result.digest
    assert again.returns.tobytes() == result.returns.tobytes()


def test_order_and_batches_change_nothing(result: ib.SweepResult) -> None:
    section = {"parameters": SPACE, "sample": "random", "count": 40, "seed": 5}
    plan = planned("MovingAverageCrossover", FRAME, section, {"account": {"seed": 4}})
    trials = list(plan.space)
    random.Random(1).shuffle(trials)
    batches = [trials[:1], trials[1:30], trials[30:]]
    found = [o for batch in Threads(2).map(plan.work, batches) for o in batch]
    by_number = {o.trial.number: o for o in found}
    for outcome in result.outcomes:
        assert by_number[outcome.trial.number].digest == outcome.digest
        assert by_number[outcome.trial.number].key == plan.work.key(outcome.trial)


def test_a_trial_can_be_had_in_full(result: ib.SweepResult) -> None:
    full = result.run(17)
    assert full.digest == result.table["digest"][17]
    assert full.fills.height > 0


def test_the_returns_are_those_of_the_equity_at_the_end_of_each_day(
    result: ib.SweepResult,
) -> None:
    equity = result.run(3).equity.group_by_dynamic("time", every="1d", closed="right").agg("equity")
    last = np.array([day[-1] for day in equity["equity"]])
    expected = last / np.append(100_000.0, last[:-1]) - 1.0
    assert result.returns.shape == (26, 40)
    assert result.returns[:, 3] == pytest.approx(expected, abs=1e-15)
    assert str(np.datetime64(int(result.days[0]), "ns"))[:10] == "2024-01-01"


def test_the_best_is_best_by_the_metric_and_has_a_deflated_sharpe(
    result: ib.SweepResult,
) -> None:
    sharpe = result.table["sharpe"]
    assert result.best is not None
    assert result.best.metrics["sharpe"] == sharpe.max()
    assert result.best.number == sharpe.arg_max()
    # Of the best of 40 less is left than of one that was tried alone.
    single = ib.sweep(
        "MovingAverageCrossover",
        FRAME,
        parameters={place: [value] for place, value in result.best.parameters.items()},
        account={"seed": 4},
        keep=False,
    )
    assert single.best is not None
    assert single.best.metrics == result.best.metrics
    assert result.best.deflated_sharpe < single.best.deflated_sharpe


def test_the_best_by_what_should_be_low_is_the_lowest() -> None:
    lowest = swept(metric="max_drawdown")
    assert lowest.best is not None
    assert lowest.best.metrics["max_drawdown"] == lowest.table["max_drawdown"].min()


@pytest.mark.parametrize(
    ("strategy", "parameters"),
    [
        (crossing, {"fast": [3, 5], "slow": [20, 33]}),
        (Dip, {"depth": [0.002, 0.008], "hold": [3, 8]}),
        (Dip(hold=4), {"depth": [0.002, 0.008]}),
        (ib.MovingAverageCrossover, {"fast": [3, 5], "exit.reward": [1.0, 3.0]}),
        (ib.Bot(ib.CoinFlip()), {"chance": [0.1, 0.3], "exit.atr_multiple": [2.0, 3.0]}),
        ({"a": "CoinFlip", "b": Dip()}, {"a.chance": [0.1, 0.2], "hold": [2, 9]}),
    ],
)
def test_any_kind_of_strategy(strategy: Any, parameters: dict) -> None:
    result = ib.sweep(strategy, FRAME, parameters=parameters, keep=False)
    assert len(result) == len(set(result.table["digest"]))
    for outcome in result.outcomes:
        full = result.run(outcome.trial.number)
        assert full.digest == outcome.digest
        assert dict(outcome.metrics) == dict(full.metrics.values)


def test_symbols_dates_and_whole_strategies_are_parameters_too() -> None:
    data = {"A": bars(300, 1), "B": bars(300, 2, every=7)}
    result = ib.sweep(
        "CoinFlip",
        data,
        parameters={
            "symbols": ["A", "B", ["B", "A"]],
            "start": [None, "2024-01-05"],
            "strategy": ["CoinFlip", "TrendFollowing"],
        },
        keep=False,
    )
    assert result.failed == 0
    for outcome in result.outcomes:
        p = outcome.trial.parameters
        expected = ib.backtest(
            p["strategy"], data, symbols=p["symbols"].split(","), start=p["start"]
        )
        assert outcome.digest == expected.digest
        assert dict(outcome.metrics) == dict(expected.metrics.values)
    assert len(result.data) == 6
    assert np.isnan(result.returns).any()


def test_a_trial_that_raises_is_recorded_and_the_sweep_goes_on(tmp_path: Path) -> None:
    result = ib.sweep(Dip, FRAME, parameters={"depth": [0.01, 0.9, 0.02]}, out=tmp_path / "runs")
    assert result.table["status"].to_list() == ["finished", "failed", "finished"]
    assert "deeper than any fall" in result.table["error"][1]
    assert result.table["sharpe"][1] is None
    assert np.isnan(result.returns[:, 1]).all()
    assert not np.isnan(result.returns[:, 0]).any()


def test_values_that_make_no_run_fail_alone() -> None:
    for place, values, said in [
        ("fast", [5, 60], "must be below slow"),
        ("account.cash", [1000, -5], "must be above 0"),
        ("account.path_policy", ["best", "bset"], "must be one of"),
        ("instruments.ASSET.tick_size", [0.01, -1], "tick_size is -1"),
        ("symbols", ["ASSET", "NONE"], "unknown symbol 'NONE'"),
        ("start", ["2024-01-03", "2030-01-01"], "no bars between"),
    ]:
        result = ib.sweep("MovingAverageCrossover", FRAME, parameters={place: values}, keep=False)
        assert result.table["status"].to_list() == ["finished", "failed"], place
        assert said in result.table["error"][1], place


def test_a_sweep_that_is_wrong_as_a_whole_is_refused() -> None:
    for how, said in [
        ({"parameters": {"fsat": [3]}}, "did you mean 'fast'"),
        ({"parameters": {"account.path_polcy": [3]}}, "did you mean 'account.path_policy'"),
        ({"parameters": {"instruments.ASSET.slippage": [1]}}, "slippage_ticks"),
        ({"parameters": {"fast": []}}, "has no values"),
        ({"parameters": {}}, "nothing to sweep"),
        ({"parameters": {"fast": [3]}, "metric": "shrpe"}, "did you mean 'sharpe'"),
        ({"parameters": {"fast": [3]}, "metric": 3}, "sweep.metric: is 3, must be text"),
        ({"parameters": {"fast": [3]}, "constraints": ["fast > 9"]}, "exclude every point"),
        ({"parameters": {"fast": [3]}, "constraints": ["fast > slwo"]}, "unknown parameter"),
        ({"parameters": {"fast": [3]}, "workers": 0}, "workers: is 0"),
        (
            {"parameters": {"fast": [3]}, "on": "thread"},
            "on: is 'thread', must be one of 'threads'",
        ),
        ({"parameters": {"fast": [3]}, "sample": "latin"}, "count"),
    ]:
        with pytest.raises(ib.UsageError, match=said):
            ib.sweep("MovingAverageCrossover", FRAME, keep=False, **how)


def test_what_was_run_before_is_not_run_again(tmp_path: Path) -> None:
    first = swept(out=tmp_path, keep=True)
    assert first.found == 0
    second = swept(out=tmp_path, keep=True, workers=2)
    assert second.found == 40
    assert second.digest == first.digest
    assert second.returns.tobytes() == first.returns.tobytes()
    # The same variants, reached otherwise: other names, another sample, what is fixed here is
    # a parameter there.
    row = dict(first.outcomes[0].trial.parameters)
    fast = row.pop("fast")
    third = ib.sweep(
        {"MovingAverageCrossover": "MovingAverageCrossover"},
        FRAME,
        parameters={
            "strategies[0].params.fast": [float(fast), 4],
            **{place: [value] for place, value in row.items()},
        },
        account={"seed": 4},
        out=tmp_path,
    )
    assert third.found == 1
    assert third.table["digest"][0] == first.table["digest"][0]


def test_other_bars_or_another_seed_are_other_trials(tmp_path: Path) -> None:
    def run(frame: Any, seed: int) -> int:
        return ib.sweep(
            "CoinFlip", frame, parameters={"chance": [0.1]}, params={"seed": seed}, out=tmp_path
        ).found

    assert [run(FRAME, 1), run(FRAME, 1), run(FRAME, 2), run(bars(seed=4), 1)] == [0, 1, 0, 0]


def test_numbers_that_no_column_holds_are_written_out(tmp_path: Path) -> None:
    file = write_bars(tmp_path / "AAA.csv")
    found = ib.sweep("CoinFlip", file, parameters={"seed": [1, 10**30]}, keep=False)
    assert found.table["seed"].to_list() == ["1", str(10**30)]
