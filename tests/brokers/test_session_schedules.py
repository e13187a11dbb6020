"""Faults of the wire, through a session: nothing lost, nothing twice, nothing bare."""

from __future__ import annotations

import itertools
import time

import pytest

from tests.brokers.faults import SCRIPTS
from tests.brokers.session_faults import faults_of, through

BOTH = pytest.mark.parametrize("nets", [True, False], ids=["nets", "nets nothing"])


@BOTH
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_wire_without_faults(name: str, nets: bool) -> None:
    world = through(name, {}, nets)
    assert {True, False} == set(world.kinds)
    assert not [n for n in world.notices if n.severity == "page"]


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
