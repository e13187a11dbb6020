"""Lanes that are stepped: the campaigns of ordinary backtests, whoever moves the stop."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from intrabar.engine.lanes.lane import Fate
from intrabar.engine.lanes.lanes import Lanes
from intrabar.engine.lanes.stepped import Starts, SteppedLanes, every_start
from intrabar.engine.prepared import Prepared
from intrabar.engine.run import Setup
from intrabar.engine.tables.feature_table import FeatureTables
from intrabar.errors import ConfigError, UsageError
from intrabar.exits import FixedRatio, TrailingATR
from intrabar.exits.position import HELD, PROFIT, RISKED, TO_STOP
from intrabar.indicators.features import features_of
from intrabar.model.enums import RunStatus
from intrabar.sim import state
from intrabar.sim.account import Account
from intrabar.strategy.bot import Bot
from intrabar.strategy.bot_record import BOT
from intrabar.strategy.lane_room import CHOOSE, Scaling
from tests.engine.lanes.test_lanes import ARMS, Enters, alone, trending, world
from tests.strategy.markets import Told

FEATURES = features_of(["step = close / lag(close, 1)", "side = side"])
SCALING = Scaling(FEATURES.signs, np.zeros(2), np.ones(2))


def tables_of(setup: Setup) -> FeatureTables:
    calendars = tuple(x.calendar for x in setup.instruments)
    return Prepared(setup.market, calendars).feature_tables(FEATURES)


def stepped(setup: Setup, lanes: list[Lanes], count: int, **how: Any) -> SteppedLanes:
    tables = tables_of(setup)
    how = {"by_bar": True, "starts": every_start(lanes, tables), **how}
    return SteppedLanes(lanes, tables, how.pop("starts"), ARMS, SCALING, count=count, **how)


@dataclass
class Played:
    """What came of one start."""

    arms: list[int]
    seen: list[Any]
    rewards: list[float]
    fate: Fate
    net: float
    budget: float
    end_bar: int


def play(going: SteppedLanes, order: Any, draw: np.random.Generator) -> dict[int, Played]:
    """Play starts with arms at random."""
    going.begin(np.asarray(order))
    room, found = going.room, {}
    open_: dict[int, tuple[list[int], list[Any], list[float]]] = {}
    while not going.is_over:
        starts, seen = room.lanes["start"].copy(), room.seen[:, 0].copy()
        arms = draw.integers(0, len(ARMS), len(starts))
        moved = np.flatnonzero(room.lanes["due"] == CHOOSE)
        going.step(arms)
        for k in moved:
            parts = open_.setdefault(int(starts[k]), ([], [], []))
            for part, one in zip(parts, (int(arms[k]), seen[k], room.reward[k]), strict=True):
                part.append(one)  # type: ignore[arg-type]
            if room.ended[k]:
                own = open_.pop(int(room.first[k]))
                last = [x[k, 0] for x in room.last]
                found[int(room.first[k])] = Played(*own, Fate(int(last[0])), *last[1:4])
                assert room.steps[k] == len(own[0])
    assert not open_
    return found


@pytest.mark.parametrize("part", range(4))
def test_campaigns_of_one_decision_are_those_of_lanes(part: int) -> None:
    seen: Counter[Fate] = Counter()
    for seed in range(10 * part, 10 * part + 10):
        setup, symbol, exit_, max_bars = world(seed)
        lanes = Lanes(setup, "s", symbol, exit_, max_bars)
        going = stepped(setup, [lanes], 8, by_bar=False)
        starts = going.starts
        wanted = lanes.play(starts.bar, starts.side, ARMS)
        try:
            found = play(going, np.arange(len(starts)), np.random.default_rng(seed))
        except UsageError:
            assert (wanted.fate != Fate.PLAYED).all()
            continue
        for start, one in found.items():
            (arm,) = one.arms
            seen[one.fate] += 1
            assert one.fate == wanted.fate[start, arm]
            assert one.end_bar == wanted.end_bar[start, arm]
            for now, then in ((one.net, wanted.net), (one.budget, wanted.budget)):
                np.testing.assert_array_equal(now, then[start, arm])
            score = wanted.score[start, arm] if one.fate is Fate.PLAYED else 0.0
            assert one.rewards == pytest.approx([score], abs=1e-12)
        left = np.setdiff1d(np.arange(len(starts)), list(found))
        assert int(going.room.skipped.sum()) == len(left)
        assert (wanted.fate[left] != Fate.PLAYED).all()
    assert seen[Fate.PLAYED] > 1_000


@dataclass
class Moves(Enters):
    """Enters once, by hand, and moves its stop by an arm of its own at each close."""

    rest: list[float] = field(default_factory=list)
    told: list[tuple[float, float, float]] = field(default_factory=list)

    def on_close(self, every: Any) -> None:
        now = every.of(self.symbol)
        if math.isnan(now.open):
            return
        if now.bar == self.at:
            self.enter(now, self.side * self.arm * now["range"])
        if now.is_flat:
            return
        self.held += 1
        if self.held >= self.max_bars:
            if self.leaving is None:
                now.cancel(self.entry)
                self.leaving = now.close_position()
            return
        reach, worth = now["range"] * ARMS[-1], abs(now.position.qty) * now.point_value
        to_stop = self.side * (now.close - now.position.stop)
        self.told.append((self.held / self.max_bars, to_stop / reach, self.budget / worth / reach))
        wanted = now.close - self.side * self.rest.pop(0) * now["range"]
        if self.side * (wanted - now.position.stop) > 0.0:
            now.modify_stop_loss(wanted)


@pytest.mark.parametrize("part", range(8))
def test_a_stop_moved_at_each_close_is_that_of_an_ordinary_backtest(part: int) -> None:
    compared, steps = 0, 0
    for seed in range(10 * part, 10 * part + 10):
        setup, symbol, exit_, max_bars = world(seed)
        exit_ = exit_ if isinstance(exit_, TrailingATR) else TrailingATR(5, 9.0)
        lanes = Lanes(setup, "s", symbol, exit_, max_bars)
        going, draw = stepped(setup, [lanes], 4), np.random.default_rng(seed)
        starts = going.starts
        try:
            found = play(going, draw.permutation(len(starts))[:20], draw)
        except UsageError:
            continue
        for start, one in found.items():
            rule = Moves(
                symbol, int(starts.bar[start]), int(starts.side[start]), ARMS[one.arms[0]],
                max_bars, risk=float(lanes.bot.risk_fraction or 0.0), qty=lanes.bot.qty,
                rest=[ARMS[a] for a in one.arms[1:]],
            )  # fmt: skip
            result, after = alone(setup, rule, len(lanes.market))
            if one.fate is not Fate.PLAYED:
                assert len(result.campaigns) == 0
                assert one.rewards == [0.0]
                continue
            first = result.campaigns.row(0, named=True)
            compare(one, first, after, ruined=result.status is RunStatus.RUINED)
            compared, steps = compared + 1, steps + len(one.arms)
    assert compared > 80
    assert steps > 2 * compared


def compare(one: Played, first: dict[str, Any], after: Moves, ruined: bool) -> None:
    """A campaign with that of the rule by hand."""
    assert (one.budget, after.rest) == (after.budget, [])
    assert one.net == pytest.approx(first["net"], rel=1e-12) if ruined else one.net == first["net"]
    score = first["net"] / after.budget
    assert sum(one.rewards) == pytest.approx(score, rel=1e-12, abs=1e-12)
    assert not one.seen[0][2:].any()
    sums = np.cumsum(one.rewards)
    for k, told in enumerate(after.told):
        own = one.seen[1 + k][2:]
        assert own[HELD] == told[0]
        assert own[TO_STOP] == pytest.approx(min(told[1], 5.0), rel=1e-12, abs=1e-15)
        assert own[RISKED] == pytest.approx(min(told[2], 5.0), rel=1e-12)
        assert own[PROFIT] == pytest.approx(np.clip(sums[k], -5.0, 5.0), rel=1e-9, abs=1e-12)


def test_a_word_that_is_not_put_back_is_seen() -> None:
    """Every field of the state is changed in turn, and what a lane begins with is as before."""
    setup = world(3)[0]
    setup = replace(setup, market=setup.market.alone(0), instruments=setup.instruments[:1])
    lanes = Lanes(setup, "s", "A", TrailingATR(5), 9)
    going = stepped(setup, [lanes], 1)
    order = np.flatnonzero(np.isin(going.starts.bar, (40, 70)))
    wanted = play(going, order, np.random.default_rng(0))
    fields = sum(len(x.names or ()) for x in (state.ACCOUNT, state.INSTRUMENT, state.SLEEVE, BOT))
    words = going.room.memory.shape[1]
    assert words >= fields
    for word in range(words):
        going.room.memory[:, word] = 3
        going.room.flat[:, word] = 3
        assert same(play(going, order, np.random.default_rng(0)), wanted), word


def same(some: dict[int, Played], others: dict[int, Played]) -> bool:
    return repr(some) == repr(others)


def test_the_words_of_a_lane_are_its_whole_state() -> None:
    """Nothing that changes in a campaign lies elsewhere than in its words and its records."""
    setup = world(3)[0]
    going = stepped(setup, [Lanes(setup, "s", "A", TrailingATR(5), 9)], 1)
    book = going._books[0]
    row = going.room.memory[0]
    for name in ("account", "instruments", "sleeves", "strategies"):
        assert np.shares_memory(getattr(book, name), row)
    parts = [getattr(book, x).nbytes for x in ("account", "instruments", "sleeves", "strategies")]
    lane = going._lanes[0]
    parts += [x.nbytes for x in (lane.running.record, lane.running.counts, lane.running.held)]
    assert sum(parts) == row.nbytes


def test_lanes_in_any_number_play_alike_and_grow() -> None:
    setup = replace(world(5)[0], strategies=world(5)[0].strategies)
    lanes = [Lanes(setup, "s", x, TrailingATR(5), 12) for x in setup.market.symbols]
    many = stepped(setup, lanes, 6)
    order = np.random.default_rng(1).permutation(len(many.starts))[:60]
    script = np.random.default_rng(2).integers(0, len(ARMS), (len(many.starts), 20))

    def scripted(going: SteppedLanes) -> dict[int, list[float]]:
        going.begin(order)
        room, found = going.room, {}
        sums: dict[int, list[float]] = {}
        while not going.is_over:
            at = room.lanes["start"].copy()
            waits = room.lanes["due"] == CHOOSE
            going.step(script[at, room.lanes["steps"] % 20].astype(np.int64))
            for k in np.flatnonzero(waits):
                sums.setdefault(int(at[k]), []).append(float(room.reward[k]))
                if room.ended[k]:
                    found[int(at[k])] = sums.pop(int(at[k]))
        return found

    wanted = scripted(many)
    assert len(wanted) == 60 - int(many.room.skipped.sum())
    assert scripted(stepped(setup, lanes, 1)) == wanted
    small = stepped(setup, lanes, 6)
    small._books = [
        x._replace(orders=x.orders[:30].copy(), fills=x.fills[:30].copy(), log=x.log[:30].copy())
        for x in small._books
    ]
    for k in range(6):
        small._retell(k)
    assert scripted(small) == wanted
    assert len(small._books[0].fills) > 30
    apart = [stepped(setup, lanes, 2, number=2 * part, of=6) for part in range(3)]
    joined: dict[int, list[float]] = {}
    for one in apart:
        joined |= scripted(one)
    assert joined == wanted


def test_starts_are_drawn_without_repetition_and_again_when_they_are_gone() -> None:
    setup = trending(60)
    going = stepped(setup, [Lanes(setup, "s", "A", TrailingATR(5), 5)], 4)
    going.begin(np.random.default_rng(7))
    seen: list[int] = []
    while len(seen) < 3 * len(going.starts):
        going.step(np.zeros(4, np.int64))
        seen += going.room.first[going.room.ended].tolist()
    times = Counter(seen)
    warming = going.starts.bar < 5  # the exit's ATR is not known there
    assert set(times) == set(np.flatnonzero(~warming).tolist())
    assert max(times.values()) - min(times.values()) <= 2
    assert going.room.skipped[Fate.WARM_UP] == going.room.skipped.sum() > 0


def test_what_cannot_be_entered_is_told() -> None:
    setup = trending(60, account=Account(cash=100.0))
    bot = Bot(Told(), TrailingATR(), risk_fraction=1e-6)
    setup = replace(setup, strategies={"s": bot})
    going = stepped(setup, [Lanes(setup, "s", "A", TrailingATR(5), 5)], 2)
    with pytest.raises(UsageError, match=r"no start can be entered.*size_zero"):
        going.begin(np.random.default_rng(0))


def test_an_exit_that_does_not_trail_decides_at_the_entry_alone() -> None:
    setup = trending(60)
    lanes = Lanes(setup, "s", "A", FixedRatio(5, 2.0), 5)
    stepped(setup, [lanes], 1, by_bar=False)
    with pytest.raises(ConfigError, match="when: entry"):
        stepped(setup, [lanes], 1)


def test_starts_are_bars_that_are_known() -> None:
    setup = trending(60)
    lanes = Lanes(setup, "s", "A", TrailingATR(5), 5)
    starts = every_start([lanes], tables_of(setup))
    assert isinstance(starts, Starts)
    assert starts.bar.tolist() == np.repeat(np.arange(1, 53), 2).tolist()


@dataclass(frozen=True)
class LeavesInPython(Told):
    """Leaves by a rule that raises, so that it cannot be compiled."""

    @staticmethod
    def wants_out(now: Any, p: Any, side: int) -> bool:
        """Never."""
        if now.close < 0.0:
            raise ValueError("no price")
        return False


def test_a_rule_that_cannot_be_compiled_is_refused() -> None:
    setup = trending(60)
    setup = replace(setup, strategies={"s": Bot(LeavesInPython(), TrailingATR(), qty=1.0)})
    with pytest.raises(ConfigError, match="cannot be compiled"):
        stepped(setup, [Lanes(setup, "s", "A", TrailingATR(5), 5)], 1)
