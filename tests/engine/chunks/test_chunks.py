"""A run in chunks against the same run at one go: the same digest, the same tables."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from intrabar.data.pieces import WholeFeed, pieces
from intrabar.data.timeline import market_from_bars
from intrabar.engine.chunks.run import ChunkedResult, ChunkedRun
from intrabar.engine.chunks.setup import ChunkedSetup
from intrabar.engine.chunks.window import Window
from intrabar.engine.outcome.result import Result, finish
from intrabar.engine.run import Run, Setup
from intrabar.errors import ConfigError, RunError, StrategyError
from intrabar.exits import FixedRatio, TrailingATR
from intrabar.indicators import Indicator, ema, highest, sma, talib
from intrabar.model.bars import Bars
from intrabar.model.instrument import Instrument
from intrabar.sim.account import Account
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip, MovingAverageCrossover, TrendFollowing
from intrabar.strategy.gates import Gates, timetable
from intrabar.strategy.registry import AnyStrategy
from intrabar.strategy.strategy import FillNotice, OrderNotice, Strategy
from intrabar.strategy.views import AtClose, AtOpen

HOUR = 3_600_000_000_000
DAY = 24 * HOUR
START = 1_704_067_200_000_000_000


def walk(symbol: str, seed: int, n: int, missing: float = 0.0) -> Bars:
    """Hourly bars, some of them left out."""
    draw = np.random.default_rng(seed)
    close = np.round(100.0 * np.exp(np.cumsum(draw.normal(0.0, 0.006, n))), 2)
    open_ = np.round(np.append(close[:1], close[:-1]) * np.exp(draw.normal(0, 0.002, n)), 2)
    high = np.round(np.maximum(open_, close) * (1 + np.abs(draw.normal(0, 0.003, n))), 2)
    low = np.round(np.minimum(open_, close) * (1 - np.abs(draw.normal(0, 0.003, n))), 2)
    time = START + HOUR * np.arange(1, n + 1, dtype=np.int64)
    there = draw.random(n) >= missing
    columns = (c[there] for c in (time, open_, high, low, close, np.full(n, 1000.0)))
    kept = time[there]
    return Bars(symbol, *columns, HOUR, kept - HOUR, (kept - HOUR) // DAY)


class Restless(Strategy):
    """Orders of every kind, notices, histories."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []

    def indicators(self) -> dict[str, Indicator]:
        return {"fast": sma(5), "slow": ema(20), "top": highest(30), "talib": talib("WMA")}

    def on_open(self, now: AtOpen) -> None:
        if now.bar % 17 == 0 and now.history("close", 3).mean() > now["slow"]:
            now.sell(1, limit=now.previous_close * 1.01)

    def on_close(self, now: AtClose) -> None:
        for one in now:
            if one.bar % 7 == 0 and one["fast"] > one["slow"]:
                one.buy(5, limit=one.close * 0.99, stop_loss=one.close * 0.95, tif="day")
            if one.bar % 11 == 0:
                one.buy(2, stop=one["top"], take_profit=one["top"] * 1.02)
            if one.bar % 41 == 0:
                one.close_position()

    def on_fill(self, fill: FillNotice, now: AtOpen) -> None:
        self.told.append(("fill", fill.order))
        if len(self.told) % 5 == 0:
            now.sell(1, at_close=True)

    def on_order(self, order: OrderNotice, now: AtOpen) -> None:
        self.told.append((order.status.word, order.order))


@dataclass(frozen=True)
class Patient(TrailingATR):
    """Leaves after some bars."""

    max_bars: int = 30


def strategies() -> dict[str, AnyStrategy]:
    gates = Gates(flatten="17:00", daily_loss=0.02, min_atr=0.01)
    return {
        "cross": Bot(MovingAverageCrossover(5, 20), TrailingATR(10), gates=gates),
        "plain": Bot(TrendFollowing(5, 30), FixedRatio(), interpreted=True),
        "coin": Bot(CoinFlip(3, 0.2), FixedRatio(14, seed="first"), risk_fraction=0.002),
        "restless": Restless(),
        "patient": Bot(CoinFlip(7, 0.2), Patient(10, 9.0), risk_fraction=0.002),
    }


