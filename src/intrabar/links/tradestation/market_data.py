"""Bars and quotes of TradeStation as it writes them: bars by their end, prices as texts.

Facts: at most 57,600 intraday bars, or three years, in one answer. Prices of shares are adjusted
for the splits since, and which splits there were is not told.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote as quoted
from zoneinfo import ZoneInfo

from intrabar.errors import BadAnswer, DataError, LinkError, NotFoundError
from intrabar.links.clock import SECOND_NS, Clock
from intrabar.links.reading import begin, number
from intrabar.links.tradestation.client import Client, DeniedError
from intrabar.links.tradestation.service import NAME
from intrabar.links.vendor import Answer, Row
from intrabar.model.bars import DAY_NS
from intrabar.model.facts import Quote

MINUTE_NS = 60 * SECOND_NS
AT_ONCE = 57_600  # bars of one answer
LONGEST = 1_000 * DAY_NS  # of one answer, in time
EXCHANGE = ZoneInfo("America/New_York")
ADJUSTED = (
    "TradeStation adjusts the prices of shares for the splits since, and does not tell which there "
    "were; no split or dividend comes with them"
)

Frames = AsyncGenerator[dict[str, Any], None]


class MarketData:
    """The wire of bars and quotes.

    Parameters
    ----------
    client : Client
    clock : Clock
    """

    name = NAME
    lag = 0.5
    lag_daily = 600.0
    corrects = True
    periods = (*(n * MINUTE_NS for n in (1, 2, 3, 5, 10, 15, 30, 60)), DAY_NS)
    calls_a_day: int | None = None

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client, self._clock = client, clock

    async def bars(  # noqa: D102
        self, symbol: str, period: int, start: int, end: int, *, actions: bool = False
    ) -> Answer:
        end = min(end, self._clock.now())
        rows: dict[int, Row] = {}
        first = start
        while first <= end:
            last = min(first + min(AT_ONCE * period, LONGEST), end)
            asked = {**_unit(period), "firstdate": _text(first - period), "lastdate": _text(last)}
            told = await self._ask(f"/marketdata/barcharts/{_safe(symbol)}", asked, symbol)
            listed = told.get("Bars")
            if not isinstance(listed, list):
                raise BadAnswer(f"{NAME}: {symbol}: no bars in the answer: {begin(told)}")
            for one in listed:
                row = row_of(symbol, one, period)
                if (start // DAY_NS * DAY_NS if period == DAY_NS else start) <= row.stamp <= end:
                    rows[row.stamp] = row
            first = last + 1
        ordered = tuple(rows[stamp] for stamp in sorted(rows))
        return Answer(symbol, period, "", "end", ordered, notes=(ADJUSTED,), adjustment="split")

    def earliest(self, period: int) -> int:  # noqa: D102
        return max(self._clock.now() - 4 * min(AT_ONCE * period, LONGEST), 0)

    async def quote(self, symbol: str) -> Quote:  # noqa: D102
        told = await self._ask(f"/marketdata/quotes/{_safe(symbol)}", None, symbol)
        for error in told.get("Errors") or ():
            refuse_symbol(error)
        listed = told.get("Quotes") or ()
        one = next((q for q in listed if str(q.get("Symbol")).upper() == symbol.upper()), None)
        if one is None:
            raise BadAnswer(f"{NAME}: {symbol}: no quote of it in the answer: {begin(told)}")
        found = quote_of(symbol, one)
        if found is None:
            raise BadAnswer(f"{NAME}: {symbol}: a quote without time or price: {begin(one)}")
        return found

    async def close(self) -> None:  # noqa: D102
        await self._client.close()

    def bar_stream(
        self, symbol: str, period: int, back: int
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The last `back` bars, then those in progress, each again with every trade."""
        asked = {**_unit(period), "barsback": str(min(max(back, 1), AT_ONCE))}
        return self._client.stream(f"/marketdata/stream/barcharts/{_safe(symbol)}", asked)

    def quote_stream(self, symbols: Sequence[str]) -> Frames:
        """Quotes: whole ones first, then what changes of them."""
        return self._client.stream(f"/marketdata/stream/quotes/{','.join(map(_safe, symbols))}")

    async def _ask(self, path: str, asked: dict[str, str] | None, symbol: str) -> dict[str, Any]:
        try:
            return await self._client.read(path, asked)
        except DeniedError as error:
            raise denied(symbol, error) from None


