"""An entry or an exit that no bot can use is told in a sentence, with what to write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import intrabar as ib
from tests.app.hostile import frame


def entry(**members: Any) -> Any:
    """An entry with other members; one that is None is not there."""

    def decide_side(now: Any, p: Any) -> int:
        return 1

    own = {
        "wakes_on": "",
        "indicators": lambda self: {},
        "decide_side": staticmethod(decide_side),
        **members,
    }
    kind = type("Ev", (), {name: x for name, x in own.items() if x is not None})
    return dataclass(frozen=True)(kind)()


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"wakes_on": None}, r'Ev: wakes_on is None, .*write wakes_on = ""'),
    ({"wakes_on": "cross"}, "Ev: wakes_on is 'cross', which is none of its indicators"),
    ({"indicators": None}, r"Ev: has no indicators\(\)"),
    ({"indicators": lambda self: None}, "gives None, must give a mapping"),
    ({"decide_side": lambda self, now, p: 1}, "Ev: write @staticmethod above def decide_side"),
    ({"decide_side": staticmethod(lambda now: 1)}, r"takes 1 arguments, must be decide_side\(now"),
    ({"wants_out": lambda self, now, p, side: 1}, "Ev: write @staticmethod above def wants_out"),
    ({"indicators": lambda self: {"exit_atr": ib.sma(3)}}, "'exit_atr' is sma.3. to the entry"),
]


@pytest.mark.parametrize(("members", "message"), WRONG)
def test_an_entry_that_cannot_be_asked_is_told(members: dict[str, Any], message: str) -> None:
    with pytest.raises(ib.ConfigError, match=message):
        ib.Bot(entry(**members))


async def later(now: Any, p: Any) -> int:
    return 1


def levels(now: Any, p: Any, side: int, price: float) -> tuple[float, float]:
    return price - side, price + side


def test_rules_that_would_say_nothing_are_refused() -> None:
    with pytest.raises(ib.ConfigError, match="Ev: decide_side must be a plain function"):
        ib.Bot(entry(decide_side=staticmethod(later)))
    bare = type("Ev", (), {"wakes_on": "", "indicators": lambda self: {}})
    bare.decide_side = staticmethod(lambda now, p: 1)  # type: ignore[attr-defined]
    with pytest.raises(ib.ConfigError, match="Ev: must be a dataclass"):
        ib.Bot(bare())
    leaves = {"initial_levels": staticmethod(levels), "indicators": lambda self: {}}
    learning = {"trails": False, "ingest_trade_log": lambda self, rows: None}
    for more, message in (
        ({}, "Ex: trails is missing"),
        ({"trails": True}, "def update_stop"),
        (learning, "ingest_trade_log is never called"),
    ):
        exit_ = dataclass(frozen=True)(type("Ex", (), {**leaves, **more}))()
        with pytest.raises(ib.ConfigError, match=message):
            ib.Bot(ib.CoinFlip(), exit_)


def test_an_entry_is_no_bot_and_a_class_no_entry() -> None:
    with pytest.raises(ib.ConfigError, match=r"Ev is an entry; write Bot\(Ev\(...\)\)"):
        ib.backtest(entry(), frame())
    with pytest.raises(ib.ConfigError, match=r"CoinFlip is a class; write Bot\(CoinFlip\(\)\)"):
        ib.backtest(ib.CoinFlip, frame())
    with pytest.raises(ib.ConfigError, match=r"entry: CoinFlip is a class; write CoinFlip\(\)"):
        ib.Bot(ib.CoinFlip)  # type: ignore[arg-type]
    with pytest.raises(ib.ConfigError, match="entry: is 'CoinFlip', a name"):
        ib.Bot("CoinFlip")  # type: ignore[arg-type]


def test_numbers_of_numpy_reach_a_compiled_rule() -> None:
    @dataclass(frozen=True)
    class Above:
        least: Any = 100

        wakes_on = ""

        def indicators(self) -> dict[str, Any]:
            return {}

        @staticmethod
        def decide_side(now: Any, p: Any) -> int:
            return 1 if now.close > p.least else 0

    digests = {
        ib.backtest(ib.Bot(Above(least), ib.FixedPercent()), frame()).digest
        for least in (101, 101.0, np.int64(101), np.float32(101), np.array(101))
    }
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("commission", "commission_rate"),
        ("slippage", "slippage_pct"),
        ("leverage", "initial_margin_rate"),
        ("initial_capital", "cash=100_000"),
        ("timeframe", "period='1h'"),
        ("symbol", "did you mean 'symbols'"),
    ],
)
def test_arguments_of_other_tools_are_answered_with_ours(argument: str, message: str) -> None:
    with pytest.raises(ib.UsageError, match=message):
        ib.backtest("CoinFlip", frame(), **{argument: 1})  # type: ignore[call-overload]


def test_a_configuration_may_name_strategies_alone() -> None:
    full = ib.backtest(None, frame(), config={"strategies": [{"name": "CoinFlip"}]})
    for strategies in ("CoinFlip", ["CoinFlip"]):
        found = ib.backtest(None, frame(), config={"strategies": strategies})
        assert found.digest == full.digest
