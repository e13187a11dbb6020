"""A session above the real adapters and their fakes: with each fault, all is as it is there."""

from __future__ import annotations

import time

import pytest

from tests.brokers.adapter_faults import Make, play, schedules
from tests.brokers.alpaca.test_conformance import alpaca
from tests.brokers.ibkr.stages import stage as ibkr
from tests.brokers.moomoo.test_conformance import real as moomoo
from tests.brokers.public.test_conformance import stage as public
from tests.brokers.tradestation.test_conformance import stage as tradestation

VENDORS = pytest.mark.parametrize(
    "make",
    [tradestation, ibkr, alpaca, public, moomoo],
    ids=["tradestation", "ibkr", "alpaca", "public", "moomoo"],
)


@VENDORS
def test_a_wire_without_faults(make: Make) -> None:
    assert play(make, [()]) == []


@pytest.mark.slow
@VENDORS
def test_every_schedule_of_one_fault(make: Make) -> None:
    found, began = list(schedules(make, 1)), time.monotonic()
    assert len(found) > 50
    wrong = play(make, found)
    print(f"{len(found)} schedules of one fault, {time.monotonic() - began:.0f} s")
    assert "\n".join(wrong) == ""
