"""The order table against a slow machine, and against the truth of a broker."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intrabar.brokers.order_table import COLUMNS, TABLE, Step, take
from intrabar.brokers.tickets import (
    OPEN,
    Absent,
    Asked,
    ChangeRefused,
    Corrected,
    Ended,
    Filled,
    Found,
    NoAnswer,
    Replaced,
    State,
    SubmitRefused,
    Terms,
    Ticket,
    Total,
)
from intrabar.model.broker_facts import Accepted
from tests.oracles.naive_tickets import NaiveOrder

SECOND = 1_000_000_000
NAN = float("nan")
FIRST = Ticket("abc123-1-0", 1, "s", "A", 1, "limit", Terms(10.0, 100.0), 0)

Saying = tuple[str, dict[str, Any], Any]
"""What the slow machine hears, its facts, and the same as an event."""


def fill(key: str, qty: float, price: float, total: float = NAN, look: bool = False) -> Saying:
    facts = {"key": key, "qty": qty, "price": price, "total": total, "look": look}
    return "fill", facts, Filled(key, qty, price, total=total, in_look=look)


def total(qty: float, average: float = NAN, look: bool = False) -> Saying:
    facts = {"qty": qty, "average": average, "look": look}
    return "total", facts, Total(qty, average, in_look=look)


def correction(key: str, version: int, qty: float, price: float) -> Saying:
    facts = {"key": key, "version": version, "qty": qty, "price": price}
    return "correction", facts, Corrected(key, version, qty, price)


def found(state: State) -> Saying:
    return "found", {"how": state.value, "key": "v1"}, Found(state, "v1")


def replaced(qty: float) -> Saying:
    return "replaced", {"qty": qty, "key": "v2"}, Replaced(Terms(qty, 100.0), "v2")


ACKED: Saying = ("accepted", {"key": "v1", "works": False}, Accepted("v1"))
WORKS: Saying = ("accepted", {"key": "v1", "works": True}, Accepted("v1", works=True))
REFUSED: Saying = ("submit_refused", {}, SubmitRefused())
SILENCE: Saying = ("no_answer", {}, NoAnswer())
CANCELLED: Saying = ("ended", {"how": "cancelled"}, Ended(State.CANCELLED))
EXPIRED: Saying = ("ended", {"how": "expired"}, Ended(State.EXPIRED))
ABSENT: Saying = ("absent", {}, Absent())
PART, REST = fill("a", 4.0, 100.0, 4.0), fill("b", 6.0, 101.0, 10.0)
SAYINGS: list[Saying] = [
    *(ACKED, WORKS, REFUSED, SILENCE, CANCELLED, EXPIRED, ABSENT, PART, REST),
    fill("c", 2.0, 102.0, 12.0),
    fill("d", 3.0, 99.0),
    fill("d", 3.0, 99.0, look=True),
    fill("z", 3.0, 0.0, 3.0),
    total(4.0, 100.0),
    total(10.0, 100.6, look=True),
    total(0.0, look=True),
    total(4.0),
    correction("a", 1, 4.0, 100.5),
    correction("a", 2, 0.0, 0.0),
    correction("b", 1, 5.0, 101.0),
    replaced(12.0),
    replaced(4.0),
    ("change_refused", {}, ChangeRefused()),
    *(found(s) for s in (State.ACKED, State.WORKING, State.FILLED, State.CANCELLED)),
    found(State.REJECTED),
]


def same(step: Step, slow: NaiveOrder, where: Any) -> None:
    ticket = step.ticket
    assert ticket.state == slow.state, where
    assert ticket.booked == pytest.approx(float(slow.position), abs=1e-9), where
    assert ticket.money == pytest.approx(float(slow.paid), abs=1e-6), where
    assert ticket.by_difference == pytest.approx(float(slow.unnamed), abs=1e-9), where
    assert (ticket.asked is Asked.NONE) == (slow.change == "none"), where
    assert set(ticket.vendor_ids) == slow.ids, where
    flags = bool(step.anomaly), step.looks_up, step.sets
    assert flags == (slow.alarm, slow.question, slow.tells_book), (where, step.anomaly)


def through(sayings: Any, asked: Asked = Asked.NONE, apart: int = 6 * SECOND) -> None:
    ticket, slow = msgspec.structs.replace(FIRST, asked=asked), NaiveOrder(10.0)
    slow.change = asked.value
    moved, money = Fraction(0), Fraction(0)
    for n, (kind, facts, event) in enumerate(sayings):
        step = take(ticket, event, n * apart)
        slow.hear(kind, now=n * apart, **facts)
        same(step, slow, [(s[0], s[1]) for s in sayings[: n + 1]])
        for b in step.bookings:
            moved += Fraction(round(b.qty * 10**6), 10**6)
            money += Fraction(b.qty) * Fraction(b.price)
            money += Fraction(b.of_qty) * Fraction(b.price_change)
        ticket = step.ticket
    assert float(moved) == pytest.approx(ticket.booked)  # what entered the book is what is counted
    assert float(money) == pytest.approx(ticket.money)


def test_every_pair_of_events_from_every_state() -> None:
    ways: list[list[Saying]] = [
        *([], [SILENCE], [ACKED], [WORKS], [WORKS, PART], [PART, REST]),
        *([CANCELLED], [PART, CANCELLED], [EXPIRED], [REFUSED], [ABSENT]),
    ]
    reached = set()
    for way in ways:
        for pair in itertools.product(SAYINGS, repeat=2):
            for asked in (Asked.NONE, Asked.REPLACE):
                through([*way, *pair], asked)
        ticket = FIRST
        for _, _, event in way:
            ticket = take(ticket, event, 0).ticket
        reached.add(ticket.state)
    assert reached == set(State) - {State.REFUSED}


def test_every_three_events() -> None:
    for three in itertools.product(SAYINGS, repeat=3):
        through(three)


@given(st.lists(st.sampled_from(SAYINGS), max_size=25), st.sampled_from([1, 6]))
@settings(max_examples=400, deadline=None)
def test_long_lives(sayings: list[Any], seconds: int) -> None:
    through(sayings, apart=seconds * SECOND)


def test_the_table_has_a_cell_for_every_state_and_event() -> None:
    assert set(COLUMNS) == set(State)
    assert {len(row) for row in TABLE.values()} == {max(COLUMNS.values()) + 1}
    words = {word for row in TABLE.values() for cell in row for word in cell.split()}
    assert words <= {
        *(state.value for state in State),
        "told",
        "!",
        "?",
        "id",
        "set",
        "asked",
        "alive",
    }


def test_a_refused_change_never_ends_an_order() -> None:
    for state in OPEN:
        ticket = msgspec.structs.replace(FIRST, state=state, asked=Asked.CANCEL)
        after = take(ticket, ChangeRefused(), 0).ticket
        assert after.state is state
        assert after.asked is Asked.NONE


def test_a_fill_comes_before_its_ack() -> None:
    step = take(FIRST, Filled("a", 10.0, 100.0, total=10.0), 0)
    assert step.ticket.state is State.FILLED
    after = take(step.ticket, Accepted("v", works=True), 0)
    assert after.ticket.state is State.FILLED
    assert after.ticket.vendor_ids == ("v",)
    assert not after.bookings


def test_what_was_rejected_and_fills_all_the_same_cuts_the_younger() -> None:
    lost = take(FIRST, Absent(), 0).ticket
    step = take(lost, Filled("a", 4.0, 100.0, total=4.0), 0)
    assert step.cuts_younger
    assert step.anomaly
    assert [b.qty for b in step.bookings] == [4.0]
    assert take(lost, Found(State.WORKING, "v"), 0).cuts_younger


# The broker's truth, told in any order, twice, by stream, by look and by difference


def shuffled(rng: random.Random, has_ids: bool) -> tuple[Ticket, list[tuple[float, float]], list]:
    """Fills of one order, everything that is told of them in disorder, and a look at the end."""
    parts: list[tuple[float, float]] = []
    while len(parts) < rng.randint(1, 5):
        parts.append((rng.choice([1.0, 2.0, 0.3]), rng.choice([99.0, 100.0, 101.5])))
    told: list[Any] = []
    total, money = 0.0, 0.0
    for n, (qty, price) in enumerate(parts):
        total, money = round(total + qty, 9), money + qty * price
        fill = Filled(f"f{n}", qty, price, total=total if rng.random() < 0.8 else NAN)
        told += [fill] * rng.choice([0, 1, 1, 2])
        looks = rng.choices([True, False], k=rng.randint(0, 2))
        told += [Total(total, money / total, in_look=look) for look in looks]
    rng.shuffle(told)
    look = [Filled(f"f{n}", q, p, total=total, in_look=True) for n, (q, p) in enumerate(parts)]
    rng.shuffle(look)
    look.append(Total(total, money / total, in_look=True))
    return msgspec.structs.replace(FIRST, terms=Terms(total)), parts, [*told, *look]


@pytest.mark.parametrize("has_ids", [True, False])
def test_every_fill_is_counted_once_however_it_is_told(has_ids: bool) -> None:
    for seed in range(3_000):
        ticket, parts, told = shuffled(random.Random(seed), has_ids)
        moved, money = Fraction(0), Fraction(0)
        for event in told:
            # Events of one moment: a total that falls is late news, not a bust.
            step = take(ticket, event, 0, has_ids)
            moved += sum((Fraction(b.qty) for b in step.bookings), Fraction(0))
            money += sum(
                (
                    Fraction(b.qty) * Fraction(b.price)
                    + Fraction(b.of_qty) * Fraction(b.price_change)
                    for b in step.bookings
                ),
                Fraction(0),
            )
            ticket = step.ticket
        truth = sum(Fraction(q) for q, _ in parts)
        assert float(moved) == pytest.approx(float(truth), abs=1e-9), seed
        assert ticket.state is State.FILLED, seed
        worth = sum(Fraction(q) * Fraction(p) for q, p in parts)
        assert float(money) == pytest.approx(float(worth), abs=1e-6), seed


def test_counting_frames_alone_would_count_them_twice() -> None:
    """What the rule is for: without it the same disorder gives other positions."""
    wrong = 0
    for seed in range(300):
        _, parts, told = shuffled(random.Random(seed), True)
        counted = sum(event.qty for event in told if isinstance(event, Filled))
        wrong += counted != pytest.approx(sum(q for q, _ in parts))
    assert wrong > 250
