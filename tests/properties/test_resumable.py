"""However a run is split up, it leaves the same bits: Machine.digest() after the last bar."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intrabar.engine.run import Run
from intrabar.engine.scenario.scenario import ScriptedOrders, scenario_machine
from intrabar.exits import FixedRatio
from intrabar.model.enums import RunStatus
from intrabar.model.instrument import Instrument
from intrabar.sim import state
from intrabar.sim.loop import ENDED
from intrabar.sim.machine import Machine
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import MovingAverageCrossover
from intrabar.strategy.signals import Signals
from intrabar.strategy.weights import Weights
from tests.generators import random_scenario, scenarios
from tests.strategy.markets import setup_of, walk

SEEDED = 150
CALM = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def is_over(machine: Machine) -> bool:
    return machine.status is RunStatus.RUINED or machine.bar >= len(machine.market)


def at_one_go(scenario: dict) -> str:
    machine, script = scenario_machine(scenario)
    assert machine.advance() == ENDED
    assert script.ids is not None  # the hooks live as long as the script
    return machine.digest()


def in_chunks(scenario: dict, rng: random.Random) -> str:
    machine, script = scenario_machine(scenario)
    bar = 0
    while not is_over(machine):
        bar += rng.randint(0, 3)
        machine.advance(bar, rng.randint(state.STEP_OPEN, state.STEP_END))
    assert script.ids is not None
    return machine.digest()


def by_every_step(scenario: dict) -> str:
    machine, script = scenario_machine(scenario)
    while not is_over(machine):
        bar = machine.bar
        for step in range(state.STEP_ON_OPEN, state.STEP_END + 1):
            machine.advance(bar, step)
        machine.advance(bar + 1)
    assert script.ids is not None
    return machine.digest()


def stopping_hooks(machine: Machine, script: ScriptedOrders, rng: random.Random) -> None:
    """Connect hooks that do what the script says, and at times ask for control back."""

    def made(phase: str) -> Callable[[int], None]:
        def hook(bar: int) -> None:
            script.submit_all(phase, bar)
            machine.book.account["stop"] = rng.random() < 0.5

        return hook

    machine.connect(0, machine.python_hooks(on_open=made("open"), on_close=made("close")))


def with_stops(scenario: dict, rng: random.Random) -> tuple[str, int]:
    machine, script = scenario_machine(scenario)
    stopping_hooks(machine, script, rng)
    pauses = 0
    while machine.advance() != ENDED:
        pauses += 1
    return machine.digest(), pauses


def rewound(scenario: dict, rng: random.Random) -> set[str]:
    """Run on from a snapshot: on the same machine after it has reached the end, and on another."""
    machine, script = scenario_machine(scenario)
    machine.advance(rng.randint(0, len(machine.market)), rng.randint(0, state.STEP_END))
    saved, small, ids = machine.snapshot(), machine.checkpoint(), dict(script.ids)
    machine.advance()
    digests = {machine.digest()}
    for go_back in (lambda: machine.restore(saved), lambda: machine.return_to(small)):
        go_back()
        script.ids.clear()
        script.ids.update(ids)
        machine.advance()
        digests.add(machine.digest())
    other, other_script = scenario_machine(scenario)
    other.restore(saved)
    other_script.ids.update(ids)
    other.advance()
    return digests | {other.digest()}


def asleep(scenario: dict) -> tuple[Machine, ScriptedOrders]:
    """A machine that wakes the script only where it has something to ask for."""
    machine, script = scenario_machine(scenario)
    machine.tape.wake[:] = 0
    for phase, bar in script.script:
        bits = state.WAKE_OPEN if phase == "open" else state.WAKE_FLAT | state.WAKE_HELD
        machine.tape.wake[bar, 0] |= bits
    return machine, script


def quiet(scenario: dict) -> str:
    machine, script = asleep(scenario)
    machine.advance()
    assert script.ids is not None
    return machine.digest()


def never_quiet(scenario: dict) -> str:
    """Bars that are stepped into are always worked through."""
    machine, script = asleep(scenario)
    while not is_over(machine):
        machine.advance(machine.bar, state.STEP_ON_OPEN)
        machine.advance(machine.bar + 1)
    assert script.ids is not None
    return machine.digest()


def check(scenario: dict, rng: random.Random) -> None:
    expected = at_one_go(scenario)
    assert in_chunks(scenario, rng) == expected
    assert by_every_step(scenario) == expected
    assert with_stops(scenario, rng)[0] == expected
    assert rewound(scenario, rng) == {expected}
    assert quiet(scenario) == expected
    assert never_quiet(scenario) == expected


@CALM
@given(scenarios(), st.integers(0, 2**32))
def test_a_split_run_equals_the_run_at_one_go(scenario: dict, seed: int) -> None:
    check(scenario, random.Random(seed))


@pytest.mark.parametrize("block", range(3))
def test_a_split_run_equals_the_run_at_one_go_on_seeded_scenarios(block: int) -> None:
    for n in range(SEEDED // 3):
        rng = random.Random(f"resumable/{block}/{n}")
        check(random_scenario(rng), rng)


def ended() -> dict:
    """B is bought at its first open and has no bar after its third, whose close is its last."""
    a = [[10.0, 10.0, 10.0, 10.0, 100]] * 12
    b = [[5.0, c, 5.0, c, 100] if c else None for c in (5.0, 5.5, 6.0, *[0] * 9)]
    order = {"at": 0, "phase": "open", "symbol": "B", "side": "buy", "qty": 1, "type": "market"}
    return {
        "instruments": [{"symbol": "A"}, {"symbol": "B"}],
        "account": {"cash": 1000, "close_delisted": True},
        "bars": {"A": a, "B": b},
        "orders": [{"id": "o", **order}],
    }


def test_what_ends_while_nobody_looks_is_closed_at_its_last_close() -> None:
    check(ended(), random.Random(1))
    machine, _ = asleep(ended())
    machine.advance()
    assert machine.book.fills["price"][:2].tolist() == [5.0, 6.0]


def test_a_pause_behind_passed_bars_shows_the_last_close() -> None:
    machine, _ = asleep(ended())
    machine.advance(3)
    assert machine.book.instruments["mark"].tolist() == [10.0, 6.0]


def test_an_order_that_opens_have_passed_is_a_maker() -> None:
    order = {"at": 0, "phase": "close", "symbol": "A", "side": "buy", "qty": 1, "type": "limit"}
    scenario = {
        "instruments": [{"symbol": "A", "commission_rate": 0.01, "maker_rate": 0.001}],
        "account": {"cash": 1000},
        "bars": {"A": [*[[10.0, 10.0, 10.0, 10.0, 100]] * 4, [8.0, 8.0, 8.0, 8.0, 100]]},
        "orders": [{"id": "o", **order, "limit_price": 9.0}],
    }
    check(scenario, random.Random(1))
    machine, _ = asleep(scenario)
    machine.advance()
    assert machine.book.fills["cost"][0] == pytest.approx(0.008)


def test_hooks_do_stop_the_loop() -> None:
    """Else the property above would hold for want of stops."""
    pauses = [with_stops(random_scenario(random.Random(n)), random.Random(n))[1] for n in range(20)]
    assert sum(pauses) > 20


def test_a_long_calm_run_is_passed_quietly_to_the_same_bits() -> None:
    """A position, a far stop and margin over 500 bars on which nothing happens, then a fill."""
    rng = np.random.default_rng(7)
    closes = 100 + np.cumsum(rng.normal(0, 0.02, 500)).round(2)
    bars = [[c, c + 0.5, c - 0.5, c, 1] for c in closes.tolist()]
    bars += [None, [60, 61, 59, 60, 1]]
    scenario = {
        "instruments": [{"symbol": "A", "initial_margin": 10, "maintenance_margin": 5}],
        "bars": {"A": bars},
        "orders": [
            {"id": "in", "at": 3, "phase": "open", "symbol": "A", "side": "buy", "qty": 3}
            | {"type": "market", "stop_loss": 80, "take_profit": 130}
        ],
    }
    expected = at_one_go(copy.deepcopy(scenario))
    assert quiet(scenario) == never_quiet(scenario) == expected


@pytest.mark.parametrize("seed", range(8))
def test_what_is_sized_by_equity_is_the_same_on_calm_and_on_stepped_bars(seed: int) -> None:
    """A calm bar is left at its close: the hook must see the equity of that close."""
    n = 1 + seed % 3
    market = walk(400, seed, ("A", "B", "C")[:n], missing=0.1 if seed % 2 else 0.0)
    weights = np.full((400, n), np.nan)
    weights[::7] = np.random.default_rng(seed).uniform(-0.5, 0.5, weights[::7].shape)
    bot = Bot(MovingAverageCrossover(3, 8), FixedRatio(5), risk_fraction=0.02)
    for strategy in (Weights(weights), bot):
        whole, stepped = Run(setup_of(market, strategy)), Run(setup_of(market, strategy))
        whole.machine.advance()
        for bar in range(400):
            stepped.machine.advance(bar, state.STEP_INTRABAR)
        stepped.machine.advance()
        assert len(whole.machine.fills()) > 5
        assert stepped.machine.digest() == whole.machine.digest()


def held_close_to_the_margin(seed: int) -> Run:
    """Stretches of all lengths without an order, gaps, and margin calls in the middle of them."""
    rng = np.random.default_rng(seed)
    market = walk(600, seed, missing=0.05 if seed % 2 else 0.0)
    side = np.where(rng.random(600) < 0.05, rng.choice([1.0, -1.0, 0.0], 600), np.nan)
    traded = [Instrument("A", 0.01, initial_margin_rate=0.9, maintenance_margin_rate=0.89)]
    return Run(setup_of(market, Signals(side, qty=100), instruments=traded, cash=9_500.0))


@pytest.mark.parametrize("seed", range(12))
def test_a_position_valued_eight_closes_at_a_time_is_that_of_every_close(seed: int) -> None:
    runs = [held_close_to_the_margin(seed) for _ in range(2)]  # hooks live as long as they do
    whole, stepped = (run.machine for run in runs)
    whole.advance()
    for bar in range(600):
        stepped.advance(bar)
    stepped.advance()
    assert stepped.digest() == whole.digest()
    # Cash and position at each close, by the fills alone.
    fills, done = whole.fills(), whole.bars_done
    traded = fills["side"] * fills["qty"]
    held = np.append(0.0, np.cumsum(traded))
    spent = np.append(0.0, np.cumsum(traded * fills["price"]))
    last = np.searchsorted(fills["bar"], np.arange(done), "right")
    worth = 9_500.0 + held[last] * whole.market.close[:done, 0] - spent[last]
    np.testing.assert_allclose(whole.tape.equity[:done], worth, rtol=1e-12)


def test_the_runs_above_have_margin_calls_and_long_stretches() -> None:
    runs = [held_close_to_the_margin(seed) for seed in range(12)]
    machines = [run.machine for run in runs]
    for machine in machines:
        machine.advance()
    assert sum(int(m.book.account["margin_calls"][0]) for m in machines) > 5
    assert max(np.diff(m.fills()["bar"]).max(initial=0) for m in machines) > 40
