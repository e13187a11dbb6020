"""The wire of Public.com: the vendor's own client, with one way for what goes wrong.

The client repeats a POST by itself and mints a token in each call that comes first. Here answers
are read below it: what is not whole is an error of ours, so that it never repeats anything, and
tokens are minted one at a time.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar

import httpx
from public_api_sdk import (
    APIError,
    ApiKeyAuthConfig,
    AsyncPublicApiClient,
    AsyncPublicApiClientConfiguration,
    AuthenticationError,
)
from public_api_sdk.models import (
    Account,
    BarAggregation,
    BarPeriod,
    BarsResponse,
    CancelAndReplaceRequest,
    Instrument,
    InstrumentType,
    OrderInstrument,
    OrderRequest,
    OrderSearchRequest,
    OrderV2,
    Portfolio,
    Quote,
)
from pydantic import BaseModel, Field, ValidationError

from intrabar.errors import (
    AuthError,
    BadAnswer,
    IntrabarError,
    LinkError,
    RateLimited,
    Timeout,
)
from intrabar.links.clock import Clock, WallClock
from intrabar.links.lines import Bucket, Line, within
from intrabar.links.reading import begin
from intrabar.links.worker import outside
from intrabar.model.secret import Secret, redact

__all__ = [
    "URL",
    "VARIABLE",
    "AbsentError",
    "Account",
    "BarsResponse",
    "DeclinedError",
    "Holdings",
    "Order",
    "Public",
    "UnsentError",
]

URL = "https://api.public.com"
VARIABLE = "PUBLIC_SECRET"
AGES = 60  # minutes for which a token is asked for
_PARTS: dict[str, tuple[str, type]] = {
    "access-tokens": ("accessToken", str),
    "search": ("orders", list),
    "quotes": ("quotes", list),
}
"""What an answer must have, by the last word of its path: the client takes its absence for none."""
_GLIMPSE = 2.0  # seconds
_LIMITED = 60.0  # seconds, where the vendor does not say how long

_T = TypeVar("_T")
_Model = TypeVar("_Model", bound=BaseModel)


class Order(OrderV2):
    """An order, with the vendor's own word of its status: the client has but those it knows."""

    word: str = Field("", validation_alias="status")


class Holdings(Portfolio):
    """Positions, money and open orders."""

    orders: list[Order]  # type: ignore[assignment]


class UnsentError(LinkError):
    """No byte of the request has left."""


class AbsentError(IntrabarError):
    """The vendor says that there is no such thing (404)."""


class DeclinedError(IntrabarError):
    """The vendor has read the request and says no (another 4xx)."""


