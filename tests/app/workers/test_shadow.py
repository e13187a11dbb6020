"""A learned exit in shadow: what trades is the static one; its pairs are those of backtests."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import intrabar as ib
from intrabar.engine.lanes.lanes import Lanes
from intrabar.engine.outcome.result import finish
from intrabar.engine.run import Run, Setup
from intrabar.engine.session.rerun import rerun, turns_of
from intrabar.engine.session.shadows import acting
from intrabar.errors import ConfigError, StateError
from intrabar.exits import Bandit, Hybrid, Learned, LinUCB
from intrabar.exits.static import static_exit
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip
from intrabar.strategy.given_side import SIDE, GivenSide
from tests.app.workers.test_learned_sessions import BARS, same
from tests.engine.chunks.test_chunks import HOUR, START, walk
from tests.exits.traded import FEATURES, READS, traded_policy

COMMON: dict[str, Any] = {"atr_period": 5, "max_bars": 9}
POLICY = traded_policy(trained_until=START)
HYBRID = Hybrid(POLICY, n0=2.0, alpha=0.5, explore=0.2, **COMMON)
AT_EACH = Learned(traded_policy(3, replace(FEATURES, window=1), when="bar"), **COMMON)
ALONE = LinUCB([0.5, 2.0], READS, alpha=0.5, static=2.0, **COMMON)
RISK = 0.003


def lived(exit_: Any, folder: Path, name: str = "s", bars: Any = BARS, **given: Any) -> Any:
    bot = Bot(CoinFlip(1, 0.3), exit_, risk_fraction=RISK, **given.pop("of_bot", {}))
    given.setdefault("warm_up", 100)
    return ib.paper(
        {"s": bot}, bars, name=name, folder=folder, calendar="24/7", cash=50_000.0, **given
    )


def bodies(session: Any, kind: str) -> list[dict[str, Any]]:
    return [e.body for e in session._entries() if e.kind == kind]


def entries_of(session: Any) -> list[tuple[int, str, int]]:
    """(row, symbol, side) of each order that enters."""
    fills = session.result.fills.filter(pl.col("reason").cast(pl.String) == "entry")
    orders = session.result.orders.select("order", "submitted_bar")
    told = fills.unique("order", keep="first").join(orders, on="order")
    return sorted(
        (x["submitted_bar"], str(x["symbol"]), 1 if str(x["side"]) == "buy" else -1)
        for x in told.iter_rows(named=True)
    )


@pytest.mark.parametrize("exit_", [HYBRID, AT_EACH, ALONE], ids=["hybrid", "held", "alone"])
def test_the_static_exit_trades_as_its_backtest_does(exit_: Any, tmp_path: Path) -> None:
    session = lived(exit_, tmp_path, warm_up=600)
    arm = 2.0 if exit_ is ALONE else float(POLICY.arms[exit_.policy[0].static_arm])
    plain = Bot(CoinFlip(1, 0.3), static_exit(exit_.rule, arm, 9), risk_fraction=RISK)
    result = session.result
    assert finish(Run(replace(result.setup, strategies={"s": plain}))).digest == session.digest
    assert session.parity().is_identical
    decisions = result.decisions
    assert decisions["simulated"].all()
    assert decisions["campaign"].null_count() == decisions.height > 20
    firsts = {(x["row"], x["symbol"], x["side"]) for x in _first(bodies(session, "decision"))}
    assert firsts >= set(entries_of(session)) != set()
    closed = decisions.filter(pl.col("d").is_not_null())
    assert (closed["d"] == closed["reward"] - closed["static_reward"]).all()


def _first(decisions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The decisions at entries."""
    return list({x["number"]: x for x in reversed(decisions)}.values())[::-1]


