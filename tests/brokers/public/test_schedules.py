"""One fault at each message of a day at Public: nothing is sent twice, a look says what is true."""

from __future__ import annotations

import pytest

from intrabar.brokers.fakes.faults import Faults
from intrabar.brokers.public.adapter import PublicBroker
from intrabar.links.broker import Wanted
from intrabar.model.broker_facts import Accepted, Change, Ref, Refused, Request, Unknown
from tests.brokers.faulty_days import agrees, play, schedules, settled
from tests.brokers.public.places import ACCOUNT, Quick, fake, login

MOST = {"token": 2, "connect": 0, "find": 10, "look": 8}
ENTRY = Request("0a1b2c-1-0", "AAPL", 1, "limit", 10.0, 99.0, tif="day")
STOP = Request(
    "0a1b2c-1-0s", "AAPL", -1, "stop", 10.0, stop_price=90.0, reduce_only=True,
    parent="0a1b2c-1-0", position=10.0,
)  # fmt: skip
OUT = Request("0a1b2c-2-0", "AAPL", -1, "market", 10.0, reduce_only=True, position=10.0)


async def day(faults: Faults) -> None:
    """A bracket that fills in parts, a stop that moves, a way out; what is in doubt is asked."""
    vendor = fake(faults=faults)
    await vendor.server.start()
    link = login(vendor, None, Quick(), seconds=0.4)
    broker = PublicBroker(link, Wanted(ACCOUNT, "live"), Quick(), host=link.url)
    try:
        outcomes = await broker.submit((ENTRY, STOP))
        assert all(isinstance(x, Accepted | Refused | Unknown) for x in outcomes)
        if await settled(broker, ENTRY):
            entry = vendor.account.by_client_id(ENTRY.client_id)
            assert entry is not None
            vendor.account.fill(entry.id, 4.0, 99.0)
            vendor.account.fill(entry.id, 6.0, 99.0)
            await settled(broker, STOP)
            change = Change(float("nan"), stop_price=95.0, client_id="0a1b2c-1-1s")
            await broker.replace(Ref(STOP), change)
        (outcome,) = await broker.submit((OUT,))
        found = await settled(broker, OUT)
        if isinstance(outcome, Accepted):
            assert found
        elif isinstance(outcome, Refused):
            assert not found
        faults.clear()
        again = PublicBroker(login(vendor, None, Quick()), Wanted(ACCOUNT, "live"), Quick())
        await agrees(again, vendor.account)
        await again.close()
        stops = [x for x in vendor.account.orders.values() if x.type == "stop" and x.rest]
        assert len(stops) <= 1
    finally:
        await broker.close()
        await vendor.server.stop()


def test_every_schedule_of_one_fault() -> None:
    found = list(schedules(day, 1, MOST))
    assert len(found) > 80
    assert play(day, found) == []


@pytest.mark.slow
def test_schedules_of_two_faults() -> None:
    found = list(schedules(day, 2, MOST))[::17]
    print(f"{len(found)} schedules of two faults")
    assert play(day, found) == []
