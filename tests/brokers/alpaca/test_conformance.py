"""Alpaca keeps what every broker promises, over its wire."""

from __future__ import annotations

from intrabar.brokers.alpaca.adapter import Alpaca
from intrabar.brokers.conformance import BrokerConformance
from intrabar.brokers.fakes.alpaca import FakeAlpaca
from intrabar.brokers.fakes.alpaca_words import KEY, SECRET
from intrabar.brokers.fakes.stage import FakeStage
from intrabar.links.broker import Broker, Wanted
from intrabar.links.clock import WallClock
from intrabar.model.secret import Secret
from tests.brokers.alpaca.serving import LIMITS


async def alpaca() -> FakeStage:
    fake = FakeAlpaca()
    await fake.server.start()

    def make(wanted: Wanted, wrong_keys: bool) -> Broker:
        key = Secret("PKNOTTHEKEY123456789" if wrong_keys else KEY)
        credentials = {"api_key": key, "secret_key": Secret(SECRET)}
        return Alpaca(
            credentials, wanted, WallClock(), hosts=fake.hosts, limits=LIMITS, seconds=1.2
        )

    return FakeStage(fake.account, fake.server, make, secrets=(KEY, SECRET), deadline=10.0)


class TestAlpaca(BrokerConformance):
    make = staticmethod(alpaca)
