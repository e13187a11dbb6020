"""What a strategy must be: mistakes that would have run, and done nothing or something else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

import intrabar as ib
from intrabar.strategy.contract import OF_THE_BAR, RESERVED


def bars(rows: int = 30) -> Any:
    close = 100.0 + np.arange(rows) % 5
    index = pd.date_range("2024-01-02", periods=rows, freq="B")
    return pd.DataFrame(
        {"open": close, "high": close + 1, "low": close - 1, "close": close, "volume": 1.0},
        index=index,
    )


def strategy(**members: Any) -> Any:
    return type("Mine", (ib.Strategy,), members)()


def act(self: Any, now: Any) -> None:
    if now.bar == 1:
        now.buy(1)


async def waits(self: Any, now: Any) -> None:
    now.buy(1)


def yields(self: Any, now: Any) -> Any:
    yield now.buy(1)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"next": act}, r"did you mean on_close\(self, now\) for next\?"),
        ({"on_bar": act}, "did you mean on_close.* for on_bar"),
        ({"on_clsoe": act}, "on_clsoe is no hook and is never called; did you mean on_close"),
        ({"onclose": act}, "did you mean on_close"),
        ({"on_close": act, "on_opne": act}, "on_opne is no hook .* did you mean on_open"),
        ({"on_close": act, "on_orders": act}, "did you mean on_order"),
        ({"on_close": waits}, "on_close is async"),
        ({"on_close": yields}, "on_close has a yield"),
        ({"on_close": act, "on_fill": waits}, "on_fill is async"),
        ({"on_close": 5}, "on_close is 5, must be a method"),
    ],
)
def test_hooks_that_would_never_run_are_refused(members: Any, message: str) -> None:
    with pytest.raises(ib.StrategyError, match=message):
        ib.backtest(strategy(**members), bars())


def test_a_hook_on_the_object_is_refused() -> None:
    class Late(ib.Strategy):
        def __init__(self) -> None:
            self.on_close = lambda now: now.buy(1)  # type: ignore[method-assign]

    with pytest.raises(ib.StrategyError, match="on_close is put on the object"):
        ib.backtest(Late(), bars())


def test_a_hook_of_a_mother_class_is_a_hook_and_others_may_be_called_anything() -> None:
    mother = type("Mother", (ib.Strategy,), {"on_close": act, "next": act, "on_entry": act})
    daughter = type("Daughter", (mother,), {"online": act})
    assert len(ib.backtest(daughter(), bars()).fills) == 1


@pytest.mark.parametrize("name", RESERVED)
def test_no_indicator_has_the_name_of_what_now_has(name: str) -> None:
    named = {name: ib.rsi(5)}
    with pytest.raises(ib.ConfigError, match=f"an indicator is called '{name}'"):
        ib.backtest(strategy(indicators=lambda self: named, on_close=act), bars())


@dataclass(frozen=True)
class Above:
    """An entry with whatever indicators it is given."""

    wakes_on = ""

    def indicators(self) -> Any:
        """The highest close."""
        return {"high": ib.highest(5)}

    @staticmethod
    def decide_side(now: Any, p: Any) -> int:
        """Long above."""
        return 1 if now.close > now.high else 0


def test_nor_has_one_of_a_bot() -> None:
    assert "high" in OF_THE_BAR
    with pytest.raises(ib.ConfigError, match="an indicator is called 'high', which the bar has"):
        ib.backtest(ib.Bot(Above()), bars())


def boom(self: Any) -> Any:
    return 1 / 0


@pytest.mark.parametrize(
    ("indicators", "error", "message"),
    [
        (lambda self: None, ib.ConfigError, "gives None, must give a mapping"),
        (lambda self: [ib.sma(3)], ib.ConfigError, "must give a mapping"),
        (lambda self: {"x": np.ones(30)}, ib.ConfigError, "'x' is .* must be an indicator"),
        (lambda self: {"x": 3}, ib.ConfigError, "'x' is 3, must be an indicator"),
        (lambda self: {1: ib.sma(3)}, ib.ConfigError, "1 is no name"),
        (boom, ib.StrategyError, r"Mine failed in indicators\(\), .*ZeroDivisionError"),
    ],
)
def test_indicators_are_a_mapping_of_names(indicators: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        ib.backtest(strategy(indicators=indicators, on_close=act), bars())
