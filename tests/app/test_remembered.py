"""What a strategy remembers is in the result; what cannot be copied is named."""

from __future__ import annotations

import pickle
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import intrabar as ib
from tests.app.hostile import frame


@dataclass
class Counting(ib.Strategy):
    """Counts the bars that it sees."""

    every: int = 1
    seen: list[int] = field(default_factory=list)

    def on_close(self, now: ib.AtClose) -> None:
        if now.bar % self.every == 0:
            self.seen.append(now.bar)


def whole(strategy: ib.Strategy, _: Path) -> Any:
    return ib.backtest(strategy, frame())


def in_chunks(strategy: ib.Strategy, folder: Path) -> Any:
    return ib.backtest(strategy, frame(), chunk=7, out=folder)


def sent(strategy: ib.Strategy, _: Path) -> Any:
    return pickle.loads(pickle.dumps(ib.backtest(strategy, frame())))


@pytest.mark.parametrize("run", [whole, in_chunks, sent])
def test_a_result_has_the_copy_that_ran(run: Callable[..., Any], tmp_path: Path) -> None:
    given = Counting(3)
    left = run(given, tmp_path).strategies
    assert list(left) == ["Counting"]
    assert left["Counting"].seen == list(range(0, 40, 3))
    assert given.seen == []


@pytest.mark.parametrize("run", [whole, in_chunks, sent])
def test_what_remembers_nothing_is_there_as_given(run: Callable[..., Any], tmp_path: Path) -> None:
    assert run(ib.Bot(ib.CoinFlip()), tmp_path).strategies == {"CoinFlip": ib.Bot(ib.CoinFlip())}


@pytest.mark.parametrize("what", [threading.Lock(), sys, (x for x in [1]), open(__file__)])  # noqa: SIM115
@pytest.mark.parametrize("run", [whole, in_chunks])
def test_what_cannot_be_copied_is_named(what: Any, run: Callable[..., Any], tmp_path: Path) -> None:
    strategy = Counting()
    strategy.kept = what  # type: ignore[attr-defined]
    with pytest.raises(ib.StrategyError, match=r"attribute 'kept' \(.*make it in on_start"):
        run(strategy, tmp_path)


class Opens(ib.Strategy):
    """Makes what cannot be copied where it is told to."""

    def on_start(self) -> None:
        self.lock = threading.Lock()
        self.bars = 0

    def on_close(self, now: ib.AtClose) -> None:
        with self.lock:
            self.bars += 1


def test_what_is_made_in_on_start_need_not_be_copied() -> None:
    left = ib.backtest(Opens(), frame()).strategies["Opens"]
    assert isinstance(left, Opens)
    assert left.bars == 40


class Named(ib.Strategy):
    """Calls itself something."""

    def __init__(self, name: Any) -> None:
        self.name = name

    def on_close(self, now: ib.AtClose) -> None:
        pass


def test_a_strategy_may_have_a_name() -> None:
    assert list(ib.backtest(Named("mine"), frame()).strategies) == ["mine"]
    with pytest.raises(ib.ConfigError, match="Named: name is 3, must be a name"):
        Named(3)
