"""Reconciliation: a case for each rule, and random journals against random accounts."""

from __future__ import annotations

import random
from typing import Any

import pytest
from msgspec.structs import replace

from intrabar.brokers.order_table import take
from intrabar.brokers.reconcile import (
    Absence,
    Action,
    Aside,
    Block,
    Book,
    Clean,
    Differs,
    Known,
    LookUp,
    Moved,
    Stands,
    Tell,
    is_absent,
    reconcile,
)
from intrabar.brokers.tickets import (
    OPEN,
    Asked,
    Corrected,
    Filled,
    Found,
    Replaced,
    State,
    Terms,
    Ticket,
    Total,
)
from intrabar.model.broker_facts import FillFact, OrderFact, Snapshot

SECOND = 1_000_000_000
CODE, OLD = "0a1b2c", "zzzzzz"
ALL = frozenset({"orders", "fills", "positions", "balance"})
TICKET = Ticket(
    f"{CODE}-1-0", 1, "s", "A", 1, "limit", Terms(10.0, 100.0), 0,
    state=State.WORKING, vendor_ids=("v1",),
)  # fmt: skip
FACT = OrderFact("v1", f"{CODE}-1-0", "A", 1, "limit", 10.0, "working", limit_price=100.0)
FILL = FillFact("f1", "v1", f"{CODE}-1-0", "A", 1, 4.0, 99.5, cost=1.0, total=4.0)
KNOWN = Known((TICKET,), {}, {"A": 1.0}, frozenset({CODE}), equity=10_000.0, gap=500.0)
LOOK = Snapshot(0, ALL, (FACT,), balance=10_500.0)
PART = replace(FACT, filled=4.0, average=99.5)
FILLED = take(TICKET, Filled("f1", 4.0, 99.5, total=4.0), 0).ticket


def test_all_equal_and_complete_is_clean() -> None:
    assert reconcile(KNOWN, LOOK) == [Clean()]


@pytest.mark.parametrize("part", sorted(ALL))
def test_a_part_that_is_not_complete_proves_nothing(part: str) -> None:
    empty = Snapshot(0, ALL - {part}, positions={}, balance=10_500.0)
    held = replace(KNOWN, positions={"A": 4.0}, tickets=())
    actions = reconcile(held, empty)
    assert Clean() not in actions
    if part in ("positions", "fills"):
        assert not actions  # never "flat"
    unheard = replace(LOOK, orders=(), complete=ALL - {"orders"})
    assert not any(isinstance(x, LookUp) for x in reconcile(KNOWN, unheard))


