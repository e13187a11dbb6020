"""Rules run compiled in the loop and as plain Python: one order of steps, the same bits."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intrabar.engine.outcome.result import finish
from intrabar.engine.run import Run
from intrabar.errors import ConfigError
from intrabar.exits import FixedRatio, TrailingATR
from intrabar.model.instrument import Instrument
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip, MovingAverageCrossover, TrendFollowing
from intrabar.strategy.gates import Gates
from tests.strategy.markets import setup_of, walk

ENTRIES = {
    "coin": st.builds(CoinFlip, st.integers(0, 99), st.sampled_from((0.1, 0.5, 1.0))),
    "crossover": st.builds(
        MovingAverageCrossover,
        st.integers(2, 6),
        st.integers(7, 20),
        st.sampled_from(("ema", "sma")),
        st.sampled_from(("sma", "first")),
    ),
    "trend": st.builds(
        TrendFollowing,
        st.integers(2, 6),
        st.integers(7, 20),
        st.sampled_from((0.0, 0.5)),
        st.integers(2, 9),
    ),
}
EXITS = {
    "fixed": st.builds(
        FixedRatio,
        st.integers(1, 9),
        st.sampled_from((0.5, 2.0)),
        st.sampled_from((0.0, 1.5)),
        st.sampled_from(("sma", "first")),
    ),
    "trailing": st.builds(TrailingATR, st.integers(1, 9), st.sampled_from((0.5, 3.0))),
}
GATES = {
    "none": Gates(),
    "session": Gates(session=True),
    "atr": Gates(min_atr=0.6, atr_period=5),
    "flatten": Gates(flatten="17:00"),
    "daily_loss": Gates(daily_loss=0.002),
    "all": Gates(True, 0.5, 5, "17:00", 30.0, 0.01),
}


def first_half_of_the_hour(calendar: str, time: Any) -> Any:
    return (time // 60_000_000_000) % 60 < 30


def digests(bot: Bot, market: Any, **how: Any) -> list[tuple[str, Any]]:
    instruments = [
        Instrument(s, 0.01, 5.0, 1.0, 0.7, 0.3, slippage_ticks=1.0, initial_margin=900.0,
                   calendar="NYSE") for s in market.symbols
    ]  # fmt: skip
    results = []
    for interpreted in (False, True):
        run = Run(
            setup_of(
                market,
                replace(bot, interpreted=interpreted),
                instruments=instruments,
                is_open=first_half_of_the_hour,
                **how,
            )
        )
        assert run.running["s"].is_compiled is not interpreted
        result = finish(run)
        results.append((result.digest, result.gates.rows()))
    return results


@pytest.mark.parametrize("gates", GATES)
@pytest.mark.parametrize("exit_", EXITS)
@pytest.mark.parametrize("entry", ENTRIES)
def test_every_combination_of_entry_exit_and_gates_gives_the_same_bits(
    entry: str, exit_: str, gates: str
) -> None:
    @settings(max_examples=4)
    @given(
        st.integers(0, 999),
        ENTRIES[entry],
        EXITS[exit_],
        st.sampled_from((0.0, 0.001, 0.02)),
        st.integers(0, 40),
    )
    def check(seed: int, decides: Any, leaves: Any, risk: float, warm_up: int) -> None:
        market = walk(200, seed, period=5 * 60_000_000_000)
        bot = Bot(decides, leaves, risk, 0.0 if risk else 1.0, GATES[gates], warm_up)
        compiled, interpreted = digests(bot, market)
        assert compiled == interpreted

    check()


@settings(max_examples=30)
@given(
    st.integers(0, 999),
    st.one_of(*ENTRIES.values()),
    st.one_of(*EXITS.values()),
    st.sampled_from(list(GATES.values())),
    st.sampled_from((0.0, 0.2)),
)
def test_two_instruments_with_missing_bars_give_the_same_bits(
    seed: int, entry: Any, leaves: Any, gates: Gates, missing: float
) -> None:
    market = walk(200, seed, ("A", "B"), missing=missing, period=5 * 60_000_000_000)
    compiled, interpreted = digests(Bot(entry, leaves, 0.01, gates=gates), market)
    assert compiled == interpreted


def test_the_combinations_do_trade() -> None:
    for entry in (CoinFlip(1, 0.5), MovingAverageCrossover(3, 9), TrendFollowing(3, 9)):
        for leaves in (FixedRatio(5), TrailingATR(5)):
            result = finish(Run(setup_of(walk(400), Bot(entry, leaves))))
            assert result.campaigns.height > 3
            assert np.isfinite(result.equity["equity"].to_numpy()).all()


def test_a_rule_that_numba_cannot_compile_runs_as_python() -> None:
    run = Run(setup_of(walk(100), Bot(ReadsJson())))
    assert not run.running["s"].is_compiled
    assert finish(run).campaigns.height > 0


class ReadsJson(CoinFlip):
    """Gets its answer from what Numba does not know."""

    @staticmethod
    def decide_side(now: Any, p: Any) -> int:
        """Long on low draws."""
        return json.loads("1") if now.draw < p.chance else 0


class Misspelt(CoinFlip):
    """Reads what is not there."""

    @staticmethod
    def decide_side(now: Any, p: Any) -> int:
        """Nothing of the kind."""
        return 1 if now.drow < p.chance else 0


def test_a_rule_that_reads_an_unknown_name_is_refused_with_the_name() -> None:
    with pytest.raises(ConfigError, match="decide_side: reads 'drow', which is neither"):
        Run(setup_of(walk(50), Bot(Misspelt())))


class OtherNames(CoinFlip):
    """Calls what it is given by other names."""

    @staticmethod
    def decide_side(bar: Any, mine: Any) -> int:
        """Long on an up bar with a low draw."""
        return 1 if bar.open < bar.high and bar.draw < mine.chance else 0


class HandsOn(CoinFlip):
    """Lets another function look at the bar."""

    @staticmethod
    def decide_side(now: Any, p: Any) -> int:
        """What the other one says."""
        return by_the_range(now, p)


@numba.njit
def by_the_range(now: Any, p: Any) -> int:
    return 1 if now.high - now.low > 0.0 and now.draw < p.chance else 0


@pytest.mark.parametrize("entry", [OtherNames(1, 0.5), HandsOn(1, 0.5)], ids=["names", "hands on"])
def test_a_rule_reads_the_whole_bar_by_any_name(entry: Any) -> None:
    compiled, interpreted = digests(Bot(entry, FixedRatio(5)), walk(200))
    assert compiled == interpreted
