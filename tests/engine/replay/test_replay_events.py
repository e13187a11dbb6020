"""What a replay tells while it goes: every event, in order, with the reasons; and its pace."""

from __future__ import annotations

import random
import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intrabar.engine.replay.replay import Replay
from intrabar.errors import ConfigError, UsageError
from intrabar.model.enums import FillReason, Gate, OrderStatus, Phase, Reject, RunStatus
from intrabar.model.event import (
    BacktestFinished,
    BarAdvanced,
    BarClosed,
    BarUpdated,
    CashMoved,
    EntryBlocked,
    InstrumentActed,
    Jumped,
    OrderChanged,
    OrderFilled,
    Step,
)
from intrabar.model.instrument import Instrument
from intrabar.strategy.bot import Bot
from intrabar.strategy.strategy import Strategy
from tests.engine.replay.replays import Plain, everyone, order_of
from tests.engine.replay.test_replay import Fails, replay_of
from tests.generators import random_scenario
from tests.properties.test_replay import by_hand, fit_for_hands
from tests.strategy.markets import Points, Told, flat_market, market_from, setup_of, walk

STEPS = len(Step)


class Script(Strategy):
    """The orders of a scenario, as a strategy gives them."""

    def __init__(self, orders: list[dict]) -> None:
        self.orders = orders
        self.ids: dict[str, int] = {}

    def act(self, now: Any, phase: str) -> None:
        for order in self.orders:
            if (order["at"], order["phase"]) == (now.bar, phase):
                symbol = order.get("symbol", now.symbol)
                side = {"side": 1 if order.get("side") == "buy" else -1}
                number_of = lambda name: self.ids.get(name, -1)  # noqa: E731
                order_of({**order, **side}, self.ids, number_of)(now.of(symbol))

    def on_open(self, now: Any) -> None:
        self.act(now, "open")

    def on_close(self, now: Any) -> None:
        self.act(now, "close")


def told(replay: Replay) -> list[Any]:
    """Everything that is told from here to the end, bar by bar."""
    events: list[Any] = []
    end = replay.subscribe(events.append)
    while not replay.is_over:
        replay.step()
    end()
    return events


def of_kind(events: list[Any], kind: type) -> list[Any]:
    return [e for e in events if isinstance(e, kind)]


def check_whole(replay: Replay) -> None:
    """Of one run from its first bar to its end: nothing missing, nothing twice, in order."""
    events = told(replay)
    machine, bars = replay._track.machine, len(replay.setup.market)
    done = machine.bars_done
    ruined = machine.status is RunStatus.RUINED
    every = [(b, s) for b in range(done) for s in Step]
    every = every[: len(every) - (Step.END - Step.CLOSE) * ruined]
    assert [(e.bar, e.step) for e in of_kind(events, BarUpdated)] == every
    closed = of_kind(events, BarClosed)
    cash = machine.cash()
    assert [(e.bar, e.equity, e.cash) for e in closed] == [
        (b, machine.tape.equity[b], cash[b]) for b in range(done)
    ]
    assert [(e.bar, e.kind, e.amount) for e in of_kind(events, CashMoved)] == [
        (line["bar"], line["kind"], line["amount"]) for line in machine.ledger()
    ]
    acted = int(machine.book.account[0]["actions"])
    assert [(e.bar, e.kind) for e in of_kind(events, InstrumentActed)] == [
        (a["bar"], a["kind"]) for a in machine.tape.actions[:acted]
    ]
    advanced = [e.bar for e in of_kind(events, BarAdvanced)]
    assert advanced == list(range(1, done if ruined or done == bars else done + 1))
    assert of_kind(events, BacktestFinished) == [BacktestFinished(done - 1, machine.status)]
    assert isinstance(events[-1], BacktestFinished)
    assert [e.bar for e in events if not isinstance(e, BarAdvanced)] == sorted(
        e.bar for e in events if not isinstance(e, BarAdvanced)
    )
    check_orders(events, machine)


