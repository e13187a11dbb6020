"""Strategies by name: what exists, what a configuration may give, and what is refused."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint, EntryPoints
from types import ModuleType
from typing import Any

import pytest

from intrabar.errors import ConfigError, NotFoundError
from intrabar.exits import FixedRatio, TrailingATR
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip, MovingAverageCrossover, TrendFollowing
from intrabar.strategy.gates import Gates
from intrabar.strategy.registry import known, load
from intrabar.strategy.signals import Signals
from intrabar.strategy.strategy import Strategy
from tests.strategy.markets import Points, Told, run_of, walk


@dataclass
class Mine(Strategy):
    """A strategy of a user's own module."""

    period: int = 5
    threshold: float = 0.5


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    made = ModuleType("my_strategies")
    made.Mine = Mine  # type: ignore[attr-defined]
    made.Told = Told  # type: ignore[attr-defined]
    made.Points = Points  # type: ignore[attr-defined]
    made.ready = Bot(CoinFlip())  # type: ignore[attr-defined]
    made.number = int  # type: ignore[attr-defined]
    made.build = build  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "my_strategies", made)
    return made


def build(side: str = "LONG") -> Signals:
    """A function that makes a strategy."""
    return Signals(side)


def test_the_built_in_entries_are_known() -> None:
    assert set(known()) >= {"CoinFlip", "MovingAverageCrossover", "TrendFollowing"}


@pytest.mark.parametrize("name", ["CoinFlip", "MovingAverageCrossover", "TrendFollowing"])
def test_every_known_name_loads_with_its_defaults_and_runs(name: str) -> None:
    bot = load(name)
    assert isinstance(bot, Bot)
    assert bot.name == name
    run_of(walk(200), bot)


def test_parameters_go_to_the_entry_the_exit_the_gates_and_the_bot() -> None:
    bot = load(
        "MovingAverageCrossover",
        {
            "fast": 3,
            "slow": 9,
            "exit": {"name": "TrailingATR", "atr_multiple": 1.5},
            "gates": {"min_atr": 0.1},
            "risk_fraction": 0.02,
            "warm_up": 7,
        },
    )
    assert bot == Bot(
        MovingAverageCrossover(3, 9),
        TrailingATR(14, 1.5),
        0.02,
        gates=Gates(min_atr=0.1),
        warm_up=7,
    )


def test_an_exit_may_be_only_a_name_or_only_parameters() -> None:
    assert load("TrendFollowing", {"exit": "TrailingATR"}) == Bot(TrendFollowing(), TrailingATR())
    assert load("TrendFollowing", {"exit": {"reward": 3.0}}) == Bot(
        TrendFollowing(), FixedRatio(reward=3.0)
    )


def test_a_quantity_alone_means_no_risk_fraction() -> None:
    assert load("CoinFlip", {"qty": 3}) == Bot(CoinFlip(), risk_fraction=0.0, qty=3)


def test_an_import_path_names_a_strategy_an_entry_a_function_or_a_finished_one(
    module: ModuleType,
) -> None:
    assert load("my_strategies:Mine", {"period": 9}) == Mine(9)
    bot = load("my_strategies:Told", {"long_below": 5.0, "exit": {"name": "my_strategies:Points"}})
    assert bot == Bot(Told(5.0), Points())
    assert load("my_strategies:ready") is module.ready
    assert isinstance(load("my_strategies:build", {"side": "SHORT"}), Signals)


def test_an_entry_point_is_found_by_its_name(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = EntryPoint("Theirs", "my_strategies:Mine", "intrabar.strategies")

    def offered(group: str) -> EntryPoints:
        assert group == "intrabar.strategies"
        return EntryPoints([point])

    monkeypatch.setattr("intrabar.plugins.entry_points", offered)
    assert "Theirs" in known()
    assert load("Theirs", {"threshold": 2.0}) == Mine(threshold=2.0)
    with pytest.raises(NotFoundError, match="did you mean 'Theirs'"):
        load("Their")


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("CoinFlipp", {}, "unknown strategy 'CoinFlipp': did you mean 'CoinFlip'?"),
        ("CoinFlip", {"chanse": 1}, "unknown parameter of CoinFlip 'chanse': did you mean 'chance"),
        ("CoinFlip", {"risk_frac": 1}, "did you mean 'risk_fraction'"),
        ("CoinFlip", {"exit": "FixRatio"}, "unknown exit of CoinFlip 'FixRatio': did you mean 'F"),
        ("CoinFlip", {"exit": {"rewards": 1}}, "CoinFlip.exit 'rewards': did you mean 'reward'"),
        ("CoinFlip", {"gates": {"min_art": 1}}, "CoinFlip.gates 'min_art': did you mean 'min_atr'"),
        ("my_strategies:Min", {}, "unknown strategy in my_strategies 'Min': did you mean 'Mine'"),
        ("my_strategies:Mine", {"perod": 1}, "did you mean 'period'"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(
    module: ModuleType, name: str, params: dict[str, Any], message: str
) -> None:
    with pytest.raises(NotFoundError) as caught:
        load(name, params)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("CoinFlip", {"chance": "often"}, "CoinFlip: chance is 'often', must be a number"),
        ("CoinFlip", {"chance": True}, "chance is True, must be a number"),
        ("CoinFlip", {"chance": 2}, "chance is 2, must be from 0 to 1"),
        ("MovingAverageCrossover", {"fast": 2.5}, "fast is 2.5, must be a whole number"),
        ("MovingAverageCrossover", {"fast": 50}, "fast is 50, must be below slow, 50"),
        ("MovingAverageCrossover", {"average": "wma"}, "average is 'wma'"),
        ("TrendFollowing", {"breakout": -1}, "breakout is -1"),
        ("CoinFlip", {"risk_fraction": "1%"}, "risk_fraction is '1%', must be a number"),
        ("CoinFlip", {"risk_fraction": 2}, "risk_fraction is 2, must be from 0 to 1"),
        ("CoinFlip", {"risk_fraction": 0}, "needs a risk_fraction or a qty above 0"),
        ("CoinFlip", {"interpreted": "no"}, "interpreted is 'no', must be true or false"),
        ("CoinFlip", {"exit": 5}, "exit is 5, must be a name"),
        ("CoinFlip", {"gates": "17:00"}, "gates is '17:00', must be a mapping"),
        ("CoinFlip", {"gates": {"session": "yes"}}, "session is 'yes', must be true or false"),
        ("CoinFlip", {"gates": {"flatten": "25:00"}}, "flatten is '25:00'"),
        ("CoinFlip", {"exit": {"name": "my_strategies:number"}}, "exit"),
        ("my_strategies:ready", {"fast": 3}, "is a finished strategy and takes no parameters"),
        ("my_strategies:number", {}, "is neither a strategy, an entry, a bot, signals nor weights"),
        ("no_such_module:Mine", {}, "cannot import 'no_such_module'"),
    ],
)
def test_wrong_values_are_refused_with_their_place(
    module: ModuleType, name: str, params: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(name, params)
    assert message in str(caught.value)
