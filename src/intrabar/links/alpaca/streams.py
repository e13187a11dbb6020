"""The two websockets: what happens to orders (JSON in binary frames) and prices (msgpack).

The client's own streams keep refused keys to themselves and reconnect for ever without a word;
here a refusal and each gap are told to whoever listens, who connects again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from intrabar.errors import (
    AuthError,
    BadAnswer,
    DataError,
    IntrabarError,
    LinkError,
    MissingExtra,
    RateLimited,
)
from intrabar.links.alpaca.hosts import Hosts, Keys
from intrabar.links.lines import within
from intrabar.links.reading import begin
from intrabar.model.secret import redact

LINGERS = 90.0
"""Seconds for which a connection that has died still counts as the one that a key may have."""


class Limits(NamedTuple):
    """Seconds: to log in; of silence before it is asked whether it lives; to answer that."""

    login: float = 30.0
    silence: float = 15.0
    answer: float = 15.0


USUAL = Limits()


async def trade_updates(
    hosts: Hosts, keys: Keys, limits: Limits = USUAL
) -> AsyncGenerator[dict[str, Any] | None]:
    """What happens to the orders of an account, from the first `None` on.

    Yields
    ------
    dict, or None
        The `data` of a trade update; None where nothing has come and the other side lives.

    Raises
    ------
    AuthError
        The keys are refused.
    LinkError
        The connection has ended, or is mute.
    """
    async with _opened(hosts.trades, {}, limits) as socket:
        data = {"key_id": keys.id.reveal(), "secret_key": keys.secret.reveal()}
        await _say(socket, json.dumps({"action": "authenticate", "data": data}))
        told = await within(limits.login, _stream_answer(socket, "authorization"), hosts.trades)
        if told.get("status") != "authorized":
            raise AuthError(f"{hosts.trades}: the keys are refused ({redact(str(told))[:80]})")
        listen = {"action": "listen", "data": {"streams": ["trade_updates"]}}
        await _say(socket, json.dumps(listen))
        told = await within(limits.login, _stream_answer(socket, "listening"), hosts.trades)
        if "trade_updates" not in (told.get("streams") or ()):
            raise LinkError(f"{hosts.trades}: it does not tell trade updates: {begin(told)}")
        yield None
        while True:
            frame = await _next(socket, limits.silence, limits.answer)
            if frame is None:
                yield None
                continue
            message = _json(frame)
            if message.get("stream") == "trade_updates":
                update = message.get("data")
                if not isinstance(update, dict):
                    raise BadAnswer(f"{hosts.trades}: a trade update without data")
                yield update


async def prices(
    hosts: Hosts, keys: Keys, feed: str, wanted: Mapping[str, Sequence[str]], limits: Limits = USUAL
) -> AsyncGenerator[dict[str, Any] | None]:
    """Messages about prices, from the first `None` on.

    Parameters
    ----------
    feed : str
        "iex" or "sip".
    wanted : mapping
        Symbols by channel: bars, updatedBars, quotes ...

    Yields
    ------
    dict, or None
        As `trade_updates`; `t` is an aware datetime.

    Raises
    ------
    AuthError
        Keys or feed are refused.
    DataError
        More symbols than the keys may have.
    LinkError
    """
    url = f"{hosts.prices}/{feed}"
    async with _opened(url, {"Content-Type": "application/msgpack"}, limits) as socket:
        await within(limits.login, _success(socket, "connected", url), url)
        auth = {"action": "auth", "key": keys.id.reveal(), "secret": keys.secret.reveal()}
        await _say(socket, msgspec.msgpack.encode(auth))
        await within(limits.login, _success(socket, "authenticated", url), url)
        asked = {"action": "subscribe", **{name: list(wanted[name]) for name in wanted}}
        await _say(socket, msgspec.msgpack.encode(asked))
        is_ready = False
        while True:
            silence = limits.silence if is_ready else limits.login
            frame = await _next(socket, silence, limits.answer)
            if frame is None:
                if not is_ready:
                    raise LinkError(f"{url}: the subscription is not answered")
                yield None
                continue
            for message in _unpacked(frame, url):
                if message.get("T") == "subscription":
                    _require_all(message, wanted, url)
                    is_ready = True
                    yield None
                else:
                    yield message


@contextlib.asynccontextmanager
async def _opened(url: str, headers: dict[str, str], limits: Limits) -> AsyncIterator[Any]:
    """A connection, which is closed whatever comes."""
    try:
        from websockets.asyncio.client import connect
        from websockets.exceptions import InvalidHandshake, InvalidStatus, WebSocketException
    except ImportError:
        raise MissingExtra("streams of Alpaca", "alpaca") from None
    try:
        socket = await connect(
            url,
            additional_headers=headers,
            open_timeout=limits.login,
            ping_interval=None,
            close_timeout=1.0,
            max_size=2**24,
            max_queue=1024,
        )
    except InvalidStatus as error:
        status = error.response.status_code
        if status in (401, 403):
            raise AuthError(f"{url}: the keys are refused ({status})") from None
        if status == 429:
            raise RateLimited(f"{url}: too many connections", LINGERS) from None
        raise LinkError(f"{url}: it answers {status}") from None
    except (OSError, TimeoutError, InvalidHandshake, WebSocketException) as error:
        raise LinkError(f"{url}: not reached: {redact(str(error) or repr(error))[:160]}") from None
    try:
        yield socket
    finally:
        await socket.close()


async def _next(socket: Any, silence: float, answer: float) -> bytes | str | None:
    """The next frame; None after a silence in which the other side has shown that it lives."""
    from websockets.exceptions import ConnectionClosed

    try:
        async with asyncio.timeout(silence):
            frame: bytes | str = await socket.recv()
            return frame
    except TimeoutError:
        pass
    except ConnectionClosed as error:
        raise _closed(error) from None
    try:
        await within(answer, await socket.ping(), "alpaca: is the stream alive")
    except ConnectionClosed as error:
        raise _closed(error) from None
    return None


async def _say(socket: Any, text: str | bytes) -> None:
    from websockets.exceptions import ConnectionClosed

    try:
        await socket.send(text)
    except ConnectionClosed as error:
        raise _closed(error) from None


def _closed(error: Exception) -> LinkError:
    return LinkError(f"alpaca: the stream has ended: {redact(str(error))[:120]}")


async def _frame(socket: Any) -> bytes | str:
    from websockets.exceptions import ConnectionClosed

    try:
        return await socket.recv()  # type: ignore[no-any-return]
    except ConnectionClosed as error:
        raise _closed(error) from None


async def _stream_answer(socket: Any, stream: str) -> dict[str, Any]:
    """The data of the next message of a stream."""
    while True:
        message = _json(await _frame(socket))
        if message.get("stream") == stream and isinstance(message.get("data"), dict):
            return message["data"]  # type: ignore[no-any-return]


def _json(frame: bytes | str) -> dict[str, Any]:
    try:
        message = json.loads(frame)
    except ValueError:
        raise BadAnswer(f"alpaca: a frame that is no JSON: {begin(frame)}") from None
    if not isinstance(message, dict):
        raise BadAnswer(f"alpaca: a frame that is no message: {begin(message)}")
    return message


async def _success(socket: Any, wanted: str, url: str) -> None:
    """Wait until it says a word of success."""
    while True:
        for message in _unpacked(await _frame(socket), url):
            if message.get("T") == "success" and message.get("msg") == wanted:
                return


def _unpacked(frame: bytes | str, url: str) -> list[dict[str, Any]]:
    """The messages of a frame.

    Raises
    ------
    IntrabarError
        One of them is an error.
    """
    try:
        messages = msgspec.msgpack.decode(frame if isinstance(frame, bytes) else frame.encode())
    except msgspec.DecodeError:
        raise BadAnswer(f"{url}: a frame that is no msgpack: {begin(frame)}") from None
    if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
        raise BadAnswer(f"{url}: a frame that is no list of messages: {begin(messages)}")
    for message in messages:
        if message.get("T") == "error":
            raise _told(message.get("code"), redact(str(message.get("msg")))[:120], url)
    return messages


def _told(code: Any, words: str, url: str) -> IntrabarError:
    """What an error of the price stream means."""
    match code:
        case 401 | 402:
            return AuthError(f"{url}: the keys are refused ({words})")
        case 409:
            return AuthError(f"{url}: the keys have no such feed ({words}); name feed: iex")
        case 405:
            return DataError(f"{url}: more symbols than the keys may have ({words}); name fewer")
        case 406:
            return RateLimited(
                f"{url}: another connection with these keys is open, or has just died ({words})",
                LINGERS,
            )
    return LinkError(f"{url}: {words} ({code})")


def _require_all(message: dict[str, Any], wanted: Mapping[str, Sequence[str]], url: str) -> None:
    for name, symbols in wanted.items():
        left = sorted(set(symbols) - set(message.get(name) or ()))
        if left:
            raise LinkError(f"{url}: {name} of {', '.join(left)} are not told")
