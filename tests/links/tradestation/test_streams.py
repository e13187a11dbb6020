"""Streams of TradeStation: objects however they are cut, silence, and how they end."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from intrabar.brokers.fakes.server import Answer, Call, Feed, Streamed
from intrabar.brokers.fakes.tradestation import FakeTradeStation
from intrabar.brokers.tradestation.adapter import TradeStation
from intrabar.errors import AuthError, BadAnswer, LinkError, RateLimited, Timeout
from intrabar.links.broker import Wanted
from intrabar.links.clock import WallClock
from intrabar.links.tradestation.client import DeniedError
from intrabar.model.broker_facts import OrderFact
from intrabar.model.facts import LinkFact
from tests.brokers.tradestation.served import client_of, served

PATH = "/brokerage/stream/accounts/SIM0000001M/orders"


def told(
    folder: Path, *chunks: bytes, answer: Answer | None = None, mute: bool = False
) -> tuple[list[dict[str, Any]], Exception]:
    """What a stream of these chunks tells, and the error that it ends with."""

    async def run(feed: Feed) -> None:
        for chunk in chunks:
            await feed.beat(chunk)
        if mute:
            await asyncio.Event().wait()

    async def test(fake: FakeTradeStation) -> tuple[list[dict[str, Any]], Exception]:
        handle = fake.server._handle

        async def instead(call: Call) -> Any:
            if "stream" in call.path:
                return answer or Streamed(run)
            return await handle(call)

        fake.server._handle = instead
        client, found = client_of(fake, folder, silence=0.2), []
        try:
            async for frame in client.stream(PATH):
                found.append(frame)  # noqa: PERF401
        except Exception as error:
            return found, error
        finally:
            await client.close()
        raise AssertionError("a stream ends with an error")

    result: tuple[list[dict[str, Any]], Exception] = served(FakeTradeStation, test)
    return result


def test_objects_are_whole_however_they_are_cut(tmp_path: Path) -> None:
    chunks = (
        b'{"OrderID":',
        b' "1"}\r\n{"OrderID": "2"}',
        b'\n{"OrderID": "3"}{"A": {"B": "4"}}\r\n',
    )
    found, error = told(tmp_path, *chunks)
    assert found == [{"OrderID": "1"}, {"OrderID": "2"}, {"OrderID": "3"}, {"A": {"B": "4"}}]
    assert "has ended" in str(error)


@pytest.mark.parametrize(
    ("chunk", "kind", "said"),
    [
        (b'{"StreamStatus": "GoAway"}\n', LinkError, "goes away"),
        (b'{"Error": "GoAway", "Message": "Restart"}\n', LinkError, "GoAway: Restart"),
        (b'{"Error": "DualLogon", "Message": "x"}\n', AuthError, "another login"),
        (b'{"Error": "Forbidden", "Message": "no"}\n', AuthError, "Forbidden: no"),
        (b'{"Error": "InternalServerError", "Message": "x"}\n', LinkError, "InternalServerError"),
        (b"END\r\n", BadAnswer, "'END'"),
        (b"ERROR - Bearer abcdefghijkl\r\n", BadAnswer, "ERROR"),
        (b"[1]\n", BadAnswer, "no object"),
    ],
)
def test_a_stream_says_how_it_ends(
    chunk: bytes, kind: type[Exception], said: str, tmp_path: Path
) -> None:
    found, error = told(tmp_path, b'{"Heartbeat": 1}\n', chunk)
    assert found == [{"Heartbeat": 1}]
    assert type(error) is kind
    assert said in str(error)
    assert "abcdefghijkl" not in str(error)


def test_an_error_of_one_symbol_ends_nothing(tmp_path: Path) -> None:
    line = b'{"Symbol": "X", "Error": "FAILED"}\n{"Symbol": "Y"}\n'
    found, _ = told(tmp_path, line)
    assert [frame["Symbol"] for frame in found] == ["X", "Y"]


def test_silence_is_the_end(tmp_path: Path) -> None:
    found, error = told(tmp_path, b'{"Heartbeat": 1}\n', mute=True)
    assert (len(found), type(error)) == (1, Timeout)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, LinkError), (403, AuthError), (404, DeniedError), (429, RateLimited), (503, LinkError)],
)
def test_a_stream_that_does_not_open(status: int, kind: type[Exception], tmp_path: Path) -> None:
    body = {"Error": "Title", "Message": "Why."}
    answer = Answer(body, status, {"X-RateLimit-Reset": "7"} if status == 429 else {})
    found, error = told(tmp_path, answer=answer)
    assert (found, type(error)) == ([], kind)
    if isinstance(error, RateLimited):
        assert error.after == 7.0


def test_what_a_stream_has_lost_comes_with_the_next_one(tmp_path: Path) -> None:
    async def test(fake: FakeTradeStation) -> None:
        wanted = Wanted(fake.account.id, "paper", ())
        broker = TradeStation(client_of(fake, tmp_path), wanted, WallClock())
        told: list[OrderFact | LinkFact] = []
        async for fact in broker.events():
            told.append(fact)
            states = [x.state for x in told if isinstance(x, LinkFact)]
            if states == ["up"]:
                fake.faults.add("event", "lose_event", 2)  # that it was placed, that it filled
                fake.account.trade("AAPL", 1, 5.0, 100.0)
                fake.say({"OrderID": "78"})  # nobody can read it
                fake.go_away()
            if states.count("up") == 2 and isinstance(fact, OrderFact):
                break
        assert isinstance(fact, OrderFact)
        assert (fact.state, fact.filled) == ("filled", 5.0)
        assert states == ["up", "degraded", "down", "up"]
        await broker.close()

    served(FakeTradeStation, test)
