"""When positions are closed by the calendar: tables by hand."""

from __future__ import annotations

import pytest

from intrabar.engine.session.closing import closing, expiry, flatten_of, next_closing
from intrabar.engine.session.exchange import Exchange
from intrabar.errors import ConfigError
from intrabar.model.bars import DAY_NS
from tests.engine.session.sealing import M, S, ny, utc

TABLE = [
    # calendar, live.flatten, begin, end
    ("NYSE", "-3m", ny("2024-06-12 15:57"), ny("2024-06-13 09:30")),
    ("NYSE", "-3m", ny("2024-07-03 12:57"), ny("2024-07-05 09:30")),  # a half day, a holiday
    ("NYSE", "-3m", utc("2024-03-08 20:57"), utc("2024-03-11 13:30")),  # the clock goes forward
    ("NYSE", "-3m", utc("2024-11-01 19:57"), utc("2024-11-04 14:30")),  # and back
    ("NYSE", "-30s", ny("2024-06-12 15:59:30"), ny("2024-06-13 09:30")),
    ("NYSE", "15:57 America/New_York", ny("2024-06-12 15:57"), ny("2024-06-13 09:30")),
    ("NYSE", "15:57 America/New_York", ny("2024-07-03 12:57"), ny("2024-07-05 09:30")),
    ("NYSE", "14:57 America/Chicago", utc("2024-11-04 20:57"), utc("2024-11-05 14:30")),
    ("NYSE", "16:00 America/New_York", ny("2024-06-12 15:57"), ny("2024-06-13 09:30")),
    ("CME_Equity", "-3m", ny("2024-06-14 16:57"), ny("2024-06-16 18:00")),
    ("CME_Equity", "15:57 America/New_York", ny("2024-06-13 15:57"), ny("2024-06-13 18:00")),
    ("CME_Equity", "15:57 America/New_York", ny("2024-06-14 15:57"), ny("2024-06-16 18:00")),
    ("24/5", "-3m", utc("2024-03-11 20:57"), utc("2024-03-11 21:00")),
    ("24/5", "16:57 America/New_York", ny("2024-11-01 16:57"), ny("2024-11-03 17:00")),
    ("24/7", "-3m", utc("2024-03-10 23:57"), utc("2024-03-11 00:00")),
    ("24/7", "21:00 UTC", utc("2024-03-10 21:00"), utc("2024-03-11 00:00")),
]


@pytest.mark.parametrize(("calendar", "text", "begin", "end"), TABLE)
def test_from_before_the_close_to_the_next_open(
    calendar: str, text: str, begin: int, end: int
) -> None:
    flatten, exchange = flatten_of(text), Exchange(calendar, M)
    for at in (begin, (begin + end) // 2, end - 1):
        assert closing(flatten, exchange, at) == (begin, end)
    assert closing(flatten, exchange, begin - 1) is None
    assert closing(flatten, exchange, end) is None
    assert next_closing(flatten, exchange, begin - 1) == begin
    assert next_closing(flatten, exchange, begin) > begin


@pytest.mark.parametrize(
    "text",
    ["", "3m", "-", "-0m", "-3x", "15:57", "25:00 UTC", "15:57 Mars/Base", "15:57+02:00 UTC"],
)
def test_what_says_no_time_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"live\.flatten: .*'-3m'"):
        flatten_of(text)


@pytest.mark.parametrize(
    ("calendar", "ends", "sessions", "no_entries", "flatten"),
    [
        # The session that ends on Monday the 17th opens on Sunday; the contract ends on the 21st.
        ("CME_Equity", "2024-06-21", 2, ny("2024-06-18 18:00"), ny("2024-06-20 16:45")),
        ("CME_Equity", "2024-06-18", 2, ny("2024-06-13 18:00"), ny("2024-06-17 16:45")),
        ("CME_Equity", "2024-06-21", 0, ny("2024-06-20 16:45"), ny("2024-06-20 16:45")),
        ("NYSE", "2024-07-05", 1, ny("2024-07-03 09:30"), ny("2024-07-03 12:45")),  # a half day
    ],
)
def test_a_contract_is_left_before_it_ends(
    calendar: str, ends: str, sessions: int, no_entries: int, flatten: int
) -> None:
    found = expiry(Exchange(calendar, M), utc(f"{ends} 00:00") // DAY_NS, sessions)
    assert found == (no_entries, flatten)


@pytest.mark.parametrize("sessions", [-1, 21, 1.5, True])
def test_days_before_a_contract_ends_are_some(sessions: int) -> None:
    with pytest.raises(ConfigError, match=r"live\.expire_days"):
        expiry(Exchange("NYSE", M), 20000, sessions)


def test_a_session_shorter_than_the_span_is_closed_from_its_open() -> None:
    assert flatten_of("-1d").start(100 * S, 200 * S) == 100 * S
