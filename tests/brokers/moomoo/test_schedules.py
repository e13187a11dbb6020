"""One fault at each message of a day at Moomoo: nothing is sent twice, a look says what is true."""

from __future__ import annotations

import pytest

from intrabar.brokers.fakes.faults import Faults
from intrabar.links.broker import Wanted
from intrabar.model.broker_facts import Accepted, Change, Ref, Refused, Request, Unknown
from tests.brokers.faulty_days import agrees, play, schedules, settled
from tests.brokers.moomoo.places import ACCOUNT, broker_at, opend

MOST = {"token": 1, "connect": 3, "find": 6, "look": 6, "event": 0}
ENTRY = Request("0a1b2c-1-0", "AAPL", 1, "limit", 10.0, 99.0, tif="day")
STOP = Request(
    "0a1b2c-2-0", "AAPL", -1, "stop", 10.0, stop_price=90.0, tif="gtc", reduce_only=True,
    position=10.0,
)  # fmt: skip
OUT = Request("0a1b2c-3-0", "AAPL", -1, "market", 10.0, reduce_only=True, position=10.0)


async def day(faults: Faults) -> None:
    """An entry that fills in parts, its stop that moves, a way out; what is in doubt is asked."""
    gateway = opend("REAL", faults=faults)
    gateway.unlocked = True
    await gateway.start()
    broker = broker_at(gateway, Wanted(ACCOUNT, "live"))
    try:
        (outcome,) = await broker.submit((ENTRY,))
        assert isinstance(outcome, Accepted | Refused | Unknown)
        if await settled(broker, ENTRY):
            entry = gateway.account.by_client_id(ENTRY.client_id)
            assert entry is not None
            gateway.account.fill(entry.id, 4.0, 99.0)
            gateway.account.fill(entry.id, 6.0, 99.0)
            await broker.submit((STOP,))
            if await settled(broker, STOP):
                await broker.replace(Ref(STOP), Change(float("nan"), stop_price=95.0))
                await broker.cancel(Ref(STOP))
        (outcome,) = await broker.submit((OUT,))
        found = await settled(broker, OUT)
        if isinstance(outcome, Accepted):
            assert found
        elif isinstance(outcome, Refused):
            assert not found
        faults.clear()
        again = broker_at(gateway, Wanted(ACCOUNT, "live"))
        await again.connect()
        await agrees(again, gateway.account)
        await again.close()
    finally:
        await broker.close()
        await gateway.stop()


def test_every_schedule_of_one_fault() -> None:
    found = list(schedules(day, 1, MOST))
    assert len(found) > 80
    assert play(day, found) == []


@pytest.mark.slow
def test_schedules_of_two_faults() -> None:
    found = list(schedules(day, 2, MOST))[::17]
    print(f"{len(found)} schedules of two faults")
    assert play(day, found) == []
