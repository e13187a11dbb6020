"""The contract of a Python strategy: hooks, notices, orders, warm-up, and errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from intrabar.errors import NotFoundError, OrderError, StrategyError
from intrabar.indicators import ema, sma
from intrabar.strategy.strategy import FillNotice, OrderNotice, Strategy
from intrabar.strategy.views import AtClose, AtOpen
from tests.strategy.markets import START_NS, flat_market, market_from, run_of, walk

ROWS = [[100.0 + k, 102.0 + k, 98.0 + k, 100.5 + k] for k in range(12)]


@dataclass
class Scripted(Strategy):
    """Does what a table says: (bar, phase) -> function of the view."""

    script: dict[tuple[int, str], Callable[[Any], Any]]
    heard: list[Any] = field(default_factory=list)
    numbers: dict[tuple[int, str], Any] = field(default_factory=dict)

    def act(self, now: Any, phase: str) -> None:
        if (now.bar, phase) in self.script:
            self.numbers[now.bar, phase] = self.script[now.bar, phase](now)

    def on_open(self, now: AtOpen) -> None:
        self.act(now, "open")

    def on_close(self, now: AtClose) -> None:
        self.heard.append((now.bar, "close", ""))
        self.act(now, "close")

    def on_fill(self, fill: FillNotice, now: AtOpen) -> None:
        self.heard.append((now.bar, "fill", fill.reason.word, fill.price, fill.phase.word))
        self.act(now, fill.reason.word)

    def on_order(self, order: OrderNotice, now: AtOpen) -> None:
        self.heard.append((now.bar, "order", order.status.word, order.role.word))


def played(script: dict[Any, Any], rows: Any = ROWS, **how: Any) -> tuple[Any, Scripted]:
    strategy = Scripted(script)
    return run_of(market_from(rows), strategy, **how), strategy


def fills(result: Any) -> list[tuple[Any, ...]]:
    return result.fills.select("bar", "phase", "side", "qty", "price", "reason").rows()


# --- notices ---------------------------------------------------------------------------------


def test_notices_come_in_order_after_the_path_and_before_on_close() -> None:
    rows = [[100.0] * 4, [100.0, 100.0, 95.0, 96.0], [96.0] * 4]
    _result, strategy = played(
        {(0, "close"): lambda now: now.buy(1, stop_loss=97.0, take_profit=110.0)}, rows
    )
    assert [x for x in strategy.heard if x[0] == 1] == [
        (1, "fill", "entry", 100.0, "open"),
        (1, "order", "filled", "plain"),
        (1, "fill", "stop", 97.0, "intrabar"),
        (1, "order", "cancelled", "target"),
        (1, "order", "filled", "stop"),
        (1, "close", ""),
    ]


def test_a_fill_at_the_close_is_told_before_on_close() -> None:
    _, strategy = played({(0, "open"): lambda now: now.buy(1, at_close=True)})
    assert strategy.heard[:3] == [
        (0, "fill", "entry", 100.5, "close"),
        (0, "order", "filled", "plain"),
        (0, "close", ""),
    ]


def test_orders_of_a_notice_start_at_the_next_open() -> None:
    result, _ = played(
        {(0, "close"): lambda now: now.buy(1), (1, "entry"): lambda now: now.sell(3)}
    )
    assert fills(result) == [
        (1, "open", "buy", 1.0, 101.0, "entry"),
        (2, "open", "sell", 3.0, 102.0, "exit"),
    ]


def test_a_market_on_close_of_a_notice_fills_at_this_close() -> None:
    result, _ = played(
        {
            (0, "close"): lambda now: now.buy(1),
            (1, "entry"): lambda now: now.sell(1, at_close=True),
        }
    )
    assert fills(result)[1] == (1, "close", "sell", 1.0, 101.5, "exit")


def test_a_limit_of_a_notice_does_not_see_the_bar_that_it_was_told_of() -> None:
    # The low of bar 1 is 99; a buy limit of 99.5 told after the path of bar 1 waits for bar 2,
    # whose low is 100.
    result, _ = played(
        {(0, "close"): lambda now: now.buy(1), (1, "entry"): lambda now: now.buy(1, limit=99.5)}
    )
    assert len(fills(result)) == 1


def test_a_notice_does_not_see_the_close_at_which_it_may_trade() -> None:
    with pytest.raises(StrategyError, match="close of this bar is not known at OPEN"):
        played({(0, "close"): lambda now: now.buy(1), (1, "entry"): lambda now: now.close})


# --- when orders start -----------------------------------------------------------------------


def test_a_market_order_of_on_open_fills_at_that_open() -> None:
    result, _ = played({(3, "open"): lambda now: now.buy(2)})
    assert fills(result) == [(3, "open", "buy", 2.0, 103.0, "entry")]


def test_a_stop_of_on_open_works_on_the_path_of_the_same_bar() -> None:
    result, _ = played({(3, "open"): lambda now: now.buy(1, stop=104.5)})
    assert fills(result) == [(3, "intrabar", "buy", 1.0, 104.5, "entry")]


def test_a_limit_that_is_marketable_at_the_open_fills_at_the_open() -> None:
    result, _ = played({(3, "open"): lambda now: now.buy(1, limit=110.0)})
    assert fills(result) == [(3, "open", "buy", 1.0, 103.0, "entry")]


def test_a_market_on_close_of_on_close_waits_for_the_next_close() -> None:
    result, _ = played({(3, "close"): lambda now: now.sell(1, at_close=True)})
    assert fills(result) == [(4, "close", "sell", 1.0, 104.5, "entry")]


# --- order types and changes -----------------------------------------------------------------


def test_a_cancelled_order_does_not_fill() -> None:
    strategy_script: dict[Any, Any] = {(0, "close"): lambda now: now.buy(1, limit=90.0)}
    strategy = Scripted(strategy_script)
    strategy.script[2, "close"] = lambda now: now.cancel(0)  # its first order
    result = run_of(market_from([*ROWS[:4], [95.0, 95.0, 80.0, 85.0]]), strategy)
    assert fills(result) == []
    assert result.orders.select("status", "done_bar").rows() == [("cancelled", 2)]
    assert (3, "order", "cancelled", "plain") in strategy.heard  # with the next bar's notices


def test_a_modified_order_keeps_its_place_and_fills_at_its_new_price() -> None:
    strategy = Scripted({(0, "close"): lambda now: now.buy(1, limit=90.0)})
    strategy.script[2, "close"] = lambda now: now.modify(0, limit=102.0, qty=4)
    result = run_of(market_from(ROWS), strategy)
    assert fills(result) == [(3, "intrabar", "buy", 4.0, 102.0, "entry")]
    assert result.orders["submitted_bar"].to_list() == [0]


def test_one_of_two_alternatives_fills_and_cancels_the_other() -> None:
    def breakout(now: AtClose) -> None:
        above = now.buy(1, stop=103.0)
        now.sell(1, stop=90.0, oco=above)

    result, _strategy = played({(0, "close"): breakout})
    assert fills(result) == [(1, "intrabar", "buy", 1.0, 103.0, "entry")]
    assert result.orders["status"].to_list() == ["filled", "cancelled"]


def test_a_stop_limit_does_not_pay_more_than_its_limit() -> None:
    # A gap from 100 to 110: the stop at 105 is hit, the limit of 106 waits until the price is back.
    rows = [[100.0] * 4, [110.0, 111.0, 109.0, 109.0], [109.0, 109.0, 104.0, 105.0]]
    result, _ = played({(0, "close"): lambda now: now.buy(1, stop=105.0, limit=106.0)}, rows)
    assert fills(result) == [(2, "intrabar", "buy", 1.0, 106.0, "entry")]


def test_an_immediate_order_is_cancelled_when_its_phase_does_not_fill_it() -> None:
    result, _ = played({(0, "close"): lambda now: now.buy(1, limit=99.5, tif="ioc")})
    assert fills(result) == []  # the open of bar 1 is 101; its low of 99 comes later
    assert result.orders.select("status", "done_bar").rows() == [("cancelled", 1)]


def test_a_gtd_order_expires_at_its_time() -> None:
    until = datetime.fromtimestamp(START_NS / 1e9, UTC) + timedelta(minutes=3)
    result, _ = played({(0, "close"): lambda now: now.buy(1, limit=50.0, tif="gtd", until=until)})
    assert result.orders.select("status", "done_bar").rows() == [("expired", 2)]


def test_the_stop_and_the_target_of_a_position_can_be_moved() -> None:
    result, _ = played(
        {
            (0, "close"): lambda now: now.buy(1, stop_loss=90.0, take_profit=200.0),
            (2, "close"): lambda now: now.modify_stop_loss(95.0),
            (3, "close"): lambda now: now.modify_take_profit(105.5),
        }
    )
    assert result.levels.select("bar", "stop", "target").rows() == [
        (2, 95.0, 200.0),
        (3, 95.0, 105.5),
    ]
    assert fills(result)[1] == (4, "intrabar", "sell", 1.0, 105.5, "target")


def test_close_position_closes_what_there_is() -> None:
    result, strategy = played(
        {
            (0, "close"): lambda now: now.close_position(),
            (1, "close"): lambda now: now.sell(3),
            (3, "close"): lambda now: now.close_position(),
        }
    )
    assert strategy.numbers[0, "close"] is None
    assert fills(result)[1] == (4, "open", "buy", 3.0, 104.0, "exit")
    assert result.fills["position"].to_list() == [-3.0, 0.0]


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (lambda now: now.buy(0), "qty is 0, must be above 0"),
        (lambda now: now.buy(float("nan")), "qty is nan, must be above 0"),
        (lambda now: now.buy(1, tif="gct"), "unknown time in force 'gct': did you mean 'gtc'"),
        (lambda now: now.buy(1, tif="gtd"), "a gtd order needs until"),
        (lambda now: now.buy(1, at_close=True, limit=5.0), "market-on-close order has no limit"),
        (lambda now: now.buy(1, trail=5.0, limit=90.0), "a trailing stop has no limit"),
        (lambda now: now.buy(1, trail=5.0, at_close=True), "a trailing stop .* works in the bar"),
        (lambda now: now.of("B"), "unknown symbol 'B'"),
        (lambda now: now["fats"], "unknown indicator 'fats'"),
        (lambda now: now.history("closes", 3), "unknown series 'closes': did you mean 'close'"),
    ],
)
def test_an_order_that_no_market_could_accept_is_refused_at_once(order: Any, message: str) -> None:
    with pytest.raises(StrategyError, match=message) as caught:
        played({(3, "close"): order})
    assert isinstance(caught.value.__cause__, OrderError | NotFoundError)


def test_too_many_orders_in_one_phase_are_refused() -> None:
    with pytest.raises(StrategyError, match="more than 1024 orders in one phase"):
        played({(1, "close"): lambda now: [now.buy(1, limit=1.0) for _ in range(2000)]})


@pytest.mark.parametrize("bars", [0, -1, 2.5, None, "3", float("nan"), float("inf")])
@pytest.mark.parametrize("timeframe", [None, "1w"])
def test_a_history_is_of_a_whole_number_of_bars(bars: Any, timeframe: str | None) -> None:
    with pytest.raises(StrategyError, match=r"history\('close'\): bars is .*, must be"):
        played({(3, "close"): lambda now: now.history("close", bars, timeframe=timeframe)})


# --- views -----------------------------------------------------------------------------------


def test_histories_cannot_be_written_to() -> None:
    def write(now: AtClose) -> None:
        now.history("close", 3)[0] = 1.0

    with pytest.raises(StrategyError, match="read-only"):
        played({(5, "close"): write})


def test_histories_are_shorter_near_the_start() -> None:
    seen: list[Any] = []
    played(
        {
            (0, "open"): lambda now: seen.append(now.history("close", 5).tolist()),
            (1, "open"): lambda now: seen.append(now.history("close", 5).tolist()),
            (1, "close"): lambda now: seen.append(now.history("close", 5).tolist()),
        }
    )
    assert seen == [[], [100.5], [100.5, 101.5]]


def test_a_missing_bar_shows_no_open_and_the_carried_close() -> None:
    market = walk(60, 6, ("A", "B"), missing=0.3)
    seen: list[tuple[Any, ...]] = []

    class Looks(Strategy):
        def on_close(self, now: AtClose) -> None:
            b = now.of("B")
            seen.append((b.open, b.close, b.volume, now["mean"], b["mean"]))

        def indicators(self) -> dict[str, Any]:
            return {"mean": sma(1)}

    run_of(market, Looks())
    table = np.array(seen)
    first = len(market) - len(table)
    np.testing.assert_array_equal(table[:, 0], market.open[first:, 1])
    np.testing.assert_array_equal(table[:, 1], market.close[first:, 1])
    np.testing.assert_array_equal(table[:, 4], market.close[first:, 1])  # carried as the close is
    assert np.isnan(table[:, 0]).sum() > 5


# --- warm-up ---------------------------------------------------------------------------------


@dataclass
class Waits(Strategy):
    """Tells when it is first called."""

    slow: int = 10
    first: dict[str, int] = field(default_factory=dict)

    def indicators(self) -> dict[str, Any]:
        return {"fast": ema(3), "slow": sma(self.slow)}

    def on_open(self, now: AtOpen) -> None:
        self.first.setdefault("open", now.bar)
        assert now["slow"] == now["slow"]
        assert now["fast"] == now["fast"]

    def on_close(self, now: AtClose) -> None:
        self.first.setdefault("close", now.bar)
        assert now["slow"] == now["slow"]


def test_no_hook_is_called_before_its_indicators_are_there() -> None:
    strategy = Waits()
    run_of(walk(30), strategy)
    # sma(10) has its first value at the close of bar 9, which an open sees at bar 10.
    assert strategy.first == {"close": 9, "open": 10}


def test_a_hook_is_called_as_soon_as_one_instrument_is_warm() -> None:
    market = walk(60, 1, ("A", "B"), missing=0.5)
    calls: list[tuple[float, float]] = []

    class Both(Waits):
        def on_open(self, now: AtOpen) -> None:
            calls.append((now["slow"], now.of("B")["slow"]))

        def on_close(self, now: AtClose) -> None:
            calls.append((now["slow"], now.of("B")["slow"]))

    run_of(market, Both())
    assert not np.isnan(np.array(calls)).all(axis=1).any()


def test_without_indicators_the_first_bar_counts() -> None:
    result, _strategy = played({(0, "open"): lambda now: now.buy(1)})
    assert fills(result) == [(0, "open", "buy", 1.0, 100.0, "entry")]


def test_a_strategy_without_hooks_runs() -> None:
    assert run_of(flat_market(5), Strategy()).fills.height == 0


def test_start_and_stop_are_told_once() -> None:
    told: list[str] = []

    class Tells(Strategy):
        def on_start(self) -> None:
            told.append("start")

        def on_close(self, now: AtClose) -> None:
            told.append("close")

        def on_stop(self) -> None:
            told.append("stop")

    run_of(flat_market(2), Tells())
    assert told == ["start", "close", "close", "stop"]


# --- errors ----------------------------------------------------------------------------------


def breaks(now: Any) -> None:
    now.open / 0  # the line that is to be named


@pytest.mark.parametrize(
    ("script", "phase", "bar"),
    [
        ({(4, "close"): breaks}, "CLOSE", 4),
        ({(4, "open"): breaks}, "OPEN", 4),
        ({(3, "close"): lambda now: now.buy(1), (4, "entry"): breaks}, "INTRABAR", 4),
    ],
)
def test_an_error_names_the_bar_the_phase_and_the_line(script: Any, phase: str, bar: int) -> None:
    with pytest.raises(StrategyError) as caught:
        played(script)
    message = str(caught.value)
    line = breaks.__code__.co_firstlineno + 1
    assert message.startswith(f"Scripted failed at {phase} of bar {bar} (2023-11-14T22:18:20Z), ")
    assert f"{Path(__file__)}:{line} (now.open / 0" in message
    assert message.endswith("ZeroDivisionError: float division by zero")
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_an_error_among_two_instruments_is_named_too() -> None:
    with pytest.raises(StrategyError, match="failed at CLOSE of bar 4"):
        run_of(walk(20, 1, ("A", "B")), Scripted({(4, "close"): breaks}))


def test_an_interrupt_stops_the_run_as_it_is() -> None:
    def interrupt(now: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        played({(4, "close"): interrupt})
