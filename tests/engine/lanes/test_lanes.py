"""Campaigns in lanes are those of ordinary backtests of a strategy in Python, to the last bit."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from intrabar.engine.lanes.lane import Fate
from intrabar.engine.lanes.lanes import Lanes
from intrabar.engine.outcome.result import Result, finish
from intrabar.engine.run import Run, Setup
from intrabar.errors import ConfigError, IntrabarError, UsageError
from intrabar.exits import FixedRatio, TrailingATR
from intrabar.indicators import atr
from intrabar.model.bars import Action, Detail, Market
from intrabar.model.enums import (
    ActionKind,
    FillReason,
    MarginCall,
    MarginCheck,
    PathPolicy,
    RunStatus,
    Settlement,
)
from intrabar.model.instrument import Instrument
from intrabar.sim import state
from intrabar.sim.account import Account
from intrabar.strategy.bot import Bot
from intrabar.strategy.gates import Gates
from intrabar.strategy.strategy import Strategy
from tests.strategy.markets import AtALimit, Told, market_from, walk

ARMS = (0.5, 1.0, 2.0, 4.0)


@dataclass
class Enters(Strategy):
    """Enters once, by hand: the rules of a lane written apart."""

    symbol: str
    at: int
    side: int
    arm: float
    max_bars: int
    period: int = 5
    risk: float = 0.0
    qty: float = 0.0
    reward: float = 0.0  # of a fixed ratio, which does not trail
    entry: int = -1
    leaving: int | None = None
    held: int = 0
    budget: float = math.nan

    def indicators(self) -> dict[str, Any]:
        return {"range": atr(self.period)}

    def on_close(self, every: Any) -> None:
        now = every.of(self.symbol)
        if math.isnan(now.open):
            return
        away = self.side * self.arm * now["range"]
        if now.bar == self.at and not math.isnan(away):
            self.enter(now, away)
        if now.is_flat:
            return
        self.held += 1
        if self.held >= self.max_bars:
            if self.leaving is None:
                now.cancel(self.entry)  # what the volume has kept back of it
                self.leaving = now.close_position()
        elif not self.reward and self.side * (now.close - away - now.position.stop) > 0.0:
            now.modify_stop_loss(now.close - away)

    def on_order(self, order: Any, now: Any) -> None:
        if order.order == self.leaving:  # a split may leave it less than a lot
            self.leaving = None

    def enter(self, now: Any, away: float) -> None:
        self.budget = self.risk * now.equity
        if self.qty:
            self.budget = self.qty * now.point_value * now["range"]
        stop = now.close - away
        target = now.close + self.reward * away if self.reward else None
        qty = self.qty or (now.size(risk=self.risk, stop=stop) if stop > 0.0 else 0.0)
        if qty > 0.0:
            self.entry = now.order(self.side, qty, stop_loss=stop, take_profit=target)


def alone(setup: Setup, strategy: Enters, end: int) -> tuple[Result, Enters]:
    """An ordinary backtest of it, cut where the data of its instrument end."""
    cut = setup.market.rows(slice(0, end))
    account = replace(setup.account, close_at_end=True)
    run = Run(Setup(cut, setup.instruments, {"s": strategy}, account))
    result = finish(run)
    return result, run.running["s"].strategy  # type: ignore[union-attr, return-value]


def world(seed: int) -> tuple[Setup, str, Any, int]:
    """A market with gaps, splits, currencies and volume caps, and a bot in it."""
    draw = np.random.default_rng(seed)
    symbols = ("A", "B", "C")[: draw.integers(1, 4)]
    market = walk(120, seed, symbols, missing=draw.choice([0.0, 0.15]), wild=0.02)
    market = replace(
        market,
        volume=np.where(market.volume > 0, np.ceil(market.volume / 20), 0.0),
        day=np.arange(120) // 10,
        session_end=np.ascontiguousarray(
            np.repeat((np.arange(120) % 10 == 9)[:, None], len(symbols), axis=1), np.uint8
        ),
        actions=actions(draw, market) if draw.random() < 0.6 else (),
    )
    instruments = tuple(
        Instrument(
            s,
            0.01,
            float(draw.choice([1.0, 50.0])),
            lot=float(draw.choice([1.0, 0.1])),
            commission_per_contract=float(draw.choice([0.0, 0.3])),
            fee_per_trade=float(draw.choice([0.0, 1.0])),
            slippage_ticks=float(draw.choice([0.0, 1.0])),
            slippage_volatility=float(draw.choice([0.0, 0.1])),
            tiers=((0.0, 0.2, 0.0), (50.0, 0.1, 0.0)) if draw.random() < 0.2 else (),
            max_volume_share=float(draw.choice([0.0, 0.1])),
            initial_margin_rate=float(draw.choice([0.0, 0.5])),
            maintenance_margin_rate=float(draw.choice([0.0, 0.4])),
            swap_long=float(draw.choice([0.0, -0.2])),
            currency=str(draw.choice(["USD", "EUR"])),
        )
        for s in symbols
    )
    fx = np.exp(np.cumsum(draw.normal(0.0, 0.01, market.close.shape), axis=0))
    fx[:, [x.currency == "USD" for x in instruments]] = 1.0
    market = replace(market, fx=fx)
    policies = list(PathPolicy)
    account = Account(
        cash=float(draw.choice([100_000.0, 3_000.0])),
        margin_call=MarginCall(int(draw.integers(0, 2))),
        margin_check=MarginCheck(int(draw.integers(0, 2))),
        path_policy=policies[draw.integers(0, len(policies))],
        path_trust=0.7,
        seed=int(draw.integers(0, 99)),
        debit_rate=float(draw.choice([0.0, 0.5])),
        settlement=Settlement(int(draw.integers(0, 2))),
        close_delisted=bool(draw.random() < 0.5),
    )
    size = {"risk_fraction": 0.02} if draw.random() < 0.6 else {"qty": 3.0}
    fixed = draw.random() < 0.3
    exit_ = FixedRatio(5, 9.0, reward=1.5) if fixed else TrailingATR(5, 9.0)
    if account.path_policy is PathPolicy.DETAIL:
        market = replace(market, detail=two_halves(market))
    symbol = symbols[draw.integers(0, len(symbols))]
    if len(symbols) > 1 and draw.random() < 0.3:
        market = without_the_end(market, symbols.index(symbol), int(draw.integers(40, 95)))
    setup = Setup(market, instruments, {"s": Bot(Told(), TrailingATR(), **size)}, account)
    return setup, symbol, exit_, int(draw.integers(1, 15))


def actions(draw: np.random.Generator, market: Market) -> tuple[Action, ...]:
    """Splits, dividends and new margins, at bars that are there."""
    made = []
    for bar in sorted(draw.choice(np.arange(20, 110), 4, replace=False).tolist()):
        j = int(draw.integers(0, len(market.symbols)))
        if math.isnan(market.open[bar, j]):
            continue
        kind = (ActionKind.SPLIT, ActionKind.DIVIDEND, ActionKind.MARGIN)[draw.integers(0, 3)]
        value = {ActionKind.SPLIT: float(draw.choice([2.0, 1.5, 0.1])), ActionKind.DIVIDEND: 0.5}
        margin = 0.3 if kind is ActionKind.MARGIN else math.nan
        made.append(Action(bar, j, kind, value.get(kind, math.nan), initial_margin_rate=margin))
    return tuple(made)


def two_halves(market: Market) -> Detail:
    """Lower bars of every second bar: down to the low, and up from there."""
    real = ~np.isnan(market.open)
    real[::2] = False
    count = np.where(real, 2, 0)
    first = (np.cumsum(count.ravel()) - count.ravel()).reshape(count.shape)
    o, h, x, c = (getattr(market, k)[real] for k in ("open", "high", "low", "close"))
    halves = np.stack([np.stack([o, o, x, x], 1), np.stack([x, h, x, c], 1)], 1)
    return Detail(np.ascontiguousarray(first), np.ascontiguousarray(count), halves.reshape(-1, 4))


def without_the_end(market: Market, j: int, last: int) -> Market:
    """An instrument that ends while the others go on."""
    columns = {k: getattr(market, k).copy() for k in ("open", "high", "low", "close", "volume")}
    for name in ("open", "high", "low"):
        columns[name][last:, j] = np.nan
    columns["volume"][last:, j] = 0.0
    columns["close"][last:, j] = columns["close"][last - 1, j]
    kept = tuple(a for a in market.actions if a.instrument != j or a.bar < last)
    return replace(market, **columns, actions=kept)


@pytest.mark.parametrize("part", range(10))
def test_two_thousand_campaigns_equal_ordinary_backtests(part: int) -> None:
    seen: set[str] = set()
    for seed in range(20 * part, 20 * part + 20):
        setup, symbol, exit_, max_bars = world(seed)
        lanes = Lanes(setup, "s", symbol, exit_, max_bars, threads=1 + seed % 2)
        draw = np.random.default_rng(seed)
        starts = lanes.starts()
        rows = np.sort(draw.choice(starts, 10, replace=True))
        sides = draw.choice(np.array([1, -1], np.int8), 10)
        found = lanes.play(rows, sides, ARMS)
        for k in range(len(rows)):
            a = int(draw.integers(0, len(ARMS)))
            seen |= {compare(setup, symbol, exit_, lanes, found, rows, sides, k, a)}
    assert {"stop", "max_bars"} <= seen


def compare(
    setup: Setup, symbol: str, exit_: Any, lanes: Lanes, found: Any, rows: Any, sides: Any,
    k: int, a: int,
) -> str:  # fmt: skip
    bot = lanes.bot
    rule = Enters(
        symbol, int(rows[k]), int(sides[k]), ARMS[a], lanes.max_bars,
        risk=float(bot.risk_fraction or 0.0), qty=bot.qty, reward=getattr(exit_, "reward", 0.0),
    )  # fmt: skip
    result, after = alone(setup, rule, len(lanes.market))
    table = result.campaigns
    fate = Fate(int(found.fate[k, a]))
    if fate is not Fate.PLAYED:
        assert len(table) == 0, (fate, table)
        return fate.word
    first = table.row(0, named=True)
    assert found.budget[k, a] == after.budget
    if first["end_bar"] is None:
        assert result.status is RunStatus.RUINED
        assert found.net[k, a] == pytest.approx(first["net"], rel=1e-12)
        return "ruined"
    reason = FillReason(int(found.reason[k, a])).word
    assert (found.net[k, a], found.end_bar[k, a]) == (first["net"], first["end_bar"])
    assert bool(found.ambiguous[k, a]) == first["ambiguous"]
    assert ("signal" if reason == "max_bars" else reason) == first["reason"]
    return reason


def trending(bars: int = 60, **how: Any) -> Setup:
    """One instrument that rises by a point a bar, with an ATR of 2, and a bot of one contract."""
    rows = [(100.0 + i, 101.0 + i, 99.0 + i, 100.5 + i) for i in range(bars)]
    bot = Bot(Told(), TrailingATR(), qty=1.0)
    return Setup(market_from(rows), (Instrument("A", 0.01),), {"s": bot}, **how)


def test_a_score_by_hand() -> None:
    """Bought at the open of 21, left at that of 26 after five held bars; the ATR is 2."""
    lanes = Lanes(trending(), "s", "A", TrailingATR(5), max_bars=5)
    found = lanes.play(np.array([20]), np.array([1], np.int8), [1.0, 3.0])
    assert found.net.tolist() == [[5.0, 5.0]]
    assert found.budget.tolist() == [[2.0, 2.0]]
    assert found.score.tolist() == [[2.5, 2.5]]
    assert found.end_bar.tolist() == [[26, 26]]
    assert [FillReason(r).word for r in found.reason[0]] == ["max_bars", "max_bars"]
    assert found.bought.tolist() == [[1.0, 1.0]]


def test_every_field_of_the_state_is_put_back() -> None:
    setup = world(3)[0]
    lanes = Lanes(setup, "s", "A", TrailingATR(5), 9)
    lane = lanes._lanes[0]
    rows, sides = np.array([40, 40]), np.array([1, -1], np.int8)
    wanted = lanes.play(rows, sides, ARMS)
    book, running = lane.machine.book, lane.running
    parts = {name: getattr(book, name) for name in ("account", "instruments", "sleeves")}
    parts |= {"strategies": book.strategies, "bot": running.record["caller"], "held": running.held}
    parts |= {"counts": running.counts, "record": running.record}
    spoiled = 0
    for name, part in parts.items():
        for field in part.dtype.names or (None,):
            if field == "caller":
                continue  # "bot" has its fields
            column = part if field is None else part[field]
            column[...] = 3
            found = lanes.play(rows, sides, ARMS)
            for now, then in zip(found, wanted, strict=True):
                np.testing.assert_array_equal(now, then, f"{name}.{field}")
            spoiled += 1
    assert spoiled > len(state.ACCOUNT) + len(state.INSTRUMENT) + len(state.SLEEVE) + 20


def test_lanes_are_the_same_in_any_order_threads_and_without_compiling() -> None:
    setup, symbol, exit_, _ = world(12)
    once = Lanes(setup, "s", symbol, exit_, 9)
    rows = np.repeat(once.starts(), 2)
    sides = np.tile(np.array([1, -1], np.int8), len(rows) // 2)
    wanted = once.play(rows, sides, ARMS)
    plain = replace(setup, strategies={"s": replace(setup.strategies["s"], interpreted=True)})
    for other in (once, Lanes(setup, "s", symbol, exit_, 9, threads=3)):
        for now, then in zip(other.play(rows, sides, ARMS), wanted, strict=True):
            np.testing.assert_array_equal(now, then)
    some = slice(30, 40)
    slow = Lanes(plain, "s", symbol, exit_, 9).play(rows[some], sides[some], ARMS)
    for now, then in zip(slow, wanted, strict=True):
        np.testing.assert_array_equal(now, then[some])


def test_a_lane_grows_where_its_arrays_are_full() -> None:
    setup = replace(
        world(5)[0], instruments=(Instrument("A", 0.01, max_volume_share=0.02, lot=0.1),) * 1
    )
    setup = replace(setup, market=setup.market.alone(0))
    lanes = Lanes(setup, "s", "A", TrailingATR(5), 12)
    rows, sides = lanes.starts()[20:40], np.ones(20, np.int8)
    wanted = lanes.play(rows, sides, ARMS)
    machine = Lanes(setup, "s", "A", TrailingATR(5), 12)
    book = machine._lanes[0].machine.book
    short = {name: getattr(book, name)[:30].copy() for name in ("orders", "log", "fills")}
    machine._lanes[0].machine.book = book._replace(**short)
    machine._lanes[0].machine._tell_growth()
    for now, then in zip(machine.play(rows, sides, ARMS), wanted, strict=True):
        np.testing.assert_array_equal(now, then)
    assert len(machine._lanes[0].machine.book.fills) > 30


def test_rows_end_before_the_data_and_with_an_instrument() -> None:
    lanes = Lanes(trending(60), "s", "A", TrailingATR(5), max_bars=5)
    assert lanes.starts().tolist() == list(range(53))
    market = without_the_end(walk(80, 1, ("A", "B")), 1, 40)
    setup = Setup(market, (Instrument("A"), Instrument("B")), {"s": Bot(Told(), qty=1.0)})
    ended = Lanes(setup, "s", "B", TrailingATR(5), 50)
    assert (ended.has_ended, ended.starts().tolist()) == (True, list(range(40)))
    found = ended.play(np.array([37, 39]), np.array([1, 1], np.int8), [50.0])
    assert FillReason(int(found.reason[0, 0])) is FillReason.END_OF_DATA
    assert found.end_bar.tolist() == [[39], [-1]]
    assert Fate(int(found.fate[1, 0])) is Fate.NOT_FILLED
    assert not Lanes(setup, "s", "A", TrailingATR(5), 50).has_ended


def test_what_is_no_campaign_says_why() -> None:
    setup = trending(60, account=Account(cash=100.0))
    bot = Bot(Told(), TrailingATR(), risk_fraction=0.01)
    lanes = Lanes(replace(setup, strategies={"s": bot}), "s", "A", TrailingATR(5), 5)
    found = lanes.play(np.array([2, 20]), np.array([1, 1], np.int8), [2.0, 60.0])
    fates = [[Fate(int(f)).word for f in row] for row in found.fate]
    assert fates == [["warm_up", "warm_up"], ["size_zero", "size_zero"]]
    assert np.isnan(found.net).all()
    short = replace(setup, instruments=(Instrument("A", 0.01, initial_margin=500.0),))
    lanes = Lanes(short, "s", "A", TrailingATR(5), 5)
    found = lanes.play(np.array([20]), np.array([1], np.int8), [2.0, 90.0])
    assert [Fate(int(f)).word for f in found.fate[0]] == ["refused", "refused"]


def test_gates_that_close_stay_on_and_the_others_are_noted() -> None:
    market = walk(300, 4, period=5 * 60_000_000_000)
    gates = Gates(session=True, flatten="17:00", min_atr=0.2)
    bot = Bot(Told(), TrailingATR(), qty=1.0, gates=gates, warm_up=50)

    def is_open(calendar: str, time: Any) -> Any:
        return (time // 60_000_000_000) % 60 < 30

    setup = Setup(market, (Instrument("A", calendar="NYSE"),), {"s": bot}, is_open=is_open)
    lanes = Lanes(setup, "s", "A", TrailingATR(5, 9.0), 200)
    rows = lanes.starts()[20:]
    found = lanes.play(rows, np.ones(len(rows), np.int8), [30.0])
    assert (found.fate == Fate.PLAYED).all()
    assert FillReason.SESSION in set(found.reason[:, 0].tolist())
    told = lanes.allowed(rows)
    assert not told[rows < 50].any()
    open_gates = Run(replace(setup, strategies={"s": replace(bot, warm_up=0)})).running["s"]
    blocked = open_gates.table.blocked[rows, 0] != 0  # type: ignore[union-attr]
    assert 0 < blocked.sum() < len(rows)
    assert not told[blocked].any()


@dataclass(frozen=True)
class LeavesAbove(Told):
    """Leaves where the close is above its indicator and a level."""

    level: float = 130.0

    def indicators(self) -> dict[str, Any]:
        return {"reach": atr(3)}

    @staticmethod
    def wants_out(now: Any, p: Any, side: int) -> bool:
        """By a signal of its own."""
        return now.close > p.level and now.reach > 0.0


def test_an_entry_that_leaves_by_itself_does_so_in_a_lane() -> None:
    setup = trending(90)
    setup = replace(setup, strategies={"s": Bot(LeavesAbove(), TrailingATR(), qty=1.0)})
    found = Lanes(setup, "s", "A", TrailingATR(5), 50).play(
        np.array([20]), np.array([1], np.int8), [4.0]
    )
    assert (found.end_bar[0, 0], FillReason(int(found.reason[0, 0]))) == (31, FillReason.EXIT)


@pytest.mark.parametrize(
    ("how", "kind", "words"),
    [
        ({"bot": Bot(AtALimit(), qty=1.0)}, ConfigError, "market entries alone"),
        ({"bot": Enters("A", 1, 1, 1.0, 5)}, ConfigError, "no bot"),
        ({"symbol": "Z"}, IntrabarError, "'Z'"),
        ({"strategy": "t"}, IntrabarError, "'t'"),
        ({"max_bars": 0}, ConfigError, "max_bars"),
        ({"rows": [5, 4]}, UsageError, "row 4 comes after 5"),
        ({"rows": [-1, 4]}, UsageError, "no bar at row -1"),
        ({"rows": [5, 99]}, UsageError, "no bar at row 99"),
        ({"sides": [1, 0]}, UsageError, "sides"),
        ({"sides": [1]}, UsageError, "one of each"),
        ({"arms": [1.0, -1.0]}, UsageError, "above 0"),
        ({"arms": []}, UsageError, "above 0"),
    ],
)
def test_what_cannot_be_played_is_refused(how: dict[str, Any], kind: Any, words: str) -> None:
    setup = trending()
    setup = replace(setup, strategies={"s": how.get("bot", setup.strategies["s"])})
    with pytest.raises(kind, match=words):
        Lanes(
            setup, how.get("strategy", "s"), how.get("symbol", "A"), TrailingATR(5),
            how.get("max_bars", 5),
        ).play(
            np.array(how.get("rows", [5, 6])), np.array(how.get("sides", [1, 1]), np.int8),
            how.get("arms", [1.0]),
        )  # fmt: skip


def test_an_exit_of_another_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="TrailingATR or FixedRatio"):
        Lanes(trending(), "s", "A", AtALimit(), 5)  # type: ignore[arg-type]
