"""The sessions' verdicts are the same whatever pieces the rows come in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intrabar.data import calendars
from intrabar.data.session_verdicts import SessionVerdicts

MINUTE = 60_000_000_000


def rows_of(calendar: str, days: int, period: int, shift: int) -> np.ndarray:
    """Opens of all bars of some sessions, from a half day and over a clock change."""
    known = calendars.sessions(calendar, 20_027, 20_027 + days)
    pairs = zip(known.open.tolist(), known.close.tolist(), strict=True)
    return np.concatenate([np.arange(a, b, period) for a, b in pairs]) + shift


@pytest.mark.parametrize("calendar", ["NYSE", "CME_Equity", "24/7", "24/5"])
@pytest.mark.parametrize("period", [30 * MINUTE, 60 * MINUTE])
@settings(max_examples=25)
@given(st.data())
def test_pieces_tell_what_the_whole_tells(calendar: str, period: int, data: st.DataObject) -> None:
    # A grid of its own, and sessions that begin behind a hole, make edges share slots.
    shift = data.draw(st.sampled_from([0, 5 * MINUTE, -10 * MINUTE]))
    opened = rows_of(calendar, 12, period, shift)
    gone = data.draw(st.sets(st.integers(0, opened.size - 1), max_size=opened.size // 2))
    odd = data.draw(st.sets(st.integers(0, opened.size - 1), max_size=3))
    opened[sorted(odd)] += 7 * MINUTE
    opened = np.delete(opened, sorted(gone))
    session = calendars.trade_dates(calendar, opened)
    whole = SessionVerdicts(calendar, period)
    whole.take(opened, opened + period, session)
    pieces = SessionVerdicts(calendar, period)
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, opened.size - 1)), max_size=6)))
    for rows in np.split(np.arange(opened.size), cuts):
        pieces.take(opened[rows], opened[rows] + period, session[rows])
    if whole.holds and pieces.holds:
        assert pieces.findings() == whole.findings()


def test_the_last_bar_before_a_piece_may_stand_for_its_first_slot() -> None:
    """Bars of an exchange of 24 hours, five minutes early: a session's first lies before it."""
    period = 60 * MINUTE
    opened = rows_of("24/7", 6, period, -5 * MINUTE)
    session = calendars.trade_dates("24/7", opened)
    whole, pieces = SessionVerdicts("24/7", period), SessionVerdicts("24/7", period)
    whole.take(opened, opened + period, session)
    for k in range(opened.size):
        one = slice(k, k + 1)
        pieces.take(opened[one], opened[one] + period, session[one])
    assert pieces.findings() == whole.findings()
