"""Predictions in runs: `PredictionThreshold` against a slow strategy written apart, and any other.

The slow one reads the file by itself, and knows nothing of places, indicators and bots.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

import intrabar as ib
from intrabar.app.compose.recipe import Recipe
from intrabar.app.config.file import read_config
from intrabar.engine.lanes.lanes import Lanes
from intrabar.engine.run import Run
from intrabar.engine.tables.predicted import read_by
from intrabar.errors import ConfigError, DataError, NotFoundError
from intrabar.model.bars import Bars
from intrabar.model.enums import FillReason

HOUR, DAY = 3_600_000_000_000, 86_400_000_000_000
START = 1_704_067_200_000_000_000  # 2024-01-01 UTC
SHARE = {"kind": "share", "tick_size": 0.01, "commission_rate": 0.0005}


def bars_of(symbol: str = "A", n: int = 700, seed: int = 0) -> Bars:
    draw = np.random.default_rng(seed)
    close = np.round(100.0 * np.exp(np.cumsum(draw.normal(0.0, 0.01, n))), 2)
    open_ = np.round(np.append(100.0, close[:-1]) * np.exp(draw.normal(0.0, 0.002, n)), 2)
    high, low = np.maximum(open_, close) + 0.3, np.minimum(open_, close) - 0.3
    end = START + np.arange(1, n + 1) * HOUR
    return Bars(symbol, end, open_, high, low, close, np.full(n, 1e6), HOUR, end - HOUR, end // DAY)


def predictions_of(bars: Bars, seed: int = 7, **more: Any) -> pl.DataFrame:
    """Of two bars in three; some say nothing."""
    draw = np.random.default_rng(seed)
    n = len(bars)
    said = np.round(draw.normal(0.0, 0.006, n), 4)
    times = bars.close_time.astype("datetime64[ns]").astype(str)
    made = pl.DataFrame(
        {
            "Time": [f"{t[:19]}Z" for t in times],
            "predicted_price": np.round(bars.close * (1.0 + said), 4),
            "predicted_return": np.where(draw.random(n) < 0.1, np.nan, said),
            "symbol": bars.symbol,
            **more,
        }
    ).with_columns(pl.col("predicted_return").fill_nan(None))
    return made.filter(pl.Series(draw.random(n) < 0.67))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "p.csv"
    n = 700
    draw = np.random.default_rng(3)
    predictions_of(bars_of(), confidence=np.round(draw.random(n), 3)).write_csv(path)
    return path


@dataclass
class Slow(ib.Strategy):
    """The rule of the specification, by a dictionary of times."""

    file: str
    enter: float = 0.002
    leave: float = 0.0
    short: bool = False
    least: float = 0.0
    qty: float = 10.0

    def on_start(self) -> None:
        with open(self.file) as rows:
            self.said = {row["Time"]: row for row in csv.DictReader(rows)}

    def on_close(self, now: ib.AtClose) -> None:
        row = self.said.get(now.time.strftime("%Y-%m-%dT%H:%M:%SZ"))
        if row is None or row["predicted_return"] == "":
            return
        value = float(row["predicted_return"])
        sure = self.least == 0.0 or float(row["confidence"]) >= self.least
        if not now.is_flat:
            side = 1 if now.position.qty > 0 else -1
            if side * value < self.leave:
                now.close_position()
        elif value > self.enter and sure:
            now.buy(self.qty, stop_loss=now.close * 0.98, take_profit=now.close * 1.04)
        elif self.short and -value > self.enter and sure:
            now.sell(self.qty, stop_loss=now.close * 1.02, take_profit=now.close * 0.96)


def run(strategy: Any, data: Any = None, **more: Any) -> Any:
    data = bars_of() if data is None else data
    symbols = [x.symbol for x in (data if isinstance(data, list) else [data])]
    return ib.backtest(strategy, data, instruments=dict.fromkeys(symbols, SHARE), **more)


def trades(result: Any) -> list[tuple[Any, ...]]:
    names = ("bar", "side", "qty", "price", "reason")
    return [tuple(row[name] for name in names) for row in result.run.machine.fills()]


CASES: list[dict[str, Any]] = [
    {},
    {"short": True},
    {"enter": 0.006, "leave": -0.004, "short": True},
    {"enter": 0.001, "leave": 0.0009},
    {"short": True, "least": 0.4},
    {"least": 0.9},
]


@pytest.mark.parametrize("case", CASES)
def test_it_trades_as_the_slow_one(file: Path, case: dict[str, Any]) -> None:
    named = {k if k != "least" else "min_confidence": v for k, v in case.items()}
    bot = ib.Bot(ib.PredictionThreshold(str(file), **named), qty=10.0)
    fast, slow = run(bot), run(Slow(str(file), **case))
    assert len(trades(fast)) > 10
    assert trades(fast) == trades(slow)
    assert fast.run.running["PredictionThreshold"].is_compiled
    plain = run(replace(bot, interpreted=True))
    assert plain.digest == fast.digest


@pytest.mark.parametrize("chunk", [1, 50, 333])
def test_pieces_are_the_whole(file: Path, tmp_path: Path, chunk: int) -> None:
    bot = ib.Bot(ib.PredictionThreshold(str(file), short=True, min_confidence=0.2), qty=10.0)
    for strategy in (bot, ReadsReturn(str(file))):
        whole = run(strategy)
        pieces = run(strategy, chunk=chunk, out=tmp_path / f"{chunk}{strategy.name}")
        assert pieces.digest == whole.digest


@dataclass
class ReadsReturn(ib.Strategy):
    """In Python, with columns of a file beside an indicator."""

    file: str

    def indicators(self) -> dict[str, Any]:
        return {"mean": ib.sma(3), **ib.Predictions(self.file)}

    def on_start(self) -> None:
        self.seen: list[tuple[float, float, float]] = []

    def on_close(self, now: ib.AtClose) -> None:
        self.seen.append((now.close, now["predicted_return"], now["predicted_price"]))
        if now.is_flat and now["predicted_return"] > 0.002:
            now.buy(1)
        elif now["predicted_return"] < 0.0:
            now.close_position()


def test_a_strategy_in_python_reads_them_by_name(file: Path) -> None:
    seen = np.array(run(ReadsReturn(str(file))).strategies["ReadsReturn"].seen)
    close, said, price = seen.T
    rows = pl.read_csv(file)
    bars = bars_of()
    start = len(bars) - len(seen)
    times = [f"{t[:19]}Z" for t in bars.close_time.astype("datetime64[ns]").astype(str)[start:]]
    known = dict(zip(rows["Time"], rows["predicted_return"], strict=True))
    expected = np.array([known.get(t) for t in times], float)
    assert np.array_equal(said, expected, equal_nan=True)
    assert np.isnan(said).any()
    there = ~np.isnan(said)
    assert price[there].tolist() == ((1.0 + said) * close)[there].tolist()


def test_a_configuration_gives_them_to_any_strategy(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    own = "tests.engine.tables.test_predicted:Given"
    result = run(own, params={"predictions": {"file": "p.csv", "time_is": "made"}})
    alone = run(ReadsReturn(str(file)))
    assert trades(result) == trades(alone)
    bot = run(
        "tests.engine.tables.test_predicted:Rule", params={"predictions": "p.csv", "qty": 10.0}
    )
    slow = run(ib.Bot(ib.PredictionThreshold("p.csv", leave=-0.9), qty=10.0))
    assert [t[:2] for t in trades(bot)] == [t[:2] for t in trades(slow)]
    with pytest.raises(NotFoundError, match="parameter of predictions 'horizn'"):
        run(own, params={"predictions": {"file": "p.csv", "horizn": 1}})


@dataclass
class Given(ib.Strategy):
    """Its columns come from the configuration."""

    def on_close(self, now: ib.AtClose) -> None:
        if now.is_flat and now["predicted_return"] > 0.002:
            now.buy(1)
        elif now["predicted_return"] < 0.0:
            now.close_position()


@dataclass(frozen=True)
class Rule:
    """A compiled entry that reads a column of the configuration's file."""

    wakes_on = ""
    usual_exit = ib.FixedPercent

    def indicators(self) -> dict[str, Any]:
        return {}

    @staticmethod
    def decide_side(now: Any, p: Any) -> int:
        return 1 if now.predicted_return > 0.002 else 0


