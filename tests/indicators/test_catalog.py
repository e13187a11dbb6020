"""Names, parameters, texts and mappings; what is wrong is named with its bound."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from intrabar.errors import ConfigError, NotFoundError
from intrabar.indicators import (
    Indicator,
    atr,
    bollinger,
    compute,
    cross,
    ema,
    from_config,
    level,
    lookback,
    parse,
    price,
    require_length,
    rsi,
    sma,
    stream,
    talib,
)
from tests.indicators.bars import walk


@pytest.mark.parametrize(
    ("given", "want"),
    [
        ("ema(20)", ema(20)),
        ("ema", None),
        ("rsi", rsi(14)),
        (" ema( period = 20 , seed = first ) ", ema(20, seed="first")),
        ("ema(20, 'first')", ema(20, seed="first")),
        ("bollinger(20, 2.0).upper", bollinger(20, 2.0).upper),
        ("bollinger(20, 2, output=upper)", bollinger(20, 2.0).upper),
        ("sma(20, source=high)", sma(20, source="high")),
        ("macd(12, 26, 9).macd", talib("MACD", output="macd")),
        ("cross(ema(10), ema(20))", cross(ema(10), ema(20))),
        ("cross(rsi(14), -3.5)", cross(rsi(14), level(-3.5))),
        ({"name": "ema", "period": 20}, ema(20)),
        ({"name": "ema", "period": 20.0, "source": "low"}, ema(20, source="low")),
        ({"name": "bollinger", "output": "lower"}, bollinger().lower),
        (
            {"name": "cross", "a": "ema(5)", "b": {"name": "sma", "period": 9}},
            cross(ema(5), sma(9)),
        ),
        ("price(open)", price("open")),
        ("price", price("close")),
        ("cross(price(high), 5)", cross(price("high"), level(5.0))),
        (30, level(30.0)),
        (ema(3), ema(3)),
    ],
)
def test_what_configurations_write(given: Any, want: Indicator | None) -> None:
    if want is None:
        with pytest.raises(ConfigError, match="ema needs period"):
            from_config(given)
        return
    assert from_config(given) == want
    assert hash(from_config(given)) == hash(want)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ("emma(20)", NotFoundError, "did you mean 'ema'"),
        ("ema(20, perod=3)", NotFoundError, "did you mean 'period'"),
        ("bollinger().uper", NotFoundError, "did you mean 'upper'"),
        ("ema(20, source=hig)", NotFoundError, "did you mean 'high'"),
        ("MAVP(3)", NotFoundError, "unknown indicator 'MAVP'"),
        ("price(3)", ConfigError, "price: source is 3, must name columns"),
        ("ema(0)", ConfigError, "period is 0, must be 1 to 100000"),
        ("rsi(1)", ConfigError, "period is 1, must be 2 to 100000"),
        ("RSI(1)", ConfigError, "timeperiod is 1, must be 2 to 100000"),
        ("BBANDS(5, 2, 2, 77)", ConfigError, "matype is 77, must be 0 to"),
        ("SAR(-1)", ConfigError, "acceleration is -1.0, out of TA-Lib's range"),
        ("ema(2.5)", ConfigError, "period is 2.5, must be a whole number"),
        ("ema(True)", ConfigError, "must be a number"),
        ("ema(nan)", ConfigError, "must be a number"),
        ("ema(20, seed=last)", ConfigError, "seed is 'last', must be 'sma' or 'first'"),
        ("ema(20, period=3)", ConfigError, "period is given twice"),
        ("ema(1, sma, 3)", ConfigError, "ema takes 2 parameters, 3 were given"),
        ("uniform(-1)", ConfigError, "seed is -1, must be 0 to"),
        ("level(1e999)", ConfigError, "value is inf"),
        ("atr(14, source=close)", ConfigError, "atr always reads high, low, close"),
        ("CORREL(5, source=close)", ConfigError, "CORREL reads 2 columns, source has 1"),
        ("ema(", ConfigError, "cannot read the indicator"),
        ("ema(\0)", ConfigError, "cannot read the indicator"),
        ("ema({[]: 1})", ConfigError, "cannot read"),
        ("1 + 2", ConfigError, "cannot read '1 \\+ 2'"),
        ("ema(20 + 1)", ConfigError, "cannot read '20 \\+ 1'"),
        ("ema(**3)", ConfigError, "cannot stand"),
        ("cross(ema(3))", ConfigError, "cross takes two indicators"),
        (
            "cross(ema(3), bollinger())",
            ConfigError,
            "choose one, as in bollinger\\(20, 2.0\\).upper",
        ),
        ({"name": "cross", "a": 1}, ConfigError, "cross needs a and b"),
        ({"name": "sma", "period": 3, "source": 3}, ConfigError, "must name columns"),
        ({"name": "bollinger", "output": 3}, ConfigError, "output is 3, must be text"),
        ({"name": "sma", "period": "20"}, ConfigError, "period is '20', must be a number"),
        ({"period": 20}, ConfigError, "is no indicator"),
        (None, ConfigError, "is no indicator"),
        (True, ConfigError, "is no indicator"),
    ],
)
def test_what_is_wrong_is_named(given: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        from_config(given)


def test_an_output_must_be_chosen_before_numbers_come() -> None:
    with pytest.raises(ConfigError, match="has the outputs upper, middle, lower"):
        compute(bollinger(), walk(30))
    with pytest.raises(ConfigError, match="has the outputs"):
        stream(talib("MACD"))
    with pytest.raises(NotFoundError, match="TA-Lib function"):
        talib("MACDD")


def test_an_indicator_copies_and_pickles() -> None:
    for indicator in (bollinger(), bollinger().upper, cross(ema(3), sma(4)), atr(5, seed="first")):
        assert pickle.loads(pickle.dumps(indicator)) == indicator
        assert copy.deepcopy(indicator) == indicator
    with pytest.raises(AttributeError):
        _ = bollinger().top


def test_lookback_counts_the_bars_of_the_first_value() -> None:
    assert lookback(sma(20)) == 20
    assert lookback(rsi(200)) == 201
    assert lookback(ema(20, seed="first")) == 1
    assert lookback(cross(ema(10), rsi(30))) == 31
    require_length(rsi(200), 201, "A")
    with pytest.raises(ConfigError, match=r"^rsi\(200\) needs 201 bars, A has 100$"):
        require_length(rsi(200), 100, "A")


def test_text_is_what_a_person_would_write() -> None:
    assert str(ema(20)) == "ema(20)"
    assert str(price("open")) == "price(open)"
    assert str(sma(20, source="volume")) == "sma(20, source=volume)"
    assert str(parse("cross(ema(10, first), bollinger(20).upper)")) == (
        "cross(ema(10, seed=first), bollinger(20, 2.0).upper)"
    )
