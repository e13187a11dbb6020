"""Sessions that trade through TradeStation's wire, which never says our names."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from intrabar.brokers.fakes.tradestation import FakeTradeStation
from intrabar.brokers.tradestation.adapter import CAN, TradeStation
from intrabar.engine.session.plan import Plan
from intrabar.links.broker import Wanted
from intrabar.links.clock import WallClock
from intrabar.links.tradestation.client import Client
from intrabar.links.tradestation.tokens import Tokens, write_token
from intrabar.model.bars import Market
from tests.brokers.alpaca.test_session import HISTORY, ROWS, AlpacaWorld
from tests.brokers.session_worlds import SessionWorld, fills_by
from tests.brokers.tradestation.served import KEY
from tests.live.worlds import World


class WorldClock(WallClock):
    """The time of the world; what waits waits as long as the machine takes."""

    def __init__(self, world: TradeStationWorld) -> None:
        self._world = world

    def now(self) -> int:
        return self._world.now

    def tick(self) -> float:
        return self._world.now / 1e9  # so that tokens end, and calls are given back


class TradeStationWorld(AlpacaWorld):
    """The same market, before the fake of TradeStation."""

    fake: FakeTradeStation  # type: ignore[assignment]

    def __init__(self, plan: Plan, market: Market, seed: int) -> None:
        self.fake = FakeTradeStation(beat=5.0)
        self.fake.account.symbols.clear()
        self.fake.account.symbols.update({x.symbol: 100.0 for x in plan.instruments})
        self.fake.rotates = True
        self.loop = asyncio.new_event_loop()
        self.wait(self.fake.start())
        file, clock = Path(tempfile.mkdtemp()) / "token", WorldClock(self)
        write_token(file, self.fake.refresh_token)
        service, symbols = self.fake.service, tuple(self.fake.account.symbols)
        client = Client(service, Tokens(service, KEY, file, clock), clock, keeps=True, tries=1)
        broker = TradeStation(client, Wanted(self.fake.account.id, "paper", symbols), clock)
        SessionWorld.__init__(self, plan, market, HISTORY, broker)
        self.fake.account.now = lambda: self.now
        self.chance, self.marks = Random(seed), 0
        self.told: asyncio.Queue[Any] = asyncio.Queue()

    def require_agreement(self) -> None:
        self.sent[:] = [name for name in self.sent if name]  # a change has no name of its own
        super().require_agreement()

    async def _until(self, mark: str) -> list[Any]:
        found: list[Any] = []
        while (fact := await self.told.get()) is not None:
            if getattr(fact, "text", "") == f"{mark}: Received":
                return found
            if getattr(fact, "vendor_id", "") != self.mark.id:
                found.append(fact)
        return found


@pytest.mark.parametrize(
    ("bot", "seed"),
    [("CoinFlip, FixedPercent", 1), ("CoinFlip, TrailingATR", 1), ("Signals", 5)],
)
def test_a_session_and_its_account_agree_after_every_row(bot: str, seed: int) -> None:
    world = World(bot, seed, ROWS, HISTORY)
    plan = world.plan()
    plan = replace(plan, limits=type(plan.limits)(), broker=fills_by(CAN))
    mine = TradeStationWorld(plan, replace(world.base.market, actions=()), seed)
    try:
        mine.begin()
        mine.start()
        while mine.row < len(mine.market) - 1:
            mine.run_row()
            mine.require_agreement()
    finally:
        mine.end()
    assert len(mine.fake.account.fills) >= 3
    assert mine.fake.refresh_token != "refresh-0"  # tokens have ended on the way
    assert all(x.client_id for x in mine.fake.account.orders.values())
