"""The REST half: the vendor's client in worker threads, with deadlines, and no POST twice.

The client has no timeout and repeats every request, orders too, on 429 and 504: its sessions get a
transport that ends in time, and its repetitions are switched off.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar
from urllib.parse import quote

from intrabar.errors import (
    AuthError,
    BadAnswer,
    IntrabarError,
    LinkError,
    MissingExtra,
    RateLimited,
    Timeout,
)
from intrabar.links.alpaca.hosts import Hosts, Keys
from intrabar.links.clock import SECOND_NS, Clock
from intrabar.links.reading import begin
from intrabar.links.worker import in_thread
from intrabar.model.secret import redact

_T = TypeVar("_T")

Side = Literal["trading", "data"]
_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)")


class Refusal(IntrabarError):  # noqa: N818 short, as those of errors.py
    """Alpaca has understood, and says no.

    Parameters
    ----------
    status : int
        Of HTTP.
    code : int
        Alpaca's; 0 where it names none.
    text : str
        Without secrets.
    """

    def __init__(self, status: int, code: int, text: str) -> None:
        self.status, self.code, self.text = status, code, text
        super().__init__(f"alpaca: {text} ({status}/{code})")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.status, self.code, self.text)


class NotSent(LinkError):  # noqa: N818
    """Nothing has left: there was no connection."""


class Rest:
    """Requests to one environment.

    Parameters
    ----------
    hosts : Hosts
    keys : Keys
    clock : Clock
    seconds : float
        In which a request is over, whatever the other side does.
    """

    def __init__(self, hosts: Hosts, keys: Keys, clock: Clock, *, seconds: float = 10.0) -> None:
        try:
            with warnings.catch_warnings():  # its own streams, which are not used here, are old
                warnings.simplefilter("ignore", DeprecationWarning)
                from alpaca.data.historical.stock import StockHistoricalDataClient
                from alpaca.trading.client import TradingClient
        except ImportError:
            raise MissingExtra("Alpaca", "alpaca") from None
        self.hosts, self._seconds, self._clock = hosts, seconds, clock
        self._is_closed = False
        key, secret = keys.id.reveal(), keys.secret.reveal()
        paper = hosts.kind != "live"
        self._clients = {
            "trading": TradingClient(
                key, secret, paper=paper, raw_data=True, url_override=hosts.trading
            ),
            "data": StockHistoricalDataClient(key, secret, raw_data=True, url_override=hosts.data),
        }
        for client in self._clients.values():
            client._retry = 0
            for scheme in ("https://", "http://"):
                client._session.mount(scheme, _in_time(seconds))

    async def read(self, side: Side, path: str, asked: dict[str, Any], version: str = "v2") -> Any:
        """The answer to a question; `None` among what is asked is left out.

        Raises
        ------
        Refusal, LinkError
        """
        client = self._clients[side]
        data = {name: value for name, value in asked.items() if value is not None}
        return await self._called(lambda: client.get(path, data, api_version=version), path)

    async def once(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The answer to a request that is made once, and not held back.

        Raises
        ------
        NotSent
            It has not left.
        RateLimited
            It was not looked at.
        Refusal
            The answer is no.
        LinkError
            Nobody knows whether it arrived.
        """
        client = self._clients["trading"]
        return await self._called(lambda: client._request(method, path, body), path)

    async def _called(self, call: Callable[[], Any], path: str) -> Any:
        """What a call says. Who gives up waits for its thread: what has not returned may leave."""
        if self._is_closed:
            raise NotSent(f"alpaca: {path}: the link is closed")
        task = asyncio.ensure_future(in_thread(lambda: _said(call, path, self._clock)))
        task.add_done_callback(_heard)  # though nobody waits any more
        try:
            done, _ = await asyncio.wait({task}, timeout=1.5 * self._seconds)
        except asyncio.CancelledError:
            await asyncio.wait({task}, timeout=1.5 * self._seconds)
            raise
        if not done:
            raise Timeout(f"alpaca: {path}: no answer in {1.5 * self._seconds:g} s")
        return task.result()

    def close(self) -> None:
        """Close the connections; nothing leaves any more."""
        self._is_closed = True
        for client in self._clients.values():
            client._session.close()


def asset_path(symbol: str) -> str:
    """Where a share is asked for, whatever its name has in it."""
    return f"/assets/{quote(symbol, safe='')}"


