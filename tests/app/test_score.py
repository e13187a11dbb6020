"""`intrabar learn score`, `compare`, `ib.learn.score`: from a configuration to a verdict."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import intrabar as ib
from intrabar.app.calls.score import evidence_in
from intrabar.app.cli.main import run
from intrabar.app.pages.chunked_report import report_in_chunks
from intrabar.errors import ConfigError, UsageError
from intrabar.exits.learned import Learned
from intrabar.exits.policy_file import write_policy
from intrabar.exits.policy_windows import write_policies
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import TrendFollowing
from tests.exits.traded import traded_policy
from tests.strategy.markets import DAY_NS, walk

BARS, CUT = 1500, 700
MS = 1_000_000  # sessions of 24/7 end so much before midnight
CANARIES = [{"name": "hindsight", "holds": True, "told": "0.01 of at most 0.03"}]
BOT = Bot(TrendFollowing(5, 20), risk_fraction=0.01)


def market() -> Any:
    return walk(BARS, 4, ("ACME",), wild=0.01, period=DAY_NS, start=19_700 * DAY_NS)


UNTIL = int(market().time[CUT])
LATER = int(market().time[1100])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = market()
    columns = {k: getattr(made, k)[:, 0] for k in ("open", "high", "low", "close", "volume")}
    time = pl.Series(made.time - DAY_NS).cast(pl.Datetime("ns", "UTC")).dt.strftime("%Y-%m-%d")
    pl.DataFrame({"timestamp": time, **columns}).write_csv(tmp_path / "acme.csv")
    (tmp_path / "trend.yaml").write_text(
        "data: [{symbol: ACME, file: acme.csv, period: 1d}]\n"
        "calendar: 24/7\n"
        "instruments: {ACME: {tick_size: 0.01, lot: 0.001, slippage_ticks: 1}}\n"
        "strategies: [{name: TrendFollowing, params: {fast: 5, slow: 20, risk_fraction: 0.01}}]\n"
        "learn: {max_bars: 40}\n"
    )
    told = {"canaries": CANARIES, "seeds": [3, 4, 5], "spans": {"train": [SINCE, SINCE]}}
    write_policy(traded_policy(28, trained_until=UNTIL), tmp_path / "policies" / "one", told)
    write_policy(traded_policy(17, trained_until=UNTIL), tmp_path / "policies" / "two", {})
    each = [traded_policy(k, trained_until=x) for k, x in ((28, UNTIL), (4, LATER))]
    write_policies(each, tmp_path / "policies" / "windows", {"canaries": CANARIES})
    return tmp_path


SINCE = "2024-01-01T00:00:00Z"


def score(home: Path, *options: str) -> int:
    return run(["learn", "score", str(home / "trend.yaml"), "--out", str(home / "runs"), *options])


def test_a_command_tells_the_verdict_and_writes_a_page(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(home, "--policy", "one", "--static", "3") == 0
    out = capsys.readouterr().out
    assert out.startswith(("Open: ", "Not worth it: ", "Worth it: "))
    assert "against arm 3, your own" in out
    assert "trained with the seeds 3, 4, 5" in out
    page = home / "runs" / "scorecard-one.html"
    assert "better than the best static exit" in page.read_text(encoding="utf-8")


def test_asked_twice_has_two_looks_whatever_the_seed_or_the_policy(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    looks = []
    for options in (["one"], ["one", "--seed", "7"], ["two"], ["windows"]):
        assert score(home, "--json", "--policy", *options) == 0
        looks.append(json.loads(capsys.readouterr().out)["account"]["looks"])
    assert looks == [1, 2, 3, 4]


def test_the_run_is_the_backtest_of_the_bot_after_its_training(home: Path) -> None:
    made = evidence_in(None, home / "trend.yaml", "one", None, None, 1)
    evidence, result = made
    decisions = result.decisions.filter(pl.col("campaign").is_not_null())
    assert len(evidence.entries) == decisions.height > 10
    assert evidence.entries.time.min() > UNTIL
    assert evidence.windows[0].train[1] == UNTIL
    assert len(set(evidence.entries.arm.tolist())) == 2
    # each pair's learned side is the lane of the arm that was logged
    rewards = decisions["reward"].fill_null(np.nan).to_numpy()
    known = np.isfinite(rewards)
    near = np.abs(evidence.entries.here.learned - rewards)[known]
    assert np.median(near) < 0.02  # sizes are cut to lots of other accounts


def test_windows_are_tested_where_their_policy_decides(home: Path) -> None:
    evidence, result = evidence_in(None, home / "trend.yaml", "windows", None, None, 1)
    assert [one.name for one in evidence.windows] == ["w000", "w001"]
    first, second = evidence.windows
    lag = 8 * DAY_NS
    assert first.test[0] == UNTIL + lag + DAY_NS - MS
    assert first.test[1] == LATER + lag - MS
    assert second.test[0] == LATER + lag + DAY_NS - MS
    assert second.train[1] == LATER
    policies = result.decisions.filter(pl.col("campaign").is_not_null())["policy"].to_list()
    hashes = [one.hash for one in ib.policy(home / "policies" / "windows")]
    assert [hashes.index(x) for x in policies] == evidence.entries.window.tolist()


def test_start_is_where_the_test_begins_and_the_bars_before_it_are_read(home: Path) -> None:
    text = (home / "trend.yaml").read_text()
    start = str(np.datetime64(LATER, "ns").astype("datetime64[D]"))
    (home / "late.yaml").write_text(f"{text}start: {start}\n")
    evidence, _ = evidence_in(None, home / "late.yaml", "one", None, None, 1)
    assert evidence.windows[0].test[0] >= int(np.datetime64(start, "ns").astype(np.int64))
    assert evidence.windows[0].train == (
        int(np.datetime64(SINCE[:-1], "ns").astype(np.int64)),
        UNTIL,
    )


def test_a_bot_of_ones_own_and_a_policy_as_it_is(home: Path) -> None:
    policy = traded_policy(28, trained_until=UNTIL)
    bot = Bot(TrendFollowing(5, 20), Learned(policy, max_bars=40), risk_fraction=0.01)
    card = ib.learn.score(bot, config=home / "trend.yaml", out=home / "runs")
    assert card.verdict.word != "worth it"
    if card.verdict.word == "open":
        assert "none of its canaries is known" in card.verdict.sentence
    named = ib.learn.score(config=home / "trend.yaml", policy="one", out=home / "runs")
    assert named.figures.pairs.mean == card.figures.pairs.mean
    assert (card.deflated.looks, named.deflated.looks) == (1, 2)


def test_in_sample_is_in_doubt(home: Path) -> None:
    exit_ = Learned(traded_policy(28, trained_until=LATER), max_bars=40, in_sample=True)
    evidence, _ = evidence_in(replace(BOT, exit=exit_), home / "trend.yaml", None, None, None, 1)
    assert "it is in sample" in evidence.training.doubts[0]
    assert evidence.windows[0].test[0] == int(market().time[0]) - MS


def test_a_declared_training_counts_from_its_first_look_on(home: Path) -> None:
    policy = traded_policy(28, trained_until=UNTIL, declared=True)
    bot = Bot(TrendFollowing(5, 20), Learned(policy, max_bars=40), risk_fraction=0.01)
    given = {"config": home / "trend.yaml", "out": home / "runs"}
    first = ib.learn.score(bot, **given)
    assert "first looked at now" in first.evidence.training.doubts[0]
    with sqlite3.connect(home / "runs" / "trials.sqlite") as file:
        file.execute("UPDATE looks SET made = '2025-01-01T00:00:00+00:00'")
    assert ib.learn.score(bot, **given).evidence.training.doubts == ()
    with sqlite3.connect(home / "runs" / "trials.sqlite") as file:
        file.execute("UPDATE looks SET made = '2027-01-01T00:00:00+00:00'")
    late = ib.learn.score(bot, **given)
    assert "2027-01-01" in late.evidence.training.doubts[0]


def test_a_policy_that_decides_at_each_close_has_the_score_of_its_campaigns(home: Path) -> None:
    from intrabar.indicators.features import features_of
    from tests.exits.traded import READS

    features = features_of(READS, 1)
    policy = traded_policy(features=features, when="bar", trained_until=UNTIL)
    bot = Bot(TrendFollowing(5, 20), Learned(policy, max_bars=40), risk_fraction=0.01)
    evidence, result = evidence_in(bot, home / "trend.yaml", None, None, None, 1)
    assert (evidence.entries.arm == -1).all()
    assert len(evidence.entries) == result.campaigns.height
    assert "in the account, not in a lane" in " ".join(evidence.remarks)
    assert np.isfinite(evidence.entries.other.learned).mean() > 0.5


def test_compare_is_on_the_same_entries(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--config", str(home / "trend.yaml"), "--out", str(home / "runs")]
    assert run(["learn", "compare", "one", "two", *given, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    one, two = told["policies"]
    assert one["less_first"] is None
    assert one["pairs"]["pairs"] == two["pairs"]["pairs"] == two["less_first"]["pairs"]
    assert [x["account"]["looks"] for x in (one, two)] == [1, 2]
    assert one["trained_seeds"] == [3, 4, 5]
    assert run(["learn", "compare", "one", "two", *given]) == 0
    assert "entries are common to all" in capsys.readouterr().out
    looks = told["policies"][1]["account"]["looks"]
    with pytest.raises(ib.UsageError, match="one is there twice"):
        ib.learn.compare(["one", "two", "one"], config=home / "trend.yaml", out=home / "runs")
    again = ib.learn.score(config=home / "trend.yaml", policy="one", out=home / "runs")
    assert again.deflated.looks == looks + 3  # those of the second call, and its own


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--policy", "oen"], "unknown policy 'oen': did you mean 'one'"),
        ([], "does not learn; name what it is to trade by"),
        (["--policy", "one", "--static", "0"], "static"),
        (["--policy", "one", "--bot", "other"], "'other'"),
        (["--policy", "one", "--threads", "0"], "threads"),
        (["--policy", "one", "--seed", "-1"], "seed"),
    ],
)
def test_what_cannot_be_scored_is_refused_and_is_no_look(
    home: Path, options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(home, *options) == 2
    told = capsys.readouterr()
    assert words in told.err
    assert told.err.startswith("error: ")
    assert not (home / "runs" / "trials.sqlite").exists()


def test_no_bar_after_the_training_is_told_with_both_instants(home: Path) -> None:
    policy = traded_policy(trained_until=int(market().time[-1]))
    with pytest.raises(UsageError, match="no bar to test on: its policy is trained until 2028"):
        ib.learn.score(
            replace(BOT, exit=Learned(policy)), config=home / "trend.yaml", out=home / "runs"
        )


def test_arguments_of_another_kind_are_refused(home: Path) -> None:
    with pytest.raises(ConfigError, match="must be a Bot with a learned exit"):
        ib.learn.score("trend", config=home / "trend.yaml")
    with pytest.raises(UsageError, match="must be a list of two or more"):
        ib.learn.compare(["one"], config=home / "trend.yaml")


def learned_config(home: Path) -> Path:
    text = (home / "trend.yaml").read_text()
    learned = text.replace(
        "params: {", "params: {exit: {name: Learned, policy: policies/one, max_bars: 40}, "
    )
    assert "Learned" in learned
    start = str(np.datetime64(UNTIL, "ns").astype("datetime64[D]") + 1)
    (home / "learned.yaml").write_text(f"{learned}start: {start}\n")
    return home / "learned.yaml"


def test_a_configuration_with_a_learned_exit_is_scored_as_it_is(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["learn", "score", str(learned_config(home)), "--out", str(home / "runs"), "--json"]
    assert run(given) == 0
    own = json.loads(capsys.readouterr().out)
    assert score(home, "--policy", "one", "--json") == 0
    named = json.loads(capsys.readouterr().out)
    assert own["policy"] == named["policy"]
    assert own["pairs"] == named["pairs"]
    assert [x["account"]["looks"] for x in (own, named)] == [1, 2]


def test_a_validation_of_a_run_has_its_scorecard_and_is_a_look(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = ["--out", str(home / "runs")]
    assert run(["backtest", str(learned_config(home)), *runs]) == 0
    capsys.readouterr()
    assert run(["validate", "last", "--runs", "2", *runs, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    checks = {x["name"]: x for x in told["checks"]}
    assert checks["better than the best static exit"]["figures"]["low"] is not None
    assert checks["the account, after its looks"]["figures"]["looks"] == 1.0
    assert checks["training"]["mark"] == "pass"
    assert score(home, "--policy", "one", "--json") == 0
    assert json.loads(capsys.readouterr().out)["account"]["looks"] == 2


def test_a_result_whose_bars_begin_after_the_training_says_what_is_missing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    result = ib.backtest(config=learned_config(home))
    found = ib.validate(result, runs=2)
    mine = [x for x in found.checks if x.name == "better than the best static exit"]
    assert [x.mark for x in mine] == ["unknown"]
    assert "intrabar learn score reads bars before the run's" in mine[0].meaning
    bot = Bot(TrendFollowing(5, 20), Learned("policies/one", max_bars=40), risk_fraction=0.01)
    instant = np.datetime64(UNTIL, "ns").astype("datetime64[D]") + 1
    whole = ib.backtest(bot, config=home / "trend.yaml", trade_from=str(instant))
    told = {x.name: x for x in ib.validate(whole, runs=2).checks}
    assert told["better than the best static exit"].mark != "unknown"
    assert (home / "runs" / "trials.sqlite").is_file()


@pytest.mark.parametrize("bandit", [ib.exits.LinUCB(arms=[1, 2, 4], features=["up = rsi(5) / 50"])])
def test_a_bandit_needs_a_beginning_of_its_test_and_has_no_canaries(
    home: Path, bandit: Any
) -> None:
    bot = replace(BOT, exit=replace(bandit, max_bars=40))
    with pytest.raises(UsageError, match="write start: where the test is to begin"):
        evidence_in(bot, home / "trend.yaml", None, None, None, 1)
    text = (home / "trend.yaml").read_text()
    (home / "late.yaml").write_text(f"{text}start: 2025-01-01\n")
    evidence, _ = evidence_in(bot, home / "late.yaml", None, None, None, 1)
    assert evidence.training.canaries is None
    assert evidence.arms.tolist() == [1.0, 2.0, 4.0]
    assert len(evidence.entries) > 10


def test_arms_of_a_file_are_scored_and_their_training_is_declared(home: Path) -> None:
    plain, result = evidence_in(None, home / "trend.yaml", "one", None, None, 1)
    table = result.decisions.select(
        "time", "symbol", "side", arm="multiple", trained_until=pl.lit("2025-01-01T00:00:00Z")
    )
    table.write_parquet(home / "arms.parquet")
    exit_ = Learned(arms=str(home / "arms.parquet"), static=2.0, max_bars=40)
    text = (home / "trend.yaml").read_text()
    start = str(np.datetime64(UNTIL, "ns").astype("datetime64[D]") + 1)
    (home / "late.yaml").write_text(f"{text}start: {start}\n")
    evidence, _ = evidence_in(replace(BOT, exit=exit_), home / "late.yaml", None, None, None, 1)
    assert len(evidence.entries) == len(plain.entries)
    np.testing.assert_array_equal(evidence.entries.here.learned, plain.entries.here.learned)
    assert evidence.training.declared
    assert len(evidence.training.hash) == 64


def test_the_report_of_a_run_with_a_learned_exit_shows_its_decisions(home: Path) -> None:
    result = ib.backtest(config=learned_config(home))
    page = ib.report(result, home / "report.html").read_text(encoding="utf-8")
    text = page.partition('"decisions":')[2]
    told = json.JSONDecoder().raw_decode(text)[0]
    assert told["count"] == result.decisions.height
    assert told["arms"][0]["strategy"] == "TrendFollowing"
    assert "What the learned exits decided" in page


def test_the_report_of_a_run_in_chunks_shows_them_too(home: Path) -> None:
    bandit = ib.exits.LinUCB(arms=[1, 2, 4], features=["up = rsi(5) / 50"], max_bars=40)
    bot = replace(BOT, exit=bandit)
    chunked = ib.backtest(bot, config=home / "trend.yaml", chunk=400, out=home / "tables")
    made = report_in_chunks(chunked, home / "report.html", name="", remarks=(), manifest={})
    page = made.read_text(encoding="utf-8")
    told = json.JSONDecoder().raw_decode(page.partition('"decisions":')[2])[0]
    assert told["count"] > 10
    assert [row["arm"] for row in told["bandits"]] == [1.0, 2.0, 4.0]
