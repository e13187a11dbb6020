"""Signals on adjusted prices: nothing later has a part in them, and by hand they are the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import intrabar as ib
from intrabar.engine.adjusted import Adjusted, degree_of
from intrabar.engine.columns import compute_columns
from intrabar.indicators import Indicator, level
from intrabar.model.bars import DAY_NS, Action, Bars, Market
from intrabar.model.enums import ActionKind

SPLIT, DIVIDEND, ROLL = ActionKind.SPLIT, ActionKind.DIVIDEND, ActionKind.ROLL
ACTIONS = (
    Action(60, 0, SPLIT, 2.0),
    Action(90, 0, DIVIDEND, 1.5),
    Action(120, 0, SPLIT, 1.5),
    Action(120, 0, DIVIDEND, 0.5),
)
INDICATORS: dict[str, Indicator] = {
    "ema": ib.ema(10),
    "atr": ib.atr(14),
    "rsi": ib.rsi(7),
    "obv": ib.talib("OBV"),
    "var": ib.talib("VAR", timeperiod=10),
    "top": ib.highest(20),
    "cross": ib.cross(ib.ema(5), ib.ema(20)),
    "week": ib.sma(3).on("1w"),
}


def market(actions: tuple[Action, ...] = ACTIONS, bars: int = 200) -> Market:
    """One instrument whose raw prices fall with every split."""
    draw = np.random.default_rng(5)
    price = 100.0 * np.exp(np.cumsum(draw.normal(0.0, 0.01, bars)))
    volume = draw.integers(1_000, 5_000, bars).astype(float)
    for action in actions:
        if action.kind is SPLIT:
            price[action.bar :] /= action.value
            volume[action.bar :] *= action.value
    open_ = price * np.exp(draw.normal(0.0, 0.002, bars))
    high, low = np.maximum(open_, price) * 1.004, np.minimum(open_, price) * 0.997
    time = (np.arange(bars) + 18_263) * DAY_NS
    columns = [x.reshape(-1, 1) for x in (open_, high, low, price, volume)]
    ends = np.ones((bars, 1), np.uint8)
    return Market(
        ("A",), time, *columns, ends, (time - DAY_NS // 4).reshape(-1, 1), DAY_NS, actions=actions
    )


def columns(given: Market) -> dict[str, np.ndarray]:
    adjusted = Adjusted(given)
    return adjusted.shown(compute_columns({"": INDICATORS}, adjusted.market)[""], INDICATORS)


def restated(given: Market, bar: int) -> Market:
    """The bars up to a bar as a vendor would deliver them on its day: each action, by hand."""
    cut = {
        n: getattr(given, n)[: bar + 1].copy() for n in ("open", "high", "low", "close", "volume")
    }
    raw = given.close[:, 0]
    for action in given.actions:
        if action.bar > bar:
            continue
        if action.kind is SPLIT:
            keep, shares = 1.0 / action.value, action.value
        else:
            before = raw[action.bar - 1]
            if any(a.kind is SPLIT and a.bar == action.bar for a in given.actions):
                before /= 1.5
            keep, shares = 1.0 - action.value / before, 1.0
        for name in ("open", "high", "low", "close"):
            cut[name][: action.bar] *= keep
        cut["volume"][: action.bar] *= shares
    rows = {n: getattr(given, n)[: bar + 1] for n in ("time", "session_end", "open_time")}
    return replace(given, **cut, **rows, actions=())


@pytest.mark.parametrize("bar", [59, 60, 75, 90, 119, 120, 150])
def test_every_value_is_that_of_bars_restated_on_its_day(bar: int) -> None:
    whole = columns(market())
    by_hand = compute_columns({"": INDICATORS}, restated(market(), bar))[""]
    for name in INDICATORS:
        expected = by_hand[name][bar, 0]
        if name == "obv":  # a running total: it depends on where the data begin
            continue
        assert whole[name][bar, 0] == pytest.approx(expected, rel=1e-7), name


def test_a_later_action_changes_no_bit_before_it() -> None:
    few, many = columns(market(ACTIONS[:1])), market(ACTIONS[:1])
    later = columns(replace(many, actions=(*ACTIONS[:1], Action(130, 0, SPLIT, 3.0))))
    for name in INDICATORS:
        assert few[name][:130].tobytes() == later[name][:130].tobytes()
    assert not np.allclose(few["ema"][130:140], later["ema"][130:140])


def test_without_actions_the_market_is_read_as_it_is() -> None:
    plain = market(())
    assert Adjusted(plain).market is plain
    margins = replace(plain, actions=(Action(50, 0, ActionKind.MARGIN, initial_margin=1.0),))
    assert Adjusted(margins).market is margins


def test_units_are_found() -> None:
    assert {name: degree_of(x) for name, x in INDICATORS.items()} == {
        "ema": (1, 0),
        "atr": (1, 0),
        "rsi": (0, 0),
        "obv": (0, 1),
        "var": (2, 0),
        "top": (1, 0),
        "cross": (0, 0),
        "week": (1, 0),
    }
    assert degree_of(ib.cross(ib.rsi(5), level(30))) == (0, 0)
    assert degree_of(ib.cross(ib.talib("MOM", timeperiod=5), level(0))) == (0, 0)
    assert degree_of(ib.uniform(3)) == (0, 0)


@pytest.mark.parametrize(
    ("indicator", "told"),
    [
        (ib.talib("LN"), "is in no power of the price"),
        (ib.talib("LINEARREG_ANGLE", timeperiod=10), "is in no power of the price"),
        (ib.cross(ib.price("close"), level(50)), "what crosses must be in one unit"),
    ],
)
def test_what_has_no_unit_is_refused_where_prices_are_adjusted(
    indicator: Indicator, told: str
) -> None:
    given = market()
    with pytest.raises(ib.ConfigError, match=told):
        Adjusted(given).shown({}, {"x": indicator})
    Adjusted(market(())).shown({}, {"x": indicator})


def test_a_roll_leaves_no_jump() -> None:
    plain = market(())
    price = {n: getattr(plain, n).copy() for n in ("open", "high", "low", "close")}
    for values in price.values():
        values[100:] *= 1.1
    rolled = replace(plain, **price, actions=(Action(100, 0, ROLL, float(plain.open[100, 0])),))
    assert np.allclose(Adjusted(rolled).market.close, plain.close, rtol=1e-12)


class Reader(ib.Strategy):
    """Notes what it reads around a split."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, ...]] = []

    def indicators(self) -> dict[str, Indicator]:
        return {"mean": ib.sma(2)}

    def on_open(self, now: ib.AtOpen) -> None:
        if now.bar == 3:
            SEEN.append((now.previous_close, now["mean"], *now.history("close", 3)))

    def on_close(self, now: ib.AtClose) -> None:
        if now.bar == 3:
            SEEN.append((now["mean"], *now.history("close", 4), *now.history("volume", 2)))
            SEEN.append(tuple(now.history("mean", 2)))