def check_orders(events: list[Any], machine: Any) -> None:
    """Every fill is told in order, every order that is done is told, and every slippage is."""
    fills = machine.fills()
    told_fills = of_kind(events, OrderFilled)
    assert [(e.bar, e.order, e.qty, e.price, e.phase) for e in told_fills] == [
        (f["bar"], f["order"], f["qty"], f["price"], f["phase"]) for f in fills
    ]
    for event in told_fills:
        assert event.slippage >= 0.0
        tick = float(machine.book.instruments["tick_size"].max())
        assert event.price == pytest.approx(
            event.met + event.side * event.slippage, abs=1e-9 * tick + 1e-12
        )
    last: dict[int, OrderStatus] = {}
    for event in of_kind(events, OrderChanged):
        assert event.text
        assert "nan" not in event.text
        last[event.order] = event.status
    filled = {e.order for e in told_fills}
    for order in machine.orders():
        if order["done"] >= 0:
            status = OrderStatus(int(order["status"]))
            number = int(order["id"])
            assert number in filled if status is OrderStatus.FILLED else last[number] is status


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32))
def test_all_is_told_once_and_in_order(seed: int) -> None:
    check_whole(Replay(everyone(seed % 1000)))


def test_all_is_told_of_random_scenarios() -> None:
    rng = random.Random("events")
    for _ in range(60):
        scenario = fit_for_hands(random_scenario(rng))
        setup = by_hand(scenario)
        setup.strategies["hand"] = Script(scenario["orders"])  # type: ignore[index]
        replay = Replay(setup)
        check_whole(replay)
        assert replay.digest == Plain(setup).state()[0]


# --- the reasons


def one_fill(step: tuple[int, Step], rows: Any, act: Any, slips: float = 0.0) -> OrderFilled:
    """The last fill of a run in which one thing is done by hand."""
    instrument = Instrument("A", tick_size=0.5, slippage_ticks=slips)
    replay = replay_of(rows=rows, instruments=[instrument])
    replay.seek(*step)
    act(replay.hand())
    return of_kind(told(replay), OrderFilled)[-1]


CALM = [100.0, 101.0, 99.0, 100.0]


def test_a_stop_in_a_gap_met_the_open() -> None:
    rows = [CALM, CALM, [95.0, 96.0, 94.0, 95.0]]
    fill = one_fill((0, Step.NEW), rows, lambda h: h.buy(1, stop_loss=98.0), 1.0)
    assert (fill.phase, fill.reason) == (Phase.OPEN, FillReason.STOP)
    assert (fill.met, fill.price, fill.slippage) == (95.0, 94.5, 0.5)
    assert fill.text.startswith("stop 1 of order 0: sell stop 98.0 gapped: filled at the open 95.0")


def test_a_stop_on_a_leg_met_its_own_price() -> None:
    rows = [CALM, CALM, [100.0, 101.0, 94.0, 95.0]]
    fill = one_fill((0, Step.NEW), rows, lambda h: h.buy(1, stop_loss=98.0), 2.0)
    assert (fill.phase, fill.met, fill.price, fill.slippage) == (Phase.INTRABAR, 98.0, 97.0, 1.0)
    assert "reached on the way down from the open 100.0 to the low 94.0" in fill.text


def test_a_limit_does_not_slip_and_an_order_on_the_close_meets_the_close() -> None:
    rows = [CALM, CALM, [100.0, 101.0, 94.0, 95.5]]
    fill = one_fill((0, Step.NEW), rows, lambda h: h.buy(1, limit=97.0), 2.0)
    assert (fill.met, fill.price, fill.slippage) == (97.0, 97.0, 0.0)
    fill = one_fill((2, Step.NEW), rows, lambda h: h.sell(1, at_close=True), 2.0)
    assert (fill.phase, fill.met, fill.price) == (Phase.CLOSE, 95.5, 94.5)


def ends(replay: Replay, bar: int) -> list[tuple[int, str, str]]:
    return [
        (e.order, e.status.word, e.text)
        for e in replay.audit(bar)
        if isinstance(e, OrderChanged) and e.status not in (0, 1)
    ]


