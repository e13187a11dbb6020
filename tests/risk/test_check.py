"""What a check says, rule by rule, and what passes whatever the limits are."""

from __future__ import annotations

import math

import pytest

from intrabar.risk.adds import adding, reduces
from intrabar.risk.breaker import Breaker
from intrabar.risk.check import check, key_of
from intrabar.risk.limits import SECOND_NS, Limits
from intrabar.risk.records import Book, Request, Seen, Sleeve, Working
from intrabar.risk.windows import Windows
from tests.risk.worlds import NOW, rule_of

PLACE = (7, 2, 0)


def order(side: int = 1, qty: float = 10.0, number: int = 9, **more: object) -> Working:
    return Working(number, "bot", "A", side, qty, **more)  # type: ignore[arg-type]


def book(held: float = 0.0, working: tuple[Working, ...] = (), **more: object) -> Book:
    known = {
        "equity": 10_000.0,
        "start": 10_000.0,
        "sleeves": (Sleeve("bot", "A", held, 90.0),) if held else (),
        "working": working,
        "marks": {"A": 100.0, "B": 50.0},
        "point_values": {"A": 1.0, "B": 1.0},
        "lots": {"A": 1.0, "B": 1.0},
    }
    return Book(**{**known, **more})  # type: ignore[arg-type]


def verdict(asked, held, view=None, now=NOW, kind="submit", by="strategy", place=PLACE, **said):
    limits = Limits.of(said)
    request = Request(kind, asked, place=place, by=by)
    return check(request, held, view or {"A": Seen(100.0)}, limits, now)


def text_of(*args: object, **said: object) -> str:
    found = verdict(*args, **said)
    return "" if found is None else found.text


def test_a_refusal_says_rule_scope_value_and_limit():
    told = text_of(order(qty=124), book(equity=100_000.0), max_position_size_pct=10)
    assert told == "max_position_size_pct A: 12.4 % after the order, limit 10 %"
    told = text_of(order(qty=250), book(), max_portfolio_leverage=2)
    assert told == "max_portfolio_leverage account: 2.5 after the order, limit 2"
    near = math.nextafter(10.0, 11.0)
    told = text_of(order(qty=10), book(lots={"A": near}), max_order_qty=10)
    assert told == "max_order_qty A: 10.000000000000002 in the order, limit 10"


@pytest.mark.parametrize(
    ("said", "asked", "told"),
    [
        ({"max_order_qty": 9}, order(), "max_order_qty A: 10 in the order, limit 9"),
        ({"max_order_value": 999}, order(), "max_order_value A: 1,000 in the order, limit 999"),
        ({"max_position_qty": 9}, order(), "max_position_qty A: 10 after the order, limit 9"),
        ({"allowed_symbols": ["B", "C"]}, order(), "allowed_symbols A: not among B, C"),
        (
            {"allow_short": False},
            order(side=-1),
            "allow_short A: -10 after the order, short is not allowed",
        ),
        (
            {"require_stop": True},
            order(),
            "no_stop A: the order brings no stop_loss (require_stop)",
        ),
        (
            {"price_collar_pct": 5},
            order(type="limit", limit_price=106.0),
            "price_collar_pct A: 6 % beyond the price of 100, limit 5 %",
        ),
        (
            {"max_loss_to_stops_pct": 1},
            order(qty=20, stop=90.0),
            "max_loss_to_stops_pct account: 2 % lost if all stops are filled, limit 1 %",
        ),
    ],
)
def test_each_rule_has_its_sentence(said, asked, told):
    assert text_of(asked, book(), **said) == told
    assert text_of(asked, book()) == ""


def test_prices_beyond_the_reference_are_refused_and_better_ones_are_not():
    def collar(side, **prices):
        kind = "limit" if "limit_price" in prices else "stop"
        asked = order(side=side, type=kind, **prices)
        return rule_of(verdict(asked, book(), price_collar_pct=5))

    assert collar(1, limit_price=105.0) is None
    assert collar(1, limit_price=math.nextafter(105.0, 200.0)) == "price_collar_pct"
    assert collar(1, limit_price=50.0) is None
    assert collar(-1, limit_price=95.0) is None
    assert collar(-1, limit_price=math.nextafter(95.0, 0.0)) == "price_collar_pct"
    assert collar(-1, limit_price=200.0) is None
    assert collar(1, stop_price=106.0) == "price_collar_pct"
    assert collar(-1, stop_price=94.0) == "price_collar_pct"
    free = {"A": Seen(0.0)}
    asked = order(type="limit", limit_price=1.0)
    assert rule_of(verdict(asked, book(), free, price_collar_pct=5)) == "price_collar_pct"


