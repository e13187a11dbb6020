"""The guard: three things and no more, and never one of them twice."""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from intrabar.brokers.chain import SECOND
from intrabar.brokers.guard import SEEN_WITHIN, Deed, guard
from intrabar.brokers.tickets import OPEN, State
from intrabar.model.broker_facts import OrderFact, Snapshot

CODE = "0a1b2c"
ENTRY = OrderFact("1", f"{CODE}-1-0", "A", 1, "limit", 5.0, "working", limit_price=90.0)
STOP = OrderFact("2", f"{CODE}-2-0", "A", -1, "stop", 10.0, "working", stop_price=95.0)
ALL = frozenset({"orders", "positions"})
LONG = Snapshot(0, ALL, (STOP,), positions={"A": (10.0, 100.0)})


def test_what_is_covered_is_left_alone() -> None:
    assert guard(LONG, {"A": 95.0}, (), (), CODE) == []


def test_orders_of_ours_that_add_are_cancelled_and_no_others() -> None:
    foreign = replace(ENTRY, client_id="theirs", vendor_id="9")
    look = replace(LONG, orders=(STOP, ENTRY, foreign))
    assert guard(look, {"A": 95.0}, (), (), CODE) == [Deed("cancel", 0, ENTRY.client_id, "A")]


def test_what_is_bare_gets_one_stop_at_the_last_level() -> None:
    look = replace(LONG, orders=(replace(STOP, qty=4.0),))
    (stop,) = guard(look, {"A": 95.0}, (), (), CODE)
    assert stop == Deed("stop", 0, f"{CODE}-e1", "A", -1, 6.0, 95.0)
    assert guard(look, {"A": 95.0}, (), (stop,), CODE) == []  # it is on its way
    late = replace(look, at=SEEN_WITHIN)
    assert guard(late, {"A": 95.0}, (), (stop,), CODE)[0].name == f"{CODE}-e2"
    assert guard(look, {"A": float("nan")}, (), (), CODE) == []  # no level: a person answers


@pytest.mark.parametrize("part", sorted(ALL))
def test_a_look_that_is_not_complete_proves_nothing(part: str) -> None:
    look = replace(LONG, orders=(), complete=ALL - {part})
    assert guard(look, {"A": 95.0}, ("A",), (), CODE) == []


def test_a_person_s_exit_cancels_the_stop_first_and_then_leaves() -> None:
    assert guard(LONG, {"A": 95.0}, ("A",), (), CODE) == [Deed("cancel", 0, STOP.client_id, "A")]
    bare = replace(LONG, orders=())
    assert guard(bare, {"A": 95.0}, ("A",), (), CODE) == [
        Deed("exit", 0, f"{CODE}-e1", "A", -1, 10.0)
    ]


def test_on_a_broker_that_obeys_all_is_covered_once() -> None:
    """Looks each five seconds, some late, some lines lost on the way: never more than is held."""
    for seed in range(500):
        rng = random.Random(seed)
        held = rng.choice([-7.0, 4.0, 10.0])
        orders = [
            replace(rng.choice([ENTRY, STOP]), vendor_id=str(n), client_id=f"{CODE}-{n}-0",
                    side=rng.choice([1, -1]), qty=rng.choice([1.0, 2.0]))
            for n in range(rng.randint(0, 3))
        ]  # fmt: skip
        level, lines, shown_at = rng.choice([50.0, 95.0]), [], {}
        for now in range(0, 90 * SECOND, 5 * SECOND):
            visible = tuple(o for o in orders if shown_at.get(o.client_id, 0) <= now)
            look = Snapshot(now, ALL, visible, positions={"A": (held, 100.0)})
            for deed in guard(look, {"A": level}, (), lines, CODE):
                lines.append(deed)
                if deed.kind == "cancel":
                    orders = [o for o in orders if o.client_id != deed.name]
                elif now > 40 * SECOND or rng.random() < 0.8:
                    new = replace(STOP, client_id=deed.name, side=deed.side, qty=deed.qty)
                    orders.append(new)
                    shown_at[deed.name] = now + rng.choice([0, 5, 25]) * SECOND
            against = [o for o in orders if o.side * held < 0.0 and o.type == "stop"]
            made = sum(o.qty for o in against if "-e" in o.client_id)
            theirs = sum(o.qty for o in against if "-e" not in o.client_id)
            assert made <= max(0.0, abs(held) - theirs), seed
        names = [line.name for line in lines if line.kind != "cancel"]
        assert len(set(names)) == len(names)
        assert all(State(o.state) in OPEN for o in orders)
        assert made + theirs >= abs(held), seed
        assert not any(o.side * held > 0.0 for o in orders), seed
