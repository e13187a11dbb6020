"""A stage of TWS for the conformance tests, and the adapter with limits of milliseconds."""

from __future__ import annotations

from typing import Any

from intrabar.brokers.fakes.account import FakeAccount
from intrabar.brokers.fakes.faults import Faults
from intrabar.brokers.fakes.ibkr.server import FakeTws
from intrabar.brokers.fakes.stage import FakeStage
from intrabar.brokers.ibkr.adapter import Ibkr
from intrabar.links.broker import Wanted
from intrabar.links.clock import WallClock

ACCOUNT = "DU1234567"


def account(**how: Any) -> FakeAccount:
    how.setdefault("fee", 1.0)  # USD a fill
    return FakeAccount(
        ACCOUNT, activates="whole", unique=False, names=lambda n: str(500_000_000 + n), **how
    )


def adapter(tws: FakeTws, wanted: Wanted, **credentials: Any) -> Ibkr:
    said = {"port": tws.port, **credentials}
    return Ibkr(said, wanted, WallClock(), seconds=1.25, silence=0.5, patience=0.1)


async def stage() -> FakeStage:
    there = account()
    tws = FakeTws(there, Faults())
    await tws.start()
    return FakeStage(there, tws, lambda wanted, _: adapter(tws, wanted), deadline=8.0)