@pytest.mark.parametrize(
    ("seen", "equity", "limits"),
    [
        (Seen(100.0, math.inf), 1000.0, {"stale_after": 60}),
        (Seen(100.0), -1.0, {"max_position_size_pct": 10}),
        (Seen(100.0), 0.0, {"max_portfolio_leverage": 1}),
        (Seen(0.0), 1000.0, {"price_collar_pct": 5}),
    ],
)
def test_a_refusal_whose_value_is_no_finite_number_names_none(seen, equity, limits):
    asked = order(type="limit", limit_price=1.0)
    refusal = verdict(asked, book(equity=equity), {"A": seen}, **limits)
    assert refusal is not None
    assert refusal.rule in limits
    assert refusal.value is None
    assert refusal.limit == float(next(iter(limits.values())))


def test_the_spread_is_that_of_the_quote_and_nothing_without_one():
    def spread(bid, ask):
        return rule_of(
            verdict(order(), book(), {"A": Seen(100.0, 0.0, bid, ask)}, max_spread_pct=2)
        )

    assert spread(99.0, 101.0) is None
    assert spread(99.0, math.nextafter(101.0, 102.0)) == "max_spread_pct"
    assert spread(math.nan, 101.0) is None
    assert spread(math.nan, math.nan) is None


@pytest.mark.parametrize("age", [math.nextafter(60.0, 61.0), math.inf, math.nan])
def test_an_old_price_is_none(age):
    assert rule_of(verdict(order(), book(), {"A": Seen(100.0, age)}, stale_after=60)) == (
        "stale_after"
    )
    assert verdict(order(), book(), {"A": Seen(100.0, 60.0)}, stale_after=60) is None


@pytest.mark.parametrize(
    ("asked", "held", "seen", "what"),
    [
        (order(qty=math.nan), book(), 100.0, "its quantity"),
        (order(qty=math.inf), book(), 100.0, "its quantity"),
        (order(), book(), math.nan, "the price"),
        (order(), book(equity=math.nan), 100.0, "the equity"),
        (order(), book(point_values={"A": math.inf}), 100.0, "the point value"),
        (order(type="limit"), book(), 100.0, "its limit price"),
        (order(type="stop"), book(), 100.0, "its stop price"),
        (order(type="limit", limit_price=math.inf), book(), 100.0, "its limit price"),
    ],
)
def test_what_is_not_known_is_refused_without_any_limit(asked, held, seen, what):
    assert text_of(asked, held, {"A": Seen(seen)}) == f"not_finite A: {what} is not known"


def test_a_symbol_that_nobody_has_seen_is_refused():
    assert text_of(order(), book(), {"B": Seen(1.0)}) == "not_finite A: the price is not known"


@pytest.mark.parametrize("said", [{"max_portfolio_leverage": 9}, {"max_loss_to_stops_pct": 9}])
def test_what_is_summed_over_all_needs_all_marks(said):
    other = (Sleeve("bot", "B", 5.0, 49.0),)
    held = book(sleeves=other, marks={"A": 100.0, "B": math.nan})
    assert text_of(order(stop=99.0), held, **said) == "not_finite A: the mark of B is not known"
    assert verdict(order(), held, max_order_qty=100) is None
    if "max_loss_to_stops_pct" in said:
        unknown = book(start=math.nan)
        told = "not_finite A: the equity at the day's beginning is not known"
        assert text_of(order(stop=99.0), unknown, **said) == told


def test_without_equity_nothing_is_small_enough():
    for equity in (0.0, -5.0):
        for said in ({"max_position_size_pct": 1e9}, {"max_portfolio_leverage": 1e9}):
            assert verdict(order(), book(equity=equity), **said) is not None


EVERYTHING = {
    "max_position_size_pct": 1e-6,
    "max_portfolio_leverage": 1e-6,
    "max_order_qty": 1e-6,
    "max_order_value": 1e-6,
    "max_position_qty": 1e-6,
    "allowed_symbols": ["Z"],
    "allow_short": False,
    "require_stop": True,
    "price_collar_pct": 1e-6,
    "stale_after": 1e-6,
    "orders_per_minute": 1,
    "max_loss_to_stops_pct": 1e-6,
}


def test_what_only_reduces_passes_whatever_the_limits_are():
    old = {"A": Seen(math.nan, math.inf)}
    sent = Windows().after(NOW, "A", key_of(order()), (1, 1, 1))
    held = book(10.0, equity=math.nan, windows=sent, blocks={"account": "late"})
    for asked in (order(-1), order(-1, 3.0), order(1, 99.0, reduce_only=True)):
        assert verdict(asked, held, old, **EVERYTHING) is None
    assert verdict(order(-1, protective=True), held, old, **EVERYTHING) is None
    for kind in ("cancel", "move"):
        assert verdict(order(1), held, old, kind=kind, **EVERYTHING) is None
    assert verdict(order(1), held, old, by="session", **EVERYTHING) is None
    assert verdict(order(-1, 11.0), held, old, **EVERYTHING) is not None


