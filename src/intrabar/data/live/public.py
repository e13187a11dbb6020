"""Bars and quotes of Public.com, which is asked for them: it has no stream.

Bars come by windows back from now, the smallest that holds what is asked. The vendor does not say
which edge of a bar its stamps mark: that is seen by the first and the last bar of a session, and
until it was seen no intraday bar is taken.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Literal
from zoneinfo import ZoneInfo

from intrabar.errors import BadAnswer, DataError, IntrabarError, NotFoundError
from intrabar.links.clock import SECOND_NS, Clock, WallClock
from intrabar.links.credentials import require_known, secret_of
from intrabar.links.public import VARIABLE, AbsentError, BarsResponse, DeclinedError, Public
from intrabar.links.reading import begin, number
from intrabar.links.vendor import Answer, Row
from intrabar.model.bars import DAY_NS
from intrabar.model.facts import Quote

MINUTE_NS = 60 * SECOND_NS
NEW_YORK = ZoneInfo("America/New_York")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MANY = 10  # bars that lie further apart than asked by no chance
SIZES = {
    MINUTE_NS: "ONE_MINUTE",
    5 * MINUTE_NS: "FIVE_MINUTES",
    10 * MINUTE_NS: "TEN_MINUTES",
    15 * MINUTE_NS: "FIFTEEN_MINUTES",
    30 * MINUTE_NS: "THIRTY_MINUTES",
    60 * MINUTE_NS: "ONE_HOUR",
    DAY_NS: "ONE_DAY",
}
WINDOWS = (
    (0, "DAY"),
    (6, "WEEK"),
    (27, "MONTH"),
    (89, "QUARTER"),
    (180, "HALF_YEAR"),
    (364, "YEAR"),
    (1825, "FIVE_YEARS"),
    (3650, "TEN_YEARS"),
)
"""Days for which a window reaches back at the least; beyond them is `ALL`."""
FURTHEST = {MINUTE_NS: 6, 5 * MINUTE_NS: 27, 10 * MINUTE_NS: 27}
"""Days for which short bars are asked; the vendor does not say how far it has them."""
UNADJUSTED = "Public does not say whether bars before a split are adjusted: they are as they came"


class PublicBars:
    """Bars and quotes of shares.

    Parameters
    ----------
    link : Public
    clock : Clock, optional
    account : str
        Whose quotes are asked for; "": the first of the login.
    """

    name = "public"
    lag = 8.0
    lag_daily = 600.0
    corrects = True
    calls_a_day = None
    periods = tuple(SIZES)

    def __init__(self, link: Public, clock: Clock | None = None, account: str = "") -> None:
        self._link, self._clock, self._account = link, clock or WallClock(), account
        self._label: Literal["", "start", "end"] = ""

    async def bars(  # noqa: D102
        self, symbol: str, period: int, start: int, end: int, *, actions: bool = False
    ) -> Answer:
        now = self._clock.now()
        days = _day(now) - _day(start)
        window = next((word for least, word in WINDOWS if days <= least), "ALL")
        try:
            told = await self._link.bars(symbol, window, SIZES[period])
        except (AbsentError, DeclinedError) as error:
            raise _refusal(symbol, error) from None
        if told.symbol.upper() != symbol.upper():
            raise BadAnswer(f"public: asked for {symbol}, got bars of {told.symbol}")
        return self._answer(symbol, period, told, start, end)

    def earliest(self, period: int) -> int:  # noqa: D102
        days = FURTHEST.get(period, 364 if period < DAY_NS else 0)
        return self._clock.now() - days * DAY_NS if days else 0

    async def quote(self, symbol: str) -> Quote:  # noqa: D102
        if not self._account:
            accounts = await self._link.accounts()
            if not accounts:
                raise BadAnswer("public: the login has no account, and quotes are asked by one")
            self._account = accounts[0].account_id
        try:
            told = await self._link.quote(self._account, symbol)
        except (AbsentError, DeclinedError) as error:
            raise _refusal(symbol, error) from None
        found = [one for one in told if one.instrument.symbol.upper() == symbol.upper()]
        if len(found) != 1 or found[0].outcome.value != "SUCCESS":
            raise NotFoundError("symbol", symbol, (), "public has no quote of it")
        one, place = found[0], f"public: {symbol}"
        price, bid, ask = (
            _price(getattr(one, name), f"{place}: {name}") for name in ("last", "bid", "ask")
        )
        stamps = (one.last_timestamp, one.bid_timestamp, one.ask_timestamp)
        times = [_instant(stamp, place) for stamp in stamps if stamp is not None]
        if not times or (price is None and bid is None and ask is None):
            raise NotFoundError("symbol", symbol, (), "public has no quote of it")
        volume = None if one.volume is None else float(one.volume)
        return Quote(symbol, max(times), price=price, bid=bid, ask=ask, volume=volume)

    async def close(self) -> None:  # noqa: D102
        await self._link.close()

    def _answer(self, symbol: str, period: int, told: BarsResponse, start: int, end: int) -> Answer:
        place = f"public: {symbol}"
        rows = []
        for bar in told.regular_market.bars:
            at = _instant(_moment(bar.timestamp, place), place)
            values = (bar.open, bar.high, bar.low, bar.close, bar.volume)
            stamp = _trade_date(at) if period == DAY_NS else at
            rows.append(Row(stamp, *(number(v, f"{place}: {bar.timestamp}") for v in values)))
        rows.sort(key=lambda row: row.stamp)
        if period == DAY_NS:
            first = start // DAY_NS * DAY_NS
            return _told(symbol, period, "start", rows, first, end)
        if rows:
            _require_size(rows, period, place)
            self._label = self._label or _edge(rows)
        if rows and not self._label:
            raise BadAnswer(
                f"{place}: which edge its stamps mark cannot be seen: {len(rows)} bars, and none "
                "is stamped 09:30 or 16:00; none is taken"
            )
        return _told(symbol, period, self._label or "start", rows, start, end)


def make(credentials: dict[str, Any], clock: Clock | None) -> PublicBars:
    """The source of a configuration: `secret`, and `account` where there are several."""
    require_known("public", credentials, ("secret", "account"))
    secret = secret_of("public", credentials, "secret", VARIABLE)
    return PublicBars(Public(secret, clock), clock, str(credentials.get("account", "")))


def _refusal(symbol: str, error: AbsentError | DeclinedError) -> IntrabarError:
    if isinstance(error, AbsentError) or "not found" in str(error).lower():
        return NotFoundError("symbol", symbol, (), str(error))
    return DataError(f"{symbol}: {error}")


def _told(
    symbol: str,
    period: int,
    label: Literal["start", "end"],
    rows: list[Row],
    start: int,
    end: int,
) -> Answer:
    kept = tuple(row for row in rows if start <= row.stamp <= end)
    return Answer(symbol, period, NEW_YORK.key, label, kept, notes=(UNADJUSTED,))


def _edge(rows: list[Row]) -> Literal["", "start", "end"]:
    """Which edge stamps mark, by those at which a session begins and ends."""
    clocks = {datetime.fromtimestamp(row.stamp // SECOND_NS, NEW_YORK).time() for row in rows}
    walls = {(at.hour, at.minute) for at in clocks}
    if (9, 30) in walls:
        return "start"
    return "end" if (16, 0) in walls else ""


def _require_size(rows: list[Row], period: int, place: str) -> None:
    """Refuse bars of another size than was asked for: the vendor may choose one of its own."""
    apart = math.gcd(*(b.stamp - a.stamp for a, b in pairwise(rows)))
    if apart % period or (apart > period and len(rows) >= _MANY):
        raise BadAnswer(
            f"{place}: asked for bars of {period // MINUTE_NS} min, got some that lie "
            f"{apart // SECOND_NS} s apart; none is taken"
        )


def _moment(text: str, place: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise BadAnswer(f"{place}: the time {begin(text)} cannot be read") from None


def _instant(at: datetime, place: str) -> int:
    """Ns UTC.

    Raises
    ------
    BadAnswer
        It has no zone.
    """
    if at.tzinfo is None:
        raise BadAnswer(f"{place}: the time {at.isoformat()} has no zone; nothing is guessed")
    return (at - EPOCH) // timedelta(microseconds=1) * 1000


def _trade_date(at: int) -> int:
    """Midnight UTC of a day's bar, which is stamped with its day in UTC or in New York."""
    if at % DAY_NS == 0:
        return at
    there = datetime.fromtimestamp(at // SECOND_NS, NEW_YORK).date()
    return (there - EPOCH.date()).days * DAY_NS


def _day(at: int) -> int:
    return _trade_date(at) // DAY_NS if at % DAY_NS else at // DAY_NS


def _price(value: object, what: str) -> float | None:
    price = number(value, what)
    return price if price > 0.0 else None