CASES: list[tuple[str, Known, Snapshot, list[Action]]] = [
    (
        "a fill of ours that is not booked",
        KNOWN,
        replace(LOOK, orders=(PART,), fills=(FILL,), positions={"A": (4.0, 99.5)}),
        [
            Tell(TICKET.name, Filled("f1", 4.0, 99.5, 1.0, 4.0, in_look=True)),
            Tell(TICKET.name, Total(4.0, 99.5, in_look=True)),
        ],
    ),
    (
        "a fill that is corrected, which explains the position",
        replace(KNOWN, tickets=(FILLED,), positions={"A": 4.0}),
        replace(
            LOOK,
            orders=(replace(PART, filled=3.0),),
            fills=(replace(FILL, qty=3.0, total=3.0, version=1),),
            positions={"A": (3.0, 99.5)},
        ),
        [
            Tell(FILLED.name, Corrected("f1", 1, 3.0, 99.5, 1.0)),
            Tell(FILLED.name, Total(3.0, 99.5, in_look=True)),
        ],
    ),
    (
        "of which only the total is told",
        KNOWN,
        replace(LOOK, orders=(PART,), positions={"A": (4.0, 99.5)}),
        [Tell(TICKET.name, Total(4.0, 99.5, in_look=True))],
    ),
    (
        "alive here, over there",
        KNOWN,
        replace(LOOK, orders=(replace(FACT, state="cancelled"),)),
        [Tell(TICKET.name, Found(State.CANCELLED, "v1"))],
    ),
    (
        "changed there",
        KNOWN,
        replace(LOOK, orders=(replace(FACT, limit_price=101.0),)),
        [Stands(TICKET.name, Terms(10.0, 101.0))],
    ),
    (
        "but not where a change of ours is on its way",
        replace(KNOWN, tickets=(replace(TICKET, asked=Asked.REPLACE),)),
        replace(LOOK, orders=(replace(FACT, limit_price=101.0),)),
        [],
    ),
    ("alive here, absent there", KNOWN, replace(LOOK, orders=()), [LookUp(TICKET.name)]),
    (
        "over here, alive there",
        replace(KNOWN, tickets=(replace(TICKET, state=State.CANCELLED),)),
        LOOK,
        [Tell(TICKET.name, Found(State.WORKING, "v1"))],
    ),
    (
        "an id that nobody echoes is known by what it is",
        replace(KNOWN, tickets=(replace(TICKET, state=State.UNKNOWN, vendor_ids=()),)),
        replace(LOOK, orders=(replace(FACT, client_id="", vendor_id="v9"),)),
        [Tell(TICKET.name, Found(State.WORKING, "v9"))],
    ),
    (
        "and is foreign where it fits none",
        replace(KNOWN, tickets=()),
        replace(LOOK, orders=(replace(FACT, client_id="", vendor_id="v9"),)),
        [Block("A", "a foreign order v9", pages=True)],
    ),
    (
        "a copy of us lives",
        replace(KNOWN, tickets=(), is_start=True),
        replace(LOOK, orders=(replace(FACT, client_id=f"{CODE}-77-0"),)),
        [Block("A", f"a copy of this session has sent {CODE}-77-0", pages=True, refuses=True)],
    ),
    (
        "and is let in by --restored",
        replace(KNOWN, tickets=(), is_start=True, is_restored=True),
        replace(LOOK, orders=(replace(FACT, client_id=f"{CODE}-77-0"),)),
        [Block("A", f"a copy of this session has sent {CODE}-77-0", pages=True)],
    ),
    (
        "a foreign order in another symbol",
        replace(KNOWN, tickets=(), is_start=True),
        replace(LOOK, orders=(replace(FACT, client_id="x", symbol="B"),)),
        [Block("", "a foreign order v1 in B", refuses=True)],
    ),
    (
        "is tolerated where a person said so",
        replace(KNOWN, tickets=(), tolerates=True),
        replace(LOOK, orders=(replace(FACT, client_id="x", symbol="B"),)),
        [Clean()],
    ),
    (
        "closed by hand",
        replace(KNOWN, tickets=(), positions={"A": 10.0}),
        replace(LOOK, orders=(), fills=(FillFact("h", "w", "", "A", -1, 10.0, 101.0),)),
        [Book("h", "A", -1, 10.0, 101.0)],
    ),
    (
        "turned round by hand: beyond zero is a difference",
        replace(KNOWN, tickets=(), positions={"A": 10.0}),
        replace(
            LOOK,
            orders=(),
            fills=(FillFact("h", "w", "", "A", -1, 15.0, 101.0),),
            positions={"A": (-5.0, 101.0)},
        ),
        [Book("h", "A", -1, 10.0, 101.0), Differs("A", -5.0, is_drift=False)],
    ),
    (
        "added by hand",
        replace(KNOWN, tickets=()),
        replace(
            LOOK,
            orders=(),
            fills=(FillFact("h", "w", "", "A", 1, 5.0, 101.0),),
            positions={"A": (5.0, 101.0)},
        ),
        [Differs("A", 5.0, is_drift=False)],
    ),
    (
        "a difference that two looks find is a drift",
        replace(KNOWN, tickets=(), differences={"A": (5.0, 0)}),
        replace(LOOK, at=5 * SECOND, orders=(), positions={"A": (5.0, 101.0)}),
        [Differs("A", 5.0, is_drift=True)],
    ),
    (
        "one that has changed is a new one",
        replace(KNOWN, tickets=(), differences={"A": (4.0, 0)}),
        replace(LOOK, at=5 * SECOND, orders=(), positions={"A": (5.0, 101.0)}),
        [Differs("A", 5.0, is_drift=False)],
    ),
    (
        "less than a lot is kept aside",
        replace(KNOWN, tickets=()),
        replace(LOOK, orders=(), positions={"A": (0.4, 101.0)}),
        [Aside("A", 0.4), Clean()],
    ),
    (
        "a position in another symbol",
        replace(KNOWN, tickets=(), is_start=True),
        replace(LOOK, orders=(), positions={"B": (7.0, 50.0)}),
        [Block("", "a foreign position of 7 B", refuses=True)],
    ),
    (
        "money that came without a fill",
        KNOWN,
        replace(LOOK, balance=10_600.0),
        [Moved(100.0)],
    ),
    ("less than half a percent is none", KNOWN, replace(LOOK, balance=10_550.0), [Clean()]),
    (
        "what acts today is clean only when its row is sealed",
        replace(KNOWN, acting=frozenset({"A"})),
        LOOK,
        [],
    ),
]


