"""Calls and streams of TradeStation, each with the token of the hour and a deadline.

What only reads is tried again by `Line`; what changes something is sent once, and an answer that
nobody can read leaves it open whether it arrived.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from intrabar.errors import (
    AuthError,
    BadAnswer,
    IntrabarError,
    LinkError,
    RateLimited,
    Timeout,
)
from intrabar.links.clock import Clock
from intrabar.links.lines import Bucket, Line, within
from intrabar.links.reading import number
from intrabar.links.tradestation.service import NAME, Service
from intrabar.links.tradestation.tokens import Tokens, trusted

DEADLINE = 10.0
SILENCE = 30.0
"""Seconds without a line, heartbeats included, after which a stream is dead."""

SOON = 2.0
"""Seconds that a request which changes something waits for a token: it may not leave late."""

URGENT = "urgent"
OURS = frozenset({"Forbidden", "Unauthorized", "DualLogon"})
"""Errors of a stream that only a person can end."""

_DECODER = json.JSONDecoder(parse_float=str, parse_constant=str)


class DeniedError(IntrabarError):
    """The vendor's no to a question, with its own words."""

    def __init__(self, status: int, text: str) -> None:
        self.status, self.text = status, text
        super().__init__(f"{NAME} says: {text} ({status})")


class NotSentError(LinkError):
    """No byte has left."""


class Reply(NamedTuple):
    """An answer that could be read.

    Parameters
    ----------
    status : int
    told : dict
        Numbers with a point are texts, as the vendor writes prices.
    """

    status: int
    told: dict[str, Any]

    @property
    def text(self) -> str:
        """What it says of an error, on one line."""
        words = [str(self.told[key]) for key in ("Error", "Message") if self.told.get(key)]
        return " ".join(": ".join(words).split())[:300] or f"status {self.status}"