@pytest.mark.parametrize("way", ["trailing", "fixed"])
def test_pairs_and_updates_are_those_of_two_backtests(way: str, tmp_path: Path) -> None:
    session = lived(replace(HYBRID, exit=way), tmp_path, warm_up=500)
    setup, made = session.result.setup, _first(bodies(session, "decision"))
    pairs = {x["number"]: x for x in bodies(session, "pair")}
    static = POLICY.static_arm
    assert len(pairs) > 60
    outlives = 0
    for symbol in "AB":
        lanes = Lanes(setup, "s", symbol, replace(HYBRID, exit=way).rule, 9)
        own = [x for x in made if x["symbol"] == symbol and x["number"] in pairs]
        rows = np.array([x["row"] for x in own])
        sides = np.array([x["side"] for x in own], np.int8)
        played = lanes.play(rows, sides, POLICY.arms.tolist())
        bandit, over = _empty(session, symbol), []
        for k, x in enumerate(own):
            pair = pairs[x["number"]]
            assert pair["learned"] == played.score[k, x["arm"]]
            assert pair["static"] == played.score[k, static]
            assert pair["learned_row"] == played.end_bar[k, x["arm"]]
            assert pair["static_row"] == played.end_bar[k, static]
            outlives += pair["learned_row"] > pair["static_row"]
            over.append((max(pair["learned_row"], pair["static_row"]), x, pair))
        bandit.ingest_trade_log([_row(x, pair) for _, x, pair in over])
        then = session.session.bandits["s", symbol]
        assert (bandit.state.bandit == then.bandit).all()
        assert then.n == bandit.state.n == len(own)
    assert outlives > 5
    for x in made[3:60:14]:  # ... and lanes are backtests
        for arm, what in ((x["multiple"], "learned"), (float(POLICY.arms[static]), "static")):
            exit_ = static_exit(replace(HYBRID, exit=way).rule, arm, 9)
            assert _reward(setup, x, exit_) == pytest.approx(pairs[x["number"]][what], abs=1e-12)


def _empty(session: Any, symbol: str) -> Bandit:
    """The bandit of a symbol before its first campaign."""
    state = session.session.bandits["s", symbol]
    nothing = np.zeros(state.bandit.shape)
    d = len(state.mean) + 1
    nothing[:, :d] = state.n0 * np.eye(d)
    return Bandit(replace(state, bandit=nothing, n=0, learned_until=0, last_campaign=-1))


def _row(made: dict[str, Any], pair: dict[str, Any]) -> dict[str, Any]:
    contexts = {f"x_{k}": x for k, x in enumerate(made["x"])}
    names = {name: made[name] for name in ("time", "arm", "multiple", "prior")}
    return {
        **names,
        **contexts,
        "closed_bar": max(pair["learned_row"], pair["static_row"]),
        "closed_time": pair["time"],
        "reward": pair["learned"],
        "campaign": made["number"],
    }


def _reward(setup: Setup, made: dict[str, Any], exit_: Any) -> float:
    """Net profit by budget of the one campaign of a backtest that enters there alone."""
    j = setup.market.symbols.index(made["symbol"])
    sides = np.zeros(setup.market.close.shape)
    sides[made["row"], j] = made["side"]
    bot = Bot(GivenSide(), exit_, risk_fraction=RISK)
    told = replace(setup, strategies={"s": bot}, columns={"s": {SIDE: sides}}, remarks=())
    fills = finish(Run(told)).fills
    return float(fills["realized"].sum() - fills["cost"].sum()) / (RISK * 50_000.0)


def test_an_exit_that_decides_at_each_close_does_so_in_its_own_campaign(tmp_path: Path) -> None:
    session = lived(AT_EACH, tmp_path, warm_up=600)
    setup, decided = session.result.setup, bodies(session, "decision")
    pairs = {x["number"]: x for x in bodies(session, "pair")}
    assert len(decided) > len(_first(decided))
    for x in _first(decided)[2:50:8]:
        own = [(y["row"], y["arm"]) for y in decided if y["number"] == x["number"]]
        j = setup.market.symbols.index(x["symbol"])
        sides = np.zeros(setup.market.close.shape)
        sides[x["row"], j] = x["side"]
        bot = Bot(GivenSide(), AT_EACH, risk_fraction=RISK)
        told = replace(setup, strategies={"s": bot}, columns={"s": {SIDE: sides}}, remarks=())
        decisions = finish(Run(told)).decisions
        assert [(r["bar"], r["arm"]) for r in decisions.iter_rows(named=True)] == own
        reward = decisions["reward"][0]
        assert reward == pytest.approx(pairs[x["number"]]["learned"], abs=1e-12)


