"""Whatever a user's code raises is said with its strategy, its bar, its phase and its line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from intrabar.engine.outcome.result import finish
from intrabar.engine.prepared import Prepared
from intrabar.engine.run import Run
from intrabar.errors import ConfigError, RunError, StrategyError
from intrabar.strategy.bot import Bot
from intrabar.strategy.signals import Signals
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.weights import Weights
from tests.strategy.markets import Points, Told, setup_of, walk


def failing(hook: str) -> Strategy:
    """A strategy of which one hook raises."""

    def raises(*_: Any) -> None:
        raise ZeroDivisionError("mine")

    made = {hook: raises}
    if hook in ("on_fill", "on_order"):
        made["on_close"] = lambda self, now: now.buy(1)  # type: ignore[assignment]
    return type("Mine", (Strategy,), made)()


@pytest.mark.parametrize(
    ("hook", "where"),
    [
        ("on_start", "in on_start"),
        ("on_open", "at OPEN of bar 0 "),
        ("on_close", "at CLOSE of bar 0 "),
        ("on_fill", "at INTRABAR of bar 1 "),
        ("on_order", "at INTRABAR of bar 1 "),
        ("on_stop", "in on_stop"),
        ("indicators", r"in indicators\(\)"),
    ],
)
def test_every_hook_says_where_it_failed(hook: str, where: str) -> None:
    message = rf"failed {where}.*test_user_code.py:\d+ .*ZeroDivisionError: mine"
    with pytest.raises(StrategyError, match=message):
        Run(setup_of(walk(10), failing(hook))).to_end()


@pytest.mark.parametrize("hook", ["on_start", "on_close", "on_stop"])
def test_a_run_that_failed_lets_go_of_its_strategies(hook: str) -> None:
    run = Run(setup_of(walk(10), failing(hook), failing("none")))
    with pytest.raises(StrategyError):
        run.to_end()
    assert not run.machine.book.strategies["on_close"].any()
    assert not run.machine.on_growth


def test_every_strategy_is_told_of_the_end_though_one_fails() -> None:
    told: list[int] = []

    class Ends(Strategy):
        def on_stop(self) -> None:
            told.append(1)

    with pytest.raises(StrategyError):
        Run(setup_of(walk(10), Ends(), failing("on_stop"), Ends())).to_end()
    assert len(told) == 2


@dataclass(frozen=True)
class Raises:
    """An entry that raises: no compiled rule could say so."""

    wakes_on = ""

    def indicators(self) -> dict[str, Any]:
        """None."""
        return {}

    @staticmethod
    def decide_side(now: Any, p: Any) -> int:
        """Raise."""
        return checked(now.close)


def checked(close: float) -> int:
    """Nothing but an error."""
    if close > 0.0:
        raise ValueError("a price that I cannot use")
    return 0


@pytest.mark.parametrize("interpreted", [False, True])
def test_a_rule_that_raises_stops_the_run(interpreted: bool) -> None:
    bot = Bot(Raises(), Points(), 0.0, 1.0, interpreted=interpreted)
    message = r"Raises failed at CLOSE of bar 0 .*ValueError: a price that I cannot use"
    with pytest.raises(StrategyError, match=message):
        Run(setup_of(walk(10), bot)).to_end()


# --- arrays that a user gives


@dataclass(frozen=True)
class Mine:
    """An entry that reads a column of the setup."""

    wakes_on = ""

    def indicators(self) -> dict[str, Any]:
        """None."""
        return {}

    @staticmethod
    def decide_side(now: Any, p: Any) -> int:
        """Long where the column says so."""
        return 1 if now.mine > 0.5 else 0


SAID = np.array([0.0] * 3 + [1.0] + [0.0] * 16)[:, None]


@pytest.mark.parametrize(
    "column",
    [SAID, SAID.astype(np.float32), np.repeat(SAID, 2, axis=0)[::2], SAID[::-1].copy()[::-1]],
    ids=["as kernels read it", "float32", "strided", "reversed"],
)
def test_a_column_in_any_layout_is_read_right(column: Any) -> None:
    setup = setup_of(walk(20), Bot(Mine(), Points(), 0.0, 1.0))
    result = finish(Run(replace(setup, columns={"s": {"mine": column}})))
    assert result.orders["submitted_bar"].to_list()[0] == 3


@pytest.mark.parametrize("column", [SAID[:-1], np.hstack([SAID, SAID]), [["x"]] * 20])
def test_a_column_that_does_not_fit_is_refused(column: Any) -> None:
    setup = setup_of(walk(20), Bot(Mine(), Points(), 0.0, 1.0))
    with pytest.raises(ConfigError, match="column 'mine' of s"):
        Run(replace(setup, columns={"s": {"mine": column}}))


@pytest.mark.parametrize("form", [Signals, Weights])
def test_an_array_that_changes_later_changes_no_run(form: Any) -> None:
    said = np.array([1.0] + [np.nan] * 19)
    for given in (said, {"A": said}):
        setup = setup_of(walk(20), form(given if form is Signals else {"A": said}))
        before = finish(Run(setup)).digest
        said[5:10] = -1.0
        assert finish(Run(setup)).digest == before
        said[5:10] = np.nan


def test_what_was_prepared_of_another_market_is_not_taken() -> None:
    setup = setup_of(walk(20), Bot(Told(), Points(), 0.0, 1.0))
    with pytest.raises(RunError, match="of another market"):
        Run(setup, Prepared(walk(20, 2), ("",)))
