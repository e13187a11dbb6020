"""The audit finds what was planted, names the line, and says nothing about honest strategies."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from intrabar.errors import ConfigError, DataError, StrategyError
from intrabar.exits import FixedRatio
from intrabar.indicators import atr, ema, price, sma
from intrabar.model.bars import Market
from intrabar.research.look_ahead.audit import audit
from intrabar.research.look_ahead.report import AuditReport
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import MovingAverageCrossover
from intrabar.strategy.signals import Signals
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.views import AtClose
from tests.research.look_ahead import planted_leaks
from tests.strategy.markets import setup_of, walk
from tests.strategy.test_no_look_ahead import MADE

BARS = 400
FIVE = 5 * 60_000_000_000


def audited(make: Callable[[Market], Any], *, bars: int = BARS, **how: Any) -> AuditReport:
    market = walk(bars, 5, period=FIVE)
    return audit(setup_of(market, make(market)), lambda m: {"s": make(m)}, **how)


def marked_line(owner: Any) -> int:
    """The line of a class or function that is marked as the leak."""
    lines, first = inspect.getsourcelines(owner)
    return first + next(k for k, line in enumerate(lines) if "# THE LEAK" in line)


@pytest.mark.parametrize(
    ("make", "owner", "column", "arrays"),
    [
        (planted_leaks.volume_of_the_next_bar, planted_leaks.VolumeTold, "volume", ["volume"]),
        (planted_leaks.hour_too_early, planted_leaks.HourTrend, "close", ["hour_close"]),
        (planted_leaks.close_at_open, planted_leaks.CloseAtOpen, "close", []),
        (planted_leaks.both_hooks, planted_leaks.BothHooks, "close", ["close"]),
        (planted_leaks.standardized, planted_leaks.Standardized, "close", []),
        (planted_leaks.in_a_closure, planted_leaks.in_a_closure, "high", ["tomorrow"]),
        (lambda _: planted_leaks.ReachesIn(), planted_leaks.ReachesIn, "close", []),
    ],
)
def test_a_planted_leak_is_found_and_its_line_is_named(
    make: Any, owner: Any, column: str, arrays: list[str]
) -> None:
    report = audited(make, cuts=30)
    assert not report.is_clean
    assert {(leak.kind, leak.strategy) for leak in report.leaks} == {("hook", "s")}
    leak = report.leaks[0]
    assert leak.place == f"{planted_leaks.__file__}:{marked_line(owner)}"
    assert leak.name in ("on_close", "on_open")
    assert leak.decides
    assert leak.before != leak.after
    assert leak.arrays == arrays
    assert set(leak.columns) <= {column}
    assert leak.name in report.verdict


@pytest.mark.parametrize("make", [planted_leaks.volume_of_this_bar, planted_leaks.hour_in_time])
def test_the_honest_twin_of_a_leak_is_clean(make: Any) -> None:
    report = audited(make, cuts=30)
    assert report.leaks == []
    assert report.suspects == []
    assert report.unchecked == []
    assert report.verdict.startswith("Clean: 330 other futures at 30 bars")


def test_a_leak_of_one_column_is_seen_when_that_column_alone_changes() -> None:
    report = audited(planted_leaks.volume_of_the_next_bar, cuts=30)
    assert report.leaks[0].columns == ["volume"]
    shown = {one.column for one in report.tried if one.changed}
    assert shown == {"all", "volume"}


def test_signals_from_tomorrow_are_named_by_array_and_row() -> None:
    report = audited(planted_leaks.signals_of_tomorrow)
    assert [(leak.kind, leak.name, leak.symbol) for leak in report.leaks] == [
        ("signals", "side", "A")
    ]
    assert report.leaks[0].columns == ["close"]
    assert audited(planted_leaks.signals_of_today).is_clean


def test_a_compiled_rule_is_named_with_its_function() -> None:
    report = audited(planted_leaks.bot_that_looks_up, cuts=2, bars=120, seed=1)
    leak = report.leaks[0]
    assert leak.kind == "rule"
    assert leak.name == "LooksUp.decide_side"
    assert leak.place.startswith(planted_leaks.__file__)


def with_hindsight(market: Market) -> Bot:
    """A period that was chosen on the whole history."""
    rises = np.nanmean(np.diff(market.close[:, 0])) > 0
    return Bot(MovingAverageCrossover(3, 8 if rises else 9, "sma"), FixedRatio(5))


def test_an_indicator_chosen_with_hindsight_is_named() -> None:
    report = audited(with_hindsight)
    assert [(leak.kind, leak.name) for leak in report.leaks] == [("indicator", "cross")]
    assert report.leaks[0].place.startswith("cross(sma(3), sma(")


@pytest.mark.parametrize("made", MADE)
def test_built_in_strategies_are_clean(made: str) -> None:
    many = made == "python"
    market = (
        walk(240, 5, ("A", "B"), missing=0.1, period=FIVE) if many else walk(400, 5, period=FIVE)
    )
    report = audit(
        setup_of(market, MADE[made](market)),
        (lambda m: {"s": MADE[made](m)}) if made in ("signals", "weights") else None,
        cuts=5 if many else 12,
    )
    assert report.leaks == []
    assert report.orders > 5
    assert report.unchecked == []


def test_several_strategies_in_one_account_are_told_apart() -> None:
    market = walk(BARS, 5, period=FIVE)

    def make(m: Market) -> dict[str, Any]:
        return {
            "honest": planted_leaks.volume_of_this_bar(m),
            "bot": Bot(MovingAverageCrossover(3, 8), FixedRatio(5)),
            "leaky": planted_leaks.close_at_open(m),
        }

    made = make(market)
    report = audit(setup_of(market, *made.values(), names=list(made)), make)
    assert {leak.strategy for leak in report.leaks} == {"leaky"}


def test_an_array_that_cannot_be_made_again_is_told() -> None:
    market = walk(BARS, 5, period=FIVE)
    report = audit(setup_of(market, planted_leaks.volume_of_the_next_bar(market)), cuts=4)
    assert not report.is_clean
    assert report.leaks == []
    assert report.verdict.startswith("Not shown to be clean: ")
    assert len(report.unchecked) == 1
    assert "s: holds an array of the whole timeline (volume)" in report.unchecked[0]
    assert "pass a function of the market instead" in report.unchecked[0]


@pytest.mark.parametrize("side", [[1.0] * BARS, [1.0] + [np.nan] * (BARS - 1)])
def test_signals_that_act_on_the_first_bar_are_audited(side: list[float]) -> None:
    market = walk(BARS, 5, period=FIVE)
    assert audit(setup_of(market, Signals(np.array(side))), cuts=4).leaks == []
    made = audited(lambda m: Signals(np.array(side)[: len(m)]), cuts=4)
    assert made.leaks == []


@dataclass
class Unused(Strategy):
    tomorrow: Any = field(repr=False)

    def on_close(self, now: AtClose) -> None:
        if now.bar % 9 == 0:
            now.buy(1)


def test_an_array_that_nothing_uses_is_a_suspect_and_no_leak() -> None:
    report = audited(lambda m: Unused(planted_leaks.shifted(m.close[:, 0])), cuts=6)
    assert not report.is_clean
    assert report.leaks == []
    assert len(report.suspects) == 1
    assert "tomorrow knows the future from bar" in report.suspects[0]


class ReadsSeldom(Strategy):
    """Looks at the next close on every bar; what it does with it changes no order."""

    def __init__(self, closes: Any) -> None:
        self.closes = closes

    def on_close(self, now: AtClose) -> None:
        ahead = float(self.closes[now.bar])  # THE LEAK
        if ahead < 0:
            now.buy(1)


def test_a_value_of_the_future_is_told_even_when_no_order_hangs_on_it() -> None:
    report = audited(lambda m: ReadsSeldom(planted_leaks.shifted(m.close[:, 0])), cuts=6)
    assert [leak.decides for leak in report.leaks] == [False]
    assert report.leaks[0].place.endswith(f":{marked_line(ReadsSeldom)}")
    assert report.leaks[0].after == "ahead is another value"


class RunsOut(Strategy):
    """Fails where there is no next bar."""

    def __init__(self, closes: Any) -> None:
        self.closes = list(closes)

    def on_close(self, now: AtClose) -> None:
        if now.bar < 300:
            self.closes[now.bar + 1]  # THE LEAK


def test_a_strategy_that_falls_off_the_end_of_the_data_looked_ahead() -> None:
    report = audited(lambda m: RunsOut(m.close[:, 0]), cuts=6)
    leak = report.leaks[0]
    assert leak.place.endswith(f":{marked_line(RunsOut)}")
    assert "IndexError" in leak.after
    assert any("data that begin at bar" in told for told in report.unchecked)


class Tosses(Strategy):
    def on_close(self, now: AtClose) -> None:
        if np.random.default_rng().random() < 0.5:
            now.buy(1)


def test_a_strategy_that_does_not_repeat_itself_is_refused() -> None:
    with pytest.raises(StrategyError, match="two runs over the same bars differ"):
        audited(lambda _: Tosses())


class Idle(Strategy):
    def on_close(self, now: AtClose) -> None:
        pass


def test_a_run_without_orders_is_said_to_prove_little() -> None:
    assert "no order at all" in audited(lambda _: Idle(), cuts=2).verdict


def test_what_cannot_be_tried_is_refused() -> None:
    with pytest.raises(ConfigError, match="cuts is 0"):
        audited(lambda _: Idle(), cuts=0)
    with pytest.raises(DataError, match="give it more bars"):
        audited(lambda _: Idle(), bars=1)


def test_the_same_seed_gives_the_same_report() -> None:
    one, two = (audited(planted_leaks.hour_too_early, cuts=6, seed=3) for _ in range(2))
    assert one == two


@dataclass
class Averages(Strategy):
    def indicators(self) -> dict[str, Any]:
        return {
            "ema": ema(9, seed="first"),
            "atr": atr(14, seed="first"),
            "sma": sma(20),
            "last": price(),
        }

    def on_close(self, now: AtClose) -> None:
        if now.close > now["ema"] and now.is_flat:
            now.buy(1, stop_loss=now.close - 2 * now["atr"])
        elif now.close < now["ema"] and not now.is_flat:
            now.close_position()


def test_warm_up_is_that_of_the_closed_form() -> None:
    report = audited(lambda _: Averages(), cuts=2, bars=900)
    found = {r.name: r for r in report.recursions}
    assert (found["last"].bars_1e9, found["last"].first_difference) == (1, 0.0)
    assert found["sma"].bars_1e9 == 20
    # An error of the start shrinks by 1 - 2 / 10 with each bar, whatever the prices are: from
    # the first difference it takes so many bars to 1e-9 (the average itself moves a little).
    for limit, bars in ((1e-6, found["ema"].bars_1e6), (1e-9, found["ema"].bars_1e9)):
        expected = 1 + np.log(limit / found["ema"].first_difference) / np.log(0.8)
        assert bars == pytest.approx(expected, abs=2)
    expected = 1 + np.log(1e-9 / found["atr"].first_difference) / np.log(13 / 14)
    assert found["atr"].bars_1e9 == pytest.approx(expected, abs=12)


def test_decisions_settle_with_the_indicators() -> None:
    report = audited(lambda _: Averages(), cuts=2, bars=900)
    least, enough = report.later_starts
    assert least.changed > 0
    assert enough.warm_up == max(r.bars_1e9 or 0 for r in report.recursions)
    assert enough.orders > 20
    assert enough.changed == 0