def test_exits_on_their_way_take_the_position_first():
    leaving = order(-1, 6.0, number=1)
    held = book(10.0, (leaving,))
    assert reduces(order(-1, 4.0), held)
    assert not reduces(order(-1, 5.0), held)
    assert not reduces(order(-1, 4.0)._replace(strategy="other"), held)
    partly = book(10.0, (leaving._replace(filled=5.0),))
    assert reduces(order(-1, 9.0), partly)
    covered = book(10.0, (order(-1, 10.0, number=1, protective=True),))
    assert reduces(order(-1, 10.0), covered)


def test_working_orders_that_add_are_told_from_exits():
    a, b = order(-1, 6.0, number=1), order(-1, 5.0, number=2)
    c = order(1, 5.0, number=3)
    stop = order(-1, 10.0, number=4, protective=True, reduce_only=True)
    cut = order(-1, 99.0, number=5, reduce_only=True)
    assert [w.id for w in adding(book(10.0, (a, b, c, stop, cut)))] == [2, 3]
    assert [w.id for w in adding(book(0.0, (a, b, c)))] == [1, 2, 3]


def test_orders_that_wait_count_and_a_change_counts_once():
    waits = order(1, 6.0, number=1)
    held = book(0.0, (waits,))
    assert verdict(order(1, 4.0), held, max_position_qty=10) is None
    assert rule_of(verdict(order(1, 5.0), held, max_position_qty=10)) == "max_position_qty"
    assert verdict(order(-1, 10.0), held, max_position_qty=10) is None
    changed = waits._replace(qty=10.0)
    assert verdict(changed, book(), kind="modify", max_position_qty=10) is None
    larger = waits._replace(qty=11.0)
    assert rule_of(verdict(larger, book(), kind="modify", max_position_qty=10)) is not None


def test_a_flip_counts_by_what_is_left_on_the_other_side():
    assert verdict(order(-1, 15.0), book(10.0), max_position_qty=5) is None
    assert rule_of(verdict(order(-1, 16.0), book(10.0), max_position_qty=5)) == "max_position_qty"


def test_an_order_that_brings_the_account_nearer_to_flat_is_not_too_large():
    """Another strategy's short against a long that has outgrown its limit."""
    held = book(10.0)
    other = order(-1, 4.0)._replace(strategy="other")
    assert verdict(other, held, max_position_qty=5) is None
    assert verdict(other._replace(qty=15.0), held, max_position_qty=5) is None
    assert verdict(other._replace(qty=16.0), held, max_position_qty=5) is not None


def test_sleeves_are_counted_with_those_that_entries_would_open():
    held = book(10.0, (order(1, 5.0, number=1)._replace(symbol="B"),))
    assert verdict(order(1), held, max_positions=2) is None
    third = order(1)._replace(strategy="other")
    told = "max_positions account: 3 open after the order, limit 2"
    assert text_of(third, held, max_positions=2) == told


def test_rates_are_those_of_a_sliding_minute():
    windows = Windows()
    for n in range(3):
        windows = windows.after(NOW + n, "A", key_of(order(qty=n + 1.0)), (n, 2, 0))
    held, minute = book(windows=windows), 60 * SECOND_NS
    assert rule_of(verdict(order(), held, now=NOW + 3, orders_per_minute=3)) == "orders_per_minute"
    assert verdict(order(), held, now=NOW + 3, orders_per_minute=4) is None
    assert verdict(order(), held, now=NOW + minute, orders_per_minute=3) is None
    at_last = NOW + minute - 1
    assert rule_of(verdict(order(), held, now=at_last, orders_per_minute=3)) is not None
    told = "orders_per_day account: 4 with the order, limit 3"
    assert text_of(order(), held, now=NOW + minute, orders_per_day=3) == told
    assert windows.on(5).today == 0
    full = Limits.of({}).filled_in(1, SECOND_NS)
    for n in range(3, 10):
        windows = windows.after(NOW + n, "A", key_of(order(qty=n + 1.0)), (n, 2, 0))
    request = Request("submit", order(qty=99.0), place=(99, 2, 0))
    found = check(request, book(windows=windows), {"A": Seen(100.0)}, full, NOW + 20)
    assert found.text == "orders_per_minute A: 11 with the order, limit 10"


