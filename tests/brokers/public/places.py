"""Public.com of the fake: a login, and an account."""

from __future__ import annotations

import asyncio
import ssl
import time
from functools import partial
from typing import Any

import httpx

from intrabar.brokers.fakes.account import FakeAccount
from intrabar.brokers.fakes.public import SECRET, FakePublic
from intrabar.brokers.public.ids import name_in
from intrabar.links.clock import Clock
from intrabar.links.public import Public
from intrabar.model.secret import Secret

ACCOUNT = "5OP12345"


class Plain(httpx.AsyncHTTPTransport):
    """Carries what the client sends by TLS without it: a handshake that is given up leaks."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(scheme="http")
        return await super().handle_async_request(request)


def fake(tls: ssl.SSLContext | None = None, **given: Any) -> FakePublic:
    """The vendor, with one account."""
    account = given.pop("account", None) or FakeAccount(ACCOUNT)
    return FakePublic(account, partial(name_in, account=account.id), tls=tls, **given)


def login(
    vendor: FakePublic,
    trusting: ssl.SSLContext | None = None,
    clock: Clock | None = None,
    **given: Any,
) -> Public:
    """The vendor's client, at the fake."""
    secret = given.pop("secret", SECRET)
    carrier = Plain() if trusting is None else httpx.AsyncHTTPTransport(verify=trusting)
    url = vendor.server.url.replace("http:", "https:")
    return Public(Secret(secret), clock, url=url, transport=carrier, **given)


class Quick:
    """The time of the machine, but waits are short: a minute takes a second."""

    RATE = 60.0

    def now(self) -> int:
        return time.time_ns()

    def tick(self) -> float:
        return time.monotonic() * self.RATE

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.RATE)
