"""Sessions with learned exits: the journal says what a bandit began with, its file follows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import intrabar as ib
from intrabar.app.workers.bandit_files import bandit_files
from intrabar.engine.session.rerun import rerun, turns_of
from intrabar.errors import ConfigError, RunError, StateError
from intrabar.exits import Hybrid, Learned, LinUCB
from intrabar.exits.policy_file import write_policy
from intrabar.exits.state_lock import held_state
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip
from tests.engine.chunks.test_chunks import HOUR, START, walk
from tests.exits.traded import FEATURES, READS, traded_policy

BARS = [walk("A", 1, 900), walk("B", 2, 900)]
COMMON: dict[str, Any] = {"atr_period": 5, "max_bars": 9, "alpha": 0.5, "session": "act"}
HYBRID = Hybrid(traded_policy(trained_until=START), n0=2.0, explore=0.2, **COMMON)
AT_EACH = Learned(
    traded_policy(3, replace(FEATURES, window=1), when="bar"),
    atr_period=5,
    max_bars=9,
    session="act",
)
ALONE = LinUCB([0.5, 2.0], READS, **COMMON)


def lived(exit_: Any, folder: Path, name: str, **given: Any) -> Any:
    bot = Bot(CoinFlip(1, 0.3), exit_, risk_fraction=0.003)
    given.setdefault("warm_up", 100)
    return ib.paper(
        {"s": bot}, BARS, name=name, folder=folder, calendar="24/7", cash=50_000.0, **given
    )


def same(one: Any, other: Any) -> None:
    assert set(one) == set(other) != set()
    for key, state in one.items():
        assert (state.bandit == other[key].bandit).all()
        for field in ("n", "learned_until", "mean", "scale", "slot", "last_campaign"):
            assert getattr(state, field) == getattr(other[key], field)


@pytest.mark.parametrize("exit_", [HYBRID, AT_EACH, ALONE], ids=["hybrid", "held", "alone"])
def test_a_session_is_the_backtest_of_its_rows(exit_: Any, tmp_path: Path) -> None:
    session = lived(exit_, tmp_path, "s", warm_up=600)
    result = session.result
    assert result.digest == session.digest
    assert result.decisions.height > 20
    assert session.parity().is_identical
    if exit_ is not AT_EACH:
        same(session.session.bandits, result.bandits)


def test_killed_after_each_closing_it_goes_on_as_if_it_never_was(tmp_path: Path) -> None:
    whole = lived(HYBRID, tmp_path, "whole", warm_up=500)
    entries = whole._entries()
    turns = [number for _, _, number in turns_of(entries)]
    closed = {e.bar for e in entries if e.kind == "fill" and e.body["position"] == 0.0}
    assert len(closed) > 20
    ends = [
        number
        for (event, _, _), number in zip(
            turns_of(entries), [*turns[1:], len(entries) + 1], strict=True
        )
        if event.kind == "row.closed" and event.bar in closed
    ]
    for cut in ends[:: max(len(ends) // 8, 1)]:
        made = rerun(whole.session.plan, entries[: cut - 1])
        assert made.difference is None
        for event, _, _ in turns_of(entries[cut - 1 :]):
            made.session.handle(event)
        same(made.session.bandits, whole.session.bandits)
        assert made.session.machine.digest() == whole.digest


def test_a_session_that_goes_on_has_the_state_of_one_that_never_stopped(tmp_path: Path) -> None:
    state = tmp_path / "state"
    day = str(np.datetime64(START + 700 * HOUR, "ns"))[:10]
    whole = lived(replace(HYBRID, state=tmp_path / "other"), tmp_path, "whole")
    part = lived(replace(HYBRID, state=state), tmp_path, "part", end=day)
    then, _ = ib.exits.read_state(state / "s" / "A.json")
    assert 0 < then.n < whole.session.bandits["s", "A"].n
    same({("s", "A"): then}, {("s", "A"): part.session.bandits["s", "A"]})
    again = lived(replace(HYBRID, state=state), tmp_path, "part")
    same(again.session.bandits, whole.session.bandits)
    assert again.digest == whole.digest
    for symbol in "AB":
        file, _ = ib.exits.read_state(state / "s" / f"{symbol}.json")
        same({("s", symbol): file}, {("s", symbol): again.session.bandits["s", symbol]})
    assert (state / "s" / "A.json.bak").exists()
    # What stands in the file is of no weight for a session that has begun.
    (state / "s" / "A.json").write_text("{")
    (state / "s" / "A.json.bak").unlink()
    once = lived(replace(HYBRID, state=state), tmp_path, "part")
    same(once.session.bandits, whole.session.bandits)
    assert ib.exits.read_state(state / "s" / "A.json")[0].n == whole.session.bandits["s", "A"].n


def test_a_new_session_begins_with_the_state_of_its_file(tmp_path: Path) -> None:
    state = tmp_path / "state"
    day = str(np.datetime64(START + 500 * HOUR, "ns"))[:10]
    first = lived(replace(HYBRID, state=state), tmp_path, "first", end=day)
    began = first.session.bandits
    second = lived(replace(HYBRID, state=state), tmp_path, "second", start=day, warm_up=50)
    told = second._entries()[0].body["bandits"]["s"]
    assert told["A"]["n"] == began["s", "A"].n
    assert second.session.bandits["s", "A"].n > began["s", "A"].n
    assert second.result.digest == second.digest
    same(second.session.bandits, second.result.bandits)
    with pytest.raises(ConfigError, match=r"learned_until is .*in_sample"):
        lived(replace(HYBRID, state=state), tmp_path, "third")


def test_one_process_writes_a_state(tmp_path: Path) -> None:
    exit_ = replace(HYBRID, state=tmp_path / "state")
    with (
        held_state(tmp_path / "state" / "s" / "B.json"),
        pytest.raises(RunError, match="is held by the process"),
    ):
        lived(exit_, tmp_path, "s")
    plan = lived(HYBRID, tmp_path, "plain").session.plan
    with bandit_files(plan) as files:
        assert files._files == {}


def test_a_session_keeps_its_policy_and_knows_none_of_its_bars(tmp_path: Path) -> None:
    folder = tmp_path / "policies" / "trend"
    write_policy(traded_policy(trained_until=START), folder, {})
    day = str(np.datetime64(START + 300 * HOUR, "ns"))[:10]
    lived(Learned(folder), tmp_path, "s", end=day)
    folder.rename(tmp_path / "gone")
    write_policy(traded_policy(9, trained_until=START), folder, {})
    with pytest.raises(StateError, match="began with other strategies"):
        lived(Learned(folder), tmp_path, "s")
    late = traded_policy(trained_until=START + 200 * HOUR)
    with pytest.raises(ConfigError, match="trained_until is"):
        lived(Learned(late), tmp_path, "late")
