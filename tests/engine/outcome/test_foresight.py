"""The data scientist's slips: each is caught, or the verdict says that it cannot be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import intrabar as ib
from intrabar.engine.outcome.foresight import BELIEVED, foresight, measured
from intrabar.model.bars import Floats, Market
from intrabar.model.instrument import Instrument
from intrabar.research.look_ahead.audit import audit
from intrabar.research.validate.validate import validate_run
from intrabar.strategy.signals import Signals
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.views import AtClose
from intrabar.strategy.weights import Weights
from tests.strategy.markets import DAY_NS, run_of, setup_of, walk

BARS = 900
FREE = [Instrument("A", slippage_ticks=1, commission_per_contract=0.005)]


def bars(seed: int = 3, count: int = BARS) -> Market:
    return walk(count, seed, period=DAY_NS, wild=0.01)


def rolling(values: Floats, length: int) -> Floats:
    """The mean of so many values up to each."""
    sums = np.cumsum(np.insert(values, 0, 0.0))
    means = (sums[length:] - sums[:-length]) / length
    return np.concatenate((np.full(length - 1, np.nan), means))


def tomorrow(close: Floats) -> Floats:
    return np.sign(np.diff(close, append=close[-1]))


def labels_shifted_by_one(close: Floats) -> Floats:
    """A model of the last returns, trained on labels of which each is a feature of its own row."""
    change = np.diff(np.log(close), append=np.log(close[-1]))
    features = np.column_stack([np.roll(change, k) for k in range(5)])
    weights = np.linalg.lstsq(features, change, rcond=None)[0]
    return np.sign(features @ weights)


def centred_window(close: Floats) -> Floats:
    mean = np.roll(rolling(close, 21), -10)
    return np.where(close < np.nan_to_num(mean, nan=np.inf), 1.0, -1.0)


def neighbours_in_sample(close: Floats) -> Floats:
    """Nearest neighbours among all bars, the bar itself included."""
    change = np.diff(np.log(close), prepend=np.log(close[0]))
    features = np.column_stack([np.roll(change, k) for k in range(10)])
    far = ((features[:, None, :] - features[None]) ** 2).sum(axis=2)
    near = np.argsort(far, axis=1)[:, :3]
    return np.sign(np.roll(change, -1)[near].mean(axis=1))


def linear_in_sample(close: Floats) -> Floats:
    change = np.diff(np.log(close), prepend=np.log(close[0]))
    features = np.column_stack([np.roll(change, k) for k in range(20)])
    weights = np.linalg.lstsq(features, np.roll(change, -1), rcond=None)[0]
    return np.sign(features @ weights)


def scaler_on_all(close: Floats) -> Floats:
    return np.where((close - close.mean()) / close.std() < 0.0, 1.0, -1.0)


def trend(close: Floats) -> Floats:
    return np.where(rolling(close, 10) > rolling(close, 50), 1.0, 0.0)


def reversion(close: Floats) -> Floats:
    return np.where(close < rolling(close, 10), 1.0, -1.0)


CAUGHT = [tomorrow, labels_shifted_by_one, centred_window, neighbours_in_sample]
UNCHECKABLE = [linear_in_sample, scaler_on_all]
HONEST = [trend, reversion]


@pytest.mark.parametrize("make", CAUGHT)
@pytest.mark.parametrize("kind", ["signals", "weights", "python"])
def test_a_slip_is_caught_in_every_kind_of_array(make: Any, kind: str) -> None:
    market = bars()
    side = make(market.close[:, 0])
    strategy = {
        "signals": lambda: Signals(side),
        "weights": lambda: Weights(side[:, None]),
        "python": lambda: Follows(side),
    }[kind]()
    assert foresight(strategy, market)
    report = audit(setup_of(market, strategy), cuts=4)
    assert not report.is_clean
    assert report.verdict.startswith("Foresight: ")


@pytest.mark.parametrize("make", CAUGHT)
def test_a_slip_is_told_by_the_run_itself(make: Any) -> None:
    market = bars()
    result = run_of(market, Signals(make(market.close[:, 0])), instruments=FREE)
    assert next(one for one in result.remarks if one.severe).text.startswith("Foresight: side ")
    assert "warning: Foresight: side foretells the next" in repr(result)
    for honest in HONEST:
        plain = run_of(market, Signals(honest(market.close[:, 0])), instruments=FREE)
        assert "Foresight" not in repr(plain)


class Follows(Strategy):
    """Trades a model's predictions."""

    def __init__(self, predictions: Floats) -> None:
        self.predictions = predictions

    def on_close(self, now: AtClose) -> None:
        wanted = self.predictions[now.bar]
        if now.is_flat and wanted > 0.0:
            now.buy(10)
        elif not now.is_flat and wanted <= 0.0:
            now.close_position()


