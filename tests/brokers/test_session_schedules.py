"""Faults of the wire, through a session: nothing lost, nothing twice, nothing bare."""

from __future__ import annotations

import itertools
import time

import pytest
from msgspec.structs import replace

from intrabar.brokers import order_table
from intrabar.brokers.counting import Count
from intrabar.brokers.tickets import Booking, Filled, Ticket
from tests.brokers.faults import SCRIPTS
from tests.brokers.session_faults import faults_of, through

BOTH = pytest.mark.parametrize("nets", [True, False], ids=["nets", "nets nothing"])


@BOTH
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_wire_without_faults(name: str, nets: bool) -> None:
    world = through(name, {}, nets)
    assert {True, False} == set(world.kinds)
    told = {n.key.split()[0] for n in world.notices}
    # Between two rows this market stands: a cancel is not carried out, and that is told.
    assert told <= {"cancel", "exit"}


@BOTH
@pytest.mark.parametrize("name", SCRIPTS)
def test_every_schedule_of_one_fault(name: str, nets: bool) -> None:
    kinds = through(name, {}, nets).kinds
    for point, fault in faults_of(kinds):
        assert through(name, {point: fault}, nets).met[fault] == 1


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize("name", SCRIPTS)
def test_every_schedule_of_two_faults(name: str, nets: bool) -> None:
    count, began = 0, time.monotonic()
    faults = faults_of(through(name, {}, nets).kinds)
    for one, other in itertools.combinations(faults, 2):
        if one[0] != other[0]:
            through(name, dict((one, other)), nets)
            count += 1
    print(f"{name}: {count} schedules of two faults, {time.monotonic() - began:.1f} s")
    assert count > 400


def test_without_counting_against_the_total_the_schedules_fail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each frame counted as a fill: one that is told twice, or found by a look too, is two."""

    def each_frame(ticket: Ticket, fill: Filled, has_ids: bool) -> Count:
        booking = Booking(fill.id, fill.qty, fill.price, fill.cost)
        return Count(replace(ticket, booked=ticket.booked + fill.qty), (booking,))

    kinds = through("flip", {}).kinds
    duplicates = [k for k, is_request in enumerate(kinds) if not is_request]
    for point in duplicates:
        through("flip", {point: "duplicate"})
    monkeypatch.setattr(order_table, "count_fill", each_frame)
    failed = 0
    for point in duplicates:
        try:
            through("flip", {point: "duplicate"})
        except AssertionError:
            failed += 1
    assert failed == len(duplicates)
