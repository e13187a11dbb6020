"""A TradeStation on loopback as long as a coroutine runs, and clients of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from intrabar.brokers.fakes.tradestation import FakeTradeStation
from intrabar.links.clock import Clock, WallClock
from intrabar.links.tradestation.client import Client
from intrabar.links.tradestation.tokens import Key, Tokens, write_token
from intrabar.model.secret import Secret

KEY = Key("an-api-key", Secret("a-client-secret"))


def served(
    make: Callable[[], FakeTradeStation],
    main: Callable[[FakeTradeStation], Coroutine[Any, Any, Any]],
    seconds: float = 20.0,
) -> Any:
    """What a coroutine makes of a fake that is there meanwhile."""

    async def whole() -> Any:
        fake = make()
        await fake.start()
        try:
            return await asyncio.wait_for(main(fake), seconds)
        finally:
            await fake.stop()

    return asyncio.run(whole())


def tokens_at(fake: FakeTradeStation, folder: Path, clock: Clock | None = None) -> Tokens:
    """Tokens whose file holds what the fake has given."""
    file = folder / "refresh.token"
    if not file.exists():
        write_token(file, fake.refresh_token)
    return Tokens(fake.service, KEY, file, clock or WallClock())


def client_of(
    fake: FakeTradeStation, folder: Path, clock: Clock | None = None, **limits: float
) -> Client:
    """A client with limits of milliseconds."""
    limits = {"deadline": 1.5, "silence": 0.8, **limits}
    made = clock or WallClock()
    return Client(fake.service, tokens_at(fake, folder, made), made, keeps=True, **limits)  # type: ignore[arg-type]