class Public:
    """One login at Public.com.

    Parameters
    ----------
    secret : Secret
        The personal secret, of which tokens are made.
    clock : Clock, optional
    url : str
    transport : httpx.AsyncBaseTransport, optional
        What carries requests; a test's own.
    seconds : float
        Deadline of one request.
    calls_a_second : int
        The vendor publishes no limit.
    """

    name = "public"

    def __init__(
        self,
        secret: Secret,
        clock: Clock | None = None,
        *,
        url: str = URL,
        transport: httpx.AsyncBaseTransport | None = None,
        seconds: float = 10.0,
        calls_a_second: int = 10,
    ) -> None:
        clock = clock or WallClock()
        self.url, self._seconds = url, seconds
        carrier = _Whole(transport or httpx.AsyncHTTPTransport())
        self._http = httpx.AsyncClient(
            transport=carrier,
            timeout=seconds,
            headers={"User-Agent": "intrabar", "Content-Type": "application/json"},
        )
        self._client = AsyncPublicApiClient(
            ApiKeyAuthConfig(secret.reveal(), AGES),
            AsyncPublicApiClientConfiguration(base_url=url),
            http_client=self._http,
        )
        self._line = Line(self.name, clock, Bucket(calls_a_second, 1.0, clock), seconds=2 * seconds)
        self._minting = asyncio.Lock()
        self._minted, self._is_closed = 0, False

    async def accounts(self) -> list[Account]:
        """The accounts of the login."""
        found = await self._read(self._client.get_accounts, "accounts")
        return found.accounts

    async def portfolio(self, account: str) -> Holdings:
        """Positions, money and open orders."""
        told = await self._read(lambda: self._get(account, "portfolio/v2"), "portfolio")
        return _made(Holdings, told, BadAnswer)

    async def order(self, account: str, order: str) -> Order:
        """An order that was made within 30 days.

        Raises
        ------
        AbsentError
            It is not, or not yet to be seen.
        LinkError
        """
        told = await self._read(lambda: self._get(account, f"order/{order}"), "order")
        return _made(Order, told, BadAnswer)

    async def glimpse(self, account: str, order: str) -> Order | None:
        """An order where it is shown at once; None for whatever else is answered."""
        try:
            call = self._send(lambda: self._get(account, f"order/{order}"), "order")
            told = await within(_GLIMPSE, call, f"{self.name}: order")
            return _made(Order, told, BadAnswer)
        except (AbsentError, DeclinedError, LinkError):
            return None

    async def orders(self, account: str, after: datetime, before: datetime) -> list[Order]:
        """Orders made between two instants, at most 500, within 30 days."""
        asked = OrderSearchRequest.model_validate({"createdAfter": after, "createdBefore": before})
        path = f"/userapigateway/trading/{account}/order/search"
        body = asked.model_dump(by_alias=True, exclude_none=True)
        told = await self._read(
            lambda: self._client.api_client.post(path, json_data=body), "orders"
        )
        return [_made(Order, order, BadAnswer) for order in told["orders"]]

    async def instrument(self, symbol: str) -> Instrument:
        """What may be done with a share."""
        kind = InstrumentType.EQUITY
        return await self._read(lambda: self._client.get_instrument(symbol, kind), "instrument")

    async def quote(self, account: str, symbol: str) -> list[Quote]:
        """What a share is worth."""
        asked = OrderInstrument(symbol=symbol, type=InstrumentType.EQUITY)
        return await self._read(lambda: self._client.get_quotes([asked], account), "quote")

    async def bars(self, symbol: str, window: str, size: str) -> BarsResponse:
        """Bars of a share.

        Parameters
        ----------
        symbol : str
        window : str
            `DAY` to `ALL`, back from now.
        size : str
            `ONE_MINUTE` to `ONE_DAY`.
        """
        period, aggregation = BarPeriod(window), BarAggregation(size)
        return await self._read(
            lambda: self._client.get_bars(symbol, period, aggregation=aggregation), "bars"
        )

    async def place(self, account: str, order: dict[str, Any]) -> None:
        """Send an order, by the vendor's words.

        Raises
        ------
        UnsentError, DeclinedError, LinkError
            Nothing has left; the vendor says no; nobody knows.
        """
        request = _made(OrderRequest, order, DeclinedError)
        await self._send(lambda: self._client.place_order(request, account), "order")

    async def replace(self, account: str, order: dict[str, Any]) -> None:
        """Put another order in the place of one; errors as those of `place`."""
        request = _made(CancelAndReplaceRequest, order, DeclinedError)
        await self._send(lambda: self._client.cancel_and_replace_order(request, account), "change")

    async def cancel(self, account: str, order: str) -> None:
        """Ask for the end of an order; errors as those of `place`."""
        await self._send(lambda: self._client.cancel_order(order, account), "cancel")

    async def close(self) -> None:
        """Close the connections."""
        self._is_closed = True
        await self._client.close()
        await self._http.aclose()

    async def _get(self, account: str, what: str) -> dict[str, Any]:
        return await self._client.api_client.get(f"/userapigateway/trading/{account}/{what}")

    async def _read(self, call: Callable[[], Awaitable[_T]], what: str) -> _T:
        return await self._line.read(lambda: self._asked(call, what), what)

    async def _send(self, call: Callable[[], Awaitable[_T]], what: str) -> _T:
        return await within(self._seconds, self._asked(call, what), f"{self.name}: {what}")

    async def _asked(self, call: Callable[[], Awaitable[_T]], what: str) -> _T:
        """An answer; a token that is refused is made anew once: such a request was not read."""
        if self._is_closed:
            raise UnsentError(f"{self.name}: {what}: the link is closed")
        token = await self._token()
        try:
            return await self._answer(call, what)
        except AuthError:
            await self._forget(token)
        await self._token()
        return await self._answer(call, what)

    async def _answer(self, call: Callable[[], Awaitable[_T]], what: str) -> _T:
        place = f"{self.name}: {what}"
        try:
            return await call()
        except AuthenticationError as error:
            raise AuthError(f"{place}: the login was refused: {redact(error.message)}") from None
        except APIError as error:
            text = f"{place}: {redact(str(error.message))[:200]}"
            raise (AbsentError if error.status_code == 404 else DeclinedError)(text) from None
        except ValidationError as error:
            raise BadAnswer(f"{place}: the answer cannot be read: {_first(error)}") from None

    async def _token(self) -> int:
        """See that there is a token; which it is, counted."""
        async with self._minting:
            try:
                await self._client.auth_manager.refresh_token_if_needed()
            except APIError as error:
                raise AuthError(
                    f"{self.name}: the secret was refused: {redact(str(error.message))[:120]}; "
                    "make a new one in the settings of your account"
                ) from None
            return self._minted

    async def _forget(self, token: int) -> None:
        """Let a refused token go, unless another call has made a new one meanwhile."""
        async with self._minting:
            if token == self._minted:
                await self._client.auth_manager.revoke_current_token()
                self._minted += 1


