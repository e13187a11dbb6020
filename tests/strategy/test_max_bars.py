"""An exit with `max_bars` leaves at the open after so many held bars."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from intrabar.engine.run import Run
from intrabar.errors import ConfigError
from intrabar.exits import TrailingATR
from intrabar.strategy.bot import Bot
from intrabar.strategy.running_bot import RunningBot
from tests.strategy.markets import Points, Told, flat_market, run_of, setup_of, walk, with_gaps


@dataclass(frozen=True)
class Patient(Points):
    """Far away, for some bars."""

    stop: float = 50.0
    target: float = 50.0
    max_bars: int = 3


BOT = Bot(Told(1e9), Patient(), qty=1.0)


def test_a_position_leaves_at_the_open_after_its_last_bar() -> None:
    result = run_of(flat_market(12), BOT)
    assert [(f["bar"], f["phase"], f["reason"]) for f in result.fills.rows(named=True)] == [
        *((1, "open", "entry"), (4, "open", "max_bars")),
        *((5, "open", "entry"), (8, "open", "max_bars")),
        (9, "open", "entry"),
    ]
    assert result.campaigns["reason"].to_list() == ["max_bars", "max_bars", None]
    assert result.orders.filter(role="max_bars")["submitted_bar"].to_list() == [3, 7, 11]


def test_bars_that_are_not_there_do_not_count() -> None:
    gone = np.zeros((12, 1), bool)
    gone[[2, 4]] = True
    fills = run_of(with_gaps(flat_market(12), gone), BOT).fills
    assert fills["bar"].to_list()[:2] == [1, 6]  # held on 1, 3 and 5


def test_compiled_is_interpreted() -> None:
    market = walk(300, 3, ("A", "B"), missing=0.1)

    @dataclass(frozen=True)
    class Both(TrailingATR):
        max_bars: int = 7

    bot = Bot(Told(101.0, 102.0), Both(5, 2.0), risk_fraction=0.01)
    results = [run_of(market, replace(bot, interpreted=how)) for how in (False, True)]
    assert results[0].digest == results[1].digest
    assert {"max_bars", "stop"} <= set(results[0].fills["reason"].to_list())


@pytest.mark.parametrize("interpreted", [False, True])
def test_a_rewind_knows_how_long_it_has_held(interpreted: bool) -> None:
    bot = Bot(Told(1e9), Patient(max_bars=9), qty=1.0, interpreted=interpreted)
    run = Run(setup_of(walk(60, 5), bot))
    machine, running = run.machine, run.running["s"]
    assert isinstance(running, RunningBot)
    machine.advance(15)
    kept = machine.checkpoint(), running.checkpoint()
    assert running.held[0] == 4  # bought at the open of 11
    machine.advance(17)
    machine.return_to(kept[0])
    running.return_to(kept[1])
    run.to_end()
    whole = Run(setup_of(walk(60, 5), bot))
    whole.to_end()
    assert machine.digest() == whole.machine.digest()


@pytest.mark.parametrize("given", [-1, 2.5, "many", float("nan")])
def test_what_is_no_number_of_bars_is_refused(given: Any) -> None:
    with pytest.raises(ConfigError, match="Patient: max_bars"):
        Bot(Told(), Patient(max_bars=given), qty=1.0)