RULES = [pytest.param(*case[1:], id=case[0]) for case in CASES]


@pytest.mark.parametrize(("known", "look", "expected"), RULES)
def test_each_rule(known: Known, look: Snapshot, expected: list[Any]) -> None:
    assert repr(reconcile(known, look)) == repr(expected)  # NaN is NaN


# Random accounts: what is found is done, and a second look finds nothing


def account(rng: random.Random) -> tuple[Known, Snapshot, dict[str, float]]:
    """An account that traded our orders, and what of it the journal has missed."""
    tickets, orders, fills, truth, known_positions = [], [], [], {}, {}
    for n in range(1, rng.randint(2, 6)):
        symbol, side = rng.choice("AB"), rng.choice([1, -1])
        parts = [rng.choice([1.0, 2.0, 3.0]) for _ in range(rng.randint(0, 3))]
        total = sum(parts)
        money, so_far = 0.0, 0.0
        name, vendor = f"{CODE}-{n}-0", f"v{n}"
        ticket = Ticket(name, n, "s", symbol, side, "limit", Terms(10.0, 100.0), 0)
        for k, qty in enumerate(parts):
            price = 100.0 - rng.randint(0, 3)
            so_far, money = so_far + qty, money + qty * price
            fact = FillFact(f"{vendor}.{k}", vendor, name, symbol, side, qty, price, total=so_far)
            fills.append(fact)
            if rng.random() < 0.5:
                ticket = take(ticket, Filled(fact.id, qty, price, total=so_far), 0).ticket
        state = State.FILLED if total >= 10.0 else rng.choice([State.WORKING, State.CANCELLED])
        average = money / total if total else float("nan")
        orders.append(
            OrderFact(vendor, name, symbol, side, "limit", 10.0, state, total, average, 100.0)
        )
        if rng.random() < 0.5:
            ticket = take(ticket, Found(rng.choice([State.WORKING, state]), vendor), 0).ticket
        tickets.append(ticket)
        truth[symbol] = truth.get(symbol, 0.0) + side * total
        known_positions[symbol] = known_positions.get(symbol, 0.0) + side * ticket.booked
    known = Known(
        tuple(tickets), known_positions, {"A": 1.0, "B": 1.0}, frozenset({CODE}),
        equity=10_000.0, gap=0.0,
    )  # fmt: skip
    positions = {symbol: (qty, 100.0) for symbol, qty in truth.items() if qty}
    rng.shuffle(fills)
    look = Snapshot(9 * SECOND, ALL, tuple(orders), tuple(fills), positions, 10_000.0)
    return known, look, truth