def instant(text: Any, what: str) -> int:
    """An instant of RFC 3339 with up to nine decimals, ns UTC; 0 for none.

    Raises
    ------
    BadAnswer
    """
    if text is None or text == "":
        return 0
    found = _STAMP.fullmatch(str(text))
    if found is None:
        raise BadAnswer(f"{what} is {str(text)[:40]!r}, no time")
    whole = datetime.fromisoformat(found[1] + found[3].replace("Z", "+00:00"))
    seconds = round((whole - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    return seconds * SECOND_NS + int((found[2] or "0").ljust(9, "0"))


def stamp(at: int) -> str:
    """An instant (ns UTC) as Alpaca takes it."""
    seconds, rest = divmod(at, SECOND_NS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def _heard(task: asyncio.Future[Any]) -> None:
    if not task.cancelled():
        task.exception()


def _said(call: Callable[[], _T], path: str, clock: Clock) -> _T:
    """An answer of the client, whose errors are of three libraries."""
    import requests
    from alpaca.common.exceptions import APIError

    place = f"alpaca: {path}"
    try:
        return call()
    except APIError as error:
        raise _refusal(error, place, clock) from None
    except requests.ConnectTimeout:
        raise NotSent(f"{place}: no connection in time") from None
    except requests.Timeout:
        raise Timeout(f"{place}: no answer in time") from None
    except requests.ConnectionError as error:
        if why := _why_refused(error):
            raise NotSent(f"{place}: no connection: {redact(why)[:160]}") from None
        text = redact(str(error))[:160]
        raise LinkError(f"{place}: the connection broke: {text}") from None
    except requests.JSONDecodeError as error:
        raise BadAnswer(f"{place}: no JSON but {redact(error.doc[:400])[:80]!r}") from None
    except requests.RequestException as error:
        raise LinkError(f"{place}: not reached: {redact(str(error))[:160]}") from None


def _why_refused(error: Exception) -> str:
    """Why no connection was made, so that nothing has left; "" where there was one."""
    from urllib3.exceptions import MaxRetryError, NewConnectionError

    told = error.args[0] if error.args else None
    if isinstance(told, MaxRetryError) and isinstance(told.reason, NewConnectionError):
        return str(told.reason).partition("): ")[2] or str(told.reason)
    return ""


def _refusal(error: Any, place: str, clock: Clock) -> IntrabarError:
    """What an answer of 4xx or 5xx means."""
    status, text = int(error.status_code), str(error)
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    said = told if isinstance(told, dict) else {}
    code = said.get("code")
    code = code if isinstance(code, int) else 0
    words = redact(str(said.get("message") or begin(text)))[:200]
    if status == 429:
        return RateLimited(f"{place}: asked too often", _wait(error.response.headers, clock))
    if status == 401 or (status == 403 and not code and "subscription" not in words):
        return AuthError(
            f"{place}: the keys are refused ({words}); those of the paper account and of the real "
            "one are not the same"
        )
    if status >= 500 or status == 408 or (not said and status != 404):
        return LinkError(f"{place}: the server answers {status}: {words}")
    return Refusal(status, code, words)


def _wait(headers: Mapping[str, str], clock: Clock) -> float:
    """Seconds until the limit is lifted; one where nothing says it."""
    try:
        if "Retry-After" in headers:
            return max(0.0, float(headers["Retry-After"]))
        return max(0.0, float(headers["X-RateLimit-Reset"]) - clock.now() / SECOND_NS)
    except (KeyError, ValueError):
        return 1.0


def _in_time(seconds: float) -> Any:
    """A transport of `requests` that is over in time: connection, and the whole of the answer."""
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.exceptions import HTTPError

    class InTime(HTTPAdapter):
        def send(self, request: Any, *args: Any, **how: Any) -> Any:
            over = time.monotonic() + seconds
            how.update(timeout=(seconds / 2, seconds / 2), stream=True)
            reply = super().send(request, **how)
            body = bytearray()
            try:
                while part := reply.raw.read1(65536, decode_content=True):
                    body += part
                    if time.monotonic() > over:
                        reply.close()
                        raise requests.ReadTimeout(f"no whole answer in {seconds:g} s")
            except HTTPError as error:
                raise requests.ConnectionError(error) from None
            reply._content, reply._content_consumed = bytes(body), True
            return reply

    return InTime(max_retries=0)
