"""Alpha Vantage over the wire, against a server on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from intrabar.errors import (
    AuthError,
    BadAnswer,
    DataError,
    IntrabarError,
    LinkError,
    NotFoundError,
    RateLimited,
)
from intrabar.links.alpha_vantage import AlphaVantage
from intrabar.links.clock import Clock
from intrabar.links.vendor import Row
from intrabar.model.bars import DAY_NS
from intrabar.model.secret import Secret
from tests.data.live.samples import MINUTE, ns, rows
from tests.links.fakes import alpha_vantage as wire
from tests.links.fakes.alpha_vantage import FakeAlphaVantage
from tests.links.fakes.asking import FAULTS, NOW, START, ask, failing
from tests.links.fakes.server import Server

KEY = "Q7WX-PLANTED-KEY"


def days(count: int) -> tuple[Row, ...]:
    first = ns("2026-03-02") - (count - 1) * DAY_NS
    return tuple(
        Row(first + i * DAY_NS, 100.0 + i, 102.5 + i, 98.25 + i, 101.0 + i, 5000.0 + i)
        for i in range(count)
    )


def fake(**given: Any) -> FakeAlphaVantage:
    table = {
        "IBM": {
            "1min": rows("2026-02-27", MINUTE, 390) + rows("2026-03-02", MINUTE, 390),
            "5min": rows("2026-03-02", 5 * MINUTE, 78),
            "1d": days(130),
        }
    }
    given.setdefault("splits", {"IBM": [("2026-02-18", 4.0), ("1999-05-27", 2.0)]})
    given.setdefault("dividends", {"IBM": [("2026-02-10", 1.68)]})
    return FakeAlphaVantage(lambda: NOW, table, key=KEY, **given)


def asked(
    call: Callable[[AlphaVantage], Coroutine[Any, Any, Any]],
    vendor: FakeAlphaVantage | None = None,
    *,
    key: str = KEY,
    **how: Any,
) -> tuple[Any, Server]:
    def client(url: str, clock: Clock) -> AlphaVantage:
        return AlphaVantage(Secret(key), clock, url=f"{url}/query")

    return ask((vendor or fake()).answer, client, call, **how)


def test_minutes_are_raw_and_in_utc() -> None:
    answer, server = asked(lambda a: a.bars("IBM", MINUTE, START, NOW))
    assert answer.rows[:60] == rows("2026-03-02", MINUTE, 60)
    assert (answer.label, answer.notes) == ("start", ())
    (_, parameters) = server.asked[0]
    assert (parameters["adjusted"], parameters["extended_hours"]) == ("false", "false")


def test_stamps_that_mark_the_end_are_told_by_the_last_one_of_a_session() -> None:
    vendor = fake(label="end")
    vendor.now = lambda: ns("2026-03-02T21:01")
    answer, _ = asked(lambda a: a.bars("IBM", MINUTE, ns("2026-03-02T20:00"), NOW * 2), vendor)
    assert answer.label == "start"
    assert answer.rows == tuple(
        r for r in rows("2026-03-02", MINUTE, 390) if r.stamp >= ns("2026-03-02T20:00")
    )


def test_months_that_stamp_different_edges_are_not_mixed() -> None:
    """Until 2023 the end of a bar, from 2024 on the start."""
    paid = fake(free=False)
    told = paid._told

    def two_edges(asked: dict[str, str]) -> dict[str, Any]:
        paid.label = "end" if asked.get("month") == "2026-02" else "start"
        return told(asked)

    paid._told = two_edges  # type: ignore[method-assign]
    answer, _ = asked(lambda a: a.bars("IBM", MINUTE, ns("2026-02-20"), NOW), paid)
    assert answer.rows[:390] == rows("2026-02-27", MINUTE, 390)


def test_more_than_the_last_hundred_bars_are_not_cut() -> None:
    for free in (False, True):
        vendor = fake(free=free)
        vendor.now = lambda: ns("2026-03-02T17:30")
        if free:
            with pytest.raises(DataError, match="not for this key"):
                asked(lambda a: a.bars("IBM", MINUTE, START, NOW * 2), vendor)
            continue
        answer, _ = asked(lambda a: a.bars("IBM", MINUTE, START, NOW * 2), vendor)
        assert answer.rows[:180] == rows("2026-03-02", MINUTE, 180)


def test_a_window_over_a_weekend_is_one_call() -> None:
    vendor = fake()
    vendor.now = lambda: ns("2026-03-02T14:35:10")
    friday = ns("2026-02-27T20:57")
    now = ns("2026-03-02T14:35:10")
    answer, server = asked(lambda a: a.bars("IBM", MINUTE, friday, now), vendor, now=now)
    assert [r.stamp for r in answer.rows[:4]] == [
        *(friday + i * MINUTE for i in range(3)),
        ns("2026-03-02T14:30"),
    ]
    assert len(server.asked) == 1


def test_where_stamps_do_not_tell_their_edge_it_is_said() -> None:
    vendor = fake()
    vendor.now = lambda: ns("2026-03-02T17:30")
    since = ns("2026-03-02T16:30")
    answer, _ = asked(lambda a: a.bars("IBM", MINUTE, since, NOW * 2), vendor)
    assert answer.label == "start"
    assert "taken for starts of bars" in answer.notes[0]


def test_days_are_raw_with_their_actions_apart() -> None:
    start = NOW - 20 * DAY_NS
    answer, server = asked(lambda a: a.bars("IBM", DAY_NS, start, NOW, actions=True))
    assert answer.rows[:-1] == tuple(r for r in days(130)[:-1] if r.stamp > start - DAY_NS)
    assert answer.splits == ((ns("1999-05-27") // DAY_NS, 2.0), (ns("2026-02-18") // DAY_NS, 4.0))
    assert answer.dividends == ((ns("2026-02-10") // DAY_NS, 1.68),)
    assert [p["function"] for _, p in server.asked] == ["TIME_SERIES_DAILY", "DIVIDENDS", "SPLITS"]


def test_more_than_a_free_key_has_is_said_not_cut() -> None:
    with pytest.raises(DataError, match=r"not for this key: .*premium"):
        asked(lambda a: a.bars("IBM", DAY_NS, NOW - 125 * DAY_NS, NOW))
    paid = fake(free=False)
    answer, _ = asked(lambda a: a.bars("IBM", DAY_NS, NOW - 125 * DAY_NS, NOW), paid)
    assert len(answer.rows) == 126


def test_months_of_minutes_are_asked_for_one_by_one() -> None:
    paid = fake(free=False)
    answer, server = asked(lambda a: a.bars("IBM", MINUTE, ns("2026-02-20"), NOW), paid)
    assert [p["month"] for _, p in server.asked if "month" in p] == ["2026-02", "2026-03"]
    assert answer.rows[0].stamp == ns("2026-02-27T14:30")


def test_a_quote_is_of_the_day_that_is_told_and_has_no_sides() -> None:
    quote, _ = asked(lambda a: a.quote("IBM"))
    assert (quote.bid, quote.ask) == (None, None)
    assert quote.time == START  # of today: as old as the open, since no time is told
    assert quote.price == days(130)[-1].close
    vendor = fake()
    vendor.now = lambda: ns("2026-02-27T12:00")
    quote, _ = asked(lambda a: a.quote("IBM"), vendor)
    assert quote.time == ns("2026-02-27T21:00")  # of a day that is over: its close


@pytest.mark.parametrize(
    ("say", "said", "error", "text"),
    [
        (wire.DAILY_LIMIT, "Information", RateLimited, "25 calls of the day are used up"),
        (wire.BURST, "Information", RateLimited, "asked too often"),
        (wire.MINUTE_LIMIT, "Note", RateLimited, "asked too often"),
        (wire.PREMIUM, "Information", DataError, "not for this key"),
        (wire.WRONG_KEY, "Error Message", AuthError, "the key was refused"),
        (wire.WRONG_KEY, "Information", AuthError, "the key was refused"),
        (wire.UNKNOWN, "Error Message", NotFoundError, "Invalid API call"),
        ("Out for lunch.", "Information", BadAnswer, "a note instead of data: Out for lunch"),
        ("Out for lunch.", "Greeting", BadAnswer, "no bars in the answer"),
    ],
)
def test_a_note_instead_of_data_is_what_it_says(
    say: str, said: str, error: type[IntrabarError], text: str
) -> None:
    with pytest.raises(error, match=text):
        asked(lambda a: a.bars("IBM", DAY_NS, NOW - 20 * DAY_NS, NOW), fake(say=say, said=said))


def test_a_used_up_day_is_not_asked_again_before_midnight_there() -> None:
    async def twice(source: AlphaVantage) -> list[float]:
        found = []
        for _ in range(2):
            with pytest.raises(RateLimited) as caught:
                await source.bars("IBM", DAY_NS, NOW - 20 * DAY_NS, NOW)
            found.append(caught.value.after)
        return found

    after, server = asked(twice, fake(say=wire.DAILY_LIMIT))
    assert len(server.asked) == 1
    left = (ns("2026-03-03T05:00") - NOW) / 10**9  # midnight in New York
    assert after == pytest.approx([left, left], abs=1.0)


def test_the_key_is_in_no_message() -> None:
    echo = f"We have detected your API key as {KEY} and our standard API rate limit is 25 requests"
    for given in ({"say": echo}, {"say": f"{echo} per day", "said": "Note"}):
        with pytest.raises(IntrabarError) as caught:
            asked(lambda a: a.bars("IBM", DAY_NS, NOW - DAY_NS, NOW), fake(**given))
        assert KEY not in str(caught.value)
    for fault in ("html", "cut", "500", "drop"):
        with pytest.raises(IntrabarError) as caught:
            asked(lambda a: a.quote("IBM"), prepare=failing(fault, for_ever=True))
        assert KEY not in repr(caught.value)
        assert KEY not in repr(caught.value.__cause__)
    with pytest.raises(LinkError) as caught:
        asyncio.run(AlphaVantage(Secret(KEY), url="http://127.0.0.1:9/query").quote("IBM"))
    assert KEY not in str(caught.value)


def test_a_wrong_key_is_refused_once() -> None:
    counted: list[Server] = []
    with pytest.raises(AuthError):
        asked(lambda a: a.quote("IBM"), prepare=counted.append, key="WRONG-KEY-1")
    assert len(counted[0].asked) == 1


@pytest.mark.parametrize(
    ("fault", "error", "text"), [*FAULTS, ("500", LinkError, "the server answers 500")]
)
def test_a_server_that_fails_is_told_in_a_sentence(
    fault: str, error: type[IntrabarError], text: str
) -> None:
    with pytest.raises(error, match=f"IBM: {text}"):
        asked(
            lambda a: a.bars("IBM", DAY_NS, NOW - 20 * DAY_NS, NOW),
            prepare=failing(fault, for_ever=True),
        )


def _first(told: dict[str, Any]) -> tuple[dict[str, Any], str]:
    series = next(told[key] for key in told if key.startswith("Time Series"))
    return series, next(iter(series))


def _meta(key: str, value: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def change(told: dict[str, Any]) -> dict[str, Any]:
        found = next(k for k in told["Meta Data"] if k.endswith(key))
        told["Meta Data"][found] = value
        return told

    return change


def _bar(value: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def change(told: dict[str, Any]) -> dict[str, Any]:
        series, stamp = _first(told)
        series[stamp] = value
        return told

    return change


def _stamp(text: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def change(told: dict[str, Any]) -> dict[str, Any]:
        series, stamp = _first(told)
        series[text] = series.pop(stamp)
        return told

    return change


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (_meta("Symbol", "AAPL"), "asked for IBM, got AAPL"),
        (_meta("Time Zone", "Mars/X"), "the zone 'Mars/X' is not known"),
        (_bar({"1. open": "n/a"}), "open of .* is 'n/a', no number"),
        (_bar(None), "the bar of"),
        (_stamp("yesterday"), "'yesterday' cannot be read"),
        (lambda told: {"Meta Data": told["Meta Data"]}, "no bars in the answer"),
        (
            lambda told: {
                "Meta Data": told["Meta Data"],
                "Time Series (5min)": _first(told)[0],
            },
            "asked for bars 1min, got 5min",
        ),
    ],
)
def test_an_answer_that_is_not_what_was_asked_is_refused(
    change: Callable[[dict[str, Any]], dict[str, Any]], text: str
) -> None:
    with pytest.raises(BadAnswer, match=text):
        asked(lambda a: a.bars("IBM", MINUTE, START, NOW), fake(change=change))


def test_a_bar_that_says_nan_is_given_as_it_came() -> None:
    answer, _ = asked(
        lambda a: a.bars("IBM", MINUTE, START, NOW),
        fake(change=_bar({"1. open": "NaN", "2. high": "1", "3. low": "2", "4. close": "1"})),
    )
    assert answer.rows[-1].open != answer.rows[-1].open