def test_it_has_a_name_and_its_usual_exit(file: Path) -> None:
    params = {"predictions": str(file), "qty": 10.0, "short": True}
    named = run("PredictionThreshold", params=params)
    made = run(ib.Bot(ib.PredictionThreshold(str(file), short=True), qty=10.0))
    assert trades(named) == trades(made)
    assert named.strategies["PredictionThreshold"].exit == ib.FixedPercent(0.02, 0.04)
    wide = run("PredictionThreshold", params={**params, "exit": {"stop": 0.05}})
    assert wide.strategies["PredictionThreshold"].exit == ib.FixedPercent(0.05, 0.04)


def test_a_file_of_several_instruments(tmp_path: Path) -> None:
    both = [bars_of("A"), bars_of("B", seed=9)]
    path = tmp_path / "p.parquet"
    pl.concat([predictions_of(x, k) for k, x in enumerate(both)]).write_parquet(path)
    bot = ib.Bot(ib.PredictionThreshold(str(path)), qty=10.0)
    together = run(bot, both, cash=10_000_000.0)
    for bars in both:
        alone = run(bot, bars, cash=10_000_000.0)
        j = [x.symbol for x in both].index(bars.symbol)
        fills = together.run.machine.fills()
        own = [(f["bar"], f["side"], f["price"]) for f in fills[fills["instrument"] == j]]
        assert own == [(f["bar"], f["side"], f["price"]) for f in alone.run.machine.fills()]