class _Whole(httpx.AsyncBaseTransport):
    """Lets whole answers through; of others it raises what they are."""

    def __init__(self, carrier: httpx.AsyncBaseTransport) -> None:
        self._carrier = carrier

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        what = request.url.path.rsplit("/", 1)[-1]
        place = f"public: {request.method} {what}"
        try:
            with outside():
                reply = await self._carrier.handle_async_request(request)
                try:
                    body = await reply.aread()
                finally:
                    await reply.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise UnsentError(f"{place}: not reached: {redact(str(error))[:160]}") from None
        except httpx.TimeoutException:
            raise Timeout(f"{place}: no answer in time") from None
        except httpx.HTTPError as error:
            raise LinkError(f"{place}: the line was cut: {redact(str(error))[:160]}") from None
        code = reply.status_code
        if code == 429:
            after = _seconds(reply.headers.get("retry-after"))
            raise RateLimited(f"{place}: too many requests", after)
        if code >= 500 or code < 200 or 300 <= code < 400:
            raise LinkError(f"{place}: the server answers {code}")
        told = _object(body, place)
        if code < 300 and what in _PARTS:
            part, kind = _PARTS[what]
            if not isinstance(told.get(part), kind):
                raise BadAnswer(f"{place}: no {part} in the answer: {begin(told)}")
            if kind is str:
                Secret(told[part])  # from now on no text shows it
        return httpx.Response(code, json=told)

    async def aclose(self) -> None:
        await self._carrier.aclose()


def _made(kind: type[_Model], told: Any, wrong: type[IntrabarError]) -> _Model:
    """What is asked or answered, as the client's own model has it; it has rules of its own."""
    try:
        return kind.model_validate(told)
    except ValidationError as error:
        name = kind.__name__.lower()
        raise wrong(f"public: no {name} by the client's rules: {_first(error)}") from None


def _first(error: ValidationError) -> str:
    found = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in found["loc"])
    return f"{where} is {redact(str(found['input'])[:60])!r} ({found['msg']})"


def _object(body: bytes, place: str) -> dict[str, Any]:
    """The JSON object of an answer; none of an empty one."""
    if not body.strip():
        return {}
    try:
        told = json.loads(body, parse_float=str, parse_constant=str)
    except ValueError:
        raise BadAnswer(f"{place}: no JSON but {redact(repr(body[:400]))[:80]}") from None
    if not isinstance(told, dict):
        raise BadAnswer(f"{place}: no object but {begin(told)}")
    return told


def _seconds(text: str | None) -> float:
    try:
        return max(float(text or _LIMITED), 0.0)
    except ValueError:
        return _LIMITED
