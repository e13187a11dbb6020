"""Public.com as a broker: the suite against the fake."""

from __future__ import annotations

from intrabar.brokers.conformance import BrokerConformance
from intrabar.brokers.fakes.public import SECRET
from intrabar.brokers.fakes.stage import FakeStage
from intrabar.brokers.public.adapter import PublicBroker
from intrabar.links.broker import Wanted
from tests.brokers.public.places import Quick, fake, login


async def stage() -> FakeStage:
    """The fake, which listens, and the adapter at it."""
    vendor = fake()
    await vendor.server.start()

    def make(wanted: Wanted, wrong_keys: bool) -> PublicBroker:
        secret = "not-the-secret-of-the-fake" if wrong_keys else SECRET
        link = login(vendor, None, Quick(), secret=secret, seconds=0.25)
        return PublicBroker(link, wanted, Quick(), host=link.url)

    return FakeStage(vendor.account, vendor.server, make, secrets=(SECRET,), kind="live")


class TestPublic(BrokerConformance):
    make = staticmethod(stage)