def test_a_split_moves_no_prediction(tmp_path: Path) -> None:
    bars = bars_of()
    after = slice(400, None)
    cut = {n: getattr(bars, n).copy() for n in ("open", "high", "low", "close")}
    for column in cut.values():
        column[after] /= 10.0
    path = tmp_path / "p.csv"
    day = str(np.datetime64(int(bars.session[400]), "D"))
    first = int(np.searchsorted(bars.session, bars.session[400]))
    assert first <= 400
    for column in cut.values():
        column[first:400] /= 10.0
    raw = replace(bars, **cut)
    predictions_of(raw).write_csv(path)
    more = {"actions": {"A": [(day, 10.0, 0.0)]}}
    result = run(ReadsReturn(str(path)), raw, **more)
    close, said, price = np.array(result.strategies["ReadsReturn"].seen).T
    there = ~np.isnan(said)
    assert np.allclose(price[there], ((1.0 + said) * close)[there], rtol=1e-12)


def test_the_audit_finds_nothing(file: Path) -> None:
    for strategy in (
        ib.Bot(ib.PredictionThreshold(str(file), short=True), qty=10.0),
        ReadsReturn(str(file)),
    ):
        report = ib.audit(strategy, bars_of(), cuts=6, instruments={"A": SHARE})
        assert report.is_clean, report.verdict
        assert not report.unchecked


def test_nothing_is_known_before_the_close_it_was_made_on(tmp_path: Path) -> None:
    bars = bars_of()
    path = tmp_path / "p.csv"
    made = predictions_of(bars)
    made.write_csv(path)
    bot = ib.Bot(ib.PredictionThreshold(str(path)), qty=10.0)
    first = int(trades(run(bot))[0][0])
    later = made.filter(
        pl.col("Time") >= f"{np.datetime64(int(bars.close_time[first]), 'ns')}"[:19]
    )
    later.write_csv(path)
    assert int(trades(run(bot))[0][0]) > first