def denied(symbol: str, error: DeniedError) -> NotFoundError | DataError:
    """The error that a no to a question about a symbol is."""
    if error.status == 404 or "symbol" in error.text.lower():
        return NotFoundError("symbol", symbol, (), f"{NAME} says: {error.text[:120]}")
    return DataError(f"{NAME}: {symbol}: {error.text}")


def refuse_symbol(error: Any) -> None:
    """Raise what the vendor says of one symbol: `FAILED` alone passes by itself.

    Raises
    ------
    NotFoundError, LinkError
    """
    told = error if isinstance(error, dict) else {}
    symbol, text = str(told.get("Symbol")), str(told.get("Error") or told.get("Message"))
    if "ENTITLED" in text.upper():
        why = f"{NAME} has no quotes of it for this login: {text[:120]}"
        raise NotFoundError("symbol", symbol, (), why)
    if text.upper() == "FAILED":
        raise LinkError(f"{NAME}: {symbol}: {text}, which passes as a rule")
    raise NotFoundError("symbol", symbol, (), f"{NAME} says: {text[:120]}")


def row_of(symbol: str, told: Any, period: int) -> Row:
    """A bar by its end; a daily one by midnight of its date.

    Raises
    ------
    BadAnswer
    """
    place = f"{NAME}: {symbol}"
    if not isinstance(told, dict):
        raise BadAnswer(f"{place}: a bar that is {str(told)[:80]!r}")
    stamp = moment(told.get("TimeStamp"), place)
    place = f"{place}: the bar of {told['TimeStamp']}"
    if period == DAY_NS:
        there = datetime.fromtimestamp(stamp // SECOND_NS, EXCHANGE)
        stamp = (there.date() - datetime(1970, 1, 1).date()).days * DAY_NS
    o, h, low, c, volume = (
        number(told.get(key), f"{place}: {key}")
        for key in ("Open", "High", "Low", "Close", "TotalVolume")
    )
    return Row(stamp, o, h, low, c, 0.0 if math.isnan(volume) else volume)


def quote_of(symbol: str, told: dict[str, Any], since: int = 0) -> Quote | None:
    """A whole quote; None where it has no time or no price.

    Parameters
    ----------
    symbol : str
    told : dict
    since : int, ns
        When bid or ask were seen to change, of which the vendor tells no time.

    Raises
    ------
    BadAnswer
    """
    place = f"{NAME}: {symbol}"
    if not told.get("TradeTime"):
        return None
    at = moment(told["TradeTime"], place)
    price, bid, ask, volume = (
        number(told.get(key), f"{place}: {key}") for key in ("Last", "Bid", "Ask", "Volume")
    )
    if not (price > 0.0 and math.isfinite(price)):
        return None
    return Quote(
        symbol,
        max(at, since),
        price=price,
        bid=bid if bid > 0.0 else None,  # 0 where nobody bids
        ask=ask if ask > 0.0 else None,
        volume=volume if volume >= 0.0 else None,
    )


def moment(text: Any, place: str) -> int:
    """An instant that the vendor writes, ns UTC.

    Raises
    ------
    BadAnswer
    """
    try:
        at = datetime.fromisoformat(str(text))
        if at.tzinfo is None:
            raise ValueError
    except ValueError:
        raise BadAnswer(f"{place}: the time {str(text)[:40]!r} cannot be read") from None
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * SECOND_NS + since.microseconds * 1_000


def _unit(period: int) -> dict[str, str]:
    if period == DAY_NS:
        return {"interval": "1", "unit": "Daily"}
    return {"interval": str(period // MINUTE_NS), "unit": "Minute"}


def _safe(symbol: str) -> str:
    return quoted(symbol, safe="@$.")


def _text(at: int) -> str:
    return datetime.fromtimestamp(max(at, 0) // SECOND_NS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