SEEN: list[tuple[float, ...]] = []


def test_what_a_strategy_reads_of_earlier_bars_is_in_prices_of_now() -> None:
    close = np.array([100.0, 102, 104, 53, 54])
    time = (np.arange(5) + 18_263) * DAY_NS
    bars = Bars(
        "A", time, close, close, close, close, np.full(5, 10.0), DAY_NS, time - 1, time // DAY_NS
    )
    SEEN.clear()
    ib.backtest(Reader(), bars, symbols="A", actions={"A": [("2020-01-05", 2.0, 0.0)]})
    assert SEEN == [
        (52.0, 51.5, 50.0, 51.0, 52.0),
        (52.5, 50.0, 51.0, 52.0, 53.0, 20.0, 10.0),
        (51.5, 52.5),
    ]


def test_an_audit_of_a_market_with_actions_is_clean() -> None:
    given = market()
    closes = given.close[:, 0]
    bars = Bars(
        "A", given.time, given.open[:, 0], given.high[:, 0], given.low[:, 0], closes,
        given.volume[:, 0], DAY_NS, given.open_time[:, 0], given.time // DAY_NS,
    )  # fmt: skip
    day = [str(np.datetime64(int(given.time[n] // DAY_NS), "D")) for n in (60, 90)]
    bot = ib.Bot(ib.MovingAverageCrossover(5, 20), ib.TrailingATR(5, 3.0))
    report = ib.audit(
        bot, bars, symbols="A", actions={"A": [(day[0], 2.0, 0.0), (day[1], 1.0, 0.5)]}, cuts=8
    )
    assert report.is_clean