def test_a_sweep_over_it_is_its_runs_and_knows_the_file(file: Path, tmp_path: Path) -> None:
    bot = ib.Bot(ib.PredictionThreshold(str(file)), qty=10.0)

    def swept() -> ib.SweepResult:
        parameters = {"enter": [0.001, 0.004], "leave": [0.0, -0.003]}
        more = {"out": tmp_path / "sweeps", "instruments": {"A": SHARE}}
        return ib.sweep(bot, bars_of(), parameters=parameters, **more)  # type: ignore[arg-type]

    found = swept()
    assert (found.failed, found.found) == (0, 0)
    for row, outcome in zip(found.table.iter_rows(named=True), found.outcomes, strict=True):
        own = ib.PredictionThreshold(str(file), **dict(outcome.trial.parameters))  # type: ignore[arg-type]
        assert row["digest"] == run(ib.Bot(own, qty=10.0)).digest
    assert swept().found == 4
    predictions_of(bars_of(), 99).write_csv(file)  # another file under the same name
    assert swept().found == 0


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"enter": 0.001, "leave": 0.001}, "leave is 0.001, must be below enter, 0.001"),
        ({"horizon": 4}, "horizon: is 4, and p.csv has 1"),
        ({"predictions": 7}, "predictions: is 7, must be the path of a file"),
        ({"predictions": None}, "predictions: is None, must be the path of a file"),
        (
            {"predictions": {"file": "p.csv", "time_is": "close"}},
            "one of 'made', 'start', 'target'",
        ),
        ({"min_confidence": 1.5}, "min_confidence is 1.5"),
    ],
)
def test_what_it_cannot_be(file: Path, how: dict[str, Any], told: str) -> None:
    given = {"predictions": str(file), **how}
    with pytest.raises(ConfigError, match=told):
        run(ib.Bot(ib.PredictionThreshold(**given), qty=10.0))


def test_a_confidence_that_is_not_to_be_had_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    predictions_of(bars_of(), q50="0.1").write_csv(path)
    bot = ib.Bot(ib.PredictionThreshold(str(path), min_confidence=0.5), qty=10.0)
    with pytest.raises(ConfigError, match="neither a column confidence nor two quantiles"):
        run(bot)
    # Two quantiles tell: half of the way from -0.01 to 0.03 is above 0.01, three quarters above 0.
    predictions_of(bars_of(), q10="-0.01", q90="0.03").write_csv(path)
    sure = replace(bot, entry=ib.PredictionThreshold(str(path), min_confidence=0.7))
    assert trades(run(sure)) == trades(run(replace(bot, entry=ib.PredictionThreshold(str(path)))))
    surer = replace(bot, entry=ib.PredictionThreshold(str(path), min_confidence=0.71))
    assert trades(run(surer)) == []


def test_a_false_file_is_told_before_anything_runs(file: Path) -> None:
    with pytest.raises(DataError, match="run trades B"):
        run(ib.Bot(ib.PredictionThreshold(str(file)), qty=1.0), bars_of("B"))


def test_remarks_stand_in_the_result(file: Path) -> None:
    told = [r.text for r in run(ib.Bot(ib.PredictionThreshold(str(file)), qty=1.0)).remarks]
    for part in ("unknown training", "have no prediction", "Time is the end of the bar"):
        assert any(part in text for text in told)


def test_bars_that_change_with_the_same_file_are_the_placed_ones(file: Path) -> None:
    result = run(ib.Bot(ib.PredictionThreshold(str(file)), qty=1.0))
    setup = result.setup
    (request,) = setup.predicted
    found = read_by("x", setup.strategies["PredictionThreshold"], setup.predicted)
    series = found["predicted_return"].given
    assert series is not None
    assert series.request == request
    shorter = replace(setup, market=setup.market.rows(slice(0, 300)))
    assert shorter.predicted == setup.predicted