def test_killed_after_each_closing_it_goes_on_as_if_it_never_was(tmp_path: Path) -> None:
    whole = lived(HYBRID, tmp_path, warm_up=600)
    entries = whole._entries()
    turns = [number for _, _, number in turns_of(entries)]
    ends = [
        after
        for (_, records, _), after in zip(
            turns_of(entries), [*turns[1:], len(entries) + 1], strict=True
        )
        if any(x.kind == "pair" for x in records)
    ]
    assert len(ends) > 20
    for cut in ends[:: len(ends) // 4]:
        made = rerun(whole.session.plan, entries[: cut - 1])
        assert made.difference is None
        for event, _, _ in turns_of(entries[cut - 1 :]):
            made.session.handle(event)
        same(made.session.bandits, whole.session.bandits)
        assert made.session.machine.digest() == whole.digest


def test_its_state_stands_beside_that_of_what_was_traded(tmp_path: Path) -> None:
    home = tmp_path / "state"
    day = str(np.datetime64(START + 500 * HOUR, "ns"))[:10]
    first = lived(replace(HYBRID, state=home), tmp_path, "first", end=day)
    files = {x.name for x in (home / "s").glob("*.json")}
    assert files == {"A.shadow.json", "B.shadow.json"}
    then, _ = ib.exits.read_state(home / "s" / "A.shadow.json")
    same({("s", "A"): then}, {("s", "A"): first.session.bandits["s", "A"]})
    second = lived(replace(HYBRID, state=home), tmp_path, "second", start=day, warm_up=50)
    assert second._entries()[0].body["bandits"]["s"]["A"]["n"] == then.n > 0
    acting = lived(
        replace(HYBRID, state=home, session="act"), tmp_path, "third", start=day, warm_up=50
    )
    assert "bandits" not in acting._entries()[0].body
    real, _ = ib.exits.read_state(home / "s" / "A.json")
    assert real.n == acting.session.bandits["s", "A"].n
    one = walk("A", 1, 900)
    with pytest.raises(ConfigError, match="is of a shadow"):
        lived(replace(HYBRID, state=home / "s" / "A.shadow.json"), tmp_path, "x", [one])


def test_what_a_user_is_told(tmp_path: Path) -> None:
    session = lived(HYBRID, tmp_path, warm_up=600)
    pairs = bodies(session, "pair")
    mean = np.mean([x["d"] for x in pairs])
    said = [x for x in session.result.warnings if "is in shadow" in x]
    assert said
    assert f"{len(pairs):,} pairs have closed: {mean:+.3f}" in said[0]
    status = json.loads((session.folder / "status.json").read_text())
    assert status["shadow"] == {"s": {"pairs": len(pairs), "d": pytest.approx(mean)}}
    assert any("in shadow" in x and "TrailingATR" in x for x in session.setup.remarks)
    with pytest.raises(ConfigError, match="is simulated"):
        Bandit(session.session.bandits["s", "A"]).ingest_trade_log(
            session.result.decisions.filter(pl.col("symbol") == "A")
        )
    report = (session.folder / "report.html").read_text()
    assert "is in shadow" in report


def test_an_entry_before_anything_is_known_is_not_decided(tmp_path: Path) -> None:
    session = lived(ALONE, tmp_path, warm_up=300)
    first = min(x["row"] for x in bodies(session, "decision"))
    before = [x for x in entries_of(session) if x[0] < first]
    assert len(before) > 10
    assert first >= 499
    told = [x for x in session.result.warnings if "were not decided in shadow" in x]
    assert told
    assert told[0].startswith(f"s: {len(before):,} of ")


def test_an_interpreted_bot_has_the_same_pairs(tmp_path: Path) -> None:
    bars = [walk("A", 1, 300)]
    plain = lived(HYBRID, tmp_path, "plain", bars)
    slow = lived(HYBRID, tmp_path, "slow", bars, of_bot={"interpreted": True})
    assert bodies(plain, "pair") == bodies(slow, "pair") != []
    assert bodies(plain, "decision") == bodies(slow, "decision")


def test_what_a_session_refuses(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"write static: one of its arms, or session: act"):
        lived(replace(ALONE, static=0.0), tmp_path)
    with pytest.raises(ConfigError, match=r"static is 3, must be one of its arms"):
        replace(ALONE, static=3.0)
    with pytest.raises(ConfigError, match=r"Hybrid: session"):
        replace(HYBRID, session="shadows")
    several = [traded_policy(k, trained_until=START + (200 + k) * HOUR) for k in (1, 2)]
    with pytest.raises(ConfigError, match="the first decides after"):
        lived(replace(HYBRID, policy=several), tmp_path)
    end = str(np.datetime64(START + 300 * HOUR, "ns"))[:10]
    assert lived(HYBRID, tmp_path, end=end).session.plan.shadowed
    with pytest.raises(StateError, match="began with other strategies"):
        lived(replace(HYBRID, session="act"), tmp_path)


def test_who_acts_is_named_for_the_gates_of_real_money() -> None:
    """`intrabar live` refuses those."""
    exits = {
        "acts": replace(HYBRID, session="act"),
        "bandit": replace(ALONE, session="act"),
        "shadow": HYBRID,
        "plain": static_exit(HYBRID.rule, 1.0, 9),
    }
    bots = {name: Bot(CoinFlip(1, 0.3), exit_) for name, exit_ in exits.items()}
    assert acting(bots) == ["acts", "bandit"]
