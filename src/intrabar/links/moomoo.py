"""The gateway OpenD of Moomoo, by the vendor's own client: calls in threads, in time.

The client waits for ever for a gateway that is away, connects again by itself and tells nobody what
was missed meanwhile, and takes the first real account where none is named. Here the port is tried
first, a connection that ends stays ended, and environment and account are always named.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import threading
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from intrabar.errors import (
    BadAnswer,
    ConfigError,
    IntrabarError,
    LinkError,
    MissingExtra,
    RateLimited,
    Timeout,
)
from intrabar.links.lines import within
from intrabar.links.worker import in_thread
from intrabar.model.secret import Secret, redact

HOST, PORT = "127.0.0.1", 11111
LOGIN = 30.0  # seconds
_TRIED = 2.0  # seconds for the port to open
_CUT = ("disconnect", "packeterr", "timeout", "timed out", "abnormal", "unknown error", "internal")
"""In a text: nobody knows whether the request was carried out."""
_UNSENT = ("connect timeout", "not connected", "connection lost", "connection closed", "status bad")
_OFTEN = ("frequen", "too many", "rate limit")
_LATER = 30.0  # seconds, the span of OpenD's limits

Env = Literal["REAL", "SIMULATE"]
Row = dict[str, Any]
Told = Callable[[str, Row], None]


class UnsentError(LinkError):
    """No byte of the request has left."""


class DeclinedError(IntrabarError):
    """OpenD has read the request and says no."""


def require_package() -> None:
    """Refuse to begin without the vendor's package, which is imported when it is connected.

    Raises
    ------
    MissingExtra
    """
    try:
        is_there = find_spec("moomoo") is not None
    except ValueError:  # it was taken out
        is_there = False
    if not is_there:
        raise MissingExtra("Moomoo", "moomoo")


def package() -> Any:
    """The vendor's package, quiet and without threads that keep a process alive.

    Raises
    ------
    MissingExtra
    ConfigError
        It writes logs under the home folder, and cannot.
    """
    home = Path.home()
    if not os.access(home, os.W_OK):
        raise ConfigError(
            f"Moomoo's client writes its logs under {home}, where nothing can be written; set HOME "
            "to a folder that can"
        )
    require_package()
    import moomoo

    moomoo.SysConfig.set_all_thread_daemon(True)
    moomoo.SysConfig.enable_console_log(False)
    return moomoo


class Connection:
    """One connection to OpenD; where it has ended another one is made.

    Parameters
    ----------
    kind : "trade" or "quote"
    port : int
    seconds : float
        Deadline of a call.
    told : callable
        Given what is pushed, in the loop: `order`, `fill`, `bars`, and the row.
    """

    def __init__(
        self,
        kind: Literal["trade", "quote"],
        port: int = PORT,
        *,
        seconds: float = 10.0,
        login: float = LOGIN,
        told: Told = lambda what, row: None,
    ) -> None:
        self._kind, self._port, self._seconds, self._login = kind, port, seconds, login
        self._told = told
        self._context: Any = None
        self.ended = asyncio.Event()

    async def open(self) -> None:
        """Connect.

        Raises
        ------
        LinkError
            OpenD is not there, or says nothing.
        ConfigError, MissingExtra
        """
        moomoo = package()
        await self._try_port()
        loop, made = asyncio.get_running_loop(), list[Any]()
        kinds = {"trade": moomoo.OpenSecTradeContext, "quote": moomoo.OpenQuoteContext}
        given_up = threading.Event()
        ending = _ending(kinds[self._kind], made, given_up, lambda: _hand(loop, self.ended.set))
        given = {"filter_trdmarket": moomoo.TrdMarket.US} if self._kind == "trade" else {}
        call = in_thread(lambda: ending(host=HOST, port=self._port, **given))
        try:
            await within(self._login, call, "moomoo: OpenD's login")
        except BaseException:
            given_up.set()  # its thread makes one more attempt at the most
            raise
        self._context = made[0]
        if self._context.status != moomoo.common.constant.ContextStatus.READY:
            raise LinkError("moomoo: OpenD has ended the connection")
        self._context.set_sync_query_connect_timeout(min(1.0, self._seconds))
        for handler in _handlers(moomoo, lambda what, row: _hand(loop, self._told, what, row)):
            self._context.set_handler(handler)

    async def ask(self, name: str, *given: Any, **named: Any) -> Any:
        """What a method of the client answers: rows, or a plain value.

        Raises
        ------
        UnsentError, DeclinedError, RateLimited, LinkError
            Nothing has left; OpenD says no; it was asked too often; nobody knows.
        """
        if self._context is None or self.ended.is_set():
            raise UnsentError(f"moomoo: {name}: there is no connection")
        method = getattr(self._context, name)
        try:
            told = await within(
                self._seconds, in_thread(lambda: method(*given, **named)), f"moomoo: {name}"
            )
        except Timeout:
            self._context.close()  # what still waits in its thread is let go
            self.ended.set()
            raise
        code, answer, *more = told
        if code != 0:
            raise _error(name, str(answer))
        rows = answer.to_dict("records") if hasattr(answer, "to_dict") else answer
        return (rows, *more) if more else rows

    def close(self) -> None:
        """Let go of it."""
        if self._context is not None:
            self._context.close()
        self.ended.set()

    async def _try_port(self) -> None:
        try:
            _, writer = await within(
                min(_TRIED, self._login), asyncio.open_connection(HOST, self._port), "moomoo"
            )
        except (OSError, Timeout):
            raise UnsentError(
                f"moomoo: OpenD is not at {HOST}:{self._port}; start it and log in there"
            ) from None
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


class Trading:
    """The calls of one account: environment and account stand in each of them.

    Parameters
    ----------
    connection : Connection
    env : "REAL" or "SIMULATE"
    account : int
    """

    def __init__(self, connection: Connection, env: Env, account: int) -> None:
        self.connection, self._given = connection, {"trd_env": env, "acc_id": account}

    async def accounts(self) -> list[Row]:
        """All accounts of the login."""
        return list(await self.connection.ask("get_acc_list"))

    async def unlock(self, password: Secret) -> None:
        """Let real orders pass.

        Raises
        ------
        DeclinedError, LinkError
        """
        digest = Secret(hashlib.md5(password.reveal().encode()).hexdigest())
        await self.connection.ask("unlock_trade", password_md5=digest.reveal())

    async def ask(self, name: str, **named: Any) -> list[Row]:
        """Rows of this account; errors as those of `Connection.ask`."""
        return list(await self.connection.ask(name, **named, **self._given))


def _ending(
    base: type, made: list[Any], given_up: threading.Event, ended: Callable[[], None]
) -> type:
    """A context that stays ended: it would come back by itself, and tell nobody of the gap."""

    class Ending(base):  # type: ignore[misc]
        def __init__(self, **given: Any) -> None:
            made.append(self)
            super().__init__(**given)

        def _init_connect_sync(self) -> int:
            if given_up.is_set():
                self._auto_reconnect = False
                return -1
            code = super()._init_connect_sync()
            if given_up.is_set():
                self.close()
            return int(code)

        def on_disconnect(self, conn_id: int, reason: Any, msg: str) -> None:
            self._auto_reconnect = False
            super().on_disconnect(conn_id, reason, msg)
            ended()

    return Ending


def _handlers(moomoo: Any, told: Told) -> list[Any]:
    """What takes in pushes, in the client's thread; those of other accounts say so."""

    class Orders(moomoo.TradeOrderHandlerBase):  # type: ignore[misc]
        def on_recv_rsp(self, rsp_pb: Any) -> Any:
            return _pushed(super().on_recv_rsp(rsp_pb), "order", rsp_pb, told)

    class Fills(moomoo.TradeDealHandlerBase):  # type: ignore[misc]
        def on_recv_rsp(self, rsp_pb: Any) -> Any:
            return _pushed(super().on_recv_rsp(rsp_pb), "fill", rsp_pb, told)

    class Bars(moomoo.CurKlineHandlerBase):  # type: ignore[misc]
        def on_recv_rsp(self, rsp_pb: Any) -> Any:
            return _pushed(super().on_recv_rsp(rsp_pb), "bars", None, told)

    return [Orders(), Fills(), Bars()]


def _pushed(answer: tuple[int, Any], what: str, message: Any, told: Told) -> tuple[int, Any]:
    code, frame = answer
    if code == 0:
        of = {} if message is None else {"acc_id": message.s2c.header.accID}
        for row in frame.to_dict("records"):
            told(what, row | of)
    return answer


def _hand(loop: asyncio.AbstractEventLoop, call: Callable[..., Any], *given: Any) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended
        loop.call_soon_threadsafe(call, *given)


def _error(name: str, text: str) -> IntrabarError:
    """What the client's text says of a request: it has no codes."""
    place, lower = f"moomoo: {name}: {redact(text)[:200]}", text.lower()
    if any(word in lower for word in _UNSENT):
        return UnsentError(place)
    if not text or any(word in lower for word in _CUT):
        return BadAnswer(f"{place}: it cannot be read") if not text else LinkError(place)
    if any(word in lower for word in _OFTEN):
        return RateLimited(place, _LATER)
    return DeclinedError(place)
