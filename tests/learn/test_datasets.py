"""Datasets: rows, ends, ties, nulls, spans, what rows share, and the folder they are in."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import intrabar.learn.dataset_rows as dataset_rows
from intrabar.analysis.campaigns import EXIT_REASONS
from intrabar.engine.lanes.lanes import Lanes
from intrabar.engine.prepared import Prepared
from intrabar.engine.run import Setup
from intrabar.errors import ConfigError, FileError, IntrabarError, RunError, UsageError
from intrabar.exits import FixedRatio, TrailingATR
from intrabar.exits.sealed import sealed
from intrabar.indicators.features import features_of
from intrabar.learn.dataset_folder import Dataset, read_dataset, write_rows
from intrabar.learn.datasets import bot_named, make_dataset
from intrabar.learn.labels import Alive, best_of
from intrabar.learn.terms import Terms
from intrabar.model.instrument import Instrument
from intrabar.sim.account import Account
from intrabar.strategy.bot import Bot
from intrabar.strategy.gates import Gates
from tests.engine.lanes.test_lanes import without_the_end
from tests.strategy.markets import AtALimit, Told, walk

ARMS = (0.5, 2.0, 4.0)
SMALL = Terms(features_of(["trend = close / ema(5) - 1", "signed up = rsi(5) / 50 - 1"], 3), ARMS)


def setup_of(bars: int = 150, symbols: Any = ("A", "B"), **bot: Any) -> Setup:
    market = walk(bars, 2, symbols, missing=0.1, wild=0.01)
    if len(symbols) > 1:
        market = without_the_end(market, 1, 100)
    instruments = tuple(Instrument(s, 0.01, slippage_ticks=1.0) for s in symbols)
    bot = bot or {"risk_fraction": 0.01}
    return Setup(market, instruments, {"s": Bot(Told(), TrailingATR(5), **bot)})


def made(tmp_path: Path, setup: Setup, terms: Terms = SMALL, **how: Any) -> Dataset:
    terms = replace(terms, max_bars=min(terms.max_bars, 20))
    return make_dataset(setup, "s", terms, tmp_path / "d", {"command": "test"}, **how)


def test_rows_are_the_campaigns_of_lanes_and_the_last_row_of_each_window(tmp_path: Path) -> None:
    setup = setup_of()
    rows = made(tmp_path, setup).rows
    prepared = Prepared(setup.market, ("", ""))
    tables = prepared.feature_tables(SMALL.features)
    seen = 0
    for symbol, j in (("A", 0), ("B", 1)):
        lanes = Lanes(setup, "s", symbol, TrailingATR(5), 20)
        mine = rows.filter(symbol=symbol)
        bars, sides = mine["bar"].to_numpy(), mine["side"].to_numpy()
        found = lanes.play(bars, sides, ARMS)
        for a, arm in enumerate(ARMS):
            assert_array_equal(mine[f"score_{arm:g}"].fill_null(math.nan), found.score[:, a])
            assert_array_equal(mine[f"exit_bar_{arm:g}"].fill_null(-1), found.end_bar[:, a])
            words = [EXIT_REASONS[r] if r >= 0 else None for r in found.reason[:, a].tolist()]
            assert mine[f"reason_{arm:g}"].to_list() == words
        assert_array_equal(mine["ambiguous"], found.ambiguous.any(axis=1))
        assert_array_equal(mine["end_bar"], found.end_bar.max(axis=1))
        assert_array_equal(mine["end_time"].cast(pl.Int64), setup.market.time[mine["end_bar"]])
        assert_array_equal(mine["time"].cast(pl.Int64), setup.market.time[bars])
        assert_array_equal(mine["close"], setup.market.close[bars, j])
        assert_allclose(mine["uniqueness"], alone(lanes, mine), rtol=1e-12)
        for row in mine.iter_rows(named=True):
            window = tables.window(j, row["bar"])
            assert window is not None
            assert np.isfinite(window).all()
            assert (row["trend"], row["up"]) == (window[-1, 0], row["side"] * window[-1, 1])
        seen += len(mine)
    assert seen == len(rows) > 300


def alone(lanes: Lanes, rows: pl.DataFrame) -> np.ndarray[Any, Any]:
    """The uniqueness of each row, by definition."""
    number = {int(bar): k for k, bar in enumerate(lanes.real)}
    spans = [
        (side, number[bar] + 1, max(k for b, k in number.items() if b <= end))
        for side, bar, end in rows.select("side", "bar", "end_bar").iter_rows()
    ]
    told = []
    for side, first, last in spans:
        shares = [
            1.0 / sum(s == side and a <= bar <= b for s, a, b in spans)
            for bar in range(first, last + 1)
        ]
        told.append(np.mean(shares))
    return np.array(told)


def test_two_labels_of_four_bars_that_share_three_are_unique_by_five_eighths() -> None:
    alive = Alive(8)
    first, last = np.array([1, 2]), np.array([4, 5])
    alive.add(first, last)
    alive.settle(8)
    assert alive.uniqueness(first, last).tolist() == [5 / 8, 5 / 8]


def test_the_highest_score_wins_and_of_equal_ones_the_smaller_arm() -> None:
    nan = math.nan
    scores = np.array(
        [[1.0, 2.0, 0.5], [1.0, nan, 1.0 + 5e-10], [nan, -1.0, -2.0], [0.0, 0.0, 0.0]]
    )
    best = best_of(scores, np.array(ARMS))
    assert best.arm.tolist() == [2.0, 0.5, 2.0, 0.5]
    assert best.label.tolist() == [1, 0, 1, 0]
    assert best.gap.tolist() == pytest.approx([1.0, 5e-10, 1.0, 0.0])


def test_pieces_and_threads_give_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = setup_of()
    wanted = made(tmp_path / "1", setup).rows
    monkeypatch.setattr(dataset_rows, "BLOCK", 7)
    assert made(tmp_path / "2", setup, threads=2).rows.equals(wanted)


def test_csv_has_the_same_rows(tmp_path: Path) -> None:
    one = made(tmp_path, setup_of(), csv=True)
    read = pl.read_csv(one.folder / "rows.csv", schema_overrides=one.rows.schema)
    assert read.equals(one.rows)
    assert read.columns == one.rows.columns


def test_the_columns_are_those_of_the_documentation(tmp_path: Path) -> None:
    rows = made(tmp_path, setup_of(), replace(SMALL, arms=(1.0, 2.0))).rows
    assert rows.columns == [
        *("time", "bar", "symbol", "side", "close", "allowed", "trend", "up"),
        *("ATR", "RSI", "EMA", "Close", "PositionType"),
        *("score_1", "exit_bar_1", "reason_1", "score_2", "exit_bar_2", "reason_2"),
        *("best", "label", "gap", "ambiguous", "end_bar", "end_time", "uniqueness"),
    ]
    kinds = dict(zip(rows.columns, map(str, rows.dtypes), strict=True))
    assert kinds["time"] == kinds["end_time"] == "Datetime(time_unit='ns', time_zone='UTC')"
    assert (kinds["side"], kinds["label"], kinds["bar"]) == ("Int8", "Int8", "Int64")
    assert rows["PositionType"].to_list() == rows["side"].to_list()


def test_rows_end_before_the_data_and_with_an_instrument(tmp_path: Path) -> None:
    setup = setup_of()
    one = made(tmp_path, setup)
    for symbol, j in (("A", 0), ("B", 1)):
        real = np.flatnonzero(~np.isnan(setup.market.open[:, j]))
        last = one.rows.filter(symbol=symbol)["bar"].max()
        assert last == (real[-23] if symbol == "A" else real[-2])  # at its last no open is left
    counts = one.manifest["counts"]
    assert counts["ended"] == 1
    assert counts["symbols"]["B"] == {"bars": int(real.size), "ended": True}
    assert "end_of_data" in counts["arms"]["4"]["reasons"]
    assert counts["left_out"]["not_filled"] == 2


def test_counts_add_up(tmp_path: Path) -> None:
    setup = setup_of(300, ("A",), risk_fraction=0.002)
    setup = replace(setup, account=Account(cash=2_000.0))
    one = made(tmp_path, setup)
    counts, rows = one.manifest["counts"], one.rows
    starts = Lanes(setup, "s", "A", TrailingATR(5), 20).starts()
    left_out = counts["left_out"]
    assert counts["rows"] == len(rows) == 2 * len(starts) - sum(left_out.values())
    assert left_out["size_zero"] > 0
    for arm in ARMS:
        told = counts["arms"][f"{arm:g}"]
        kept = rows[f"score_{arm:g}"].count()
        assert kept <= told["campaigns"] == sum(told["reasons"].values())
        assert told["best"] == (rows["best"] == arm).sum()
        if told["cut"] > 0.05 * told["campaigns"]:
            assert any(f"arm {arm:g} were cut" in text for text in one.manifest["remarks"])
    assert counts["uniqueness"] == pytest.approx(rows["uniqueness"].sum())
    assert rows["score_4"].null_count() > 0
    assert any("were cut in size" in text for text in one.manifest["remarks"])


def test_gates_keep_no_row_away_but_are_noted(tmp_path: Path) -> None:
    plain = made(tmp_path / "1", setup_of(200, ("A",), qty=1.0)).rows
    assert plain["allowed"].all()
    least = float(plain["ATR"].median())  # type: ignore[arg-type]
    gated = setup_of(200, ("A",), qty=1.0, gates=Gates(min_atr=least), warm_up=60)
    rows = made(tmp_path / "2", gated).rows
    assert rows.drop("allowed").equals(plain.drop("allowed"))
    open_ = (pl.col("bar") >= 60) & (pl.col("ATR") >= least)
    assert rows["allowed"].to_list() == rows.select(open_).to_series().to_list()
    assert 0 < rows["allowed"].sum() < len(rows)


def test_symbols_that_live_together_count_less(tmp_path: Path) -> None:
    counts = made(tmp_path, setup_of()).manifest["counts"]
    assert 1.0 < counts["symbols_alive"] < 2.0
    together = counts["uniqueness"] / counts["symbols_alive"]
    assert counts["uniqueness_if_symbols_move_together"] == pytest.approx(together)


def test_ten_years_without_an_end_are_survivors_only(tmp_path: Path) -> None:
    market = walk(450, 2, ("A",), wild=0.01, period=9 * 86_400_000_000_000)
    setup = replace(setup_of(450, ("A",)), market=market)
    assert any("survivors only" in text for text in made(tmp_path, setup).manifest["remarks"])
    assert not any("survivors" in x for x in made(tmp_path / "b", setup_of()).manifest["remarks"])


def test_a_manifest_says_what_a_dataset_is_of(tmp_path: Path) -> None:
    one = made(tmp_path, setup_of(), replace(SMALL, exit="fixed"))
    told = one.manifest
    assert told["features"]["hash"] == SMALL.features.hash
    assert (told["kind"], told["name"], told["command"]) == ("dataset", "d", "test")
    assert told["threads"] == 1
    assert (told["arms"], told["exit"]) == (list(ARMS), repr(FixedRatio()))
    text = f"campaigns go on by {FixedRatio()}, the bot by {TrailingATR(5)}: exit is 'fixed'"
    assert text in told["remarks"]
    assert told["known_until"].startswith(f"{one.rows['end_time'].max():%Y-%m-%dT%H:%M:%S}")
    assert read_dataset(one.folder).manifest == told
    (one.folder / "rows.parquet").write_bytes(b"torn")
    with pytest.raises(FileError, match="is not what was written"):
        read_dataset(one.folder)
    with pytest.raises(FileError, match="no dataset"):
        read_dataset(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "is no JSON"),
        (b'{"format": "x"}', "format 'x', expected 'dataset/1'"),
        (sealed({"format": "dataset/1"}), "files name no rows.parquet: make the dataset anew"),
        (sealed({"format": "dataset/1", "files": []}), "files name no rows.parquet"),
        (
            sealed({"format": "dataset/1", "files": {"../x": "", "rows.parquet": ""}}),
            "'../x' is no file of this folder",
        ),
    ],
)
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "dataset.json").write_bytes(content)
    with pytest.raises(RunError) as error:
        read_dataset(tmp_path)
    assert words in str(error.value)


def test_a_manifest_that_was_changed_is_refused(tmp_path: Path) -> None:
    path = made(tmp_path, setup_of()).folder / "dataset.json"
    path.write_text(path.read_text().replace('"known_until": "2', '"known_until": "1'))
    with pytest.raises(RunError, match="was changed: SHA-256"):
        read_dataset(path.parent)


@pytest.mark.parametrize("name", ["a[1]", "a*", "a?"])
def test_a_folder_is_no_pattern(tmp_path: Path, name: str) -> None:
    wanted = made(tmp_path, setup_of()).rows
    (tmp_path / name).mkdir()
    one = made(tmp_path / name, setup_of(), csv=True)
    assert read_dataset(one.folder).rows.equals(wanted)
    assert pl.read_csv((one.folder / "rows.csv").read_bytes()).height == len(wanted)


def test_rows_that_cannot_be_written_or_made_say_which(tmp_path: Path) -> None:
    def failing() -> Iterator[pl.DataFrame]:
        raise OSError("of the rows")
        yield

    with pytest.raises(OSError, match=r"^of the rows$"):
        write_rows(tmp_path, failing(), csv=False)
    (tmp_path / "rows").mkdir()
    tables = (pl.DataFrame({"a": [one]}) for one in (1, "b"))
    with pytest.raises(RunError, match="the rows cannot be written"):
        write_rows(tmp_path, tables, csv=False)


def test_a_dataset_is_whole_or_not_there(tmp_path: Path) -> None:
    def stops(done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(tmp_path, setup_of(), progress=stops)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / ".d.part" / "rows").mkdir(parents=True)  # of one that was killed
    (tmp_path / ".d.part" / "rows" / "000000009.parquet").write_bytes(b"torn")
    made(tmp_path, setup_of())
    assert [x.name for x in tmp_path.iterdir()] == ["d"]
    with pytest.raises(UsageError, match="is there already"):
        made(tmp_path, setup_of())


@pytest.mark.parametrize("arms", [(1.0,), (2.0, 1.0), (0.0, 1.0), (1.0, 1.0), (1.0, math.nan), ()])
def test_arms_that_are_none_are_refused(arms: tuple[float, ...]) -> None:
    with pytest.raises(ConfigError, match="arms are"):
        Terms(arms=arms)


def test_arms_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"arms are \[1.0, 1.0000001\]: two have one name"):
        Terms(arms=(1.0, 1.0000001))


@dataclass(frozen=True)
class Other(TrailingATR):
    """An exit of the user's, which a lane cannot go on with."""


