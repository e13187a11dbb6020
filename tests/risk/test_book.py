"""The book that a check reads, held against what a replay and a run show of the same machine."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import numpy as np
import pytest

from intrabar.engine.outcome.result import finish
from intrabar.engine.replay.replay import Replay
from intrabar.engine.run import Run
from intrabar.engine.scenario.scenario import scenario_machine
from intrabar.model.enums import RunStatus, Settlement
from intrabar.risk.book import Ages, Earned, book_of, request_of, view_of
from intrabar.risk.records import Working
from intrabar.sim import state
from intrabar.sim.inbox import waiting
from tests.engine.replay.replays import everyone
from tests.generators import random_scenario

EACH = range(state.STEP_ON_OPEN, state.STEP_END + 1)


@pytest.mark.parametrize("seed", range(4))
def test_the_book_is_what_a_replay_shows_at_every_step(seed):
    setup = everyone(seed)
    replay = Replay(setup)
    strategies, machine = tuple(setup.strategies), replay._machine
    held = orders = 0
    while not replay.is_over:
        replay.step_phase()
        book = book_of(machine, strategies)
        shown = replay.positions()
        assert {(s.strategy, s.symbol): s.qty for s in book.sleeves} == {
            name: p.qty for name, p in shown.items()
        }
        stops = [p.stop for p in shown.values()]
        assert repr([s.stop for s in book.sleeves]) == repr(stops)
        working = sorted(book.working, key=lambda w: w.id)
        assert [as_shown(w) for w in working] == [as_told(o) for o in replay.orders()]
        for symbol in setup.market.symbols:
            assert_marked(replay, symbol, book.marks[symbol])
        held, orders = held + len(book.sleeves), orders + len(working)
    assert held > 100
    assert orders > 100


def as_shown(w: Working) -> tuple[object, ...]:
    prices = repr((w.limit_price, w.stop_price))
    return w.id, w.strategy, w.symbol, w.side, w.qty, w.filled, w.type, w.protective, prices


def as_told(o: object) -> tuple[object, ...]:
    prices = repr((o.limit_price, o.stop_price))
    is_cover = o.role.word in ("stop", "target")
    return o.order, o.strategy, o.symbol, o.side, o.qty, o.filled, o.type.word, is_cover, prices


def assert_marked(replay: Replay, symbol: str, mark: float) -> None:
    """The mark is the last price of the bars so far: the open until the bar is over."""
    bars = replay.bars(symbol)
    prices = [x for pair in zip(bars.open, bars.close, strict=True) for x in pair]
    known = [x for x in prices if not math.isnan(x)]
    assert repr(mark) == repr(float(known[-1]) if known else math.nan)


def test_equity_and_contributions_are_those_of_random_scenarios():
    rows = contributions = 0
    for n in range(120):
        scenario = random_scenario(random.Random(f"book/{n}"))
        machine, _ = scenario_machine(scenario)
        earned = Earned(machine)
        sums = machine.account.settlement is Settlement.NONE or machine.market.fx is None
        for bar in range(len(machine.market)):
            if machine.status is RunStatus.RUINED:
                break
            for step in EACH:
                machine.advance(bar, step)
                earned.by_strategy()
            if machine.status is RunStatus.RUINED:
                break
            book = book_of(machine, ["script"], earned)
            assert book.equity == machine.tape.equity[bar]
            assert {s.symbol: s.qty for s in book.sleeves} == pytest.approx(filled(machine))
            rows += 1
            if sums:
                interest = machine.ledger()[machine.ledger()["strategy"] < 0]["amount"].sum()
                won = book.equity - machine.account.cash - interest
                assert book.earned["script"] == pytest.approx(won, rel=1e-9, abs=1e-6), n
                contributions += won != 0.0
    assert rows > 700
    assert contributions > 200


def filled(machine: object) -> dict[str, float]:
    """The positions that the fills leave, by the last one of each symbol."""
    left = {machine.market.symbols[f["instrument"]]: float(f["position"]) for f in machine.fills()}
    return {symbol: qty for symbol, qty in left.items() if qty}


@pytest.mark.parametrize("seed", range(3))
def test_contributions_of_several_add_up_and_outlive_records_that_are_given_away(seed):
    whole, cut = Run(everyone(seed)), Run(everyone(seed))
    names = tuple(whole.setup.strategies)
    one, two = Earned(whole.machine), Earned(cut.machine)
    for bar in range(1, len(whole.setup.market)):
        for run in (whole, cut):
            run.machine.advance(bar)
        a, b = book_of(whole.machine, names, one), book_of(cut.machine, names, two)
        assert a.earned == pytest.approx(b.earned, abs=1e-9)
        assert sum(a.earned.values()) == pytest.approx(a.equity - 20_000.0, abs=1e-6)
        assert a.equity == whole.machine.tape.equity[bar - 1]
        if bar % 7 == 0:
            cut.machine.hand_over()
    assert len({round(x, 2) for x in a.earned.values()}) > 3


def test_contributions_are_those_of_the_campaigns():
    setup = everyone(1, bars=80)
    run = Run(setup)
    earned = Earned(run.machine)
    names = tuple(setup.strategies)
    run.machine.advance()
    book = book_of(run.machine, names, earned)
    table = finish(Run(setup)).campaigns
    for name in names:
        own = table.filter(table["strategy"] == name)
        told = own["gross"].sum() - own["costs"].sum()
        assert book.earned[name] == pytest.approx(told, abs=1e-6)


def test_commands_are_asked_as_they_stand_in_the_inbox():
    setup = everyone(2, bars=300, missing=0.0)
    run, names, symbols = Run(setup), tuple(setup.strategies), setup.market.symbols
    kinds = set()
    for bar in range(len(setup.market)):
        for step in (state.STEP_NEW, state.STEP_CLOSE, state.STEP_ON_CLOSE, state.STEP_END):
            run.machine.advance(bar, step)
            commands = waiting(run.machine.book)
            assert len(commands) == run.machine.book.account["inbox"][0]
            book = book_of(run.machine, names)
            for command in commands:
                request = request_of(command, book, names, symbols)
                if request is None:
                    continue
                order = request.order
                kinds.add(request.kind)
                assert order.strategy == names[command["strategy"]] or request.kind == "cancel"
                if request.kind == "submit":
                    assert (order.id, order.qty) == (command["id"], command["qty"])
                    assert order.symbol == symbols[command["instrument"]]
                    assert repr(order.stop) == repr(float(command["stop_loss"]))
    assert {"submit", "move"} <= kinds


def test_a_change_counts_as_the_order_that_it_makes():
    run = Run(everyone(2))
    names, symbols = tuple(run.setup.strategies), run.setup.market.symbols
    run.machine.advance(len(run.setup.market) // 2)
    while not book_of(run.machine, names).working:
        run.machine.advance(run.machine.bar + 1)
    book = book_of(run.machine, names)
    order = book.working[0]
    command = np.zeros(1, state.COMMAND)[0]
    command["kind"], command["id"] = state.MODIFY, order.id
    for name in ("qty", "limit_price", "stop_price"):
        command[name] = np.nan
    assert request_of(command, book, names, symbols).order == order
    command["qty"], command["stop_price"] = 77.0, 55.0
    changed = request_of(command, book, names, symbols)
    assert changed.kind == "modify"
    assert changed.order == order._replace(qty=77.0, stop_price=55.0)
    command["id"] = 10_000
    assert request_of(command, book, names, symbols) is None


def test_an_age_is_that_of_the_last_bar_whatever_is_in_memory():
    setup = everyone(5, bars=80, missing=0.6)
    run = Run(setup)
    opens, period = setup.market.open, setup.market.period
    ages = Ages(run.machine, lambda calendar, since, until, period: 0)
    seen = set()
    for bar in range(len(setup.market)):
        run.machine.advance(bar, state.STEP_NEW)
        if bar % 3 == 0:
            ages.read()
        now = int(setup.market.time[bar])
        view = view_of(run.machine, [0, 1], ages, now)
        for j, symbol in enumerate(("A", "B")):
            real = np.flatnonzero(~np.isnan(opens[: bar + 1, j]))
            rows = bar - real[-1] if len(real) else math.inf
            assert view[symbol].age == rows * period / 1e9
            seen.add(rows)
    assert len(seen) > 3


def test_an_age_without_a_calendar_is_no_more_than_the_clock_counts():
    setup = everyone(5, bars=80, missing=0.6)
    run = Run(setup)
    ages = Ages(run.machine, lambda calendar, since, until, period: 0)
    real = ~np.isnan(setup.market.open[:, 0])
    bar = next(bar for bar in range(40, 80) if not real[bar])
    run.machine.advance(bar, state.STEP_NEW)
    last = int(setup.market.time[np.flatnonzero(real[:bar])[-1]])
    assert view_of(run.machine, [0], ages, last + 1_000_000_000)["A"].age == 1.0


def test_an_age_counts_the_time_in_session_by_the_calendar():
    asked = []

    def in_session(*given):
        asked.append(given)
        return 7_000_000_000

    setup = everyone(5, bars=80, missing=0.6)
    named = tuple(replace(x, calendar="NYSE") for x in setup.instruments)
    run = Run(replace(setup, instruments=named))
    ages = Ages(run.machine, in_session)
    run.machine.advance(60, state.STEP_NEW)
    real = ~np.isnan(setup.market.open[:61])
    view = view_of(run.machine, [0, 1], ages, int(setup.market.time[60]))
    for j, symbol in enumerate(("A", "B")):
        assert view[symbol].age == (0.0 if real[60, j] else 7.0)
    assert all(calendar == "NYSE" and since < until for calendar, since, until, _ in asked)
