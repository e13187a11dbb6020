"""Faults that were planted in runs are found, and what is sound is left alone."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intrabar.engine.outcome.result import Result, finish
from intrabar.engine.run import Run
from intrabar.exits import FixedRatio, TrailingATR
from intrabar.model.bars import Market
from intrabar.model.instrument import Instrument
from intrabar.research.conditions import larger, late, with_costs
from intrabar.research.critique.critique import critique
from intrabar.research.critique.fills import positions_before, standing
from intrabar.research.critique.regimes import (
    TREND_DAYS,
    VOLATILITY_DAYS,
    market_trend,
    volatility_terciles,
)
from intrabar.research.critique.reruns import multiple_that_ends, profit_of
from intrabar.research.critique.sample import gini, holding, numbers_of
from intrabar.research.finding import Finding, marked
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip, MovingAverageCrossover
from intrabar.strategy.gates import Gates
from intrabar.strategy.signals import Signals
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.views import AtClose, AtOpen
from intrabar.strategy.weights import Weights
from tests.research.planted import MarksInPython, market, marks_as_sides, on_marks, with_edge
from tests.strategy.markets import run_of, setup_of, with_gaps

EDGE = with_edge(market(3000, seed=2), 0.01, every=15)


def found(result: Result) -> dict[str, Finding]:
    """The findings by name."""
    return {one.name: one for one in critique(result)}


def marks(result: Result) -> dict[str, str]:
    return {name: one.mark for name, one in found(result).items()}


def sides(at: dict[int, float], rows: int) -> np.ndarray:
    """Signals that change at some rows."""
    array = np.full(rows, np.nan)
    for row, side in at.items():
        array[row] = side
    return array


def steady(rows: int = 1500, rise: float = 0.0) -> Market:
    """Bars that wander around a line; a market whose volume is enough for anybody."""
    plain = market(rows, seed=8, wild=0.004)
    level = np.exp(rise * np.arange(rows))[:, None]
    prices = {n: np.round(getattr(plain, n) * level, 2) for n in ("open", "high", "low", "close")}
    return replace(plain, **prices, volume=np.full((rows, 1), 1e6))


def test_a_sound_strategy_is_left_alone() -> None:
    costs = [Instrument("A", slippage_ticks=1, commission_per_contract=0.005)]
    deep = replace(EDGE, volume=EDGE.volume + 1e6 - 1)
    told = marks(run_of(with_volume_marks(deep), on_marks(), instruments=costs))
    wrong = {name: mark for name, mark in told.items() if mark == "fail"}
    # It lives on the very next bar, and says so; it only ever goes long.
    assert set(wrong) <= {"delay sensitivity"}
    assert told["profit"] == told["campaigns"] == told["few winners"] == "pass"
    assert told["cost sensitivity"] == told["parameters"] == told["path dependence"] == "pass"
    assert told["stale fills"] == told["flat stretches"] == "pass"


def with_volume_marks(deep: Market) -> Market:
    """Marked bars keep the higher volume that `OnMarks` asks for; others stay below it."""
    marked_rows = deep.volume >= 1.9e6
    return replace(deep, volume=np.where(marked_rows, deep.volume, 9e5))


def test_a_run_without_profit_fails_first() -> None:
    told = critique(run_of(market(600), Bot(CoinFlip(3, 0.3)), instruments=[dear("A")]))
    assert told[0].name == "profit"
    assert told[0].mark == "fail"
    order = [("fail", "doubt", "unknown", "pass").index(one.mark) for one in told]
    assert order == sorted(order)


def dear(symbol: str) -> Instrument:
    return Instrument(symbol, slippage_pct=0.01)


def test_a_profit_that_is_one_campaign_is_found() -> None:
    bars = steady(800)
    jump = np.where(np.arange(800) >= 402, 2.0, 1.0)[:, None]
    bars = replace(bars, **{n: getattr(bars, n) * jump for n in ("open", "high", "low", "close")})
    rows = {k: float(k % 10 < 5) for k in range(5, 790, 5)} | {400: 1.0}
    costs = [Instrument("A", commission_per_contract=0.2)]
    result = run_of(bars, Signals(sides(rows, 800), qty=10.0), instruments=costs)
    told = found(result)["few winners"]
    assert told.mark == "fail"
    assert told.figures["campaigns_that_hold_the_profit"] == 1.0
    assert "best 1 of" in told.evidence


@given(st.lists(st.integers(-50, 100), min_size=1, max_size=40).filter(lambda net: sum(net) > 0))
def test_the_campaigns_that_hold_the_profit_are_counted_by_taking_them_away(net: list[int]) -> None:
    rest = sorted(net, reverse=True)
    taken = 0
    while sum(rest) > 0:
        rest.pop(0)
        taken += 1
    assert holding(np.array(sorted(net, reverse=True), float)) == taken


def test_few_campaigns_and_many_parameters_are_found() -> None:
    told = found(run_of(EDGE, Bot(MovingAverageCrossover(20, 400))))
    assert told["campaigns"].mark in ("fail", "doubt")
    assert told["parameters"].mark in ("fail", "doubt")
    assert (
        told["parameters"].figures["parameters"] == 6.0
    )  # fast slow, period multiple reward, risk
    told = found(run_of(EDGE, Signals(marks_as_sides(EDGE))))
    assert told["parameters"].mark == "unknown"
    assert told["parameters"].figures["parameters"] is None


def test_numbers_are_counted() -> None:
    @dataclass
    class Three(Strategy):
        fast: int = 3
        share: float = 0.2
        word: str = "x"
        on: bool = True
        seed: int = 1

    assert numbers_of(Three()) == 2
    assert numbers_of(Signals([1])) is None
    bot = Bot(CoinFlip(), TrailingATR(), gates=Gates(min_atr=1.0, flatten="17:00"))
    assert numbers_of(bot) == 1 + 2 + 1 + 2


@pytest.mark.parametrize(
    "strategy",
    [
        on_marks(),
        Signals(marks_as_sides(EDGE), qty=100.0),
        Weights((0.5 * marks_as_sides(EDGE))[:, None]),
        MarksInPython(),
    ],
    ids=lambda s: type(s).__name__,
)
def test_a_strategy_that_dies_of_one_bar_of_delay_is_found(strategy: Any) -> None:
    told = found(run_of(EDGE, strategy))["delay sensitivity"]
    assert told.mark in ("fail", "doubt")
    assert told.figures["left"] is not None
    assert told.figures["left"] < 0.25


def test_a_slow_strategy_does_not_mind_a_bar_of_delay() -> None:
    bars = steady(1500, rise=0.002)
    slow = {k: 1.0 if (k // 50) % 2 else 0.0 for k in range(10, 1500, 50)}
    told = found(run_of(bars, Signals(sides(slow, 1500))))["delay sensitivity"]
    assert told.mark == "pass"
    assert told.figures["left"] == pytest.approx(1.0, abs=0.1)


def test_a_bar_late_is_the_same_orders_a_bar_later() -> None:
    """A strategy that looks at the clock alone trades at the same bars; one of prices later."""

    class ByPrice(Strategy):
        def on_close(self, now: AtClose) -> None:
            if now.is_flat and now.close > now.open:
                now.buy(1)
            elif not now.is_flat and now.close < now.open:
                now.close_position()

    bars = market(60, seed=5)
    setup = setup_of(bars, ByPrice())
    on_time, one_late = finish(Run(setup)), late(setup)
    rises = (bars.close > bars.open)[:, 0]
    held = False
    expected = []
    for i in range(1, 59):  # what was seen at i - 1 is done at the open of i + 1
        if held != rises[i - 1] and bars.close[i - 1, 0] != bars.open[i - 1, 0]:
            held = not held
            expected.append(i + 1)
    assert one_late.fills["bar"].to_list() == expected
    assert on_time.fills["bar"].to_list() != expected


def test_a_late_strategy_sees_only_the_bar_before_in_every_hook() -> None:
    seen: list[tuple[int, float, float]] = []

    @dataclass
    class Watch(Strategy):
        def on_open(self, now: AtOpen) -> None:
            seen.append((now.bar, now.open, now.previous_close))

        def on_close(self, now: AtClose) -> None:
            assert now.close == bars.close[now.bar - 1, 0]
            assert now.history("close", 2)[-1] == bars.close[now.bar - 1, 0]

    bars = market(20)
    late(setup_of(bars, Watch()))
    assert [bar for bar, _, _ in seen] == list(range(1, 20))
    for bar, open_, close in seen[1:]:
        assert open_ == bars.open[bar - 1, 0]
        assert close == bars.close[bar - 2, 0]


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_a_late_bot_enters_at_the_next_bar_it_has(missing: float) -> None:
    bars = market(400, seed=4, missing=missing)
    bot = Bot(MovingAverageCrossover(2, 5), FixedRatio(5, 0.2, 0.2))
    on_time = run_of(bars, bot)
    one_late = late(setup_of(bars, bot))
    real = np.flatnonzero(~np.isnan(bars.open[:, 0]))
    entries = on_time.fills.filter(on_time.fills["reason"] == "entry")["bar"].to_list()
    after = {int(b): int(n) for b, n in pairwise(real)}
    lates = set(one_late.fills.filter(one_late.fills["reason"] == "entry")["bar"].to_list())
    moved = [after[b] for b in entries if b in after]
    assert np.mean([b in lates for b in moved]) > 0.8


def test_costs_are_multiplied_one_and_all() -> None:
    x = Instrument(
        "A",
        commission_per_contract=1.0,
        fee_per_trade=2.0,
        slippage_ticks=3.0,
        maker_rate=-0.1,
        swap_long=-2.0,
        swap_short=1.0,
        tiers=((0.0, 1.0, 0.1), (10.0, 0.5, 0.05)),
    )
    setup = setup_of(market(10), Signals(0), instruments=[x])
    dearer = with_costs(setup, 2.0).instruments[0]
    assert (dearer.commission_per_contract, dearer.fee_per_trade) == (2.0, 4.0)
    assert (dearer.slippage_ticks, dearer.maker_rate) == (6.0, -0.1)
    assert (dearer.swap_long, dearer.swap_short) == (-4.0, 1.0)
    assert dearer.tiers == ((0.0, 2.0, 0.2), (10.0, 1.0, 0.1))
    assert with_costs(setup, 1.0).instruments[0] == x
    assert larger(setup, 4.0).instruments[0].slippage_impact == 1.0


def test_costs_that_end_the_profit_are_found_with_their_multiple() -> None:
    free = run_of(EDGE, MarksInPython(), instruments=[Instrument("A")])
    told = found(free)["cost sensitivity"]
    assert told.mark == "fail"
    assert "without any cost" in told.title
    # So much a contract that 1.5 times as much leaves nothing.
    fills = free.fills["qty"].sum()
    each = profit_of(free) / fills / 1.5
    costly = run_of(
        EDGE, MarksInPython(), instruments=[Instrument("A", commission_per_contract=each)]
    )
    told = found(costly)["cost sensitivity"]
    assert told.mark == "fail"
    assert told.figures["break_even_multiple"] == pytest.approx(1.5, rel=1e-6)
    cheap = Instrument("A", commission_per_contract=each / 10)
    assert marks(run_of(EDGE, MarksInPython(), instruments=[cheap]))["cost sensitivity"] == "pass"


@given(st.floats(-5, 50), st.floats(0.1, 20))
def test_the_multiple_that_ends_a_straight_line_is_its_root(profit: float, cost: float) -> None:
    multiples = (0.0, 1.0, 2.0, 3.0)
    ends = multiple_that_ends(multiples, [profit - k * cost for k in multiples])
    root = max(0.0, profit / cost)
    assert ends == pytest.approx(root) if root <= 3.0 else math.isinf(ends)


def test_the_path_inside_the_bars_is_found() -> None:
    # Stop and target lie in every bar: worst loses all campaigns, best wins them all.
    rows = 300
    bars = steady(rows)
    price = np.full((rows, 1), 100.0)
    bars = replace(bars, open=price, high=price + 2, low=price - 2, close=price)
    bot = Bot(CoinFlip(1, 1.0), FixedRatio(5, 0.25, 1.0), risk_fraction=0.001)
    told = found(run_of(bars, bot, path_policy=best()))["path dependence"]
    assert told.mark == "fail"
    assert told.figures["ambiguous"] > 0.9  # type: ignore[operator]


def best() -> Any:
    from intrabar.model.enums import PathPolicy

    return PathPolicy.BEST


def test_stale_fills_are_found() -> None:
    bars = steady(400)
    rows = {k: float(k % 4 < 2) for k in range(20, 390, 2)}
    assert marks(run_of(bars, Signals(sides(rows, 400))))["stale fills"] == "pass"
    silent = bars.volume.copy()
    silent[100:200] = 0.0
    told = found(run_of(replace(bars, volume=silent), Signals(sides(rows, 400))))["stale fills"]
    assert told.mark == "fail"
    assert told.figures["without_volume"] == 50.0
    still = bars.close.copy()
    still[100:200] = 90.0
    frozen = {
        "close": still,
        "low": np.minimum(bars.low, still),
        "high": np.maximum(bars.high, still),
    }
    told = found(run_of(replace(bars, **frozen), Signals(sides(rows, 400))))["stale fills"]
    assert told.mark == "fail"
    assert told.figures["still"] > 40.0  # type: ignore[operator]


@given(st.lists(st.integers(0, 2), min_size=1, max_size=30), st.integers(0, 2**30))
def test_standing_counts_the_bars_before_with_the_same_close(closes: list[int], holes: int) -> None:
    close = np.array(closes, float)[:, None]
    real = np.array([[not holes >> k & 1] for k in range(len(closes))])
    counted = standing(close, real)
    kept = [k for k in range(len(closes)) if real[k, 0]]
    for place, k in enumerate(kept):
        same = 0
        while same < place and closes[kept[place - same - 1]] == closes[k]:
            same += 1
        assert counted[k, 0] == same


def test_profit_over_gaps_is_found() -> None:
    rows = 600
    price = 100.0 + 3.0 * np.arange(rows)[:, None]
    flat = steady(rows)
    gapped = replace(flat, open=price, high=price + 1, low=price - 1, close=price)
    told = found(run_of(gapped, Signals(1)))["gapped fills"]
    assert told.mark == "fail"
    assert told.figures["share_of_profit"] == pytest.approx(1.0, abs=0.01)
    assert marks(run_of(EDGE, on_marks()))["gapped fills"] == "pass"


def test_positions_before_the_open_are_those_of_the_fills() -> None:
    result = run_of(market(300, symbols=("A", "B")), Bot(CoinFlip(3, 0.3)), Bot(CoinFlip(4, 0.3)))
    held = positions_before(result)
    expected = np.zeros_like(held)
    now = {}
    by_bar: dict[int, list[Any]] = {}
    for row in result.fills.iter_rows(named=True):
        by_bar.setdefault(row["bar"], []).append(row)
    for i in range(len(held)):
        for (_, symbol), position in now.items():
            expected[i, "AB".index(symbol)] += position
        for row in by_bar.get(i, []):
            now[row["strategy"], row["symbol"]] = row["position"]
    np.testing.assert_allclose(held, expected)


def test_a_market_too_small_is_found() -> None:
    tiny = replace(EDGE, volume=np.where(EDGE.volume >= 1e6, 1e6, 200.0))
    told = found(run_of(tiny, MarksInPython()))
    assert told["capacity"].mark == "fail"
    assert told["capacity"].figures["large_fill"] == pytest.approx(0.5)
    assert told["capacity"].figures["times_to_5_percent"] == pytest.approx(0.1)
    assert told["larger size"].mark == "doubt"
    unknown = replace(steady(300), volume=np.zeros((300, 1)))
    assert found(run_of(unknown, Signals(1)))["capacity"].mark == "unknown"


def test_one_regime_is_found() -> None:
    bars = steady(1600)
    rise = np.exp(np.where((np.arange(1600) // 365) == 2, 0.004, -0.0005).cumsum())[:, None]
    bars = replace(bars, **{n: getattr(bars, n) * rise for n in ("open", "high", "low", "close")})
    told = found(run_of(bars, Signals(1)))
    assert told["exposure to one year"].mark == "fail"
    assert "1972" in told["exposure to one year"].title
    assert told["exposure to one side"].title == "There is one side only: long."
    assert told["market beta"].mark == "fail"
    assert told["market beta"].figures["beta"] is not None


def test_a_sector_that_carries_all_others_is_found() -> None:
    bars = market(800, symbols=("A", "B", "C"))
    level = np.ones((800, 3))
    level[:, 0] = np.exp(0.0015 * np.arange(800))
    level[:, 1:] = np.exp(-0.001 * np.arange(800))[:, None]
    bars = replace(bars, **{n: getattr(bars, n) * level for n in ("open", "high", "low", "close")})
    told = found(run_of(bars, Signals(dict.fromkeys("ABC", 1))))["exposure to one symbol"]
    assert told.mark == "fail"
    assert told.title.endswith("A; the others lost.")


def test_standing_still_is_found() -> None:
    bars = steady(1000)
    rows = {5: 1.0, 100: 0.0, 900: 1.0, 990: 0.0}
    told = found(run_of(bars, Signals(sides(rows, 1000))))["flat stretches"]
    assert told.mark in ("doubt", "fail")
    assert told.figures["longest_idle_days"] == pytest.approx(801.0, abs=2.0)


def test_a_position_at_the_end_and_a_ruin_are_found() -> None:
    bars = steady(500, rise=0.001)
    told = found(run_of(bars, Signals(1)))["open at the end"]
    assert told.mark == "fail"
    down = steady(500, rise=-0.01)
    margins = [Instrument("A", initial_margin=20.0, maintenance_margin=15.0)]
    told = found(run_of(down, Signals(1, qty=4000.0), instruments=margins))["ruin"]
    assert told.mark == "fail"


def test_a_run_that_did_nothing_is_looked_at_without_a_crash() -> None:
    gone = with_gaps(market(50), np.zeros((50, 1), bool))
    told = marks(run_of(gone, Signals(0)))
    assert told["profit"] == "fail"
    assert told["campaigns"] == "fail"
    told = marks(run_of(market(3), Signals(1)))
    assert told["campaigns"] == "fail"


def test_gini_of_known_values() -> None:
    assert gini(np.ones(5)) == 0.0
    assert gini(np.array([1.0, 1.0, 1.0, 7.0])) == pytest.approx(0.45)  # by hand, from the pairs
    assert gini(np.array([])) == 0.0


def test_marks_by_thresholds() -> None:
    assert [marked(x, 1.0, 2.0) for x in (0.5, 1.0, 2.0)] == ["pass", "doubt", "fail"]
    assert [marked(x, 30.0, 10.0) for x in (31.0, 30.0, 10.0)] == ["pass", "doubt", "fail"]


def test_a_strategy_that_does_not_bear_other_conditions_is_told() -> None:
    bars = steady(200, rise=0.002)

    class Fragile(Strategy):
        def on_close(self, now: AtClose) -> None:
            if now.close != bars.close[now.bar, 0]:
                raise ValueError("not my bar")
            if now.is_flat:
                now.buy(1)

    told = found(run_of(bars, Fragile()))
    assert told["delay sensitivity"].mark == "unknown"
    assert "not my bar" in told["delay sensitivity"].evidence
    assert told["path dependence"].mark == "pass"


def test_the_groups_of_days_are_known_before_them() -> None:
    draw = np.random.default_rng(3)
    moves = draw.normal(0.0, 0.01, 300)
    trend, calm = market_trend(moves), volatility_terciles(moves)
    assert set(trend[:TREND_DAYS]) == set(calm[:VOLATILITY_DAYS]) == {-1}
    for i in range(TREND_DAYS, 300):
        assert trend[i] == (np.prod(1.0 + moves[i - TREND_DAYS : i]) > 1.0)
    spread = [moves[i - VOLATILITY_DAYS : i].std() for i in range(VOLATILITY_DAYS, 300)]
    order = np.argsort(np.argsort(spread))
    np.testing.assert_array_equal(calm[VOLATILITY_DAYS:], np.minimum(order * 3 // len(order), 2))
