"""What every broker promises, of TradeStation."""

from __future__ import annotations

import tempfile
from pathlib import Path

from intrabar.brokers.conformance import BrokerConformance
from intrabar.brokers.fakes.stage import FakeStage
from intrabar.brokers.fakes.tradestation import FakeTradeStation
from intrabar.brokers.tradestation.adapter import TradeStation
from intrabar.links.broker import Wanted
from intrabar.links.clock import WallClock
from intrabar.links.tradestation.client import Client
from intrabar.links.tradestation.tokens import Key, Tokens, write_token
from intrabar.model.secret import Secret

WAIT = 0.8  # seconds: more than a busy machine takes to answer
SECRETS = ("an-api-key-0", "a-client-secret-0", "refresh-0")


async def stage() -> FakeStage:
    fake = FakeTradeStation(beat=0.05)
    await fake.start()
    folder = Path(tempfile.mkdtemp())

    def broker(wanted: Wanted, wrong_keys: bool) -> TradeStation:
        clock = WallClock()
        file = folder / ("wrong.token" if wrong_keys else "refresh.token")
        write_token(file, "refresh-wrong" if wrong_keys else SECRETS[2])
        key, service = Key(SECRETS[0], Secret(SECRETS[1])), fake.service
        tokens = Tokens(service, key, file, clock, tries=1, deadline=WAIT)
        client = Client(service, tokens, clock, keeps=True, deadline=WAIT, silence=WAIT, tries=1)
        return TradeStation(client, wanted, clock)

    return FakeStage(fake.account, fake.server, broker, secrets=SECRETS, deadline=8.0 * WAIT)


class TestTradeStation(BrokerConformance):
    make = staticmethod(stage)
