"""Random strategies on an account that nets nothing: book and broker agree after every row."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from intrabar.brokers.simulated import SimulatedBroker
from tests.brokers.session_faults import FaultySession
from tests.brokers.session_worlds import SessionWorld, fills_by, quoted
from tests.brokers.test_session import seeds, world_of

HISTORY = 20


class Agreeing(FaultySession):
    """A random session without faults; every sleeve of the account is compared after each row."""

    def __init__(self, seed: int) -> None:
        world, plan = world_of(seed)
        market = replace(world.base.market, actions=())
        broker = SimulatedBroker(market, plan.instruments, plan.account, nets=False)
        fills = fills_by(broker.can)
        SessionWorld.__init__(self, replace(plan, broker=fills), market, HISTORY, broker)
        self.schedule, self.message, self.met = {}, -1, Counter[str]()
        self.kinds, self.late = [], []

    def seen(self) -> dict[str, Any]:
        bar = max(min(self.row, len(self.market) - 1) - 1, 0)
        closes = zip(self.market.symbols, self.market.close[bar].tolist(), strict=True)
        return quoted(dict(closes))

    def settle(self) -> None:
        super().settle()
        there = self.broker.machine.book.sleeves["qty"]
        here = self.session.machine.book.sleeves["qty"].reshape(-1, len(there)).sum(axis=0)
        assert here.tolist() == there.tolist(), self.row


@pytest.mark.parametrize("part", range(3))
def test_book_and_broker_agree_after_every_row(part: int) -> None:
    sent = 0
    for seed in seeds(12)[part::3]:
        world = Agreeing(seed)
        world.run()
        assert len(set(world.sent)) == len(world.sent), seed
        assert not any(n.key.startswith("drift") for n in world.notices), seed
        sent += len(world.sent)
    assert sent > 10
