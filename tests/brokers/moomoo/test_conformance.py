"""Moomoo as a broker: the suite against its fake, with a simulated and with a real account."""

from __future__ import annotations

from typing import Literal

from intrabar.brokers.conformance import BrokerConformance
from intrabar.brokers.fakes.moomoo import PASSWORD
from intrabar.brokers.fakes.stage import FakeStage
from intrabar.brokers.moomoo.adapter import MoomooBroker
from intrabar.links.broker import Wanted
from tests.brokers.moomoo.places import broker_at, opend


async def _stage(env: Literal["SIMULATE", "REAL"]) -> FakeStage:
    gateway = opend(env)
    await gateway.start()

    def make(wanted: Wanted, wrong_keys: bool) -> MoomooBroker:
        return broker_at(gateway, wanted, "not-that-password" if wrong_keys else PASSWORD)

    is_real = env == "REAL"
    return FakeStage(
        gateway.account,
        gateway,  # type: ignore[arg-type]
        make,
        secrets=(PASSWORD,) if is_real else (),
        kind="live" if is_real else "paper",
        deadline=9.0,
    )


async def simulated() -> FakeStage:
    return await _stage("SIMULATE")


async def real() -> FakeStage:
    return await _stage("REAL")


class TestSimulated(BrokerConformance):
    make = staticmethod(simulated)


class TestReal(BrokerConformance):
    make = staticmethod(real)