class Client:
    """One login, for everything that it may see.

    Parameters
    ----------
    service : Service
    tokens : Tokens
    clock : Clock
    keeps : bool
        Connections stay open for the next call. Not where calls come from several loops, one
        after the other.
    deadline, silence : float, seconds
        Of a call in all; of a stream without a line.
    tries : int
        Of a call that only reads; 1 where whoever asks tries again.
    """

    def __init__(
        self,
        service: Service,
        tokens: Tokens,
        clock: Clock,
        *,
        keeps: bool = False,
        deadline: float = DEADLINE,
        silence: float = SILENCE,
        tries: int = 5,
    ) -> None:
        import httpx2  # which is there: the tokens have it

        self.service, self._tokens, self._silence = service, tokens, silence
        self._http = httpx2.AsyncClient(
            timeout=httpx2.Timeout(deadline),
            follow_redirects=False,
            verify=trusted(),
            limits=httpx2.Limits(
                max_connections=None, max_keepalive_connections=None if keeps else 0
            ),
        )
        self._deadline, self._is_closed = deadline, False
        # Below what the vendor allows, and what it says in a 429 goes before both.
        calls = {"brokerage": 200, "marketdata": 400, URGENT: 50}
        self._lines = {
            name: Line(
                NAME, clock, Bucket(n, 300.0, clock), seconds=2 * deadline + 1.0, tries=tries
            )
            for name, n in calls.items()
        }

    async def read(
        self, path: str, asked: Mapping[str, str] | None = None, *, is_urgent: bool = False
    ) -> dict[str, Any]:
        """The answer to a question.

        Parameters
        ----------
        path : str
            Below `/v3`, with a slash before it.
        asked : mapping, optional
        is_urgent : bool
            From what is kept back of the budget of calls for looking up orders.

        Raises
        ------
        DeniedError
            A no that another attempt does not change.
        AuthError, RateLimited, BadAnswer, Timeout, LinkError
        """
        line = self._lines[URGENT if is_urgent else path.split("/")[1]]

        async def once() -> dict[str, Any]:
            reply = await self._call("GET", path, asked=asked)
            if reply.status == 403:
                raise AuthError(f"{NAME}: {path}: not for this login: {reply.text}")
            if reply.status >= 400:
                raise DeniedError(reply.status, reply.text)
            return reply.told

        return await line.read(once, path)

    async def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Reply:
        """What is answered to a request that changes something; it is made once.

        Raises
        ------
        NotSentError, RateLimited
            It has not been done.
        LinkError
            Nobody knows.
        """
        try:
            await within(SOON, self._tokens.access(), f"{NAME}: a token")
        except LinkError as error:
            raise NotSentError(str(error)) from None
        return await self._call(method, path, body=body)

    async def stream(
        self, path: str, asked: Mapping[str, str] | None = None
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The objects of a stream, heartbeats too, until it ends: which it does with an error.

        Raises
        ------
        AuthError
            Only a person can help.
        DeniedError, LinkError
        """
        import httpx2

        token = await self._tokens.access()
        self._require_open(path)
        version = "v2" if path.startswith("/marketdata/") else "v3"
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": f"application/vnd.tradestation.streams.{version}+json",
        }
        wait = httpx2.Timeout(self._deadline, read=self._silence)
        url = f"{self.service.api}{path}"
        try:
            async with self._http.stream(
                "GET", url, params=asked, headers=headers, timeout=wait
            ) as reply:
                if reply.status_code != 200:
                    await reply.aread()
                    self._refuse_stream(path, self._reply(path, reply), token)
                async for line in reply.aiter_lines():
                    for told in self._objects(path, line):
                        _refuse_end(path, told)
                        yield told
        except httpx2.TimeoutException:
            raise Timeout(f"{NAME}: {path}: silent for {self._silence:g} s") from None
        except httpx2.HTTPError as error:
            raise LinkError(f"{NAME}: {path}: {self._why(error)}") from None
        raise LinkError(f"{NAME}: {path}: the stream has ended")

    async def close(self) -> None:
        """Close the connections; nothing is sent any more."""
        self._is_closed = True
        await self._http.aclose()
        await self._tokens.close()

    async def _call(
        self,
        method: str,
        path: str,
        *,
        asked: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Reply:
        """An answer that is no 401: that one was done by nobody, and is asked once more."""
        for attempt in range(2):
            token = await self._tokens.access()
            reply = await self._once(method, path, asked, body, token)
            if reply.status != 401:
                return reply
            self._tokens.refused(token)
            if attempt:
                raise AuthError(f"{NAME}: {path}: the token was refused twice: {reply.text}")
        raise AssertionError("unreachable")

    async def _once(
        self,
        method: str,
        path: str,
        asked: Mapping[str, str] | None,
        body: Mapping[str, Any] | None,
        token: str,
    ) -> Reply:
        import httpx2

        self._require_open(path)
        try:
            async with asyncio.timeout(self._deadline):  # that of the transport is for each read
                reply = await self._http.request(
                    method,
                    f"{self.service.api}{path}",
                    params=asked,
                    json=body,
                    headers={"Authorization": f"Bearer {token}"},
                )
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            raise NotSentError(f"{NAME}: {path}: not reached: {self._why(error)}") from None
        except (httpx2.TimeoutException, TimeoutError):
            raise Timeout(f"{NAME}: {path}: no answer in {self._deadline:g} s") from None
        except httpx2.HTTPError as error:
            raise LinkError(f"{NAME}: {path}: {self._why(error)}") from None
        return self._reply(path, reply)

    def _require_open(self, path: str) -> None:
        if self._is_closed:
            raise NotSentError(f"{NAME}: {path}: the link was closed")

    def _reply(self, path: str, reply: Any) -> Reply:
        place = f"{NAME}: {path}"
        if reply.status_code == 429:
            after = [reply.headers.get(key) for key in ("x-ratelimit-reset", "retry-after")]
            wait = next((number(x, f"{place}: reset") for x in after if x), 60.0)
            raise RateLimited(f"{place}: too many requests", wait if wait >= 0.0 else 60.0)
        if reply.status_code >= 500 or reply.status_code == 408:
            raise LinkError(f"{place}: the server answers {reply.status_code}")
        told: Any = None
        with suppress(ValueError):
            told = _DECODER.decode(reply.text)
        if not isinstance(told, dict):
            seen = self._tokens.hidden(reply.text[:400])[:80]
            raise BadAnswer(f"{place}: no JSON object but {seen!r} ({reply.status_code})")
        found: dict[str, Any] = self._without_secrets(told) if reply.status_code >= 400 else told
        return Reply(reply.status_code, found)

    def _without_secrets(self, told: dict[str, Any]) -> dict[str, Any]:
        return {k: self._tokens.hidden(v) if isinstance(v, str) else v for k, v in told.items()}

    def _refuse_stream(self, path: str, reply: Reply, token: str) -> None:
        if reply.status == 401:
            self._tokens.refused(token)
            raise LinkError(f"{NAME}: {path}: the token was refused: {reply.text}")
        if reply.status == 403:
            raise AuthError(f"{NAME}: {path}: not for this login: {reply.text}")
        raise DeniedError(reply.status, reply.text)

    def _objects(self, path: str, line: str) -> Iterator[dict[str, Any]]:
        """The objects of a line: one as a rule."""
        rest = line.strip()
        while rest:
            try:
                told, end = _DECODER.raw_decode(rest)
            except ValueError:
                seen = self._tokens.hidden(rest[:400])[:80]
                raise BadAnswer(f"{NAME}: {path}: a line that is no JSON: {seen!r}") from None
            if not isinstance(told, dict):
                raise BadAnswer(f"{NAME}: {path}: a line that is no object: {str(told)[:80]!r}")
            yield told
            rest = rest[end:].lstrip()

    def _why(self, error: Exception) -> str:
        return self._tokens.hidden(str(error))[:200] or type(error).__name__


def _refuse_end(path: str, told: dict[str, Any]) -> None:
    """Raise where the vendor ends the stream; errors of one symbol are the reader's."""
    if told.get("StreamStatus") == "GoAway":
        raise LinkError(f"{NAME}: {path}: the server goes away")
    kind = told.get("Error")
    if kind is None or "Symbol" in told:
        return
    text = f"{NAME}: {path}: {Reply(200, told).text}"
    if kind == "DualLogon":
        raise AuthError(f"{text}; another login has taken over: only one may listen")
    if kind in OURS:
        raise AuthError(text)
    raise LinkError(text)
