"""The first refresh token: what the browser brings is taken only as an answer to our question."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import socket
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from intrabar.brokers.fakes.tradestation import FakeTradeStation
from intrabar.errors import AuthError, StateError, Timeout
from intrabar.links.tradestation.login import answered, begin, exchanged
from intrabar.links.tradestation.service import LIVE
from tests.brokers.tradestation.served import KEY, served


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def browse(port: int, query: str) -> str:
    for _ in range(200):
        try:
            reader, writer = await asyncio.open_connection("localhost", port)
            break
        except OSError:
            await asyncio.sleep(0.01)
    writer.write(f"GET /?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    told = (await reader.read()).decode()
    writer.close()
    return told


def test_the_page_asks_for_a_code_that_only_we_can_use() -> None:
    login = begin(LIVE, KEY, 3000)
    url = urlsplit(login.url)
    asked = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert f"{url.scheme}://{url.netloc}{url.path}" == "https://signin.tradestation.com/authorize"
    assert asked["response_type"] == "code"
    assert asked["redirect_uri"] == "http://localhost:3000"
    assert asked["audience"] == "https://api.tradestation.com"
    assert {"openid", "offline_access", "MarketData", "Trade"} <= set(asked["scope"].split())
    digest = hashlib.sha256(login.verifier.encode()).digest()
    assert asked["code_challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert login.verifier not in login.url
    assert KEY.secret is not None
    assert KEY.secret.reveal() not in login.url
    assert begin(LIVE, KEY).state != login.state


def test_a_code_becomes_a_refresh_token() -> None:
    async def test(fake: FakeTradeStation) -> None:
        port = free_port()
        login = begin(fake.service, KEY, port)
        waiting = asyncio.ensure_future(answered(login, 5.0))
        assert "404" in await browse(port, "code=another&state=not-ours")
        assert "404" in await browse(port, "")
        assert "200" in await browse(port, f"code=the-code&state={login.state}")
        code = await waiting
        assert code == "the-code"
        assert await exchanged(fake.service, KEY, login, code) == fake.refresh_token
        form = fake.server.calls[-1].form
        assert form["code_verifier"] == login.verifier
        assert form["redirect_uri"] == login.redirect
        with pytest.raises(AuthError) as error:
            await exchanged(fake.service, KEY, login, "a-wrong-code")
        assert "a-wrong-code" not in str(error.value)

    served(FakeTradeStation, test)


def test_a_no_is_told_as_it_was_said() -> None:
    async def test() -> None:
        port = free_port()
        login = begin(LIVE, KEY, port)
        waiting = asyncio.ensure_future(answered(login, 5.0))
        why = quote("User did not authorize the request")
        await browse(port, f"error=access_denied&error_description={why}&state={login.state}")
        with pytest.raises(AuthError, match="did not authorize"):
            await waiting

    asyncio.run(test())


def test_nobody_is_waited_for_without_end(tmp_path: Path) -> None:
    async def test() -> None:
        login = begin(LIVE, KEY, free_port())
        with pytest.raises(Timeout, match="nobody has logged in"):
            await answered(login, 0.05)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            with pytest.raises(StateError, match="--port"):
                await answered(begin(LIVE, KEY, int(taken.getsockname()[1])), 1.0)

    asyncio.run(test())
