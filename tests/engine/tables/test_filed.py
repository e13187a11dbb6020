"""Arms from a file: traded as a policy's are, refused where they know their own bar."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from intrabar.engine.outcome.result import Result
from intrabar.errors import ConfigError, FileError
from intrabar.exits import Learned
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip
from tests.exits.traded import ARMS, traded_policy
from tests.strategy.markets import run_of, setup_of, walk

MARKET = walk(900, 1, ("A", "B"), missing=0.05)
COMMON: dict[str, Any] = {"atr_period": 5, "max_bars": 20}
BOT = Bot(CoinFlip(1, 0.2), Learned(traded_policy(), **COMMON), risk_fraction=0.01)


def written(result: Result, path: Path, **more: Any) -> Path:
    """The decisions of a run as a file of arms."""
    rows = result.decisions.select(
        *("time", "symbol", "side"),
        pl.col("multiple").alias("arm"),
        (pl.col("time") - pl.duration(days=1)).alias("trained_until"),
    ).with_columns(**more)
    if path.suffix == ".csv":
        text = pl.col("time", "trained_until").dt.to_string("%Y-%m-%dT%H:%M:%SZ")
        rows.with_columns(text).write_csv(path)
    else:
        rows.write_parquet(path)
    return path


def filed(path: Path, **more: Any) -> Bot:
    return replace(BOT, exit=Learned(arms=path, static=2.0, **COMMON, **more))


@pytest.mark.parametrize("name", ["arms.parquet", "arms.csv"])
@pytest.mark.parametrize("interpreted", [False, True])
def test_the_decisions_of_a_policy_written_out_trade_alike(
    name: str, interpreted: bool, tmp_path: Path
) -> None:
    whole = run_of(MARKET, BOT)
    bot = replace(filed(written(whole, tmp_path / name)), interpreted=interpreted)
    result = run_of(MARKET, bot)
    assert result.digest == whole.digest
    told = ["bar", "symbol", "side", "campaign", "multiple", "closed_bar", "reward"]
    assert result.decisions.select(told).equals(whole.decisions.select(told))
    assert result.title == "s (training declared) on A, B"
    assert result.decisions["policy"].n_unique() == 1
    assert result.decisions["score_2"].null_count() == result.decisions.height


def test_where_a_file_has_no_arm_the_static_one_is_taken_and_counted(tmp_path: Path) -> None:
    whole = run_of(MARKET, BOT)
    half = whole.decisions.height // 2
    path = written(whole, tmp_path / "arms.parquet")
    pl.read_parquet(path).head(half).write_parquet(path)
    result = run_of(MARKET, filed(path))
    late = result.decisions[half:]
    assert (late["multiple"] == 2.0).all()
    told = [x for x in result.remarks if "static arm, 2" in x.text]
    assert len(told) == 1
    assert f"{late.height:,} of" in told[0].text
    assert told[0].severe
    assert ARMS.max() == result.decisions["multiple"].max()


def test_a_row_that_knows_its_own_bar_is_refused(tmp_path: Path) -> None:
    whole = run_of(MARKET, BOT)
    path = written(whole, tmp_path / "arms.parquet")
    rows = pl.read_parquet(path)
    late = pl.when(pl.int_range(pl.len()) == 5).then(pl.col("time"))
    rows.with_columns(late.otherwise(pl.col("trained_until")).alias("trained_until")).write_parquet(
        path
    )
    with pytest.raises(ConfigError, match=r"1 of \d+ rows of arms\.parquet .* row 5 .*in_sample"):
        run_of(MARKET, filed(path))
    result = run_of(MARKET, filed(path, in_sample=True))
    assert result.title == "s (in sample) on A, B"
    assert any("is in sample: 1 of" in x for x in result.warnings)


def test_what_is_not_read_or_not_known_is_told(tmp_path: Path) -> None:
    whole = run_of(MARKET, BOT)
    path = written(whole, tmp_path / "arms.parquet", time=pl.col("time") + pl.duration(seconds=1))
    with pytest.raises(ConfigError, match=r"no row at a close of A, B .* its first is row 0"):
        setup_of(MARKET, filed(path))
    good = written(whole, tmp_path / "good.parquet")
    both = pl.concat([pl.read_parquet(good), pl.read_parquet(path)], how="vertical_relaxed")
    both.write_parquet(path)
    result = run_of(MARKET, filed(path))
    assert any("are at no close of the run" in x for x in result.warnings)
    pl.read_parquet(good).drop("trained_until").write_parquet(good)
    result = run_of(MARKET, filed(good))
    assert any("was trained is unknown" in x for x in result.warnings)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("time,symbol,side\n2024-01-02T21:00:00Z,A,1\n", "there is no column arm"),
        ("time,symbol,side,arm\n2024-01-02 21:00,A,1,2\n", "a time with its zone"),
        ("time,symbol,side,arm\n2024-01-02T21:00:00Z,A,0,2\n", "side of row 2 is"),
        ("time,symbol,side,arm\n2024-01-02T21:00:00Z,A,1,-2\n", "an ATR multiple above 0"),
        (
            "time,symbol,side,arm\n2024-01-02T21:00:00Z,A,1,2\n2024-01-02T21:00:00Z,A,long,3\n",
            "is there twice: row 3",
        ),
        ("time,symbol,side,arm\n", "no rows"),
    ],
)
def test_a_file_that_is_none_is_refused(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "arms.csv"
    path.write_text(text)
    with pytest.raises(FileError, match=told):
        run_of(MARKET, filed(path))
    with pytest.raises(FileError, match="cannot be read"):
        run_of(MARKET, filed(tmp_path / "nowhere.csv"))
