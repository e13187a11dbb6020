"""What a session does by itself: nothing while it trades, and never more than is held."""

from __future__ import annotations

from random import Random

import pytest

from intrabar.risk.adds import adding
from intrabar.risk.breaker import Breaker
from intrabar.risk.check import check
from intrabar.risk.flatten import Cancel, Close, cancel_entries, closing, duties, flatten, is_flat
from intrabar.risk.limits import Limits
from intrabar.risk.records import Book, Request, Sleeve, Working
from tests.risk.worlds import book_of, view_of, world_from

BREAKERS = {
    "reducing": Breaker().after("runaway")[0],
    "halted": Breaker().after("halt")[0],
    "flattening": Breaker().after("kill")[0],
    "one": Breaker().after("drawdown", "one")[0],
}


def some(seed: int) -> Book:
    rng = Random(f"flatten/{seed}")
    held = book_of(world_from(rng))
    cover = tuple(
        Working(50 + n, *s[:2], -1 if s.qty > 0 else 1, abs(s.qty), protective=True, role=0)
        for n, s in enumerate(held.sleeves)
    )
    return Book(
        held.equity, held.sleeves, (*held.working, *cover), held.marks, held.point_values, held.lots
    )


@pytest.mark.parametrize("seed", range(60))
def test_duties_never_make_a_position_larger_and_leave_its_cover(seed):
    held = some(seed)
    assert duties(held) == ()
    for name, breaker in BREAKERS.items():
        book = Book(
            held.equity, held.sleeves, held.working, held.marks, held.point_values, held.lots,
            breaker=breaker,
        )  # fmt: skip
        found = duties(book)
        assert list(found) == sorted(found, key=lambda d: isinstance(d, Close))
        cancelled = {d.order for d in found if isinstance(d, Cancel)}
        concerned = [w for w in book.working if name != "one" or w.strategy == "one"]
        assert {w.id for w in adding(book) if w in concerned} <= cancelled
        assert not cancelled & {w.id for w in book.working if w.protective}
        assert cancelled <= {w.id for w in concerned}
        closed = {(d.strategy, d.symbol): d for d in found if isinstance(d, Close)}
        if name in ("reducing", "halted"):
            assert not closed
            continue
        for sleeve in book.sleeves:
            if name == "one" and sleeve.strategy != "one":
                assert sleeve[:2] not in closed
                continue
            duty = closed[sleeve[:2]]
            assert duty.side * sleeve.qty < 0
            assert duty.qty == pytest.approx(abs(sleeve.qty))


def test_what_is_on_its_way_is_not_sent_again():
    sleeve = Sleeve("bot", "A", 10.0)
    leaving = Working(1, "bot", "A", -1, 10.0, filled=4.0, reduce_only=True, role=3)
    half = Book(1.0, (sleeve,), (leaving,), lots={"A": 1.0})
    assert flatten(half) == (Close("bot", "A", -1, 4.0),)
    whole = Book(1.0, (sleeve,), (leaving._replace(filled=0.0),), lots={"A": 1.0})
    assert flatten(whole) == ()
    resting = Working(2, "bot", "A", -1, 10.0, type="limit", limit_price=120.0)
    assert flatten(Book(1.0, (sleeve,), (resting,), lots={"A": 1.0})) == (
        Cancel(2),
        Close("bot", "A", -1, 10.0),
    )
    liquidation = Working(3, "bot", "A", -1, 10.0, reduce_only=True, role=4)
    assert Cancel(3) not in flatten(Book(1.0, (sleeve,), (liquidation,), lots={"A": 1.0}))


def test_symbols_are_closed_alone_and_entries_cancelled_alone():
    sleeves = Sleeve("bot", "A", 10.0), Sleeve("bot", "B", -3.0)
    entry = Working(1, "bot", "B", -1, 5.0)
    book = Book(1.0, sleeves, (entry,), lots={"A": 1.0, "B": 1.0})
    assert closing(book, {"A"}) == (Close("bot", "A", -1, 10.0),)
    assert closing(book) == (Cancel(1), Close("bot", "A", -1, 10.0), Close("bot", "B", 1, 3.0))
    assert cancel_entries(book) == (Cancel(1),)
    assert not is_flat(book)
    assert is_flat(book, "other")
    assert is_flat(Book(1.0))
    assert not is_flat(Book(1.0, (), (entry,)), "bot")


def test_a_closing_order_is_let_through_by_every_breaker():
    book = some(3)
    limits = Limits.of({"max_order_qty": 1e-6})
    for breaker in BREAKERS.values():
        held = Book(book.equity, book.sleeves, breaker=breaker, lots=book.lots)
        for n, duty in enumerate(d for d in flatten(held) if isinstance(d, Close)):
            order = Working(n, *duty, reduce_only=True, role=3)
            request = Request("submit", order, by="session")
            assert check(request, held, view_of({"marks": {}}), limits, 0) is None
