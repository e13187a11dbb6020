"""Bandits in bots: what they choose, what they learn, and that nothing else teaches them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intrabar.engine.outcome.bandits import arms_table
from intrabar.engine.outcome.result import Result, finish
from intrabar.engine.prepared import Prepared
from intrabar.engine.run import Run
from intrabar.engine.tables.states import file_of
from intrabar.errors import ConfigError, FileError
from intrabar.exits import Bandit, Hybrid, Learned, LinUCB, write_state
from intrabar.exits.bandit import chosen, context, learn, scores, start
from intrabar.exits.learned import FIRST_ROWS
from intrabar.model.bars import Action, Market
from intrabar.model.enums import ActionKind
from intrabar.model.instrument import Instrument
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip
from intrabar.strategy.running_bot import RunningBot
from tests.exits.traded import ARMS, FEATURES, READS, traded_policy
from tests.strategy.markets import run_of, setup_of, walk

POLICY = traded_policy()
MARKET = walk(1500, 1, ("A", "B"), missing=0.05)
COMMON: dict[str, Any] = {"atr_period": 5, "max_bars": 20}
HYBRID = Hybrid(POLICY, alpha=0.5, n0=2.0, **COMMON)
LINUCB = LinUCB(ARMS, [*READS, "side = side"], alpha=0.5, **COMMON)
EXITS = {
    "hybrid": HYBRID,
    "explores": replace(HYBRID, explore=0.3, seed=7),
    "linucb": LINUCB,
    "label": Hybrid(traded_policy(5, loss="label"), alpha=0.5, n0=2.0, exit="fixed", **COMMON),
}


def bot_of(exit_: Any, **how: Any) -> Bot:
    return Bot(CoinFlip(1, 0.3), exit_, **(how or {"risk_fraction": 0.01}))


def ran(bot: Bot, market: Market = MARKET, **how: Any) -> tuple[Result, RunningBot]:
    run = Run(setup_of(market, bot, **how))
    running = run.running["s"]
    assert isinstance(running, RunningBot)
    assert running.is_compiled is not bot.interpreted
    return finish(run), running


@pytest.mark.parametrize("name", EXITS)
def test_each_choice_follows_from_the_campaigns_that_were_over_by_then(name: str) -> None:
    exit_ = EXITS[name]
    result, _ = ran(bot_of(exit_))
    k, d = len(ARMS), len(FEATURES.features) + 1
    explored = 0
    for j, symbol in enumerate("AB"):
        own = result.decisions.filter(pl.col("symbol") == symbol)
        assert own.height > 40
        bandit, factors = np.zeros((k, d + 1, d)), np.zeros((k, d + 1, d))
        start(bandit, factors, exit_.n0)
        waiting: list[dict[str, Any]] = []
        table = Prepared(MARKET, ("", "")).feature_tables(FEATURES)
        for row in own.rows(named=True):
            over = [x for x in waiting if x["closed_bar"] is not None]
            for x in [x for x in over if x["closed_bar"] <= row["bar"]]:
                waiting.remove(x)
                assert learn(bandit, factors, x["arm"], x["x"], x["prior"] or 0.0, x["reward"])
            x, prior, score = np.zeros(d), np.zeros(k), np.zeros(k)
            state = result.bandits["s", symbol]
            past = table.window(j, row["bar"])
            assert past is not None
            mean, scale = np.array(state.mean), np.array(state.scale)
            assert context(past[-1].copy(), row["side"], FEATURES.signs, mean, scale, x)
            assert x.tolist() == [row[f"x_{c}"] for c in ("1", *FEATURES.names)]
            if row["prior"] is not None:
                prior = prior_of_row(exit_, past, row["side"])
                assert row["prior"] == pytest.approx(prior[row["arm"]], rel=1e-12)
            scores(factors, prior, x, exit_.alpha, np.zeros(d), score)
            assert score == pytest.approx([row[f"score_{a:g}"] for a in ARMS], rel=1e-12)
            arm, propensity = chosen(score, exit_.explore, 1.0)
            if row["greedy"]:
                assert (row["arm"], row["propensity"]) == (arm, propensity)
            else:
                explored += 1
                assert row["propensity"] == exit_.explore / k
            waiting.append({**row, "x": x})
        for x in waiting:
            if x["reward"] is not None:
                learn(bandit, factors, x["arm"], x["x"], x["prior"] or 0.0, x["reward"])
        state = result.bandits["s", symbol]
        assert (state.bandit == bandit).all()
        assert state.n == own["reward"].drop_nulls().len()
        assert state.learned_until == own["closed_time"].cast(pl.Int64).max()
    assert (explored > 0) == (exit_.explore > 0.0)


def prior_of_row(exit_: Any, past: Any, side: int) -> Any:
    policy = exit_.policy[0]
    net = policy.net
    turned = np.where(net.signs == 1, side * past, past)
    numbers = policy.pass_over(np.clip((turned - net.mean) / net.scale, -5.0, 5.0))
    if policy.loss == "score":
        return policy.calibration * (numbers - numbers.mean())
    shares = np.exp((numbers - numbers.max()) / policy.calibration)
    return 0.1 * np.log(np.maximum(shares, 1e-6 * shares.sum()))


def test_without_a_policy_nothing_is_decided_before_the_context_is_known() -> None:
    result, running = ran(bot_of(LINUCB))
    tables = Prepared(MARKET, ("", "")).feature_tables(LINUCB.context)
    for j, symbol in enumerate("AB"):
        known = np.flatnonzero(np.isfinite(tables.tables[j]).all(axis=1))[:FIRST_ROWS]
        first = int(np.searchsorted(tables.row_of[:, j], known[-1]))
        own = result.decisions.filter(symbol=symbol)
        assert first <= own["bar"][0] < first + 50
        rows = tables.tables[j][known]
        both = np.concatenate([rows, np.where(FEATURES.signs == 1, -rows, rows)])
        state = result.bandits["s", symbol]
        assert state.mean == pytest.approx(both.mean(axis=0), rel=1e-9, abs=1e-12)
        assert state.scale == pytest.approx(both.std(axis=0), rel=1e-9)
    assert dict(result.gates.select("gate", "count").rows())["warm_up"] > 0
    assert running.learner is not None
    short, _ = ran(bot_of(LINUCB), MARKET.rows(slice(0, 300)))
    assert short.decisions.height == 0
    assert short.bandits == {}


def test_a_bandit_that_never_leaves_its_prior_trades_as_the_policy_does() -> None:
    learned, _ = ran(bot_of(Learned(POLICY, **COMMON)))
    for n0, alpha in ((1e12, 0.0), (200.0, 0.0)):
        result, _ = ran(bot_of(Hybrid(POLICY, alpha=alpha, n0=n0, **COMMON)))
        if n0 == 1e12:
            assert result.digest == learned.digest
            assert result.decisions["arm"].equals(learned.decisions["arm"])
        first = result.decisions.group_by("symbol").first()
        same = learned.decisions.group_by("symbol").first()
        assert first.sort("symbol")["arm"].equals(same.sort("symbol")["arm"])


@settings(max_examples=6)
@given(st.integers(0, 999), st.sampled_from(sorted(EXITS)), st.sampled_from((0.0, 0.01)))
def test_compiled_is_interpreted(seed: int, name: str, risk: float) -> None:
    market = walk(620 if name == "linucb" else 150, seed, ("A", "B"), missing=0.1)
    bot = bot_of(EXITS[name], **({"risk_fraction": risk} if risk else {"qty": 3.0}))
    instruments = [Instrument(s, 0.01, max_volume_share=0.01) for s in "AB"]
    results = [
        ran(replace(bot, interpreted=how), market, instruments=instruments) for how in (False, True)
    ]
    (one, first), (other, second) = results
    assert one.digest == other.digest
    assert first.memory_digest() == second.memory_digest()
    assert one.decisions.equals(other.decisions)


@settings(max_examples=25)
@given(
    st.integers(0, 9999),
    st.sampled_from((0.0, 0.02)),
    st.sampled_from(("trailing", "fixed")),
    st.sampled_from((0.002, 0.02)),
    st.booleans(),
    st.booleans(),
)
def test_a_reward_is_the_net_of_the_campaign_over_its_budget(
    seed: int, risk: float, exit_: str, share: float, splits: bool, converts: bool
) -> None:
    draw = np.random.default_rng(seed)
    market = walk(260, seed, ("A", "B"), missing=0.1, wild=0.02)
    if splits:
        bars = np.flatnonzero(~np.isnan(market.open[:, 0]))[[40, 90, 150]].tolist()
        actions = [
            Action(b, 0, ActionKind.SPLIT, r) for b, r in zip(bars, (2.0, 0.3, 3.0), strict=True)
        ]
        market = replace(market, actions=tuple(actions))
    if converts:
        rates = np.exp(np.cumsum(draw.normal(0.0, 0.01, market.close.shape), axis=0))
        market = replace(market, fx=rates)
    margin = {"initial_margin_rate": 0.05, "maintenance_margin_rate": 0.04}
    instruments = [
        Instrument("A", 0.01, 2.0, 1.0, 0.7, 0.3, max_volume_share=share, **margin),
        Instrument("B", 0.01, fee_per_trade=2.0, commission_rate=0.001, **margin),
    ]
    if converts:
        instruments = [replace(x, currency="EUR") for x in instruments]
    bot = bot_of(
        Hybrid(POLICY, exit=exit_, **COMMON),
        **({"risk_fraction": risk} if risk else {"qty": 900.0}),
    )
    result, running = ran(bot, market, instruments=instruments, cash=50_000.0)
    assert running.learner is not None
    ends = running.learner.logged().ends
    closed = result.campaigns.drop_nulls("end_bar").filter(pl.col("reason") != "end_of_data")
    told = result.decisions.drop_nulls("reward")
    joined = told.join(closed, on="campaign")
    last = result.bars_done - 1
    missing = closed.filter(pl.col("end_bar") < last).join(told, on="campaign", how="anti")
    assert missing.filter(pl.col("reason") != "roll").height == 0, missing
    net = dict(zip(ends["row"].tolist(), (ends["gross"] - ends["costs"]).tolist(), strict=True))
    budgets = dict(zip(ends["row"].tolist(), ends["budget"].tolist(), strict=True))
    assert len(net) == told.height
    for row in joined.rows(named=True):
        index = result.decisions.filter(pl.col("campaign") == row["campaign"]).height
        assert index == 1
    equity = result.equity["equity"].to_numpy()
    for row in joined.rows(named=True):
        if risk:
            budget = risk * equity[row["bar"]]
            assert row["reward"] == pytest.approx(row["net"] / budget, rel=1e-12, abs=1e-12)
    by_net = sorted(net[k] for k in net)
    assert by_net == pytest.approx(sorted(joined["net"].to_list()), rel=1e-9, abs=1e-6)
    assert min(budgets.values(), default=1.0) > 0.0


def test_a_log_teaches_as_having_run_it(tmp_path: Path) -> None:
    for exit_ in (HYBRID, LINUCB):
        result, _ = ran(bot_of(exit_))
        for symbol in "AB":
            state = result.bandits["s", symbol]
            fresh = np.zeros(state.bandit.shape)
            start(fresh, np.zeros(fresh.shape), exit_.n0)
            empty = replace(state, bandit=fresh, n=0, slot=None, last_campaign=-1, learned_until=0)
            rows = result.decisions.filter(symbol=symbol)
            bandit = Bandit(empty)
            half = rows.height // 2
            assert bandit.ingest_trade_log(rows[:half]) == half
            assert bandit.ingest_trade_log(rows) == state.n - half
            assert bandit.ingest_trade_log(rows) == 0
            assert (bandit.state.bandit == state.bandit).all()
            assert bandit.state.n == state.n
            assert bandit.state.learned_until == state.learned_until
            again = Bandit(empty)
            again.ingest_trade_log(rows.to_dicts())
            assert (again.state.bandit == state.bandit).all()
    with pytest.raises(ConfigError, match="the log: a row's symbol is 'A'"):
        Bandit(state).ingest_trade_log(result.decisions)
    with pytest.raises(ConfigError, match=r"the log: arm 0 is 0\.5, and the bandit's arms are"):
        Bandit(replace(state, arms=(0.7, 1.0, 2.0, 4.0))).ingest_trade_log(rows)


def test_a_state_goes_on_where_it_was_left(tmp_path: Path) -> None:
    first, later = MARKET.rows(slice(0, 900)), MARKET.rows(slice(900, 1500))
    for exit_ in (HYBRID, LINUCB):
        states = run_of(first, bot_of(exit_)).bandits
        folder = tmp_path / type(exit_).__name__
        for (name, symbol), state in states.items():
            write_state(state, file_of(folder, name, symbol))
        going = replace(exit_, state=folder)
        result = run_of(later, bot_of(going))
        for symbol in "AB":
            state, before = result.bandits["s", symbol], states["s", symbol]
            assert state.n > before.n
            assert state.mean == before.mean
            own = result.decisions.filter(symbol=symbol)
            grown = Bandit(replace(before, slot=None))
            grown.ingest_trade_log(own)
            assert (grown.state.bandit == state.bandit).all()
        with pytest.raises(ConfigError, match=r"learned_until is .* it knows .*in_sample"):
            run_of(first, bot_of(going))
        told = run_of(first, bot_of(replace(going, in_sample=True)))
        assert "(in sample)" in told.title
        other = replace(going, n0=3.0)
        with pytest.raises(ConfigError, match="its n0 is"):
            run_of(later, bot_of(other))
    with pytest.raises(ConfigError, match="its prior is"):
        run_of(later, bot_of(Hybrid(traded_policy(9), state=tmp_path / "Hybrid", n0=2.0)))
    with pytest.raises(FileError, match=r"holds none of A, B"):
        run_of(later, bot_of(replace(HYBRID, state=tmp_path / "nowhere")))
    file_of(tmp_path / "Hybrid", "s", "B").unlink()
    half = run_of(later, bot_of(replace(HYBRID, state=tmp_path / "Hybrid")))
    assert any("no state of B" in x for x in half.warnings)


def test_exploring_is_by_seed_symbol_and_time_alone() -> None:
    result, _ = ran(bot_of(EXITS["explores"]))
    share = 1.0 - result.decisions["greedy"].mean()  # type: ignore[operator]
    assert 0.1 < share < 0.35
    drawn = result.decisions.filter(~pl.col("greedy"))
    assert drawn["arm"].n_unique() == len(ARMS)
    other, _ = ran(bot_of(replace(EXITS["explores"], seed=8)))
    assert not other.decisions["arm"].equals(result.decisions["arm"])


def test_the_arms_of_each_bandit_are_told() -> None:
    result, _ = ran(bot_of(HYBRID))
    table = arms_table(result.bandits, result.decisions)
    assert table.height == 2 * len(ARMS)
    assert table["chosen"].sum() == result.decisions.height
    assert (table["n0"] == 2.0).all()
    assert (table["width"] > 0.0).all()


@pytest.mark.parametrize(
    ("kind", "given", "told"),
    [
        (LinUCB, {"arms": []}, "arms: are"),
        (LinUCB, {"arms": [2, 1]}, "that rise"),
        (LinUCB, {"arms": "1,2"}, "arms: are"),
        (LinUCB, {"features": [f"f{k} = close / ema({k + 2})" for k in range(32)]}, "at most 32"),
        (LinUCB, {"n0": 0.0}, "n0"),
        (LinUCB, {"explore": 1.5}, "explore"),
        (Hybrid, {}, "policy is missing"),
        (Hybrid, {"policy": POLICY, "alpha": -1.0}, "alpha"),
    ],
)
def test_what_is_no_bandit_is_refused(kind: Any, given: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        kind(**given)
