"""Wherever a replay has been before, it stands where the plain run stands: digest and memories."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intrabar.engine.replay.replay import Replay
from intrabar.engine.run import Setup
from intrabar.engine.scenario.scenario import scenario_machine
from intrabar.model.enums import RunStatus, Side
from intrabar.model.event import Step
from intrabar.sim import state
from intrabar.strategy.strategy import Strategy
from tests.engine.replay.replays import (
    Act,
    Given,
    Plain,
    everyone,
    moment,
    often_kept,
    order_of,
    state_of,
)
from tests.generators import random_scenario, scenarios

CALM = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)


class Wanderer:
    """Moves a replay about at random, and knows what each line has been commanded."""

    def __init__(self, replay: Replay, rng: random.Random) -> None:
        self.replay, self.rng = replay, rng
        self.given: dict[str, list[Given]] = {"main": []}
        self.branches = 0

    def check(self) -> None:
        """The replay is where a plain run of its line is."""
        replay = self.replay
        known = self.given[replay.line]
        plain = Plain(replay.setup, known, (replay.place.bar, int(replay.place.step)))
        assert state_of(replay._track.run) == plain.state()

    def move(self) -> None:
        """One random move."""
        replay, rng = self.replay, self.rng
        kind = rng.randrange(12)
        if kind < 2:
            replay.step()
        elif kind < 4:
            replay.step_phase()
        elif kind < 7:
            bar = rng.randint(0, len(replay.setup.market))
            last = bar == len(replay.setup.market)
            replay.seek(bar, Step.OPEN if last else Step(rng.randrange(9)))
        elif kind == 7:
            replay.go_over(rng.choice(replay.lines))
        elif kind == 8 and rng.random() < 0.3:
            replay.restart()
        elif kind == 8:
            self.branch()
        elif not replay.is_over:
            self.command()

    def branch(self) -> None:
        """A branch begins with what has been commanded up to here."""
        given, place = self.given[self.replay.line], tuple(self.replay.place)
        self.given[self.replay.branch()] = [g for g in given if g[0] <= place]

    def command(self) -> None:
        """Something by hand, for the position of somebody."""
        replay, rng = self.replay, self.rng
        symbol, strategy = rng.choice("AB"), rng.choice(list(replay.setup.strategies))
        at = moment(*replay.place)
        line = replay.line
        act, asked = self.random_act(), len(replay._track.line.by_hand)
        act(replay.hand(symbol, strategy))
        if replay.line == line and len(replay._track.line.by_hand) == asked:
            return  # while flat there is no stop to move
        known = self.given[line]
        ahead = [g for g in known if g[0] > at]
        assert (replay.line == line) == (line != "main" and not ahead)
        self.given[replay.line] = [g for g in known if g[0] <= at] + [(at, symbol, strategy, act)]

    def random_act(self) -> Act:
        rng, number = self.rng, self.rng.randrange(60)
        price = 100.0 * (1 + rng.uniform(-0.02, 0.02))
        qty = rng.randint(1, 20)
        return rng.choice(
            [
                lambda v: v.buy(qty, stop_loss=price * 0.98, take_profit=price * 1.02),
                lambda v: v.sell(qty, limit=price),
                lambda v: v.buy(qty, stop=price, tif="day"),
                lambda v: v.sell(qty, at_close=True),
                lambda v: v._desk.put(state.CANCEL, id=number),
                lambda v: v._desk.put(state.MODIFY, id=number, stop_price=price),
                lambda v: v.modify_stop_loss(price * 0.99),
                lambda v: v.modify_take_profit(price * 1.01),
            ]
        )


@CALM
@given(st.integers(0, 2**32))
def test_any_way_through_a_replay_leads_to_the_plain_run(seed: int) -> None:
    rng = random.Random(seed)
    with pytest.MonkeyPatch.context() as patch:
        replay = often_kept(everyone(rng.randrange(50)), rng.choice((1, 3, 7, 50)), patch)
        if rng.random() < 0.5:
            replay.subscribe(lambda event: None)
        wanderer = Wanderer(replay, rng)
        for _ in range(20):
            wanderer.move()
            wanderer.check()
        for name in replay.lines:
            replay.go_over(name)
            replay.seek(len(replay.setup.market))
            wanderer.check()


def by_hand(scenario: dict) -> Setup:
    """The market and the account of a scenario, and a strategy that leaves all orders to a hand."""
    machine, _ = scenario_machine(scenario)
    hand = {"hand": Idle()}
    return Setup(machine.market, tuple(machine.instruments), hand, machine.account)


class Idle(Strategy):
    """Is called as a script is, and does nothing."""

    def on_open(self, now: Any) -> None:
        pass

    def on_close(self, now: Any) -> None:
        pass


def fit_for_hands(scenario: dict) -> dict:
    """Without what the orders of a strategy cannot say: no quantity, a price that does not fit."""
    wanted = {"market": (), "moc": (), "limit": ("limit_price",), "stop": ("stop_price",)}
    wanted["stop_limit"] = ("limit_price", "stop_price")
    wanted["trailing_stop"] = ("stop_price", "trail")
    lots = {x["symbol"]: x.get("lot", 1) for x in scenario["instruments"]}
    orders = []
    for given_order in scenario["orders"]:
        order = dict(given_order)
        if "id" in order:
            order["qty"] = order["qty"] if order["qty"] > 0 else lots[order["symbol"]]
            for name in ("limit_price", "stop_price", "trail"):
                if name not in wanted[order["type"]]:
                    order.pop(name, None)
        orders.append(order)
    return {**scenario, "orders": orders}


def give_all(scenario: dict, rng: random.Random) -> Replay:
    """Run a scenario by pausing where its orders are due and giving them by hand."""
    replay = Replay(by_hand(scenario))
    _, script = scenario_machine(scenario)
    ids = script.ids
    script.machine = replay._track.machine  # which knows the numbers of children
    due = sorted(scenario["orders"], key=lambda o: (o["at"], o["phase"] == "close"))
    for order in due:
        if order.get("id") in script.waiting and not order.get("oco"):
            order = {**order, "oco": script.waiting[order["id"]]}
        bar, steps = order["at"], [Step.ON_CLOSE, Step.END]
        if order["phase"] == "open":
            steps = [Step.ON_OPEN, Step.NEW]
        elif bar + 1 < len(replay.setup.market):
            steps.append(Step.OPEN)
        step = rng.choice(steps)
        target = (bar + 1 if order["phase"] == "close" and step is Step.OPEN else bar, step)
        if target < replay.place:  # an earlier one was given at the latest moment of this phase
            target = tuple(replay.place)
        if rng.random() < 0.3:
            replay.seek(rng.randint(0, bar))
        replay.seek(*target)
        if replay.is_over:
            break
        order = {**order, "side": Side.BUY if order.get("side") == "buy" else Side.SELL}
        order_of(order, ids, script.order_id)(replay.hand(order.get("symbol", "")))
    replay.seek(len(replay.setup.market))
    return replay


def check_by_hand(scenario: dict, rng: random.Random) -> bool:
    scenario = fit_for_hands(scenario)
    machine, script = scenario_machine(scenario)
    machine.advance()
    assert script.ids is not None
    replay = give_all(scenario, rng)
    assert replay.digest == machine.digest()
    replay.seek(0)
    replay.seek(len(replay.setup.market))
    assert replay.digest == machine.digest()
    return machine.status is RunStatus.RUINED


@CALM
@given(scenarios(), st.integers(0, 2**32))
def test_orders_by_hand_do_what_those_of_a_strategy_do(scenario: dict, seed: int) -> None:
    check_by_hand(scenario, random.Random(seed))


@pytest.mark.parametrize("block", range(2))
def test_orders_by_hand_equal_a_strategy_on_seeded_scenarios(block: int) -> None:
    rng = random.Random(f"replay/{block}")
    ruined = [check_by_hand(random_scenario(rng), rng) for _ in range(60)]
    assert len(ruined) == 60