def both(
    bars: list[Bars], given: dict[str, AnyStrategy], chunk: int, folder: Path, account: Account
) -> tuple[Result, ChunkedResult]:
    instruments = tuple(
        Instrument(
            b.symbol, initial_margin_rate=0.2, maintenance_margin_rate=0.1, fee_per_trade=1.0
        )
        for b in bars
    )
    whole = finish(Run(Setup(market_from_bars(bars), instruments, given, account)))
    feeds = tuple(WholeFeed(b) for b in bars)
    setup = ChunkedSetup(feeds, instruments, given, account, chunk)
    return whole, ChunkedRun(setup, folder).to_end()


SUMS = ("costs", "turnover")  # added up piece by piece


def same(result: ChunkedResult, whole: Result) -> None:
    """All that a run in chunks leaves is that of the run at one go."""
    assert result.digest == whole.digest
    for name in ("fills", "levels", "ledger", "equity", "gates"):
        assert_frame_equal(result.table(name).collect(), getattr(whole, name), check_exact=True)
    for name, key in (("orders", "order"), ("campaigns", "campaign")):
        table = result.table(name).collect().sort(key)
        assert_frame_equal(table, getattr(whole, name), check_exact=True)
    sheets = [(result.metrics, whole.metrics)]
    for key in ("symbol", "strategy"):
        mine, theirs = result.metrics_by(key), whole.metrics_by(key)  # type: ignore[arg-type]
        assert set(mine) == set(theirs)
        sheets += [(mine[name], theirs[name]) for name in mine]
    for one, other in sheets:
        assert one.reasons == other.reasons
        assert_frame_equal(one.months, other.months, check_exact=True)
        for name, value in other.values.items():
            near = pytest.approx(value, rel=1e-12) if name in SUMS else value
            assert one.values[name] == near, name


@pytest.mark.parametrize("close_at_end", [False, True])
@pytest.mark.parametrize("chunk", [37, 100, 5000])
def test_chunks_leave_the_digest_and_the_tables_of_the_whole(
    chunk: int, close_at_end: bool, tmp_path: Path
) -> None:
    bars = [walk("A", 1, 900), walk("B", 2, 900, missing=0.3)]
    account = Account(cash=20_000.0, close_at_end=close_at_end)
    whole, result = both(bars, strategies(), chunk, tmp_path, account)
    busy = dict(whole.fills["strategy"].value_counts().iter_rows())
    assert min(busy[name] for name in strategies()) > 10
    assert result.digest == whole.digest
    assert result.status is whole.status
    assert result.bars == whole.bars_done
    same(result, whole)


