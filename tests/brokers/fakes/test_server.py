"""The wire of fakes: requests, streams and sockets, and what faults do to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from intrabar.brokers.fakes.faults import Faults
from intrabar.brokers.fakes.server import Answer, Call, FakeServer, Feed, Streamed
from intrabar.brokers.fakes.tls import contexts

FRAMES = [b'{"n":%d}\n' % n for n in range(3)]


class Fake:
    """It takes orders, and streams three frames."""

    def __init__(self, faults: Faults, **more: Any) -> None:
        self.taken: list[Any] = []
        self.server = FakeServer(self.handle, self.kind_of, faults, sockets=self.sock, **more)

    def kind_of(self, call: Call) -> str:
        return {"/orders": "submit", "/stream": "stream"}[call.path]

    async def handle(self, call: Call) -> Answer | Streamed:
        if call.path == "/stream":
            return Streamed(self.stream)
        self.taken.append(call.json)
        return Answer({"id": len(self.taken), "asked": dict(call.query)})

    async def stream(self, feed: Feed) -> None:
        for frame in FRAMES:
            await feed.tell(frame)

    async def sock(self, feed: Feed, connection: ServerConnection) -> None:
        hello = await connection.recv()
        for frame in FRAMES:
            await feed.tell(f"{hello!s}{frame.decode().strip()}")


def with_fake(
    test: Callable[[Fake, httpx2.AsyncClient], Coroutine[Any, Any, None]],
    faults: Faults | None = None,
    client: dict[str, Any] | None = None,
    **more: Any,
) -> Fake:
    async def main() -> Fake:
        fake = Fake(faults or Faults(), **more)
        await fake.server.start()
        try:
            async with httpx2.AsyncClient(
                base_url=fake.server.url, timeout=0.5, **(client or {})
            ) as web:
                await test(fake, web)
        finally:
            await fake.server.stop()
        return fake

    return asyncio.run(main())


async def lines(web: httpx2.AsyncClient) -> list[str]:
    async with web.stream("GET", "/stream") as answer:
        return [line async for line in answer.aiter_lines()]


async def first_word(fake: Fake) -> Any:
    async with connect(fake.server.socket_url) as socket:
        await socket.send("hi ")
        return await socket.recv()


def test_a_request_is_answered_and_a_stream_told() -> None:
    async def test(fake: Fake, web: httpx2.AsyncClient) -> None:
        found = await web.post("/orders?a=1%202&b=", json={"qty": "3"})
        assert found.json() == {"id": 1, "asked": {"a": "1 2", "b": ""}}
        assert await lines(web) == [x.decode().strip() for x in FRAMES]
        async with connect(fake.server.socket_url) as socket:
            await socket.send("hi ")
            assert [await socket.recv() for _ in FRAMES] == [
                f"hi {x.decode().strip()}" for x in FRAMES
            ]

    fake = with_fake(test)
    assert fake.taken == [{"qty": "3"}]
    kinds = [kind for kind, _ in fake.server.faults.seen]
    assert kinds == ["submit", "stream", *["event"] * 3, "stream", *["event"] * 3]


@pytest.mark.parametrize(
    ("fault", "taken", "sees"),
    [
        ("lose_request", 0, httpx2.RemoteProtocolError),
        ("lose_answer", 1, httpx2.RemoteProtocolError),
        ("drop", 1, httpx2.RemoteProtocolError),
        ("mute", 0, httpx2.ReadTimeout),
        ("restart", 0, httpx2.RemoteProtocolError),
        ("429", 0, 429),
        ("500", 0, 500),
        ("expire_token", 0, 401),
        ("garbage", 1, 200),
        ("slow", 1, 200),
    ],
)
def test_faults_of_a_request(fault: str, taken: int, sees: Any) -> None:
    async def test(fake: Fake, web: httpx2.AsyncClient) -> None:
        if isinstance(sees, int):
            found = await web.post("/orders", json={})
            assert found.status_code == sees
            if fault == "garbage":
                with pytest.raises(ValueError):
                    found.json()
        else:
            with pytest.raises(sees):
                await web.post("/orders", json={})
        assert (await web.post("/orders", json={})).json()["id"] == taken + 1

    fake = with_fake(test, Faults([(("submit", 0), fault)]))
    assert fake.server.faults.met == [(("submit", 0), fault)]


@pytest.mark.parametrize(
    ("fault", "sees"),
    [
        ("lose_event", [0, 2]),
        ("duplicate", [0, 1, 1, 2]),
        ("reorder", [0, 2, 1]),
        ("slow", [0, 1, 2]),
        ("mute", [0]),
    ],
)
def test_faults_of_a_frame(fault: str, sees: list[int]) -> None:
    async def test(fake: Fake, web: httpx2.AsyncClient) -> None:
        assert await lines(web) == [FRAMES[n].decode().strip() for n in sees]

    with_fake(test, Faults([(("event", 1), fault)]))


def test_a_frame_may_be_garbage_or_the_last_one() -> None:
    async def test(fake: Fake, web: httpx2.AsyncClient) -> None:
        assert "html" in (await lines(web))[1]
        with pytest.raises(httpx2.RemoteProtocolError):
            await lines(web)
        for _ in range(2):
            with pytest.raises(ConnectionClosed):
                await first_word(fake)

    faults = Faults(
        [
            (("event", 1), "garbage"),
            (("event", 4), "drop"),
            (("event", 5), "drop"),
            (("stream", 3), "lose_request"),
        ]
    )
    with_fake(test, faults)


def test_it_comes_back_on_the_same_ports() -> None:
    async def test(fake: Fake, web: httpx2.AsyncClient) -> None:
        await web.post("/orders", json={})
        await fake.server.stop()
        with pytest.raises(httpx2.ConnectError):
            await web.post("/orders", json={})
        await fake.server.start()
        assert (await web.post("/orders", json={})).json()["id"] == 2

    with_fake(test)


def test_it_speaks_tls_where_asked(tmp_path: Path) -> None:
    server, client = contexts(tmp_path)

    async def test(fake: Fake, web: httpx2.AsyncClient) -> None:
        assert fake.server.url.startswith("https")
        assert (await web.post("/orders", json={})).json()["id"] == 1

    with_fake(test, client={"verify": client}, tls=server)
