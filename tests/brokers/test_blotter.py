"""The blotter: each fact finds its ticket, each row of the book its own."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from intrabar.brokers.door import Door
from intrabar.brokers.reconcile import Block, Stands, Tell, reconcile
from intrabar.brokers.tickets import OPEN, Asked, State, Terms
from intrabar.model.broker_facts import FillFact, OrderFact, Snapshot
from intrabar.model.enums import LedgerKind
from tests.brokers.faults import SCRIPTS
from tests.brokers.worlds import CODE, World

ENTRY = f"{CODE}-0-0"
STOP, TARGET = f"{ENTRY}s", f"{ENTRY}t"
TARGET_THERE = OrderFact(
    "98", "", "A", -1, "limit", 10.0, "working", limit_price=120.0, parent=ENTRY
)
CHILD = OrderFact("99", "", "A", -1, "stop", 5.0, "working", stop_price=95.0, parent=ENTRY)


@pytest.fixture
def door() -> Door:
    """After two bars of an entry with its bracket; the stop and the target rest."""
    world = World(SCRIPTS["bracket"])
    world.run_bar()
    world.run_bar()
    assert all(world.door.tickets[name].state in OPEN for name in (STOP, TARGET))
    return world.door


def test_a_row_of_the_book_has_its_own_ticket(door: Door) -> None:
    blotter = door.blotter
    for name in (ENTRY, STOP, TARGET):
        number = blotter.row_of(door.tickets[name])
        assert [ticket.name for ticket in blotter.of_row(number)] == [name]
    assert len({blotter.row_of(door.tickets[name]) for name in (ENTRY, STOP, TARGET)}) == 3
    assert blotter.of_row(-1) == []


def test_a_fact_without_a_client_id_is_found_by_any_of_its_vendor_ids(door: Door) -> None:
    (known,) = door.tickets[STOP].vendor_ids
    door.blotter.change(STOP, vendor_ids=(known, "77"))
    for vendor_id in (known, "77"):
        fact = OrderFact(vendor_id, "", "A", -1, "stop", 10.0, "cancelled", stop_price=95.0)
        assert door.blotter.name_of(fact) == STOP
    door.told(fact, 0)
    assert door.tickets[STOP].state is State.CANCELLED
    assert door.blotter.name_of(CHILD) is None


def test_a_child_that_the_broker_has_made_takes_no_row_of_another(door: Door) -> None:
    stop = door.blotter.row_of(door.tickets[STOP])
    before = set(door.tickets)
    door.told(CHILD, 0)
    (name,) = set(door.tickets) - before
    assert name == f"{CODE}-0-1s"  # the next attempt: no name is used twice
    assert door.blotter.name_of(CHILD) == name
    assert door.blotter.row_of(door.tickets[name]) == -1
    assert [ticket.name for ticket in door.blotter.of_row(stop)] == [STOP]


def test_a_state_that_nobody_can_read_is_looked_up_and_ends_nothing(door: Door) -> None:
    told = OrderFact("98", STOP, "A", -1, "stop", 10.0, "unknown", text="QUANTUM")
    before = door.tickets[STOP].state
    door.told(told, 0)
    assert door.tickets[STOP].state is before
    assert STOP in door.doubts
    door.looked_up(STOP, told, 0)
    assert door.tickets[STOP].state is State.UNKNOWN
    assert STOP in door.doubts


def test_a_fill_that_is_told_in_a_higher_version_is_put_right(door: Door) -> None:
    told = FillFact("f9", "98", STOP, "A", -1, 4.0, 95.0, total=4.0)
    door.told(told, 0)
    assert door.tickets[STOP].booked == 4.0
    door.told(replace(told, qty=3.0, version=1), 0)
    door.told(told, 0)  # older news of it
    assert door.tickets[STOP].booked == 3.0


def test_a_change_names_its_order_by_all_that_is_known(door: Door) -> None:
    ref = door.ref(STOP)
    ticket = door.tickets[STOP]
    assert (ref.client_id, ref.vendor_ids, ref.others) == (STOP, ticket.vendor_ids, ())
    assert (ref.order.type, ref.order.stop_price, ref.order.reduce_only) == ("stop", 95.0, True)
    assert ref.order.position == door.held("A") != 0.0
    assert not ref.order.opens
    door.blotter.change(ENTRY, vendor_ids=())
    assert set(door.ref(ENTRY).others) >= set(ticket.vendor_ids)


def test_an_order_whose_place_another_has_taken_ends_no_ticket(door: Door) -> None:
    """Told before or after the answer to the change, or found: the ticket has the new one."""
    (old,) = door.tickets[STOP].vendor_ids
    told = OrderFact(
        old, STOP, "A", -1, "stop", 10.0, "cancelled", stop_price=95.0, replaced_by="101"
    )
    wanted = Terms(10.0, stop_price=97.0)
    door.blotter.change(STOP, asked=Asked.REPLACE, wanted=wanted, also=(f"{ENTRY[:-1]}7s",))
    for hear in (door.told, lambda fact, now: door.looked_up(STOP, fact, now), door.told):
        hear(told, 0)
        ticket = door.tickets[STOP]
        assert ticket.state in OPEN
        assert (ticket.vendor_ids, ticket.terms) == ((old, "101"), wanted)
        assert ticket.asked is Asked.NONE
        assert STOP in door.doubts
    door.told(replace(told, replaced_by="102"), 0)  # by others
    assert door.tickets[STOP].vendor_ids[-1] == "102"
    assert door.tickets[STOP].state in OPEN


def test_what_an_old_order_had_filled_does_not_fall(door: Door) -> None:
    (old,) = door.tickets[STOP].vendor_ids
    door.told(FillFact("f9", old, STOP, "A", -1, 7.0, 95.0, total=7.0), 0)
    told = OrderFact(
        old, STOP, "A", -1, "stop", 10.0, "cancelled", 4.0, 95.0, stop_price=95.0, replaced_by="101"
    )
    for now in (0, 10**10, 2 * 10**10):
        door.looked_up(STOP, told, now)
    assert door.tickets[STOP].booked == 7.0


def test_an_order_that_left_with_its_entry_is_no_other_where_only_the_entry_is_named(
    door: Door,
) -> None:
    door.blotter.change(STOP, vendor_ids=())
    before = set(door.tickets)
    door.told(replace(CHILD, qty=10.0), 0)
    assert set(door.tickets) == before
    assert door.tickets[STOP].vendor_ids == ("99",)
    door.blotter.change(TARGET, vendor_ids=())
    look = Snapshot(0, frozenset({"orders"}), (replace(TARGET_THERE, vendor_id="98"),))
    found = reconcile(door.known(0.0, 0.0), look)
    assert [x.ticket for x in found if isinstance(x, Tell)] == [TARGET]
    assert not [x for x in found if isinstance(x, Block)]


def test_what_an_order_was_before_another_took_its_place_says_nothing_of_it(door: Door) -> None:
    door.blotter.change(STOP, vendor_ids=("1", "2"))
    terms, state = door.tickets[STOP].terms, door.tickets[STOP].state
    for word in ("working", "cancelled", "unknown"):
        old = replace(CHILD, vendor_id="1", client_id=STOP, state=word, qty=4.0, parent="")
        door.told(old, 0)
        assert (door.tickets[STOP].terms, door.tickets[STOP].state) == (terms, state)
    new = replace(old, vendor_id="2", state="working", qty=terms.qty)
    for orders in ((old, new), (new, old)):
        found = reconcile(door.known(0.0, 0.0), Snapshot(0, frozenset({"orders"}), orders))
        assert not [x for x in found if isinstance(x, Tell | Stands) and x.ticket == STOP]


def test_a_cost_that_is_told_after_its_fill_is_booked_once(door: Door) -> None:
    """0.5 a contract is what the instrument costs; the broker says another sum, later."""
    before = costs(door)
    told = FillFact("f9", "98", STOP, "A", -1, 4.0, 95.0, total=4.0)
    door.told(told, 0)
    assert costs(door) == before + 2.0
    for _ in range(2):
        door.told(replace(told, cost=3.25), 0)
        assert costs(door) == before + 3.25
    second = replace(told, id="f10", qty=6.0, total=10.0)
    door.told(second, 0)
    assert costs(door) == before + 3.25 + 3.0
    door.told(replace(second, cost=1.0), 0)
    assert costs(door) == before + 4.25
    assert door.tickets[STOP].cost == 4.25


def test_a_look_brings_the_cost_of_what_was_booked_by_difference(door: Door) -> None:
    before = costs(door)
    there = OrderFact("98", STOP, "A", -1, "stop", 10.0, "partial", 4.0, 95.0, stop_price=95.0)
    door.told(there, 0)
    assert costs(door) == before + 2.0
    fill = FillFact("f9", "98", STOP, "A", -1, 4.0, 95.0, cost=3.25, total=4.0)
    look = Snapshot(10**10, frozenset({"fills"}), fills=(fill,))
    for _ in range(2):
        door.carry_out(reconcile(door.known(1.0, 0.0), look), 10**10)
        assert costs(door) == before + 3.25


def test_the_cost_of_a_corrected_fill_counts_instead_of_the_old_one(door: Door) -> None:
    told = FillFact("f9", "98", STOP, "A", -1, 4.0, 95.0, cost=3.0, total=4.0)
    before = costs(door)
    door.told(told, 0)
    better = replace(told, price=96.0, version=1, cost=float("nan"))
    door.told(better, 0)
    door.told(replace(better, cost=1.5), 0)
    door.told(replace(told, cost=9.0), 0)  # older news of it
    assert costs(door) == before + 1.5 - 4.0  # a dollar dearer, four times


def costs(door: Door) -> float:
    """What fills and lines of the ledger have cost, together."""
    lines = door.machine.ledger()
    of_cost = lines["amount"][lines["kind"] == LedgerKind.COST]
    return float(door.machine.fills()["cost"].sum() - of_cost.sum())
