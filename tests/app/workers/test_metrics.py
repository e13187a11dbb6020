"""What Prometheus reads of a session: true, and never more series than a configuration has."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from intrabar.app.workers.metrics import Metrics
from intrabar.app.workers.signs import Signs
from intrabar.model.entry import Entry
from intrabar.risk.limits import Limits
from intrabar.version import __version__
from tests.app.workers.lived import lived


@dataclass
class Hand:
    """A clock that stands until it is moved."""

    at: float = 0.0

    def now(self) -> int:
        return round(self.at * 1e9)

    def tick(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody waits here")


def no_problem(text: str) -> None:
    raise AssertionError(text)


def told(folder: Path, turns: Iterable[list[Entry]], clock: Hand, plan: Any = None) -> Metrics:
    session = lived().session
    signs = Signs(folder, no_problem)
    plan = plan or session.plan
    metrics = Metrics(plan, signs.standing, "main", folder, clock, lambda: 0.002, "abc")
    for turn in turns:
        signs.take(turn, session)
        metrics.take(turn, session)
    return metrics


def samples(metrics: Metrics) -> dict[tuple[str, str], float]:
    """(name, values of the labels beside session) -> value."""
    found = {}
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples:
            labels = [value for name, value in sample.labels.items() if name != "session"]
            assert sample.labels["session"] == "main"
            found[sample.name.removeprefix("intrabar_"), ",".join(labels)] = sample.value
    return found


def test_the_figures_are_those_of_the_session(tmp_path: Path) -> None:
    session = lived()
    last = session.session.machine
    clock = Hand(10.0)
    metrics = told(tmp_path, session.turns, clock)
    clock.at = session.session.rows[-1].time / 1e9 + 90
    found = samples(metrics)
    fills = session.backtest.fills
    counted = sum(value for (name, _), value in found.items() if name == "fills_total")
    assert counted == len(fills)
    for strategy in session.session.plan.names:
        expected = (fills["strategy"] == strategy).sum()
        assert found["fills_total", strategy] == expected
    for rule, count in session.session.judge.counts.items():
        assert found["refusals_total", rule] == count
    assert found["equity", ""] == last.tape.equity[last.bar - 1]
    assert found["orders_working", ""] == len(last.working())
    assert found["turns_total", "row.closed"] == len(session.session.rows) - 30
    assert found["commit_seconds_count", ""] == len(session.turns)
    assert found["journal_seq", ""] == len(session.entries)
    assert found["breaker_state", "trading"] == 1
    assert found["breaker_state", "halted"] == 0
    ages = {found["data_age_seconds", symbol] for symbol in session.session.plan.symbols}
    assert min(ages) == 90.0
    assert found["build_info", f"abc,{__version__}"] == 1


def test_a_resumed_process_counts_from_zero(tmp_path: Path) -> None:
    session = lived()
    resumed = Entry(session.entries[-1].at, 0, 0, "session.resumed", {})
    metrics = told(tmp_path, [[*session.entries, resumed]], Hand())
    found = samples(metrics)
    assert sum(value for (name, _), value in found.items() if name == "fills_total") == 0
    assert found["turns_total", "session.resumed"] == 1
    last = session.session.machine
    assert found["equity", ""] == last.tape.equity[last.bar - 1]


def test_what_is_used_of_the_limits(tmp_path: Path) -> None:
    session = lived()
    plan = session.session.plan
    limits = Limits(max_daily_loss_pct=2.0, max_daily_loss=500.0, max_drawdown_pct=10.0)
    rows = [
        Entry(0, 0, 0, "limit.day", {"x0": {"account": 1_000.0}, "peak": {"account": 2_000.0}}),
        Entry(0, 0, 0, "row", {"row": 1, "time": 0, "equity": 990.0, "cash": 990.0}),
    ]
    start = [session.entries[0]]
    limited = told(tmp_path, [start, rows], Hand(), replace(plan, limits=limits))
    found = samples(limited)
    assert found["day_loss_ratio", ""] == pytest.approx(0.5)  # 1 % of 2 %
    assert found["drawdown_ratio", ""] == pytest.approx(5.05)
    without = told(tmp_path, [start, rows], Hand(), replace(plan, limits=Limits()))
    assert not [name for name, _ in samples(without) if name.endswith("loss_ratio")]


def test_latencies_and_the_store_are_told_by_the_driver(tmp_path: Path) -> None:
    metrics = told(tmp_path, lived().turns[:3], Hand())
    metrics.lagged(0.5)
    metrics.turned("row.closed", 0.0002)
    metrics.turned("link", 0.2)
    metrics.store_is_up(lambda: False)
    found = samples(metrics)
    assert found["event_loop_lag_seconds_sum", ""] == 0.5
    assert found["bar_to_intent_seconds_bucket", "0.0003"] == 1
    assert found["bar_to_intent_seconds_count", ""] == 1
    assert found["store_up", ""] == 0
    assert found["disk_free_bytes", ""] > 0
    assert math.isnan(found["backup_age_seconds", ""])
    assert not [name for name, _ in found if name.endswith("_created")]


def test_fifty_symbols_stay_below_two_thousand_series(tmp_path: Path) -> None:
    names = [f"S{number:02}" for number in range(50)]
    strategies = tuple(f"strategy {number}" for number in range(10))
    plan = SimpleNamespace(
        names=strategies, symbols=tuple(names), limits=Limits(max_daily_loss_pct=1.0)
    )
    start = Entry(0, 0, 0, "session.started", {"name": "main", "symbols": names})
    rows = [
        Entry(0, 0, 0, "row.closed", {"time": t, "bars": [[i, 1, 1, 1, 1, 1] for i in range(50)]})
        for t in range(1, 9)
    ]
    metrics = told(tmp_path, [[start, *rows]], Hand(), plan)
    assert 100 < len(samples(metrics)) < 2_000
