"""Bars and quotes of Alpaca: raw, by their starts, of the feed that the keys are for.

Bars of an hour are built of half hours, since Alpaca's begin at the full hour and the session does
not. What streams is minutes (`alpaca_stream`); days are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from intrabar.data.live.building import built
from intrabar.errors import BadAnswer, ConfigError, DataError, NotFoundError
from intrabar.links.alpaca.hosts import KEY, LIVE, PAPER, SECRET, Hosts, Keys
from intrabar.links.alpaca.rest import Refusal, Rest, asset_path, instant, stamp
from intrabar.links.clock import SECOND_NS, Clock, WallClock
from intrabar.links.credentials import require_known, secret_of
from intrabar.links.lines import Bucket, Line
from intrabar.links.reading import begin, number
from intrabar.links.vendor import Answer, Row
from intrabar.model.bars import DAY_NS
from intrabar.model.facts import Quote

ZONE, CALENDAR = "America/New_York", "NYSE"
MINUTE, HALF_HOUR, HOUR = 60 * SECOND_NS, 1800 * SECOND_NS, 3600 * SECOND_NS
FEEDS = ("iex", "sip")
_FRAMES = {
    MINUTE: "1Min",
    5 * MINUTE: "5Min",
    15 * MINUTE: "15Min",
    HALF_HOUR: "30Min",
    HOUR: "30Min",
    DAY_NS: "1Day",
}
_PAGE = 10_000
_CALLS = 160  # a minute; 200 pass
_SPLITS = ("forward_splits", "reverse_splits")


class AlpacaBars:
    """Bars, splits, dividends and quotes of US shares.

    Parameters
    ----------
    keys : Keys
    clock : Clock, optional
    feed : "iex" or "sip"
        One exchange, for everybody; or all of them, which takes a subscription.
    hosts : Hosts, optional
        None: by the keys.
    """

    name = "alpaca"
    lag = 3.0
    lag_daily = 900.0
    corrects = True
    periods = tuple(_FRAMES)
    calls_a_day: int | None = None

    def __init__(
        self,
        keys: Keys,
        clock: Clock | None = None,
        *,
        feed: str = "iex",
        hosts: Hosts | None = None,
    ) -> None:
        if feed not in FEEDS:
            raise ConfigError(f"credentials.feed of alpaca: {feed!r}; it is {' or '.join(FEEDS)}")
        self.feed, self.keys = feed, keys
        self.clock = clock or WallClock()
        self.hosts = hosts or (LIVE if keys.kind == "live" else PAPER)
        self._rest = Rest(self.hosts, keys, self.clock)
        self._line = Line(self.name, self.clock, Bucket(_CALLS, 60.0, self.clock), seconds=15.0)

    async def bars(  # noqa: D102
        self, symbol: str, period: int, start: int, end: int, *, actions: bool = False
    ) -> Answer:
        is_daily = period == DAY_NS
        asked = {
            "symbols": symbol,
            "timeframe": _FRAMES[period],
            "start": stamp(start - DAY_NS if is_daily else start),  # midnight there is later
            "end": stamp(max(start, min(end, self.clock.now()))),
            "limit": _PAGE,
            "adjustment": "raw",
            "feed": self.feed,
            "sort": "asc",
        }
        told = await self._pages("/stocks/bars", asked, "bars", symbol)
        rows = self._rows(symbol, told, is_daily)
        if not rows:
            await self.require(symbol)
        if period == HOUR:
            rows = built(rows, CALENDAR, HOUR)
        least = start // DAY_NS * DAY_NS if is_daily else start
        kept = tuple(row for row in rows if least <= row.stamp <= end)
        if not actions:
            return Answer(symbol, period, ZONE, "start", kept)
        splits, paid = await self._actions(symbol, start, end)
        return Answer(symbol, period, ZONE, "start", kept, paid, splits)

    def earliest(self, period: int) -> int:
        """A few calls: ten pages of minutes are half a year."""
        return 0 if period == DAY_NS else self.clock.now() - 10 * _PAGE * period

    async def quote(self, symbol: str) -> Quote:  # noqa: D102
        asked = {"symbols": symbol, "feed": self.feed}
        told = await self._ask("/stocks/snapshots", asked, symbol)
        found = told.get(symbol)
        if not found:
            await self.require(symbol)
            raise NotFoundError("symbol", symbol, (), f"{self.name} has no quote of it")
        place = f"{self.name}: {symbol}"
        trade, best = (found.get(key) or {} for key in ("latestTrade", "latestQuote"))
        volume = number((found.get("dailyBar") or {}).get("v"), f"{place}: volume")
        price = number(trade.get("p"), f"{place}: price")
        at = max(instant(one.get("t"), f"{place}: time") for one in (trade, best))
        if not (price > 0.0 and at):
            raise BadAnswer(f"{place}: a quote without time or price: {begin(found)}")
        bid, ask = (number(best.get(key), f"{place}: {key}") for key in ("bp", "ap"))
        return Quote(
            symbol,
            min(at, self.clock.now()),
            price=price,
            bid=bid if bid > 0.0 else None,  # 0 where nobody bids
            ask=ask if ask > 0.0 else None,
            volume=volume if volume >= 0.0 else None,
        )

    async def require(self, symbol: str) -> None:
        """Ask whether there is such a symbol: of one that is unknown there are just no bars.

        Raises
        ------
        NotFoundError
        """
        try:
            await self._line.read(
                lambda: self._rest.read("trading", asset_path(symbol), {}), f"asset {symbol}"
            )
        except Refusal as error:
            if error.status == 404:
                raise NotFoundError("symbol", symbol, (), f"alpaca: {error.text}") from None
            raise DataError(f"{self.name}: {symbol}: {error.text}") from None

    async def close(self) -> None:  # noqa: D102
        self._rest.close()

    async def _actions(
        self, symbol: str, start: int, end: int
    ) -> tuple[tuple[tuple[int, float], ...], tuple[tuple[int, float], ...]]:
        asked = {
            "symbols": symbol,
            "types": "forward_split,reverse_split,cash_dividend",
            "start": _day_text(start),
            "end": _day_text(min(end, self.clock.now())),
            "limit": 1000,
            "sort": "asc",
        }
        splits, paid = [], []
        async for told in self._each("/corporate-actions", asked, symbol, "v1"):
            found = told.get("corporate_actions") or {}
            place = f"{self.name}: {symbol}: an action"
            for one in (one for kind in _SPLITS for one in found.get(kind) or ()):
                new, old = (number(one.get(key), place) for key in ("new_rate", "old_rate"))
                if not (new > 0.0 and old > 0.0):
                    raise BadAnswer(f"{place}: a split of {new:g} for {old:g} cannot be")
                splits.append((_day(one.get("ex_date"), place), new / old))
            for one in found.get("cash_dividends") or ():
                rate = number(one.get("rate"), place)
                if not rate >= 0.0:
                    raise BadAnswer(f"{place}: a dividend of {rate:g} cannot be")
                paid.append((_day(one.get("ex_date"), place), rate))
        return tuple(sorted(splits)), tuple(sorted(paid))

    def _rows(self, symbol: str, told: list[Any], is_daily: bool) -> tuple[Row, ...]:
        found: dict[int, Row] = {}
        for one in told:
            if not isinstance(one, dict):
                raise BadAnswer(f"{self.name}: {symbol}: a bar is {begin(one)}")
            row = row_of(one, f"{self.name}: {symbol}")
            if is_daily:
                row = Row(_local_day(row.stamp), row.open, row.high, row.low, row.close, row.volume)
            found[row.stamp] = row
        return tuple(found[at] for at in sorted(found))

    async def _pages(self, path: str, asked: Mapping[str, Any], key: str, symbol: str) -> list[Any]:
        """What all pages have of a symbol."""
        found: list[Any] = []
        async for told in self._each(path, asked, symbol):
            named = told.get(key)
            if named is None or named == {}:
                continue
            if not isinstance(named, dict) or list(named) != [symbol]:
                raise BadAnswer(
                    f"{self.name}: asked for {key} of {symbol}, got {begin(named)}; none is taken"
                )
            found += named[symbol] or ()
        return found

    async def _each(
        self, path: str, asked: Mapping[str, Any], symbol: str, version: str = "v2"
    ) -> Any:
        token, seen = None, set()
        while True:
            told = await self._ask(path, {**asked, "page_token": token}, symbol, version)
            yield told
            token = told.get("next_page_token")
            if not token:
                return
            if token in seen:
                raise BadAnswer(f"{self.name}: {symbol}: {path} goes round in a circle")
            seen.add(token)

    async def _ask(
        self, path: str, asked: dict[str, Any], symbol: str, version: str = "v2"
    ) -> dict[str, Any]:
        try:
            told = await self._line.read(
                lambda: self._rest.read("data", path, asked, version), f"{path} {symbol}"
            )
        except Refusal as error:
            if error.status in (400, 404, 422) and "symbol" in error.text:
                raise NotFoundError("symbol", symbol, (), f"alpaca: {error.text}") from None
            hint = "; name feed: iex" if self.feed != "iex" and error.status == 403 else ""
            raise DataError(f"{self.name}: {symbol}: {error.text}{hint}") from None
        if not isinstance(told, dict):
            raise BadAnswer(f"{self.name}: {symbol}: no answer but {begin(told)}")
        return told


def alpaca_bars(credentials: dict[str, Any], clock: Clock | None) -> AlpacaBars:
    """The vendor of a configuration's credentials: `api_key`, `secret_key`, `feed`.

    Raises
    ------
    ConfigError
    """
    require_known("alpaca", credentials, ("api_key", "secret_key", "feed"))
    keys = Keys(
        secret_of("alpaca", credentials, "api_key", KEY),
        secret_of("alpaca", credentials, "secret_key", SECRET),
    )
    return AlpacaBars(keys, clock, feed=str(credentials.get("feed", FEEDS[0])))


def row_of(bar: Mapping[str, Any], place: str) -> Row:
    """A bar as REST or stream write it.

    Raises
    ------
    BadAnswer
    """
    at = bar.get("t")
    if isinstance(at, datetime):
        at = at.isoformat()
    values = [number(bar.get(key), f"{place}: {key}") for key in "ohlcv"]
    opened = instant(at, f"{place}: time")
    if not opened or any(value != value for value in values):
        raise BadAnswer(f"{place}: a bar that is not whole: {begin(bar)}")
    return Row(opened, *values)


def _local_day(at: int) -> int:
    """Midnight UTC of the date of an instant in New York, ns."""
    there = datetime.fromtimestamp(at / SECOND_NS, ZoneInfo(ZONE))
    return (there.date() - date(1970, 1, 1)).days * DAY_NS


def _day_text(at: int) -> str:
    return datetime.fromtimestamp(at / SECOND_NS, UTC).date().isoformat()


def _day(text: Any, place: str) -> int:
    try:
        return (date.fromisoformat(str(text)) - date(1970, 1, 1)).days
    except ValueError:
        raise BadAnswer(f"{place} of {str(text)[:20]!r}, no day") from None
