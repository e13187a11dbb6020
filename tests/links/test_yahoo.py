"""Yahoo over the wire: the client of yfinance against a server on this machine."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
import pytest

from intrabar.errors import (
    BadAnswer,
    DataError,
    IntrabarError,
    LinkError,
    NotFoundError,
)
from intrabar.links.clock import Clock
from intrabar.links.reading import meant, times
from intrabar.links.vendor import Answer, Row
from intrabar.links.yahoo import Yahoo
from intrabar.model.bars import DAY_NS
from tests.data.live.samples import MINUTE, ns, rows
from tests.links.fakes.asking import FAULTS, NOW, START, ask, failing
from tests.links.fakes.server import Server, served
from tests.links.fakes.yahoo import FakeYahoo, session

SPLIT = ns("2026-02-18T14:30")


def days(first: str, count: int, price: float = 400.0) -> tuple[Row, ...]:
    """Daily rows from a Monday on, by the open of NYSE; prices as they were traded."""
    found = []
    for i in range(count):
        at = ns(first) + i * DAY_NS
        if np.datetime64(at, "ns").astype("datetime64[D]").astype(int) % 7 in (2, 3):
            continue  # Saturday, Sunday
        p = price + i if at < SPLIT else (price + i) / 4.0
        found.append(Row(at, p, p + 1.25, p - 1.5, p + 0.39, 1000.0 + 4 * i))
    return tuple(found)


def fake() -> FakeYahoo:
    return FakeYahoo(
        lambda: NOW,
        {
            "IBM": {
                "1m": rows("2026-02-27", MINUTE, 390) + rows("2026-03-02", MINUTE, 390),
                "1d": days("2026-02-02T14:30", 40),
            },
            "MSFT": {"1m": rows("2026-03-02", MINUTE, 390)},
        },
        splits={"IBM": [(SPLIT, 4.0, 1.0)]},
        dividends={"IBM": [(ns("2026-02-05T14:30"), 1.68), (ns("2026-02-25T14:30"), 0.42)]},
    )


def asked(
    call: Callable[[Yahoo], Coroutine[Any, Any, Any]],
    vendor: FakeYahoo | None = None,
    **how: Any,
) -> tuple[Any, Server]:
    def client(url: str, clock: Clock) -> Yahoo:
        return Yahoo(clock, session(url))

    return ask((vendor or fake()).answer, client, call, **how)


def test_minutes_are_raw_and_stamped_by_their_start() -> None:
    answer, server = asked(lambda y: y.bars("IBM", MINUTE, START, NOW))
    whole = [r for r in answer.rows if r.stamp + MINUTE <= NOW and r.stamp % MINUTE == 0]
    assert whole == list(rows("2026-03-02", MINUTE, 60))
    assert (answer.label, answer.zone, answer.period) == ("start", "America/New_York", MINUTE)
    assert [p["interval"] for _, p in server.asked] == ["1m"]


def test_days_before_a_split_are_as_they_were_traded_with_their_actions_apart() -> None:
    start = ns("2026-02-02")
    answer, _ = asked(lambda y: y.bars("IBM", DAY_NS, start, NOW, actions=True))
    want = [r for r in days("2026-02-02T14:30", 40) if r.stamp <= NOW]
    for have, row in zip(answer.rows[:-1], want[:-1], strict=True):  # the last is in progress
        assert have.stamp == row.stamp // DAY_NS * DAY_NS
        prices = [round(price, 6) for price in (row.open, row.high, row.low, row.close)]
        assert [have.open, have.high, have.low, have.close] == prices  # to the last digit
        assert have.volume == row.volume
    assert answer.splits == ((ns("2026-02-18") // DAY_NS, 4.0),)
    assert answer.dividends == (
        (ns("2026-02-05") // DAY_NS, 1.68),
        (ns("2026-02-25") // DAY_NS, 0.42),
    )


def test_a_day_that_begins_on_the_day_before_in_utc_is_not_left_out() -> None:
    opened = [ns("2026-02-23T23:00"), ns("2026-02-24T23:00")]
    table = {"CBA.AX": {"1d": tuple(Row(t, 9.0, 11.0, 8.0, 10.0, 5.0) for t in opened)}}
    vendor = FakeYahoo(lambda: NOW, table, zone="Australia/Sydney")
    answer, _ = asked(lambda y: y.bars("CBA.AX", DAY_NS, ns("2026-02-24"), NOW), vendor)
    assert [r.stamp for r in answer.rows] == [ns("2026-02-24"), ns("2026-02-25")]


def test_a_window_that_ends_before_a_split_is_raw_too() -> None:
    start, end = ns("2026-02-02"), ns("2026-02-10T23:00")
    answer, _ = asked(lambda y: y.bars("IBM", DAY_NS, start, end))
    assert answer.rows[0].open == pytest.approx(400.0, rel=1e-7)
    assert answer.rows[-1].stamp == ns("2026-02-10")


def test_the_vendors_own_client_reads_the_same_of_this_server() -> None:
    import yfinance

    vendor = fake()
    with served(vendor.answer) as server, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ticker = yfinance.Ticker("IBM", session=session(server.url))
        frame = ticker.history(
            start="2026-02-02", end="2026-02-28", auto_adjust=False, actions=True
        )
    answer, _ = asked(lambda y: y.bars("IBM", DAY_NS, ns("2026-02-02"), NOW, actions=True))
    ours = [r for r in answer.rows if r.stamp < ns("2026-02-28")]
    assert [str(d.date()) for d in frame.index] == [
        str(np.datetime64(r.stamp, "ns"))[:10] for r in ours
    ]
    ratio = [4.0 if r.stamp < ns("2026-02-18") else 1.0 for r in ours]
    assert [r.close for r in ours] == pytest.approx(list(frame["Close"] * ratio), rel=1e-6)
    assert [r.volume for r in ours] == pytest.approx(list(frame["Volume"] / ratio))
    assert frame["Stock Splits"].sum() == 4.0
    assert frame["Dividends"].sum() == pytest.approx(0.42 + 0.42)  # the first restated


def test_a_quote_has_its_time_and_both_sides() -> None:
    quote, _ = asked(lambda y: y.quote("IBM"))
    assert quote.symbol == "IBM"
    assert NOW - 60 * 10**9 < quote.time <= NOW
    assert quote.bid < quote.price < quote.ask


def test_a_side_that_is_0_is_none() -> None:
    def shut(told: dict[str, Any]) -> dict[str, Any]:
        told["quoteResponse"]["result"][0] |= {"bid": 0.0, "ask": 0.0}
        del told["quoteResponse"]["result"][0]["regularMarketVolume"]
        return told

    vendor = fake()
    vendor.change = shut
    quote, _ = asked(lambda y: y.quote("IBM"), vendor)
    assert (quote.bid, quote.ask, quote.volume) == (None, None, None)


def _chart(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], Any]:
    def changed(told: dict[str, Any]) -> dict[str, Any]:
        change(told["chart"]["result"][0])
        return told

    return changed


BAD_CHARTS: list[tuple[str, Callable[[dict[str, Any]], Any], str]] = [
    ("other_symbol", _chart(lambda r: r["meta"].update(symbol="AAPL")), "got bars of AAPL"),
    ("other_period", _chart(lambda r: r["meta"].update(dataGranularity="5m")), "got 5m"),
    ("odd_zone", _chart(lambda r: r["meta"].update(exchangeTimezoneName="Mars/X")), "Mars/X"),
    ("short", _chart(lambda r: r["indicators"]["quote"][0]["low"].pop()), "differ in length"),
    ("words", _chart(lambda r: r["indicators"]["quote"][0]["low"].insert(0, "n/a")), "differ"),
    ("text", _chart(lambda r: r["indicators"]["quote"][0].update(low=["x"] * 500)), "differ"),
    ("no_result", lambda told: {"chart": {"result": [], "error": None}}, "no bars in the answer"),
    ("null", lambda told: {"chart": None}, "no bars in the answer"),
]


@pytest.mark.parametrize(
    ("change", "text"), [c[1:] for c in BAD_CHARTS], ids=[c[0] for c in BAD_CHARTS]
)
def test_an_answer_that_is_not_what_was_asked_is_refused(
    change: Callable[[dict[str, Any]], Any], text: str
) -> None:
    vendor = fake()
    vendor.change = change
    with pytest.raises(BadAnswer, match=text):
        asked(lambda y: y.bars("IBM", MINUTE, START, NOW), vendor)


@pytest.mark.parametrize(
    ("fault", "error", "text"),
    [*FAULTS, ("500", LinkError, "Yahoo is down"), ("503", LinkError, "Yahoo is down")],
)
def test_a_server_that_fails_for_ever_is_told_in_a_sentence(
    fault: str, error: type[IntrabarError], text: str
) -> None:
    with pytest.raises(error, match=f"IBM: {text}"):
        asked(lambda y: y.bars("IBM", MINUTE, START, NOW), prepare=failing(fault, for_ever=True))


@pytest.mark.parametrize("fault", ["html", "500", "429", "cut", "drop"])
def test_a_server_that_fails_once_is_asked_again(fault: str) -> None:
    twice = failing(fault, fault)  # the client asks a second time by itself
    answer, _ = asked(lambda y: y.bars("IBM", MINUTE, START, NOW), prepare=twice)
    assert len(answer.rows) >= 60


def test_an_unknown_symbol_is_not_tried_again() -> None:
    with pytest.raises(NotFoundError, match="symbol may be delisted"):
        asked(lambda y: y.bars("NOSUCH", MINUTE, START, NOW))
    with pytest.raises(NotFoundError, match="no quote of it"):
        asked(lambda y: y.quote("NOSUCH"))


def test_a_start_beyond_what_yahoo_keeps_is_refused_with_the_earliest() -> None:
    with pytest.raises(DataError, match=r"keeps 1m bars of 29 days; name a start after 2026-02-01"):
        asked(lambda y: y.bars("IBM", MINUTE, ns("2026-01-05"), NOW))


def test_minutes_of_weeks_are_asked_for_in_pieces() -> None:
    _, server = asked(lambda y: y.bars("IBM", MINUTE, NOW - 20 * DAY_NS, NOW))
    spans = [
        int(p["period2"]) - int(p["period1"]) for _, p in server.asked if p["interval"] == "1m"
    ]
    assert len(spans) == 3
    assert max(spans) <= 8 * 86_400


def test_calls_are_a_second_apart() -> None:
    async def thrice(y: Yahoo) -> float:
        for _ in range(3):
            await y.quote("IBM")
        return asyncio.get_running_loop().time()

    seconds, _ = asked(thrice)
    assert seconds == 2.0


@pytest.mark.parametrize("value", [27.8475, 0.1, 123.45, 1.0, 4104.19, 0.0035])
def test_a_price_that_went_through_single_precision_is_what_was_meant(value: float) -> None:
    assert meant(float(np.float32(value))) == value
    assert meant(value) == value


def test_products_of_prices_are_decimal() -> None:
    assert times(27.8475, 4.0) == 111.39
    assert times(0.1, 3.0) == 0.3


def test_a_hole_is_no_bar() -> None:
    def holes(result: dict[str, Any]) -> None:
        for column in result["indicators"]["quote"][0].values():
            column[1] = None

    vendor = fake()
    vendor.change = _chart(holes)
    answer, _ = asked(lambda y: y.bars("IBM", MINUTE, START, NOW), vendor)
    assert isinstance(answer, Answer)
    assert [r.stamp for r in answer.rows[:2]] == [ns("2026-03-02T14:30"), ns("2026-03-02T14:32")]
