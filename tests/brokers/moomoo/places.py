"""OpenD of the fake, with one account."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Literal

from intrabar.brokers.fakes.account import FakeAccount
from intrabar.brokers.fakes.moomoo import PASSWORD, FakeOpenD
from intrabar.brokers.moomoo.adapter import MoomooBroker
from intrabar.links.broker import Wanted
from intrabar.model.secret import Secret

ACCOUNT = "281756455982434220"


class Quick:
    """The time of the machine, but waits are short: a minute takes half a second."""

    RATE = 120.0

    def now(self) -> int:
        return time.time_ns()

    def tick(self) -> float:
        return time.monotonic() * self.RATE

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.RATE)


def opend(env: Literal["SIMULATE", "REAL"] = "SIMULATE", **given: Any) -> FakeOpenD:
    """The gateway."""
    return FakeOpenD(given.pop("account", None) or FakeAccount(ACCOUNT), env, **given)


def broker_at(gateway: FakeOpenD, wanted: Wanted, password: str = PASSWORD) -> MoomooBroker:
    """The adapter at a gateway."""
    return MoomooBroker(
        wanted,
        Quick(),
        port=gateway.port,
        password=Secret(password) if wanted.kind == "live" else None,
        seconds=1.2,
        login=2.5,
    )