def test_why_an_order_did_not_fill() -> None:
    instrument = Instrument("A", tick_size=0.5, initial_margin=900.0)
    replay = replay_of(rows=[CALM] * 6, instruments=[instrument], cash=1000.0)
    replay.seek(1, Step.ON_OPEN)
    hand = replay.hand()
    hand.buy(2)
    hand.buy(0.5)
    number = hand.buy(1, limit=90.0)
    replay.step()
    hand.cancel(number)
    hand.sell(1, limit=110.0, tif="ioc")
    changes = [e for e in replay.audit(1) if isinstance(e, OrderChanged)]
    assert [(e.order, e.reject) for e in changes if e.status is OrderStatus.REJECTED] == [
        (1, Reject.INVALID_QUANTITY),
        (0, Reject.INSUFFICIENT_MARGIN),
    ]
    assert (2, "cancelled", "order 2: cancelled as asked") in ends(replay, 1)
    assert "order 2: buy limit 90.0 for 1 works" in [e.text for e in changes]
    (end,) = ends(replay, 2)
    assert end[1] == "cancelled"
    assert "ioc, and it has not filled at once" in end[2]


def test_a_good_till_date_order_expires_at_a_time() -> None:
    from datetime import UTC, datetime

    market = flat_market(6)
    replay = Replay(setup_of(market, Strategy()))
    until = datetime.fromtimestamp(market.time[2] / 1e9, UTC)
    replay.hand().buy(1, limit=50.0, tif="gtd", until=until)
    ((_, status, text),) = ends(replay, 2)
    assert status == "expired"
    assert text == f"order 0: expired: it was good until {until:%Y-%m-%dT%H:%M:%S}Z"


def test_what_moved_a_stop_is_told() -> None:
    replay = replay_of(rows=[CALM] * 6)
    replay.hand().buy(1, stop_loss=90.0)
    replay.seek(2, Step.ON_OPEN)
    replay.hand().modify_stop_loss(91.0)
    texts = [e.text for e in replay.audit(2) if isinstance(e, OrderChanged)]
    assert texts == ["stop 1 of order 0: sell stop 90.00 for 1 becomes sell stop 91.00 for 1"]


def test_the_gate_that_blocked_is_told() -> None:
    bot = Bot(Told(long_below=1e9), Points(), risk_fraction=0.0, qty=1.0, warm_up=2)
    replay = Replay(setup_of(flat_market(5), bot, names=["bot"]))
    blocked = of_kind(told(replay), EntryBlocked)
    assert blocked == [EntryBlocked(b, "bot", "A", Gate.WARM_UP) for b in (0, 1)]
    counts = replay._track.run.running["bot"].gate_counts()
    assert counts == [("A", "warm_up", 2)]


def test_an_audit_leaves_everything_where_it_was() -> None:
    replay = Replay(everyone(4))
    replay.seek(23, Step.INTRABAR)
    heard: list[Any] = []
    replay.subscribe(heard.append)
    digest = replay.digest
    events = replay.audit(30)
    assert (replay.place, replay.digest, heard) == ((23, Step.INTRABAR), digest, [])
    replay.seek(30)
    heard.clear()
    replay.step()
    assert heard == events


# --- subscribers


def test_jumps_are_told_as_jumps() -> None:
    replay = replay_of()
    events: list[Any] = []
    stop = replay.subscribe(events.append)
    replay.seek(5, Step.CLOSE)
    replay.seek(12)
    replay.restart()
    stop()
    replay.step()
    assert events == [
        Jumped(5, Step.CLOSE, "main"),
        Jumped(12, Step.OPEN, "main"),
        BacktestFinished(12, RunStatus.FINISHED),
        Jumped(0, Step.OPEN, "main"),
    ]


