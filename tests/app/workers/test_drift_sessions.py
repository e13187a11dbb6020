"""Drift in a session: records of the journal, in shadow and where the learned exit trades."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

import intrabar as ib
from intrabar.engine.outcome.result import finish
from intrabar.engine.run import Run
from intrabar.engine.session.rerun import rerun
from intrabar.engine.session.result import result_of
from intrabar.exits import Learned
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip
from tests.engine.chunks.test_chunks import HOUR
from tests.strategy.test_on_drift import COMMON, MARKET, trained


def bars() -> dict[str, pl.DataFrame]:
    """The market whose bars reach far for a while, from an hour on that is none of its training."""
    frames = {}
    for j, symbol in enumerate(MARKET.symbols):
        columns = {x: getattr(MARKET, x)[:, j] for x in ("open", "high", "low", "close")}
        time = pl.Series(MARKET.time.min() + HOUR * range_of(len(MARKET))).cast(
            pl.Datetime("ns", "UTC")
        )
        frame = pl.DataFrame({"time": time, **columns, "volume": 100.0})
        frames[symbol] = frame.filter(pl.col("open").is_not_nan())
    return frames


def range_of(n: int) -> Any:
    return pl.int_range(n, eager=True).to_numpy()


def lived(exit_: Any, folder: Path) -> Any:
    bot = Bot(CoinFlip(1, 0.4), exit_, risk_fraction=0.001)
    return ib.paper(
        {"s": bot}, bars(), name="s", folder=folder, calendar="24/7", cash=100_000.0, warm_up=500
    )


@pytest.mark.parametrize("session", ["act", "shadow"])
def test_drift_stands_in_the_journal_and_repeats(session: str, tmp_path: Path) -> None:
    made = lived(Learned(trained(), session=session, on_drift="static", **COMMON), tmp_path)
    told = [e.body for e in made._entries() if e.kind == "drift"]
    assert [x["set"] for x in told[:2]] == [True, False]
    assert len(told) % 2 == 0
    assert told[0]["feature"] == "reach"
    assert told[0]["psi"] > told[0]["limit"] == 0.3
    assert made.parity().is_identical
    again = rerun(made.session.plan, made._entries())
    assert again.difference is None
    entries = made._entries()
    lived_again = result_of(made.session.plan, entries)
    said = [x.text for x in lived_again.setup.remarks if "have drifted" in x.text]
    assert len(said) == len(told)
    assert ("its static arm is taken" in said[0]) is (session == "act")
    result = made.result
    assert lived_again.decisions.equals(result.decisions)
    if session == "act":
        assert finish(Run(result.setup)).digest == made.digest
        taken = result.decisions.filter(~pl.col("greedy"))
        assert taken.height > 20
        assert set(taken["arm"]) == {trained().static_arm}
    else:
        assert result.decisions["greedy"].all()