@pytest.mark.parametrize("make", CAUGHT)
def test_a_slip_is_not_real(make: Any) -> None:
    market = bars()
    found = validate_run(
        run_of(market, Signals(make(market.close[:, 0])), instruments=FREE), runs=9
    )
    assert "likely to be real" not in found.sentence
    assert found.mark == "fail"
    assert "foresight" in found.sentence or "no money" in found.sentence


@pytest.mark.parametrize("make", UNCHECKABLE + HONEST)
def test_what_cannot_be_checked_is_said_in_the_verdict(make: Any) -> None:
    """Arrays that only look honest, and honest ones: nobody can tell them apart from outside."""
    market = bars()
    side = make(market.close[:, 0])
    assert not foresight(Signals(side), market)
    assert not audit(setup_of(market, Signals(side)), cuts=4).is_clean
    found = validate_run(run_of(market, Signals(side), instruments=FREE), runs=9)
    assert "likely to be real" not in found.sentence
    if found.mark == "doubt":
        assert "without the future cannot be checked" in found.sentence


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("make", HONEST)
def test_honest_arrays_are_not_accused(seed: int, make: Any) -> None:
    market = bars(seed)
    named: Any = dict(enumerate(make(market.close[:, 0])))
    assert measured(Follows(named), market)  # a table by bar is found too
    for strategy in (Signals(make(market.close[:, 0])), Follows(make(market.close[:, 0]))):
        assert all(abs(one.correlation) < BELIEVED for one in measured(strategy, market))


def test_reversion_on_bars_that_bounce_is_not_accused() -> None:
    """What the last return foretells is no foresight."""
    rng = np.random.default_rng(5)
    change = rng.normal(0.0, 0.01, 3000)
    change[1:] -= 0.6 * change[:-1]  # a bounce between bid and ask
    market = bars(1, 3000)
    close = 100.0 * np.exp(np.cumsum(change))
    for name in ("open", "high", "low", "close"):
        getattr(market, name)[:, 0] = close
    side = -np.sign(change)
    assert np.corrcoef(side[:-1], change[1:])[0, 1] > BELIEVED
    assert not foresight(Signals(side), market)


def test_events_that_hold_are_positions() -> None:
    market = bars()
    side = tomorrow(market.close[:, 0])
    events = np.where(np.diff(side, prepend=0.0) != 0.0, side, 0.0)
    assert foresight(Signals(events, zero="hold"), market)


def test_too_few_bars_tell_nothing() -> None:
    market = bars(1, 30)
    assert measured(Signals(tomorrow(market.close[:, 0])), market) == []


class Peeks(Strategy):
    """Knows tomorrow by heart, in no array that could be found."""

    def __init__(self, side: Floats) -> None:
        self.rising = frozenset(np.flatnonzero(side > 0.0).tolist())

    def on_close(self, now: AtClose) -> None:
        rises = now.bar in self.rising
        if now.is_flat and rises:
            now.buy(100)
        elif not now.is_flat and not rises:
            now.close_position()


def test_a_sharpe_ratio_beyond_belief_forbids_likely_to_be_real() -> None:
    market = bars(3, 1500)
    result = run_of(market, Peeks(tomorrow(market.close[:, 0])), instruments=FREE)
    found = validate_run(result, runs=9)
    assert found.mark == "doubt"
    assert "plausible Sharpe ratio" in found.sentence


def test_the_public_audit_and_validation_tell_it() -> None:
    import pandas as pd

    market = bars()
    names = ("open", "high", "low", "close", "volume")
    frame = pd.DataFrame(
        {n: getattr(market, n)[:, 0] for n in names},
        index=pd.date_range("2015-01-01", periods=BARS, freq="B", name="date"),
    )
    signals = ib.Signals(tomorrow(market.close[:, 0]))
    report = ib.audit(signals, frame, symbols="IBM", cuts=3)
    assert not report.is_clean
    assert "Foresight" in str(report)
    found = ib.validate(ib.backtest(signals, frame, symbols="IBM"), runs=9)
    assert found.sentence.startswith("Not real")
