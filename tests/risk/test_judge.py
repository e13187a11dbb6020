"""The judge: commands of one step against each other, rows, days, and what a re-run repeats."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from intrabar.errors import BreakerError
from intrabar.risk.breaker import ACCOUNT, FLATTENING, HALTED, REDUCING, TRADING, Breaker
from intrabar.risk.flatten import Cancel, Close
from intrabar.risk.judge import Judge
from intrabar.risk.limits import SECOND_NS, Limits
from intrabar.risk.records import Book, Request, Seen, Sleeve, Working

MINUTE = 60 * SECOND_NS
NOON = 1_704_110_400 * SECOND_NS  # 2024-01-01 12:00 UTC
DAY = 86_400 * SECOND_NS
VIEW = {"A": Seen(100.0), "B": Seen(50.0)}


def judge(strategies: tuple[str, ...] = ("bot",), **said: object) -> Judge:
    limits = Limits.of(said).filled_in(2, MINUTE)
    return Judge(limits, strategies, 10_000.0)


def book(equity: float = 10_000.0, held: float = 0.0, **more: object) -> Book:
    known = {
        "sleeves": (Sleeve("bot", "A", held, 90.0),) if held else (),
        "marks": {"A": 100.0, "B": 50.0},
        "point_values": {"A": 1.0, "B": 1.0},
        "lots": {"A": 1.0, "B": 1.0},
        "earned": {"bot": equity - 10_000.0},
    }
    return Book(equity, **{**known, **more})  # type: ignore[arg-type]


def submit(number: int, side: int = 1, qty: float = 10.0, symbol: str = "A") -> Request:
    return Request("submit", Working(number, "bot", symbol, side, qty))


def rules(found: tuple[object, ...]) -> list[str | None]:
    return [None if r is None else r.rule for r in found]


def test_a_command_is_held_against_those_before_it():
    one = judge(max_position_qty=25)
    asked = [submit(1), submit(2, qty=9.0), submit(3, qty=8.0), submit(4, qty=6.0)]
    assert rules(one.verdicts(book(), VIEW, asked, NOON)) == [
        None,
        None,
        "max_position_qty",
        None,
    ]
    assert one.counts == {"max_position_qty": 1}


def test_a_cancel_makes_room_and_a_change_takes_its_own_place():
    waits = Working(1, "bot", "A", 1, 20.0)
    held = book(working=(waits,))
    one = judge(max_position_qty=25)
    cancel = Request("cancel", waits)
    assert rules(one.verdicts(held, VIEW, [cancel, submit(2, qty=24.0)], NOON)) == [None, None]
    one = judge(max_position_qty=25)
    change = Request("modify", waits._replace(qty=24.0))
    found = one.verdicts(held, VIEW, [change, submit(2, qty=2.0), None, submit(3, qty=1.0)], NOON)
    assert rules(found) == [None, "max_position_qty", None, None]


def test_an_exit_that_was_let_through_is_on_its_way():
    one = judge(allow_short=False)
    asked = [submit(1, -1, 10.0), submit(2, -1, 1.0)]
    assert rules(one.verdicts(book(held=10.0), VIEW, asked, NOON)) == [None, "allow_short"]


def test_three_rate_refusals_of_a_symbol_in_a_minute_are_a_runaway():
    one = judge(orders_per_minute=2)
    asked = [submit(n, qty=n) for n in range(1, 8)]
    found = one.verdicts(book(), VIEW, asked, NOON)
    assert rules(found) == [None, None, *["orders_per_minute"] * 3, "breaker", "breaker"]
    assert one.breaker.level() is REDUCING
    kinds = [(kind, body.get("cause")) for kind, body in one.taken()]
    assert kinds == [("limit.day", None), ("breaker", "runaway")]
    assert one.taken() == ()


def test_refusals_that_are_far_apart_are_no_runaway():
    one = judge(orders_per_day=1)
    one.verdicts(book(), VIEW, [submit(1)], NOON)
    for n in range(3):
        now, asked = NOON + (n + 1) * 301 * SECOND_NS, [submit(9, qty=n + 2.0)]
        assert rules(one.verdicts(book(), VIEW, asked, now, (n, 2))) == ["orders_per_day"]
    assert one.breaker.level() is TRADING
    one.verdicts(book(), VIEW, [submit(9, qty=7.0)], NOON + 904 * SECOND_NS, (9, 2))
    assert one.breaker.level() is REDUCING


def test_a_day_counts_its_orders_anew():
    one = judge(orders_per_day=1)
    one.verdicts(book(), VIEW, [submit(1)], NOON)
    assert rules(one.verdicts(book(), VIEW, [submit(2)], NOON + DAY, (1, 2))) == [None]


@pytest.mark.parametrize(
    ("said", "lost", "level"),
    [
        ({"max_daily_loss_pct": 5}, 500.0, FLATTENING),
        ({"max_daily_loss": 500}, 500.0, FLATTENING),
        ({"max_daily_loss_pct": 5, "on_daily_loss": "reduce"}, 500.0, REDUCING),
        ({"max_drawdown_pct": 5}, 500.0, FLATTENING),
    ],
)
def test_a_loss_that_reaches_its_limit_moves_the_breaker(said, lost, level):
    one = judge(**said)
    inside = math.nextafter(10_000.0 - lost, 20_000.0)
    one.after_row(book(inside, held=10.0), NOON)
    assert one.breaker.level() is TRADING
    records = one.after_row(book(10_000.0 - lost, held=10.0), NOON + MINUTE)
    assert one.breaker.level() is level
    told = [body["text"] for _, body in records if body["scope"] == ACCOUNT]
    assert told[0].startswith(f"{next(iter(said))} account: 5")
    again = one.after_row(book(9_000.0, held=10.0), NOON + 2 * MINUTE)
    assert again == ()


def test_a_flattening_account_is_closed_and_then_halted():
    one = judge(max_daily_loss_pct=5)
    held = book(9_000.0, held=10.0, working=(Working(1, "bot", "B", 1, 5.0),))
    one.after_row(held, NOON)
    assert one.duties(held) == (Cancel(1), Close("bot", "A", -1, 10.0))
    assert rules(one.verdicts(held, VIEW, [submit(2), submit(3, -1, 5.0)], NOON)) == ["breaker"] * 2
    one.after_row(held, NOON + MINUTE)
    assert one.breaker.level() is FLATTENING
    records = one.after_row(book(9_000.0), NOON + 2 * MINUTE)
    assert one.breaker.level() is HALTED
    assert [body["event"] for kind, body in records if kind == "breaker"] == ["flat"]
    assert one.duties(book(9_000.0)) == ()


def test_a_strategy_of_two_only_reduces_by_its_own_loss():
    one = judge(("bot", "other"), max_daily_loss_pct=5)
    held = book(10_100.0, earned={"bot": -600.0, "other": 700.0})
    records = one.after_row(held, NOON)
    assert (one.breaker.level("bot"), one.breaker.level("other")) == (REDUCING, TRADING)
    assert [b["scope"] for kind, b in records if kind == "breaker"] == ["bot"]
    other = submit(2)._replace(order=Working(2, "other", "A", 1, 10.0))
    assert rules(one.verdicts(held, VIEW, [submit(1), other], NOON)) == ["breaker", None]


def test_an_equity_that_is_nan_is_a_breach():
    one = judge(max_daily_loss_pct=50)
    one.after_row(book(math.nan), NOON)
    assert one.breaker.level() is HALTED  # flattened, and there was nothing to close


def test_a_latched_breaker_outlives_the_day_and_a_resume_takes_all_away():
    one = judge(max_daily_loss_pct=5)
    one.after_row(book(9_000.0), NOON)
    with pytest.raises(BreakerError, match="still breached: max_daily_loss_pct"):
        one.resume("seen")
    one.after_row(book(9_000.0), NOON + DAY)
    assert one.breaker.level() is HALTED
    one.resume("seen")
    assert one.breaker.level() is TRADING
    assert [b["set"] for _, b in one.taken()] == [False, False]


def test_an_override_begins_a_rule_anew_and_leaves_it_on():
    one = judge(max_drawdown_pct=10)
    one.after_row(book(9_000.0), NOON)
    one.resume("seen", override=["max_drawdown_pct"])
    assert one.breaker.level() is TRADING
    one.after_row(book(8_200.0), NOON + MINUTE)
    assert one.breaker.level() is TRADING
    one.after_row(book(8_100.0), NOON + 2 * MINUTE)
    assert one.breaker.level() is HALTED


def test_the_next_day_resumes_a_backtest_but_not_what_is_still_breached():
    daily = judge(max_daily_loss_pct=5, resume="next_day")
    daily.after_row(book(9_400.0), NOON)
    assert rules(daily.verdicts(book(9_400.0), VIEW, [submit(1)], NOON + MINUTE)) == ["breaker"]
    assert rules(daily.verdicts(book(9_400.0), VIEW, [submit(1)], NOON + DAY)) == [None]
    drawdown = judge(max_drawdown_pct=5, resume="next_day")
    drawdown.after_row(book(9_400.0), NOON)
    found = drawdown.verdicts(book(9_400.0), VIEW, [submit(1)], NOON + DAY)
    assert rules(found) == ["breaker"]
    held = judge(max_daily_loss_pct=5, resume="next_day")
    held.after_row(book(9_400.0, held=10.0), NOON)
    found = held.verdicts(book(9_400.0, held=10.0), VIEW, [submit(1)], NOON + DAY)
    assert rules(found) == ["breaker"]  # not flat yet


def test_a_hook_that_fails_lets_its_strategy_reduce_or_halts_it():
    one = judge(("bot", "other"))
    one.failed("bot", "it raised")
    assert (one.breaker.level("bot"), one.breaker.level("other")) == (REDUCING, TRADING)
    other = replace(judge(), on_error="halt")
    other.failed("bot", "it raised")
    assert other.breaker.level("bot") is HALTED


def test_equal_events_have_equal_answers_and_a_state_is_a_snapshot():
    def lived(one: Judge, since: int) -> list[object]:
        told = []
        for n in range(since, 40):
            now = NOON + n * MINUTE
            equity = 10_000.0 - 20.0 * n
            found = one.verdicts(book(equity), VIEW, [submit(n, qty=1.0 + n)], now, (n, 2))
            told.append((rules(found), one.after_row(book(equity), now)))
        return told

    said = {"max_daily_loss_pct": 4, "max_order_qty": 15, "orders_per_minute": 5}
    one, two = judge(**said), judge(**said)
    assert lived(one, 0) == lived(two, 0)
    first, again = judge(**said), judge(**said)
    for n in range(10):
        first.after_row(book(10_000.0 - 20.0 * n), NOON + n * MINUTE)
    again.state = first.state
    assert lived(first, 10) == lived(again, 10)


def test_the_records_of_a_life_leave_the_same_breaker():
    one = judge(max_daily_loss_pct=5, max_drawdown_pct=8)
    records = [*one.after_row(book(9_300.0, held=3.0), NOON)]
    one.move("drift")
    records += one.after_row(book(9_100.0), NOON + MINUTE)
    bodies = [body for kind, body in records if kind == "breaker"]
    assert Breaker.of(bodies) == one.breaker
    one.resume("all seen", override=["max_daily_loss_pct", "max_drawdown_pct"])
    bodies += [body for kind, body in one.taken() if kind == "breaker"]
    assert Breaker.of(bodies) == one.breaker == Breaker()


def test_a_duplicate_is_remembered_for_longer_than_a_minute_where_it_is_asked_for():
    one = judge(duplicate_seconds=300)
    for k, (seconds, qty, rule) in enumerate(
        [(0, 5.0, None), (120, 6.0, None), (299, 5.0, "duplicate_seconds"), (600, 5.0, None)]
    ):
        found = one.verdicts(book(), VIEW, [submit(k, qty=qty)], NOON + seconds * SECOND_NS, (k, 2))
        assert rules(found) == [rule]


def test_a_strategy_that_is_flat_lets_no_other_one_down():
    one = judge(("bot", "other"))
    for name in ("bot", "other"):
        one.move("flatten", name)
    one.after_row(book(held=10.0), NOON)  # of the bot
    levels = one.breaker.level("bot"), one.breaker.level("other")
    assert levels == (FLATTENING, HALTED)