def test_an_exit_that_is_only_derived_is_not_gone_on_with() -> None:
    assert Terms().exit_of(Bot(Told(), Other(5), qty=1.0)) == TrailingATR()


@pytest.mark.parametrize(
    ("how", "words"), [({"exit": "soft"}, "exit"), ({"max_bars": 0}, "max_bars")]
)
def test_terms_that_are_none_are_refused(how: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Terms(**how)


def test_a_dataset_without_a_row_says_what_to_change(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"last 252 bars .* \(max_bars 250\)"):
        make_dataset(setup_of(80, ("A",)), "s", SMALL, tmp_path / "d", {})
    assert list(tmp_path.iterdir()) == []


def test_a_dataset_is_of_one_bot() -> None:
    setup = setup_of()
    assert bot_named(setup) == bot_named(setup, "s") == "s"
    two = replace(setup, strategies={"s": setup.strategies["s"], "t": setup.strategies["s"]})
    with pytest.raises(ConfigError, match="2 bots"):
        bot_named(two)
    assert bot_named(two, "t") == "t"
    with pytest.raises(IntrabarError, match="'u'"):
        bot_named(two, "u")
    resting = replace(setup, strategies={"s": Bot(AtALimit(), qty=1.0)})
    with pytest.raises(ConfigError, match="market entries alone"):
        bot_named(resting, "s")


def test_rows_without_a_known_window_are_told_where_they_are_many(tmp_path: Path) -> None:
    holes = replace(SMALL, features=features_of(["up = sqrt(close - lag(close, 1))"], 2))
    told = [made(tmp_path / x.features.hash, setup_of(), x) for x in (SMALL, holes)]
    few, many = ([t for t in x.manifest["remarks"] if "left out" in t] for x in told)
    assert not few
    assert "a feature in their window is not known" in many[0]
