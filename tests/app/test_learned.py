"""Learned exits by name in a configuration, in sweeps, and in stored runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from polars.testing import assert_frame_equal

import intrabar as ib
from intrabar.app.calls.sweep import planned
from intrabar.app.cli.main import run
from intrabar.engine.outcome.summary import titled
from intrabar.engine.run import Run
from intrabar.errors import ConfigError, FileError, RunError
from intrabar.exits.policy import Course
from intrabar.exits.policy_file import write_policy
from intrabar.exits.policy_windows import write_policies
from intrabar.model.instant import instant_text
from intrabar.research.sweep.trial import Trial
from intrabar.research.validate.validate import trained
from tests.exits.traded import FEATURES, traded_policy
from tests.strategy.markets import START_NS, walk

DAY = 86_400_000_000_000


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A configuration, its bars and two policies beside it."""
    market = walk(600, 5, period=DAY)
    columns = {x: getattr(market, x)[:, 0] for x in ("open", "high", "low", "close", "volume")}
    stamps = pl.Series("time", market.time).cast(pl.Datetime("ns", "UTC"))
    pl.DataFrame({"time": stamps, **columns}).write_csv(tmp_path / "bars.csv")
    for name, seed in (("trend", 3), ("other", 4)):
        write_policy(traded_policy(seed), tmp_path / "policies" / name, {})
    params = {
        "chance": 0.3,
        "risk_fraction": 0.01,
        "exit": {"name": "Learned", "policy": "policies/trend", "max_bars": 20},
    }
    config = {
        "data": [{"file": "bars.csv", "symbol": "A"}],
        "strategies": [{"name": "CoinFlip", "params": params}],
        "out": str(tmp_path / "runs"),
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    return tmp_path


@pytest.mark.parametrize(
    ("own", "says"),
    [
        (Course("trailing", 14, 0.0, 20), ""),
        (Course("trailing", 14, 0.0, 90), "max_bars: 90; the exit has .*max_bars: 20"),
        (Course("trailing", 7, 0.0, 20), "atr_period: 7,"),
        (Course("fixed", 14, 2.0, 20), "exit: fixed, atr_period: 14, reward: 2, max_bars: 20"),
    ],
)
def test_a_policy_trades_the_campaigns_that_it_was_trained_on(
    home: Path, own: Course, says: str
) -> None:
    exit_ = ib.exits.Learned(traded_policy(course=own), max_bars=20)
    bot = ib.Bot(ib.CoinFlip(chance=0.3), exit_, risk_fraction=0.01)
    if says:
        with pytest.raises(ConfigError, match=says):
            ib.backtest({"CoinFlip": bot}, config=home / "config.yaml")
    else:
        assert len(ib.backtest({"CoinFlip": bot}, config=home / "config.yaml").decisions)


def test_a_policy_is_named_relative_to_the_configuration(home: Path) -> None:
    result = ib.backtest(config=home / "config.yaml")
    policy = ib.policy(home / "policies" / "trend")
    assert isinstance(policy, type(traded_policy()))
    bot = ib.Bot(ib.CoinFlip(chance=0.3), ib.exits.Learned(policy, max_bars=20), risk_fraction=0.01)
    same = ib.backtest({"CoinFlip": bot}, config=home / "config.yaml")
    assert same.digest == result.digest
    assert result.decisions.height > 20
    assert_frame_equal(same.decisions, result.decisions, check_exact=True)
    assert set(result.decisions["policy"]) == {policy.hash}
    for name in ("RLTrailingATRExit", "SequenceRLATRExit"):
        assert getattr(ib.exits, name) is ib.exits.Learned


def test_a_stored_run_has_its_decisions_and_the_hash_of_its_policy(home: Path) -> None:
    result = ib.backtest(config=home / "config.yaml")
    folder = result.save(home / "kept", report=False)
    assert_frame_equal(pl.read_parquet(folder / "decisions.parquet"), result.decisions)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["lost"] == ""
    read = manifest["strategies"]["CoinFlip"]["policies"]
    assert read == {str(home / "policies" / "trend"): traded_policy(3).hash}
    again = ib.backtest(config=folder / "config.yaml")
    assert again.digest == result.digest


def test_a_run_without_a_learned_exit_has_no_decisions(home: Path) -> None:
    result = ib.backtest("CoinFlip", config=home / "config.yaml")
    assert result.decisions.height == 0
    folder = result.save(home / "kept", report=False)
    assert not (folder / "decisions.parquet").exists()


def test_sweeps_over_policies_are_compiled_and_known_by_what_is_in_them(home: Path) -> None:
    places = [str(home / "policies" / x) for x in ("trend", "other")]
    given: Any = {"config": home / "config.yaml"}
    plan = planned(None, None, {"parameters": {"exit.policy": places}}, given)
    trials = [Trial(k, {"exit.policy": place}) for k, place in enumerate(places)]
    keys = [plan.work.key(x) for x in trials]
    assert len(set(keys)) == 2
    setup, prepared = plan.work.variants.make(trials[0].parameters)
    other, again = plan.work.variants.make(trials[1].parameters)
    run = Run(setup, prepared)
    assert run.running["CoinFlip"].is_compiled
    assert prepared is again
    assert prepared.feature_tables(FEATURES) is again.feature_tables(FEATURES)
    outcomes = plan.work.run(trials)
    assert [x.status for x in outcomes] == ["finished", "finished"]
    run.to_end()
    assert outcomes[0].digest == run.machine.digest() != outcomes[1].digest
    assert len(other.strategies) == 1
    old = home / "policies" / "other"
    old.rename(home / "policies" / "gone")
    write_policy(traded_policy(8), old, {})
    changed = planned(None, None, {"parameters": {"exit.policy": places}}, given)
    assert changed.work.key(trials[0]) == keys[0]
    assert changed.work.key(trials[1]) != keys[1]


def test_a_walk_forward_of_policies_is_read_from_its_folder(home: Path) -> None:
    until = [START_NS + DAY * k for k in (100, 300)]
    policies = [traded_policy(k, trained_until=x) for k, x in enumerate(until)]
    write_policies(policies, home / "policies" / "windows", {})
    read = ib.policy(home / "policies" / "windows")
    assert isinstance(read, tuple)
    exit_ = ib.exits.Learned(home / "policies" / "windows")
    bot = ib.Bot(ib.CoinFlip(chance=0.3), exit_)
    result = ib.backtest(bot, config=home / "config.yaml")
    hashes = result.decisions["policy"].unique(maintain_order=True).to_list()
    assert hashes == [x.hash for x in policies]
    first = result.decisions["time"].cast(pl.Int64).min()
    assert isinstance(first, int)
    assert first > until[0] + 8 * DAY


def test_a_policy_of_these_bars_is_refused_in_a_call_and_in_a_configuration(home: Path) -> None:
    late = traded_policy(trained_until=START_NS + 5 * DAY)
    write_policy(late, home / "policies" / "late", {})
    told = f"trained_until is {instant_text(late.trained_until)}.*knows 5 of 600.*in_sample: true"
    bot = ib.Bot(ib.CoinFlip(), ib.exits.Learned(home / "policies" / "late"))
    with pytest.raises(ConfigError, match=told):
        ib.backtest(bot, config=home / "config.yaml")
    with pytest.raises(ConfigError, match=told):
        ib.backtest(bot, config=home / "config.yaml", chunk=100, out=home / "pieces")
    config = yaml.safe_load((home / "config.yaml").read_text())
    exit_ = config["strategies"][0]["params"]["exit"]
    exit_["policy"] = "policies/late"
    path = home / "late.yaml"
    path.write_text(yaml.safe_dump(config))
    with pytest.raises(ConfigError, match=told):
        ib.backtest(config=path)
    exit_["in_sample"] = True
    path.write_text(yaml.safe_dump(config))
    assert "(in sample)" in ib.backtest(config=path).title
    bot = replace(bot, exit=ib.exits.Learned(home / "policies" / "late", in_sample=True))
    result = ib.backtest(bot, config=home / "config.yaml", chunk=100, out=home / "pieces")
    assert "(in sample)" in result.title


def test_a_folder_that_is_no_policy_is_refused(home: Path) -> None:
    bot = ib.Bot(ib.CoinFlip(), ib.exits.Learned(home / "nowhere"))
    with pytest.raises(FileError, match="nowhere"):
        ib.backtest(bot, config=home / "config.yaml")
    torn = home / "policies" / "trend" / "policy.npz"
    torn.write_bytes(torn.read_bytes()[:-9])
    with pytest.raises(RunError, match="changed or cut short"):
        ib.backtest(config=home / "config.yaml")


def hybrid(home: Path, **more: Any) -> Path:
    """A configuration whose exit is a hybrid of the same policy."""
    config = yaml.safe_load((home / "config.yaml").read_text())
    exit_ = {"name": "Hybrid", "policy": "policies/trend", "max_bars": 20, "n0": 2.0, **more}
    config["strategies"][0]["params"]["exit"] = exit_
    path = home / f"hybrid{len(list(home.glob('hybrid*')))}.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def test_a_bandit_is_told_stored_and_read_again(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = hybrid(home)
    assert run(["backtest", str(path), "--bandit", "--no-report"]) == 0
    told = capsys.readouterr().out
    assert "|theta|" in told
    folder = next((home / "runs").iterdir())
    file = folder / "bandits" / "CoinFlip" / "A.json"
    state, _ = ib.exits.read_state(file)
    result = ib.backtest(config=path)
    assert (result.bandits["CoinFlip", "A"].bandit == state.bandit).all()
    later = hybrid(home, state=str(folder / "bandits"))
    with pytest.raises(ConfigError, match=r"learned_until is .*in_sample"):
        ib.backtest(config=later)
    capsys.readouterr()
    assert run(["backtest", str(path), "--bandit", "--json", "--no-report"]) == 0
    assert len(json.loads(capsys.readouterr().out)["bandits"]) == 4


def test_a_log_of_the_policy_teaches_the_hybrid(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    learned = ib.backtest(config=home / "config.yaml")
    kept = learned.save(home / "kept", report=False)
    path = hybrid(home)
    assert run(["learn", "bandit", str(path), "--log", str(kept)]) == 0
    file = home / "state" / "CoinFlip" / "A.json"
    state, _ = ib.exits.read_state(file)
    assert state.n == learned.decisions["reward"].drop_nulls().len()
    capsys.readouterr()
    assert run(["learn", "bandit", str(path), "--log", str(kept), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(x["learned"], x["n"]) for x in told] == [(0, state.n)]
    whole = ib.backtest(config=path)
    again = whole.save(home / "kept", report=False)
    made = ib.learn.bandit(path, again, out="other")
    assert (made[0].state.bandit == whole.bandits["CoinFlip", "A"].bandit).all()
    with pytest.raises(ConfigError, match="the exit's policies are"):
        ib.learn.bandit(hybrid(home, policy="policies/other"), kept, out="third")
    with pytest.raises(ConfigError, match="none has a bandit"):
        ib.learn.bandit(home / "config.yaml", kept)
    with pytest.raises(FileError, match=r"no decisions\.parquet"):
        ib.learn.bandit(path, home)


def test_sweeps_over_bandits_stay_compiled(home: Path) -> None:
    given: Any = {"config": hybrid(home)}
    axes = {"exit.alpha": [0.0, 1.0], "exit.n0": [1.0, 100.0], "exit.explore": [0.0, 0.5]}
    plan = planned(None, None, {"parameters": axes}, given)
    trials = list(plan.space)
    digests = set()
    for trial in trials:
        setup, prepared = plan.work.variants.make(trial.parameters)
        assert Run(setup, prepared).running["CoinFlip"].is_compiled
    for outcome in plan.work.run(trials):
        assert outcome.status == "finished", outcome.error
        digests.add(outcome.digest)
    assert len(digests) > 2


def test_title_and_verdict_say_what_is_in_sample(home: Path) -> None:
    late = traded_policy(trained_until=START_NS + 5 * DAY)
    bot = ib.Bot(ib.CoinFlip(chance=0.3), ib.exits.Learned(late, in_sample=True))
    result = ib.backtest(bot, config=home / "config.yaml")
    assert titled(result.setup.strategies, result.market.symbols, "Mine") == "Mine (in sample)"
    verdict = trained("Nothing speaks against it.", "pass", result)
    assert verdict == (
        "In sample: a model has learned from these bars, so they prove nothing of it. "
        "Nothing speaks against it.",
        "doubt",
    )
    declared = ib.Bot(ib.CoinFlip(chance=0.3), ib.exits.Learned(traded_policy(declared=True)))
    other = ib.backtest(declared, config=home / "config.yaml")
    assert trained("Not real.", "fail", other)[1] == "fail"
    plain = ib.backtest("CoinFlip", config=home / "config.yaml")
    assert trained("It may be real.", "pass", plain) == ("It may be real.", "pass")
