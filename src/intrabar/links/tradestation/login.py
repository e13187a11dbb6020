"""The first refresh token: a person logs in at TradeStation, whose answer comes to a port of ours.

Authorisation code with PKCE: what passes through the browser is worth nothing without the verifier,
which never leaves this process but for the exchange.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

from intrabar.errors import AuthError, BadAnswer, StateError, Timeout
from intrabar.links.tradestation.service import AUDIENCE, NAME, Service
from intrabar.links.tradestation.tokens import Key, ask_token, login_client
from intrabar.model.secret import redact

PORT = 31022
"""One of those to which every key may be answered."""

SCOPES = "openid offline_access profile MarketData ReadAccount Trade"
PATIENCE = 300.0  # seconds for a person
_PAGE = "HTTP/1.1 {} \r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n{}\n"


class Login(NamedTuple):
    """A login that has begun.

    Parameters
    ----------
    url : str
        The page to open.
    redirect, state, verifier : str
        Where it answers, by which the answer is known as its own, and what the exchange needs.
    """

    url: str
    redirect: str
    state: str
    verifier: str


def begin(service: Service, key: Key, port: int = PORT) -> Login:
    """Begin a login.

    Parameters
    ----------
    service : Service
    key : Key
    port : int
        Of this machine, as the key knows it: `http://localhost:PORT`.
    """
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    digest = hashlib.sha256(verifier.encode()).digest()
    redirect = f"http://localhost:{port}"
    asked = {
        "response_type": "code",
        "client_id": key.client,
        "audience": AUDIENCE,
        "redirect_uri": redirect,
        "scope": SCOPES,
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    return Login(f"{service.sign_in}/authorize?{urlencode(asked)}", redirect, state, verifier)


async def answered(login: Login, seconds: float = PATIENCE) -> str:
    """The code that the browser brings back.

    Raises
    ------
    AuthError
        The person, or TradeStation, has said no.
    StateError
        Something else listens on the port.
    Timeout
    """
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(5.0):
                first = await reader.readline()
            status, text = _taken(first.decode("latin-1"), login, found)
            writer.write(_PAGE.format(status, text).encode())
            await writer.drain()
        except (OSError, TimeoutError, ValueError):
            pass  # no browser
        finally:
            writer.close()

    port = urlsplit(login.redirect).port
    try:
        server = await asyncio.start_server(answer, "localhost", port)
    except OSError as error:
        raise StateError(
            f"port {port} of this machine cannot be listened on ({error.strerror}); name another "
            "that the key allows: --port 3000"
        ) from None
    async with server:
        try:
            async with asyncio.timeout(seconds):
                return await found
        except TimeoutError:
            raise Timeout(f"{NAME}: nobody has logged in within {seconds:g} s") from None


async def exchanged(service: Service, key: Key, login: Login, code: str) -> str:
    """The refresh token for a code.

    Raises
    ------
    AuthError, LinkError
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": login.redirect,
        "code_verifier": login.verifier,
        **key.as_form(),
    }
    http = login_client()
    try:
        told = await ask_token(http, service, form, code)
    finally:
        await http.aclose()
    token = told.get("refresh_token")
    if not token:
        raise BadAnswer(
            f"{NAME}: the login gives no refresh token: the key has no offline_access; ask "
            "TradeStation for it"
        )
    return str(token)


def _taken(line: str, login: Login, found: asyncio.Future[str]) -> tuple[str, str]:
    """Status and text for the browser; what it has brought is put into `found`."""
    target = line.split(" ")[1] if line.count(" ") >= 2 else "/"
    told = {name: values[-1] for name, values in parse_qs(urlsplit(target).query).items()}
    if not hmac.compare_digest(told.get("state", ""), login.state):
        return "404 Not Found", "Nothing is here."
    if found.done():
        return "200 OK", "That was taken already."
    if "code" in told:
        found.set_result(told["code"])
        return "200 OK", "Intrabar has what it needs; this window can be closed."
    why = redact(told.get("error_description") or told.get("error") or "no code")[:200]
    found.set_exception(AuthError(f"{NAME}: the login was refused: {why}"))
    return "200 OK", "The login was refused; Intrabar says why."
