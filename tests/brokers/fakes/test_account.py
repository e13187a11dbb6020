"""The account at a fake: it keeps its own books."""

from __future__ import annotations

import pytest

from intrabar.brokers.fakes.account import FakeAccount, Impossible, News, Order

ENTRY = Order("", "n-1-0", "AAPL", 1, "limit", 10.0, 100.0)
STOP = Order("", "n-1-0s", "AAPL", -1, "stop", 10.0, stop_price=90.0, parent="n-1-0", group="g")
TARGET = Order("", "n-1-0t", "AAPL", -1, "limit", 10.0, 120.0, parent="n-1-0", group="g")


def account(**more: object) -> tuple[FakeAccount, list[News]]:
    made = FakeAccount(now=lambda: 7, **more)  # type: ignore[arg-type]
    news: list[News] = []
    made.watchers.append(news.append)
    return made, news


def statuses(made: FakeAccount) -> list[tuple[str, float]]:
    return [(order.status, order.qty) for order in made.orders.values()]


def test_children_wake_with_fills_and_shrink_with_each_other() -> None:
    made, news = account()
    entry, stop, target = made.place([ENTRY, STOP, TARGET])
    assert statuses(made) == [("working", 10.0), ("held", 10.0), ("held", 10.0)]
    made.fill(entry.id, 4.0, 99.0)
    made.fill(entry.id, 6.0, 100.0)
    assert entry.average == pytest.approx(99.6)
    assert statuses(made) == [("filled", 10.0), ("working", 10.0), ("working", 10.0)]
    made.fill(target.id, 3.0, 120.0)
    assert statuses(made) == [("filled", 10.0), ("working", 7.0), ("working", 10.0)]
    made.fill(stop.id, 7.0, 90.0)
    assert [x.status for x in made.orders.values()] == ["filled", "filled", "cancelled"]
    assert made.positions == {}
    assert made.cash == 100_000 - 4 * 99 - 600 + 360 + 630 == made.equity
    assert [n.fill.total for n in news if n.fill] == [4.0, 10.0, 3.0, 7.0]
    assert {n.what for n in news} == {"placed", "filled", "works", "changed", "ended"}


def test_children_may_wait_for_the_whole_and_end_with_an_entry_that_fills_nothing() -> None:
    made, _ = account(activates="whole")
    entry, stop, _ = made.place([ENTRY, STOP, TARGET])
    made.fill(entry.id, 4.0, 99.0)
    assert stop.status == "held"
    made.cancel(entry.id)
    assert (stop.status, stop.qty) == ("working", 4.0)
    other = Order("", "n-2-0", "AAPL", 1, "limit", 10.0, 100.0)
    child = Order("", "n-2-0s", "AAPL", -1, "stop", 10.0, stop_price=90.0, parent="n-2-0")
    entry, stop = made.place([other, child])
    made.end(entry.id, "expired")
    assert (entry.status, stop.status) == ("expired", "cancelled")


def test_a_change_keeps_the_order_or_makes_a_new_one() -> None:
    made, _ = account()
    (entry,) = made.place([ENTRY])
    made.fill(entry.id, 4.0, 99.0)
    assert made.change(entry.id, qty=8.0, limit_price=101.0) is entry
    assert (entry.qty, entry.rest, entry.limit_price) == (8.0, 4.0, 101.0)
    made.changes_make_new = True
    new = made.change(entry.id, qty=7.0, client_id="n-1-1")
    assert (new.qty, new.filled, new.replaces, new.client_id) == (3.0, 0.0, entry.id, "n-1-1")
    assert (entry.status, entry.replaced_by) == ("replaced", new.id)
    with pytest.raises(Impossible, match="not open"):
        made.cancel(entry.id)


def test_what_it_does_not_take() -> None:
    made, _ = account(holds=True)
    made.place([ENTRY])
    made.trade("AAPL", 1, 10.0, 100.0)
    made.place([Order("", "n-3-0", "AAPL", -1, "stop", 10.0, stop_price=90.0)])
    for order, code in (
        (ENTRY, "id_clash"),
        (Order("", "n-4-0", "NONE", 1, "market", 1.0), "unknown_symbol"),
        (Order("", "n-4-0", "AAPL", -1, "market", 1.0), "held"),
    ):
        with pytest.raises(Impossible) as caught:
            made.place([order])
        assert caught.value.code == code
    assert len(made.orders) == 3


def test_trades_turn_a_position_round_at_their_price() -> None:
    made, _ = account()
    made.trade("AAPL", 1, 10.0, 100.0)
    made.trade("AAPL", 1, 10.0, 110.0)
    assert made.positions == {"AAPL": (20.0, 105.0)}
    made.trade("AAPL", -1, 5.0, 120.0)
    assert made.positions == {"AAPL": (15.0, 105.0)}
    made.trade("AAPL", -1, 20.0, 120.0)
    assert made.positions == {"AAPL": (-5.0, 120.0)}
