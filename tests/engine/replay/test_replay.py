"""Replays by hand: places, branches, orders by hand, what is known, and what cannot be done."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from intrabar.engine.replay.replay import Replay
from intrabar.errors import NotFoundError, OrderError, StrategyError, UsageError
from intrabar.model.enums import OrderType, Role, RunStatus, Side
from intrabar.model.event import Step
from intrabar.sim import state
from intrabar.strategy.strategy import Strategy
from tests.engine.replay.replays import Busy, Plain, everyone, often_kept, state_of
from tests.strategy.markets import market_from, setup_of, walk

ROWS = [[100.0 + k, 102.0 + k, 98.0 + k, 100.5 + k] for k in range(12)]


def replay_of(*strategies: Any, rows: Any = ROWS, **how: Any) -> Replay:
    return Replay(setup_of(market_from(rows), *(strategies or (Strategy(),)), **how))


def own(replay: Replay, name: str = "s") -> Any:
    """The copy of a Python strategy that runs."""
    return replay._track.run.running[name].strategy  # type: ignore[union-attr]


def test_the_steps_are_those_of_the_loop() -> None:
    assert {s.name: s.value for s in Step} == {
        name.removeprefix("STEP_"): value
        for name, value in vars(state).items()
        if name.startswith("STEP_")
    }


def test_it_stands_where_it_is_told_to() -> None:
    replay = replay_of()
    assert (replay.bar, replay.place, replay.is_over) == (0, (0, Step.OPEN), False)
    replay.step()
    replay.step_phase()
    assert replay.place == (1, Step.ON_OPEN)
    replay.step()
    assert replay.place == (2, Step.OPEN)
    replay.seek(7, Step.CLOSE)
    assert replay.place == (7, Step.CLOSE)
    replay.seek(12)
    assert replay.is_over
    replay.step()
    replay.step_phase()
    assert replay.place == (12, Step.OPEN)
    replay.restart()
    assert (replay.bar, replay.is_over) == (0, False)


@pytest.mark.parametrize("bar", [-1, 13])
def test_a_bar_that_is_not_there(bar: int) -> None:
    replay = replay_of()
    with pytest.raises(UsageError, match="seek to one from 0 to 12"):
        replay.seek(bar)
    with pytest.raises(UsageError, match="is not there"):
        replay.audit(bar)
    assert replay.bar == 0


# --- by hand


@pytest.mark.parametrize("step", list(Step))
def test_a_market_order_fills_at_the_next_open_that_it_can_meet(step: Step) -> None:
    price = 103.0 if step <= Step.NEW else 104.0
    replay = replay_of()
    replay.seek(3, step)
    number = replay.hand().buy(2)
    assert replay.place == (3, step)
    assert number == 0
    replay.seek(6)
    (fill,) = replay._track.machine.fills()
    assert (fill["order"], fill["price"]) == (0, price)
    assert replay.positions()["s", "A"][:2] == (2.0, price)


@pytest.mark.parametrize(("step", "bar"), [(Step.NEW, 3), (Step.CLOSE, 3), (Step.LATE_NOTICES, 4)])
def test_an_order_on_the_close_makes_the_close_that_is_still_to_come(step: Step, bar: int) -> None:
    replay = replay_of()
    replay.seek(3, step)
    replay.hand().sell(1, at_close=True)
    replay.seek(12)
    (fill,) = replay._track.machine.fills()
    assert (fill["bar"], fill["price"]) == (bar, ROWS[bar][3])


def test_at_the_first_open_it_acts_like_on_open() -> None:
    replay = replay_of()
    replay.hand().buy(1)
    replay.seek(3)
    assert replay._track.machine.fills()["bar"].tolist() == [0]


def test_a_stop_and_a_target_are_moved_by_hand_on_the_position_of_a_strategy() -> None:
    class Long(Strategy):
        def on_close(self, now: Any) -> None:
            if now.bar == 0:
                now.buy(1, stop_loss=90.0, take_profit=200.0)

    replay = replay_of(Long())
    replay.seek(12)
    main = replay.digest
    replay.seek(5)
    hand = replay.hand(strategy="s")
    assert hand.position == (1.0, 101.0, 90.0, 200.0)
    hand.modify_stop_loss(103.0)
    hand.modify_take_profit(150.0)
    assert replay.line == "branch 1"
    assert [(o.role, o.stop_price) for o in replay.orders() if o.role is Role.STOP] == [
        (Role.STOP, 103.0)
    ]
    replay.step()
    (fill,) = replay._track.machine.fills()[1:]
    assert (fill["bar"], fill["price"]) == (5, 103.0)
    replay.go_over("main")
    assert replay.positions()["s", "A"] == (1.0, 101.0, 90.0, 200.0)
    replay.seek(12)
    assert replay.digest == main


def test_cancel_and_modify_by_hand() -> None:
    replay = replay_of()
    first = replay.hand().buy(1, limit=50.0)
    second = replay.hand().sell(1, stop=60.0)
    assert replay.line == "branch 1"
    replay.step()
    replay.hand().cancel(first)
    replay.hand().modify(second, stop=61.0, qty=3)
    (order,) = replay.orders()
    assert (order.order, order.type, order.side, order.qty, order.stop_price) == (
        second,
        OrderType.STOP,
        Side.SELL,
        3.0,
        61.0,
    )
    replay.seek(0)
    assert replay.orders() == []
    replay.step()
    assert [o.order for o in replay.orders()] == [second]


def test_a_command_before_a_later_one_begins_another_branch() -> None:
    replay = replay_of()
    replay.seek(6)
    replay.hand().buy(1)
    replay.step()
    replay.hand().buy(1)
    assert replay.lines == ("main", "branch 1")
    replay.seek(7)
    assert replay.positions()["s", "A"].qty == 1.0
    replay.seek(4)
    replay.hand().sell(5)
    assert replay.line == "branch 2"
    replay.seek(12)
    assert replay.positions()["s", "A"].qty == -5.0
    replay.go_over("branch 1")
    assert replay.positions()["s", "A"].qty == 2.0


def test_branches_have_names() -> None:
    replay = replay_of()
    assert replay.branch("mine") == "mine"
    replay.hand().buy(1)
    assert replay.line == "mine"
    with pytest.raises(UsageError, match="'mine' already"):
        replay.branch("mine")
    with pytest.raises(NotFoundError, match=r"unknown line 'main1'.*'main'"):
        replay.go_over("main1")
    replay.restart()
    assert (replay.line, replay.lines, replay.orders()) == ("main", ("main", "mine"), [])


def test_what_a_hand_cannot_do() -> None:
    replay = replay_of()
    with pytest.raises(NotFoundError, match="unknown symbol 'B'"):
        replay.hand("B")
    with pytest.raises(NotFoundError, match="unknown strategy 't'"):
        replay.hand(strategy="t")
    with pytest.raises(OrderError, match="qty is 0"):
        replay.hand().buy(0)
    assert replay.lines == ("main",)
    replay.seek(12)
    with pytest.raises(UsageError, match="the run is over"):
        replay.hand().buy(1)
    assert replay.lines == ("main",)


def test_more_commands_than_the_inbox_holds() -> None:
    replay = replay_of()
    replay.seek(3, Step.NEW)
    hand = replay.hand()
    count = len(replay._track.machine.book.inbox) + 10
    for _ in range(count):
        hand.buy(1)
    replay.seek(0)
    replay.seek(4)  # more orders than there were slots, taken from the line's memory
    assert replay.positions()["s", "A"].qty == count


def test_slots_that_have_grown_come_and_go_with_the_jumps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Crowd(Strategy):
        def on_close(self, now: Any) -> None:
            for k in range(40):
                now.buy(1, limit=10.0 + now.bar + k)

    setup = setup_of(walk(40), Crowd())
    monkeypatch.setattr("intrabar.engine.replay.track.COPYING", 1e9)
    replay = Replay(setup)
    replay._track.spacing = 5
    for bar in (40, 3, 38, 0, 21, 20, 40):
        replay.seek(bar)
        assert replay.digest == Plain(setup, (), (bar, 0)).state()[0]


# --- what is known


def test_bars_are_known_as_far_as_the_run_has_come() -> None:
    replay = replay_of()
    assert len(replay.bars().time) == 0
    shown = {}
    for step in Step:
        replay.seek(3, step)
        bars = replay.bars(last=2)
        shown[step] = [~np.isnan(x[-1]) for x in bars[1:]] if len(replay.bars().time) == 4 else None
    assert shown[Step.OPEN] is None
    for step in (Step.ON_OPEN, Step.NEW, Step.INTRABAR):
        assert shown[step] == [True, False, False, False, False]
    for step in (Step.NOTICES, Step.CLOSE):
        assert shown[step] == [True, True, True, False, False]
    for step in (Step.LATE_NOTICES, Step.ON_CLOSE, Step.END):
        assert shown[step] == [True] * 5
    assert replay.bars(last=2).high.tolist() == [ROWS[2][1], ROWS[3][1]]
    replay.seek(12)
    assert replay.bars("A").close.tolist() == [row[3] for row in ROWS]
    with pytest.raises(NotFoundError):
        replay.bars("B")


def test_what_it_shows_cannot_change_the_run() -> None:
    replay = replay_of()
    replay.hand().buy(1)
    replay.seek(6)
    before = replay.digest
    replay.bars().close[:] = 0.0
    replay.equity()[:] = 0.0
    assert replay.digest == before
    assert replay.equity(last=2).tolist() == replay.equity().tolist()[-2:]
    assert len(replay.equity()) == 6


def test_ruin_ends_the_way_forward_and_not_the_way_back() -> None:
    rows = [[100.0] * 4] * 3 + [[100.0, 100.0, 1.0, 1.0]] + [[1.0] * 4] * 3
    replay = replay_of(rows=rows, cash=1000.0)
    replay.step()
    replay.hand().buy(11)
    replay.seek(7)
    ruin = replay.place
    assert (replay.is_over, replay.status, ruin.bar) == (True, RunStatus.RUINED, 3)
    assert replay.bars().close.tolist() == [100.0, 100.0, 100.0, 1.0]
    assert len(replay.equity()) == 4
    with pytest.raises(UsageError, match="the run is over"):
        replay.hand().buy(1)
    replay.seek(3)
    assert replay.status is RunStatus.FINISHED
    replay.go_over("main")
    replay.seek(7)
    assert (replay.status, replay.bar) == (RunStatus.FINISHED, 7)
    replay.go_over("branch 1")
    assert replay.place == ruin


# --- Python strategies


def test_what_a_strategy_remembers_goes_back_with_it() -> None:
    replay = Replay(everyone(3))
    for bar in (30, 5, 17, 40, 0):
        replay.seek(bar)
        assert state_of(replay._track.run) == Plain(replay.setup, (), (bar, 0)).state()
    assert own(replay, "busy").heard == ["start"]
    assert replay.setup.strategies["busy"].heard == []  # type: ignore[union-attr]


@dataclass(slots=True)
class Slotted(Strategy):
    count: int = 0
    heard: list[int] = field(default_factory=list)

    def on_close(self, now: Any) -> None:
        self.count += 1
        self.heard.append(now.bar)


def test_a_strategy_with_slots_goes_back_as_well() -> None:
    replay = replay_of(Slotted())
    replay.seek(9)
    replay.seek(4)
    assert (own(replay).count, own(replay).heard) == (4, [0, 1, 2, 3])


class Stops(Strategy):
    def __init__(self) -> None:
        self.stopped = 0

    def on_stop(self) -> None:
        self.stopped += 1


def test_a_strategy_is_told_of_the_end_each_time_it_comes_there() -> None:
    replay = replay_of(Stops())
    replay.seek(12)
    replay.seek(12)
    assert own(replay).stopped == 1
    replay.seek(3)
    assert own(replay).stopped == 0
    replay.seek(12)
    assert own(replay).stopped == 1


def test_what_cannot_be_copied_is_named(tmp_path: Path) -> None:
    class Writes(Strategy):
        def on_start(self) -> None:
            self.file = file

    said = r"Writes cannot be copied.*'file' \(TextIOWrapper\)"
    with (tmp_path / "log").open("w") as file, pytest.raises(StrategyError, match=said):
        replay_of(Writes())


class Fails(Strategy):
    def __init__(self) -> None:
        self.count = 0

    def on_open(self, now: Any) -> None:
        self.count += 1
        now.buy(1, limit=1.0)
        if now.bar == 7:
            raise ValueError("no")


def test_after_an_exception_it_stands_before_the_step_that_failed() -> None:
    replay = replay_of(Busy(), Fails())
    for _ in range(2):
        with pytest.raises(StrategyError, match="Fails failed at OPEN of bar 7"):
            replay.seek(12)
        assert replay.place == (7, Step.ON_OPEN)
        assert own(replay, "s1").count == 7
        assert len([o for o in replay.orders() if o.strategy == "s1"]) == 7
    replay.seek(2)
    with pytest.raises(StrategyError, match="at OPEN of bar 7"):
        replay.audit(7)
    assert replay.place == (2, Step.OPEN)
    assert state_of(replay._track.run) == Plain(replay.setup, (), (2, 0)).state()


@pytest.mark.parametrize("every", [1, 4, 11])
def test_a_jump_forward_finds_orders_done(every: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """An order that works where the replay went back to is done again where it jumps to."""
    setup = everyone(7)
    end, digest = len(setup.market), Plain(setup).state()[0]
    replay = often_kept(setup, every, monkeypatch)
    for back in (30, 9, 22, 3, 35, 16):
        replay.seek(end)
        assert replay.digest == digest
        replay.seek(back)
        replay.step()
    replay.seek(end)
    assert replay.digest == digest