def done(known: Known, actions: list[Action], at: int) -> Known:
    tickets = {ticket.name: ticket for ticket in known.tickets}
    positions = dict(known.positions)
    for action in actions:
        if isinstance(action, Tell):
            before = tickets[action.ticket]
            step = take(before, action.event, at, known.has_ids)
            tickets[action.ticket] = step.ticket
            moved = step.ticket.booked - before.booked
            positions[before.symbol] = positions.get(before.symbol, 0.0) + moved * before.side
    return replace(known, tickets=tuple(tickets.values()), positions=positions)


@pytest.mark.parametrize("has_ids", [True, False])
def test_what_a_look_finds_is_done_and_a_second_finds_nothing(has_ids: bool) -> None:
    told = 0
    for seed in range(2_000):
        known, look, truth = account(random.Random(seed))
        known = replace(known, has_ids=has_ids)
        actions = reconcile(known, look)
        assert not any(isinstance(a, Differs | Aside | Moved | Block) for a in actions), seed
        told += len(actions)
        after = done(known, actions, look.at)
        for symbol, qty in truth.items():
            assert after.positions.get(symbol, 0.0) == pytest.approx(qty), seed
        assert reconcile(after, look) == [Clean()], seed
        for ticket, fact in zip(after.tickets, look.orders, strict=True):
            assert (ticket.state in OPEN) == (State(fact.state) in OPEN), seed
    assert told > 2_000


# Absence


@pytest.mark.parametrize(
    ("absence", "expected"),
    [
        (Absence(1 * SECOND, (40 * SECOND, 45 * SECOND), True, True), True),
        (Absence(0, (40 * SECOND, 45 * SECOND), True, True), False),  # its thread still runs
        (Absence(1 * SECOND, (40 * SECOND,), True, True), False),
        (Absence(1 * SECOND, (40 * SECOND, 44 * SECOND), True, True), False),
        (Absence(1 * SECOND, (20 * SECOND, 35 * SECOND), True, True), False),
        (Absence(1 * SECOND, (40 * SECOND, 45 * SECOND), False, True), False),
        (Absence(1 * SECOND, (40 * SECOND, 45 * SECOND), True, False), False),
    ],
)
def test_absent_is_what_two_looks_prove(absence: Absence, expected: bool) -> None:
    assert is_absent(absence, 30 * SECOND) is expected


NEW = replace(FACT, vendor_id="v2", client_id=f"{CODE}-1-1", limit_price=101.0)
GONE = replace(FACT, state="cancelled", replaced_by="v2")
CHANGING = replace(TICKET, asked=Asked.REPLACE, wanted=Terms(10.0, 101.0), also=(f"{CODE}-1-1",))


@pytest.mark.parametrize("orders", [(GONE, NEW), (NEW, GONE)])
def test_of_two_orders_of_a_ticket_the_one_counts_that_took_the_others_place(
    orders: tuple[OrderFact, ...],
) -> None:
    known = replace(KNOWN, tickets=(CHANGING,))
    actions = reconcile(known, replace(LOOK, orders=orders))
    assert actions == [Tell(CHANGING.name, Found(State.WORKING, "v2"))]


def test_an_order_whose_place_another_has_taken_is_not_over() -> None:
    known = replace(KNOWN, tickets=(CHANGING,))
    actions = reconcile(known, replace(LOOK, orders=(GONE,)))
    assert actions == [
        Tell(CHANGING.name, Replaced(Terms(10.0, 101.0), "v2")),
        LookUp(CHANGING.name),
    ]


def test_a_fill_under_a_later_name_of_ours_is_no_strangers() -> None:
    out = replace(CHANGING, side=-1)
    known = replace(KNOWN, tickets=(out,), has_ids=False, positions={"A": 10.0})
    fill = replace(FILL, side=-1, vendor_id="v2", client_id=f"{CODE}-1-1")
    look = replace(LOOK, orders=(), fills=(fill,), positions={"A": (6.0, 99.5)})
    assert not [x for x in reconcile(known, look) if isinstance(x, Book)]