def test_ruin_ends_a_run_in_chunks(tmp_path: Path) -> None:
    class AllIn(Strategy):
        def on_close(self, now: AtClose) -> None:
            if now.is_flat:
                now.buy(1000)

    close = np.full(60, 100.0)
    close[40:] = 60.0
    times = START + HOUR * np.arange(1, 61, dtype=np.int64)
    ones = np.ones(60)
    crash = Bars("A", times, close, close, close, close, ones, HOUR, times - HOUR, times // DAY)
    whole, result = both([crash], {"all": AllIn()}, 16, tmp_path, Account(cash=30_000.0))
    assert whole.status.word == "ruined"
    assert (result.digest, result.bars) == (whole.digest, whole.bars_done)
    assert result.table("equity").collect().height == 41


@settings(max_examples=25)
@given(
    st.integers(1, 60),
    st.lists(st.tuples(st.integers(0, 99), st.floats(0.0, 0.9)), min_size=1, max_size=3),
)
def test_pieces_are_the_rows_of_the_market(rows: int, drawn: list[tuple[int, float]]) -> None:
    bars = [walk(f"S{k}", seed, 120, missing) for k, (seed, missing) in enumerate(drawn)]
    whole = market_from_bars(bars)
    found = list(pieces([WholeFeed(b) for b in bars], rows))
    assert [p.is_last for p in found] == [False] * (len(found) - 1) + [True]
    assert all(len(p.market) == rows for p in found[:-1])
    for name in ("time", "open", "high", "low", "close", "volume", "session_end", "day"):
        got = np.concatenate([getattr(p.market, name) for p in found])
        np.testing.assert_array_equal(got, getattr(whole, name))


@settings(max_examples=25)
@given(st.integers(1, 60), st.integers(0, 99), st.floats(0.3, 0.95))
def test_the_maintenance_break_is_seen_across_pieces(rows: int, seed: int, missing: float) -> None:
    bars = [walk("A", seed, 200), walk("B", seed + 1, 200, missing)]
    account, gates = Account(), Gates(flatten="17:00")
    bot: dict[str, AnyStrategy] = {"flat": Bot(CoinFlip(), gates=gates)}
    instruments = (Instrument("A"), Instrument("B"))
    feeds = tuple(WholeFeed(b) for b in bars)
    window = Window(ChunkedSetup(feeds, instruments, bot, account, rows), {})
    found = []
    for piece in pieces(feeds, rows):
        table = window.move_on(piece).tables["flat"]
        found.append(table.flatten[window.end - len(piece.market) : window.end].copy())
    whole = timetable(gates, market_from_bars(bars), ("", ""), None).flatten
    np.testing.assert_array_equal(np.concatenate(found), whole)


def test_a_piece_is_let_go_of_at_once(tmp_path: Path) -> None:
    # What names itself waits for the cycle collector, and so would the arrays that it holds.
    def run(name: str) -> None:
        (tmp_path / name).mkdir()
        feeds, instruments = (WholeFeed(walk("A", 1, 400)),), (Instrument("A"),)
        setup = ChunkedSetup(feeds, instruments, strategies(), Account(), 50)
        ChunkedRun(setup, tmp_path / name).to_end()

    run("compiles")
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        run("watched")
        gc.collect()
        kept = {type(x).__name__ for x in gc.garbage if type(x).__module__.startswith("intrabar")}
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert kept == set()


def alone(strategy: AnyStrategy, bars: int, chunk: int, folder: Path) -> ChunkedResult:
    feeds = (WholeFeed(walk("A", 1, bars)),)
    setup = ChunkedSetup(feeds, (Instrument("A"),), {"alone": strategy}, Account(), chunk)
    return ChunkedRun(setup, folder).to_end()


def test_too_few_longer_bars_are_refused(tmp_path: Path) -> None:
    class Slow(Strategy):
        def indicators(self) -> dict[str, Indicator]:
            return {"slow": sma(30).on("1d")}

        def on_close(self, now: object) -> None: ...

    with pytest.raises(ConfigError, match="needs 30 complete bars of 1d, A has 16"):
        alone(Slow(), 400, 90, tmp_path)


def test_bars_of_a_time_frame_are_not_kept_for_histories(tmp_path: Path) -> None:
    class Asks(Strategy):
        def on_close(self, now: AtClose) -> None:
            now.history("close", 2, timeframe="1d")

    with pytest.raises((RunError, StrategyError), match="needs a run at one go"):
        alone(Asks(), 40, 20, tmp_path)


def test_a_history_longer_than_what_is_in_memory_is_refused(tmp_path: Path) -> None:
    class LooksFar(Strategy):
        def on_close(self, now: AtClose) -> None:
            now.history("close", 150)

    with pytest.raises((RunError, StrategyError), match="run in larger chunks"):
        both([walk("A", 1, 400)], {"far": LooksFar()}, 50, tmp_path, Account())