def test_a_session_of_recorded_bars_reads_the_rows_of_a_file(file: Path, tmp_path: Path) -> None:
    bot = ib.Bot(ib.PredictionThreshold(str(file)), qty=1.0)
    for name, strategy in {"bot": bot, "own": ReadsReturn(str(file))}.items():
        lived = ib.paper(
            strategy, bars_of(), instruments={"A": SHARE}, warm_up=30, name=name,
            folder=tmp_path / "sessions",
        )  # fmt: skip
        assert lived.result.digest == lived.digest
        assert len(lived.result.trades)
        assert lived.parity().is_identical


def test_a_stored_run_is_made_again_from_anywhere(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    given = run("tests.engine.tables.test_predicted:Given", params={"predictions": "p.csv"})
    for result in (run(ib.Bot(ib.PredictionThreshold("p.csv"), qty=1.0)), given):
        folder = Path(result.save(tmp_path / "runs")).absolute()
        monkeypatch.chdir(folder)
        config, _ = read_config(folder / "config.yaml")
        again = Recipe.of_config(config).whole().setup
        assert Run(again).machine is not None
        (name,) = again.strategies
        strategy = again.strategies[name]
        indicators = read_by(name, strategy, again.predicted)
        assert indicators == read_by(name, result.strategies[name], result.setup.predicted)
        monkeypatch.chdir(file.parent)


def test_windows_of_a_walk_forward_read_them(file: Path) -> None:
    bot = ib.Bot(ib.PredictionThreshold(str(file)), qty=10.0)
    windows = {"walk_forward": {"train": 300, "test": 100}}
    found = ib.walk_forward(
        bot, bars_of(), parameters={"enter": [0.001]}, config=windows, workers=1,
        instruments={"A": SHARE},
    )  # fmt: skip
    assert np.count_nonzero(found.returns) > len(found.returns) / 2


def test_lanes_read_them(file: Path) -> None:
    bot = ib.Bot(
        ib.PredictionThreshold(str(file)), ib.FixedRatio(atr_multiple=2.0, reward=1.5), qty=10.0
    )
    result = run(bot)
    lanes = Lanes(
        result.setup, "PredictionThreshold", "A", ib.FixedRatio(atr_multiple=2.0, reward=1.5)
    )
    opened = result.run.machine.fills()
    first = opened[opened["reason"] == int(FillReason.ENTRY)][0]
    rows = np.array([int(first["bar"]) - 1])
    found = lanes.play(rows, np.array([1], np.int8), [2.0])
    left = opened[opened["reason"] != int(FillReason.ENTRY)][0]
    assert int(found.end_bar[0, 0]) == int(left["bar"])


@pytest.mark.parametrize(
    ("said", "chance", "side"),
    [
        (0.0021, 1.0, 1),
        (0.002, 1.0, 0),
        (0.0021, 0.59, 0),
        (0.0021, 0.6, 1),
        (-0.0021, 0.6, -1),
        (-0.002, 1.0, 0),
        (-0.0021, 0.59, 0),
        (float("nan"), 1.0, 0),
    ],
)
def test_the_rule_by_hand(said: float, chance: float, side: int) -> None:
    rule = ib.PredictionThreshold("p.csv", min_confidence=0.6, short=True)
    up, down = (chance, 0.0) if said > 0 else (0.0, chance)
    now = SimpleNamespace(predicted_return=said, chance_up=up, chance_down=down)
    assert rule.decide_side(now, rule) == side
    if side < 0:
        long_only = ib.PredictionThreshold("p.csv", min_confidence=0.6)
        assert rule.decide_side(now, long_only) == 0
    # Out below 0 for its side: at 0 it stays.
    assert rule.wants_out(now, rule, 1) == (said < 0.0)
    assert rule.wants_out(now, rule, -1) == (said > 0.0)
    assert not rule.wants_out(SimpleNamespace(predicted_return=0.0), rule, 1)