def test_the_same_order_is_not_sent_twice_in_a_short_while():
    sent = Windows().after(NOW, "A", key_of(order()), (3, 2, 0))
    held = book(windows=sent)
    second = SECOND_NS
    assert verdict(order(), held, now=NOW, duplicate_seconds=1) is None  # the same turn
    assert rule_of(verdict(order(), held, now=NOW + second - 1, duplicate_seconds=1)) == (
        "duplicate_seconds"
    )
    assert verdict(order(), held, now=NOW + second, duplicate_seconds=1) is None
    assert verdict(order(qty=11.0), held, now=NOW + 1, duplicate_seconds=1) is None
    again = verdict(order(qty=11.0), held, now=NOW, place=(3, 2, 0), duplicate_seconds=1)
    assert rule_of(again) == "duplicate_seconds"  # this very command was carried out


def test_what_a_breaker_lets_through():
    reducing, _ = Breaker().after("runaway")
    halted, _ = Breaker().after("halt")
    flattening, _ = Breaker().after("kill")
    for breaker, exits in ((reducing, True), (halted, False), (flattening, False)):
        held = book(10.0, breaker=breaker)
        assert rule_of(verdict(order(1), held)) == "breaker"
        assert rule_of(verdict(order(1), held, by="person")) == "breaker"
        assert (verdict(order(-1), held) is None) == exits
        assert (verdict(order(-1), held, kind="cancel") is None) == exits
        assert verdict(order(-1), held, by="person") is None
        assert verdict(order(-1), held, kind="cancel", by="person") is None
        assert verdict(order(-1, protective=True), held) is None
        assert verdict(order(-1), held, kind="move") is None
    told = "breaker bot: REDUCING (runaway); no order that adds passes"
    assert text_of(order(1), book(breaker=reducing)) == told
    other, _ = Breaker().after("loss_reduces", "other")
    assert verdict(order(1), book(breaker=other)) is None


def test_a_block_keeps_entries_back_and_names_itself():
    for scope in ("account", "A"):
        held = book(10.0, blocks={scope: "closing"})
        assert text_of(order(1), held) == f"closing {scope}: no entries until it is over"
        assert verdict(order(-1), held) is None
    assert verdict(order(1), book(10.0, blocks={"B": "late"})) is None


def test_a_person_may_not_take_the_last_stop_where_one_is_required():
    stop = order(-1, number=1, protective=True, role=0, stop_price=90.0, type="stop")
    held = book(10.0)
    said = {"kind": "cancel", "by": "person", "require_stop": True}
    assert text_of(stop, held, **said) == (
        "no_stop A: it is the last stop of the position (require_stop)"
    )
    done = stop._replace(qty=5.0, filled=5.0)
    assert rule_of(verdict(done, held, **{**said, "kind": "modify"})) == "no_stop"
    assert verdict(stop, book(), **said) is None
    assert verdict(stop, held, **{**said, "require_stop": False}) is None
    assert verdict(stop, held, **{**said, "by": "strategy"}) is None
    second = book(10.0, (stop._replace(id=2),))
    assert verdict(stop, second, **said) is None
    target = order(-1, number=3, protective=True, role=1, type="limit", limit_price=120.0)
    assert verdict(target, held, **said) is None


@pytest.mark.parametrize(
    ("held", "prices", "refused"),
    [
        (10.0, {"stop_price": 99.0}, False),
        (10.0, {"stop_price": 100.0}, True),
        (10.0, {"limit_price": 101.0}, False),
        (10.0, {"limit_price": 99.0}, True),
        (-10.0, {"stop_price": 101.0}, False),
        (-10.0, {"stop_price": 99.0}, True),
        (0.0, {"stop_price": 150.0}, False),
    ],
)
def test_a_person_may_not_put_a_level_where_the_market_is(held, prices, refused):
    moved = order(-1, **prices)
    found = verdict(moved, book(held), kind="move", by="person")
    assert rule_of(found) == ("through_market" if refused else None)
    assert verdict(moved, book(held), kind="move") is None
    changed = order(-1, protective=True, role=0, **prices)
    found = verdict(changed, book(held), kind="modify", by="person")
    assert rule_of(found) == ("through_market" if refused else None)


def test_a_change_that_ends_its_order_is_a_cancel():
    halted, _ = Breaker().after("halt")
    held = book(10.0, breaker=halted)
    gone = order(-1, 3.0, filled=3.0, protective=True, role=0)
    assert rule_of(verdict(gone, held, kind="modify")) == "breaker"
    smaller = gone._replace(qty=4.0)
    assert verdict(smaller, held, kind="modify") is None
