"""Sessions of stored bars that end by the calendar."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

import intrabar as ib
from intrabar.data.calendars import trade_dates
from intrabar.data.pieces import WholeFeed, pieces
from intrabar.data.session_ends import scheduled_closes
from intrabar.data.timeline import market_from_bars
from intrabar.errors import ConfigError
from intrabar.model.bars import DAY_NS, Bars

M = 60_000_000_000


def ny(text: str) -> int:
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/New_York"))
    return int(local.timestamp()) * 1_000_000_000


def bars(symbol: str, closes: list[int], calendar: str, period: int = 30 * M) -> Bars:
    at = np.array(closes, np.int64)
    price = np.full(at.shape, 100.0)
    opened = at - period
    session = trade_dates(calendar, opened)
    return Bars(symbol, at, price, price, price, price, price, period, opened, session)


def ends(of: np.ndarray, times: np.ndarray) -> list[int]:  # type: ignore[type-arg]
    return times[of.astype(bool)].tolist()


def test_a_session_ends_at_the_first_row_at_or_after_its_close() -> None:
    days = [
        [ny("2024-07-02 15:30"), ny("2024-07-02 16:00")],
        [ny("2024-07-03 12:30"), ny("2024-07-03 13:00")],  # a half day
        [ny("2024-07-05 15:00"), ny("2024-07-05 15:30")],  # the last bar is missing
        [ny("2024-07-08 10:00")],
    ]
    one = bars("A", [at for day in days for at in day], "NYSE")
    by_calendar = market_from_bars([one], ["NYSE"])
    expected = [days[0][-1], days[1][-1], days[3][0]]
    assert ends(by_calendar.session_end[:, 0], by_calendar.time) == expected
    stored = market_from_bars([one])
    assert ends(stored.session_end[:, 0], stored.time) == [day[-1] for day in days]
    assert not np.array_equal(by_calendar.session_end, stored.session_end)


def test_after_hours_are_of_a_session_that_has_ended() -> None:
    closes = [ny("2024-07-02 16:00"), ny("2024-07-02 18:00"), ny("2024-07-03 09:00")]
    market = market_from_bars([bars("A", closes, "NYSE")], ["NYSE"])
    assert ends(market.session_end[:, 0], market.time) == closes[:1]


def test_where_an_instrument_has_no_bar_its_session_ends_all_the_same() -> None:
    early, close, later = ny("2024-07-02 15:30"), ny("2024-07-02 16:00"), ny("2024-07-02 17:00")
    share = bars("A", [early, later], "NYSE")
    coin = bars("B", [early, close, later], "24/7")
    market = market_from_bars([share, coin], ["NYSE", "24/7"])
    assert ends(market.session_end[:, 0], market.time) == [close]
    assert np.isnan(market.open[1, 0])


def test_without_a_calendar_the_last_bar_of_a_date_ends_it() -> None:
    closes = [ny("2024-07-02 15:30"), ny("2024-07-03 12:30"), ny("2024-07-05 15:30")]
    one = bars("A", closes, "")
    market = market_from_bars([one], [""])
    np.testing.assert_array_equal(market.session_end, market_from_bars([one]).session_end)


def test_the_close_before_the_first_bar_ends_nothing() -> None:
    first = ny("2024-07-02 10:00")
    market = market_from_bars([bars("A", [first], "NYSE")], ["NYSE"])
    assert not market.session_end.any()


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
def test_in_pieces_as_at_one_go(rows: int) -> None:
    start = ny("2024-07-02 12:00")
    share = [start + k * 30 * M for k in range(200) if k % 7]
    coin = [start + k * 30 * M for k in range(200) if k % 3]
    given = [bars("A", share, "NYSE"), bars("B", coin, "24/7")]
    whole = market_from_bars(given, ["NYSE", "24/7"])
    parts = pieces([WholeFeed(one) for one in given], rows, ["NYSE", "24/7"])
    joined = np.concatenate([piece.market.session_end for piece in parts])
    np.testing.assert_array_equal(joined, whole.session_end)
    assert whole.session_end.any()


def test_closes_of_days_round_the_clock() -> None:
    day = 19_900
    edges = day * DAY_NS, (day + 1) * DAY_NS
    assert scheduled_closes("24/7", M, *edges).tolist() == [edges[1]]
    assert scheduled_closes("24/7", DAY_NS, *edges).tolist() == [edges[1] - 1_000_000]


class Entering(ib.Strategy):
    """An order for the day that nothing fills."""

    def on_close(self, now: ib.Now) -> None:
        if now.bar == 1:
            now.buy(1, limit=1.0, tif="day")


@pytest.mark.parametrize("chunk", [None, 3])
def test_a_backtest_by_either_rule(chunk: int | None, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """The last bar of the day is missing: the order lives to the day's last bar, or to the next."""
    closes = [ny(f"2024-07-02 {at}") for at in ("14:30", "15:00", "15:30")]
    one = bars("A", [*closes, ny("2024-07-03 10:00"), ny("2024-07-03 10:30")], "NYSE")
    given = {"instruments": {"A": {"calendar": "NYSE", "tick_size": 0.01}}}
    seen = {}
    for rule in ("bars", "calendar"):
        more = {} if chunk is None else {"chunk": chunk, "out": tmp_path / rule}
        result = ib.backtest(Entering(), one, session_end=rule, **given, **more)
        table = result.orders if chunk is None else result.table("orders").collect()
        (order,) = table.to_dicts()
        seen[rule] = order
    assert {rule: order["status"] for rule, order in seen.items()} == dict.fromkeys(seen, "expired")
    assert seen["bars"] != seen["calendar"]


def test_a_rule_that_is_none_is_refused() -> None:
    one = bars("A", [ny("2024-07-02 16:00")], "NYSE")
    with pytest.raises(ConfigError, match="session_end"):
        ib.backtest(Entering(), one, session_end="close")