def test_a_subscriber_that_raises_changes_nothing() -> None:
    replay = Replay(everyone(6))
    others: list[Any] = []

    def broken(event: Any) -> None:
        raise ValueError("broken")

    replay.subscribe(broken)
    replay.subscribe(others.append)
    steps = 0
    while not replay.is_over:
        before = replay.place
        with pytest.raises(ValueError, match="broken") as caught:
            replay.step()
        assert replay.place > before
        assert "raised by a subscriber" in caught.value.__notes__[0]
        steps += 1
    assert steps == STEPS * 40
    assert replay.digest == Plain(replay.setup).state()[0]
    assert len(of_kind(others, BarUpdated)) == steps


def test_a_subscriber_cannot_move_what_tells_it() -> None:
    replay = replay_of()
    replay.subscribe(lambda event: replay.seek(0))
    with pytest.raises(UsageError, match="a subscriber may pause it"):
        replay.step()
    assert replay.place == (0, Step.ON_OPEN)


# --- pace


class Hours:
    """A clock that only goes while somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def clock(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


def paced(hours: Hours, bars: int = 12) -> Replay:
    return Replay(setup_of(walk(bars), Strategy()), clock=hours.clock, wait=hours.wait)


def test_it_goes_at_its_speed() -> None:
    hours = Hours()
    replay = paced(hours)
    replay.speed = 4.0
    replay.start()
    assert replay.is_over
    assert not replay.is_playing
    assert hours.waits == [0.25] * 11
    replay.restart()
    replay.speed = float("inf")
    replay.start()
    assert len(hours.waits) == 11


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
def test_a_speed_that_is_none(speed: float) -> None:
    with pytest.raises(ConfigError, match=r"speed is .*, must be .*above 0"):
        replay_of().speed = speed


def test_a_subscriber_pauses_it_and_it_resumes() -> None:
    hours = Hours()
    replay = paced(hours)
    replay.speed = 10.0
    closed: list[int] = []

    def watch(event: Any) -> None:
        if isinstance(event, BarClosed):
            closed.append(event.bar)
            if event.bar in (3, 7):
                replay.pause()
                replay.speed = 2.0

    replay.subscribe(watch)
    replay.start()
    assert replay.place == (4, Step.OPEN)
    hours.waits.clear()
    replay.resume()
    assert (replay.bar, hours.waits) == (8, [0.5] * 3)
    replay.resume()
    assert closed == list(range(12))
    assert replay.is_over


def test_its_own_thread_goes_pauses_and_ends() -> None:
    replay = Replay(everyone(2))
    there, go_on = threading.Event(), threading.Event()
    threads = set()

    def watch(event: Any) -> None:
        threads.add(threading.current_thread())
        if isinstance(event, BarClosed) and event.bar == 5:
            there.set()
            assert go_on.wait(60)

    replay.subscribe(watch)
    replay.start(own_thread=True)
    assert there.wait(60)
    assert replay.is_playing
    for forbidden in (replay.step, replay.start, replay.restart, lambda: replay.hand().buy(1)):
        with pytest.raises(UsageError, match="pause it"):
            forbidden()
    asked = threading.Thread(target=replay.pause)
    asked.start()
    while replay.is_playing:  # the pause has been asked for
        asked.join(0.001)
    go_on.set()
    asked.join(60)
    assert replay.place == (6, Step.OPEN)
    replay.resume()
    replay.join()
    assert replay.is_over
    assert threading.current_thread() not in threads
    assert replay.digest == Plain(replay.setup).state()[0]


def test_what_its_own_thread_raises_comes_out_of_join_once() -> None:
    replay = replay_of(Fails())
    replay.start(own_thread=True)
    with pytest.raises(Exception, match="Fails failed at OPEN of bar 7"):
        replay.join()
    replay.join()
    assert replay.place == (7, Step.ON_OPEN)


def test_a_pause_cuts_a_long_wait_short() -> None:
    replay = Replay(setup_of(market_from([CALM] * 5), Strategy()))
    replay.speed = 1e-4
    begun = threading.Event()
    replay.subscribe(lambda event: begun.set())
    replay.start(own_thread=True)
    assert begun.wait(60)
    replay.pause()
    assert replay.bar <= 1
    replay.speed = 1e-4
    replay.start(own_thread=True)
    replay.speed = float("inf")
    replay.join()
    assert replay.is_over
