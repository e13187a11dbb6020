"""Tokens of TradeStation: one for the calls of twenty minutes, from one that is kept in a file.

A key can be set up so that each answer brings another refresh token, and the one before is worth
nothing from then on. The new one is on the disk before anything is done with the answer, and who
refreshes holds the file, so that a session and a source, and two processes, can share it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from intrabar.durable import lock, write_durably
from intrabar.errors import (
    AuthError,
    BadAnswer,
    LinkError,
    MissingExtra,
    RateLimited,
    SecretError,
    Timeout,
)
from intrabar.links.clock import Clock
from intrabar.links.lines import Bucket, Line
from intrabar.links.tradestation.service import NAME, Service
from intrabar.model.secret import HIDDEN, Secret, in_file, redact

EARLY = 120.0
"""Seconds before its end at which a token is no longer used."""

PATIENCE = 30.0
"""Seconds for which another process may hold the file."""

LOGIN = "log in again: intrabar broker login tradestation"


class Key:
    """What TradeStation has given to whoever wrote the program that calls it.

    Parameters
    ----------
    client : str
        Its id.
    secret : Secret, optional
        None of a key that was set up for PKCE.
    """

    def __init__(self, client: str, secret: Secret | None = None) -> None:
        self.client, self.secret = client, secret

    def as_form(self) -> dict[str, str]:
        """Its fields in a request for a token."""
        secret = {} if self.secret is None else {"client_secret": self.secret.reveal()}
        return {"client_id": self.client, **secret}


class Tokens:
    """The token with which calls are made.

    Parameters
    ----------
    service : Service
    key : Key
    file : path
        Holds the refresh token alone, and is written when there is a new one.
    clock : Clock
    tries : int
        Of a login that is not answered.
    deadline : float, seconds
    """

    def __init__(
        self,
        service: Service,
        key: Key,
        file: Path,
        clock: Clock,
        *,
        tries: int = 3,
        deadline: float = 10.0,
    ) -> None:
        self._service, self._key, self._file, self._clock = service, key, file, clock
        self._http = login_client(deadline)
        self._turn = asyncio.Lock()
        self._line = Line(f"{NAME}: the login", clock, Bucket(10, 60.0, clock), tries=tries)
        self._token = ""
        self._renew = self._end = 0.0  # of the clock's ticks
        self._kept = ""  # the refresh token
        self._unwritten = False  # the disk would not take it

    async def access(self) -> str:
        """The token for the next call.

        Raises
        ------
        AuthError
            TradeStation refuses the key or the refresh token: a person logs in again.
        LinkError
        """
        async with self._turn:
            if self._token and self._clock.tick() < self._renew:
                return self._token
            try:
                await self._refresh()
            except LinkError:
                if not self._token or self._clock.tick() >= self._end:
                    raise
            return self._token

    def refused(self, token: str) -> None:
        """A call with this token was answered 401: the next one gets another."""
        if token == self._token:
            self._token = ""

    def hidden(self, text: str) -> str:
        """A text without any secret of ours."""
        for secret in (self._token, self._kept):
            text = text.replace(secret, HIDDEN) if secret else text
        return redact(text)

    async def close(self) -> None:
        """Close the connection."""
        await self._http.aclose()

    async def _refresh(self) -> None:
        async with self._held():
            if self._unwritten:
                self._write()
            self._kept = kept = read_token(self._file)
            asked = self._clock.tick()
            form = {"grant_type": "refresh_token", "refresh_token": kept, **self._key.as_form()}
            told = await self._line.read(
                lambda: ask_token(self._http, self._service, form, kept), "a token"
            )
            if (new := str(told.get("refresh_token") or kept)) != kept:
                self._kept = new
                self._write()
        self._token = str(told["access_token"])
        seconds = float(told["expires_in"])
        self._end = asked + seconds
        self._renew = asked + max(seconds - EARLY, seconds / 2.0)

    def _write(self) -> None:
        """Put the new refresh token on the disk; until it is there nothing is called.

        Raises
        ------
        LinkError
            The disk does not take it.
        """
        self._unwritten = True
        try:
            write_token(self._file, self._kept)
        except OSError as error:
            raise LinkError(
                f"{NAME}: the new refresh token cannot be written to {self._file} "
                f"({error.strerror}): no call is made before it is; make room, or let it be written"
            ) from None
        self._unwritten = False

    @asynccontextmanager
    async def _held(self) -> AsyncIterator[None]:
        """The file, as its one user."""
        path = self._file.with_name(f".{self._file.name}.lock")
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        except OSError as error:
            raise LinkError(f"{NAME}: {path} cannot be written: {error.strerror}") from None
        try:
            began = self._clock.tick()
            while not lock(file):
                if self._clock.tick() - began > PATIENCE:
                    raise Timeout(f"{NAME}: another process has held {path} for {PATIENCE:g} s")
                await self._clock.sleep(0.05)
            yield
        finally:
            os.close(file)


def login_client(deadline: float = 10.0) -> Any:
    """What asks the login; its connections do not outlive a call, nor the loop of one.

    Raises
    ------
    MissingExtra
    """
    try:
        import httpx2
    except ImportError:
        raise MissingExtra("TradeStation", "live") from None
    limits = httpx2.Limits(max_keepalive_connections=0)
    return httpx2.AsyncClient(timeout=deadline, limits=limits, verify=trusted())


@cache
def trusted() -> Any:
    """The certificates that count: read once, which takes a tenth of a second."""
    import httpx2

    return httpx2.create_ssl_context()


def read_token(file: Path) -> str:
    """The refresh token of a file.

    Raises
    ------
    AuthError
        It is not there, others can read it, or it is empty.
    """
    try:
        return in_file(file, f"{NAME}: the refresh token").strip()
    except SecretError as error:
        raise AuthError(f"{str(error).removesuffix('.')}; or {LOGIN}") from None


def write_token(file: Path, token: str) -> None:
    """Put a refresh token into a file that its owner alone can read.

    Raises
    ------
    OSError
        The one before stands there still.
    """
    write_durably(file, token.encode(), mode=0o600)


async def ask_token(
    http: Any, service: Service, form: dict[str, str], secret: str
) -> dict[str, Any]:
    """What the login answers to a form.

    Parameters
    ----------
    http : httpx2.AsyncClient
    service : Service
    form : dict
    secret : str
        Of the form, what no message may show.

    Raises
    ------
    AuthError, RateLimited, BadAnswer, Timeout, LinkError
    """
    import httpx2

    if http.is_closed:
        raise LinkError(f"{NAME}: the link was closed")
    try:
        reply = await http.post(f"{service.sign_in}/oauth/token", data=form)
        text = redact(reply.text.replace(secret, HIDDEN))
    except httpx2.TimeoutException:
        raise Timeout(f"{NAME}: the login: no answer in time") from None
    except httpx2.HTTPError as error:
        raise LinkError(
            f"{NAME}: the login was not reached: {redact(str(error)) or type(error).__name__}"
        ) from None
    if reply.status_code == 429:
        raise RateLimited(f"{NAME}: the login was asked too often", 60.0)
    if reply.status_code >= 500:
        raise LinkError(f"{NAME}: the login answers {reply.status_code}")
    try:
        told = reply.json()
    except ValueError:
        raise BadAnswer(f"{NAME}: the login answers no JSON but {text[:80]!r}") from None
    if reply.status_code >= 400:
        why = told.get("error_description") or told.get("error") if isinstance(told, dict) else ""
        hidden = redact(str(why).replace(secret, HIDDEN))[:200]
        raise AuthError(
            f"{NAME}: the login was refused ({reply.status_code}): {hidden or text[:120]!r}; "
            f"check the key, or {LOGIN}"
        )
    try:
        if not told["access_token"] or not 0.0 < float(told["expires_in"]) < 1e6:
            raise ValueError
    except (KeyError, TypeError, ValueError):
        raise BadAnswer(f"{NAME}: the login answers without a token or its end") from None
    return dict(told)
