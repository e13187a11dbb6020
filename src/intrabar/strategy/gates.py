"""When a bot may not act: session hours, the maintenance break, a quiet market, a bad day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from intrabar.errors import ConfigError
from intrabar.indicators.indicator import LONGEST_PERIOD
from intrabar.model.bars import DAY_NS, Market, Times
from intrabar.model.enums import Gate
from intrabar.model.values import Bounds, Rule, shown, take

NEW_YORK = ZoneInfo("America/New_York")

RULES: dict[str, Rule] = {
    "session": bool,
    "min_atr": Bounds(),
    "atr_period": Bounds(1, LONGEST_PERIOD, whole=True),
    "break_minutes": Bounds(high=1440.0, above=True, below=True),
    "daily_loss": Bounds(high=1.0, below=True),
}

IsOpen = Callable[[str, Times], NDArray[np.bool_]]
"""Whether instants (ns UTC) lie in a session of a named calendar."""

NextOpen = Callable[[str, Times], Times]
"""When a named calendar is open, at or after instants (ns UTC)."""


@dataclass(frozen=True, slots=True)
class Gates:
    """What keeps a bot from entering; each block is counted and reported.

    Parameters
    ----------
    session : bool
        Enter only while the instrument's exchange is open, by its calendar, holidays and half
        days included. Bars of a day or longer are sessions themselves.
    min_atr : price, >= 0
        Enter only while ATR(`atr_period`) is at least this; 0 for any.
    atr_period : bars, >= 1
    flatten : "HH:MM", time or ""
        Close positions at the last open before this time of day in New York (the maintenance
        break of the American futures exchanges is at 17:00), and enter nothing until the break is
        over. Where the instrument's calendar ends its session before, as on a half day, at the
        last open of that session. "" for never.
    break_minutes : minutes, above 0 and below a day
        Length of that break.
    daily_loss : fraction, 0 to 1
        Enter nothing for the rest of a day (New York) on which this part of the equity it
        began with is lost; 0 for no cap.
    """

    session: bool = False
    min_atr: float = 0.0
    atr_period: int = 14
    flatten: str = ""
    break_minutes: float = 60.0
    daily_loss: float = 0.0

    def __post_init__(self) -> None:
        take(self, "gates: ", RULES)
        if isinstance(self.flatten, time) and self.flatten.tzinfo is None:
            object.__setattr__(self, "flatten", self.flatten.isoformat())
        if not (isinstance(self.flatten, str) and self.flatten == ""):
            self.flatten_time()

    def require_calendar_alone(self, name: str) -> None:
        """Refuse, for a strategy that is no bot, what only bots look at.

        Raises
        ------
        ConfigError
        """
        if self.min_atr > 0.0 or self.daily_loss > 0.0:
            raise ConfigError(
                f"{name}: gates: min_atr and daily_loss are for bots; others have session and "
                "flatten"
            )

    def flatten_time(self) -> time:
        """The time of day of `flatten`, New York."""
        try:
            at = time.fromisoformat(self.flatten)
        except (TypeError, ValueError):
            at = time(tzinfo=UTC)
        if at.tzinfo is not None or at.microsecond:
            raise ConfigError(
                f"gates: flatten is {shown(self.flatten)}, must be a time of day in New York, like "
                "'17:00', or '' for never"
            )
        return at


@dataclass(frozen=True, slots=True, eq=False)
class Timetable:
    """What the calendar says of every bar before the run begins.

    Parameters
    ----------
    blocked : (t, n) uint8
        Bits `1 << Gate` at closes where no entry may be made.
    flatten : (t, n) uint8
        1 at opens where a position is closed.
    day : (t,) int64
        Days since 1970, New York, of each close.
    at_open : (t, n) uint8
        As `blocked`, at opens.
    """

    blocked: NDArray[np.uint8]
    flatten: NDArray[np.uint8]
    day: Times
    at_open: NDArray[np.uint8]


def counted(counts: NDArray[np.int64], symbols: tuple[str, ...]) -> list[tuple[str, str, int]]:
    """(symbol, gate, how often it blocked), where it did, of counts (n, gates)."""
    return [
        (symbols[j], Gate(g).word, int(counts[j, g]))
        for j, g in zip(*np.nonzero(counts), strict=True)
    ]


def new_york_seconds(instants: Times) -> tuple[Times, Times]:
    """Day since 1970 and second of the day in New York, right over clock changes.

    Parameters
    ----------
    instants : (t,) int64, ns since 1970 UTC
    """
    # The offset changes on whole hours only.
    hours, places = np.unique(instants // 3_600_000_000_000, return_inverse=True)
    offsets = np.array(
        [datetime.fromtimestamp(int(h) * 3600, NEW_YORK).utcoffset() for h in hours],
        dtype="timedelta64[s]",
    ).astype(np.int64)
    local = instants // 1_000_000_000 + offsets[places]
    return local // 86_400, local % 86_400


def timetable(
    gates: Gates,
    market: Market,
    calendars: tuple[str, ...],
    is_open: IsOpen | None,
    last_open: Times | None = None,
    next_open: NextOpen | None = None,
) -> Timetable:
    """Work out from the calendar alone where a bot is blocked and where it must close.

    A close is judged by its own instant: the earliest at which an order of that close can fill.
    Of a piece of a history, `last_open` has the last open time of each instrument before it, -1
    for none.

    Raises
    ------
    ConfigError
        Flatten was asked for bars of a day or longer, or sessions for an instrument without a
        calendar.
    """
    t, n = market.open.shape
    blocked = np.zeros((t, n), np.uint8)
    flatten = np.zeros((t, n), np.uint8)
    at_open = np.zeros((t, n), np.uint8)
    day = np.zeros(t, np.int64)
    if gates.daily_loss > 0.0:
        day = new_york_seconds(market.time)[0]
    if gates.session and market.period < DAY_NS:
        for j, calendar in enumerate(calendars):
            if not calendar or is_open is None:
                raise ConfigError(
                    f"gates: session needs a calendar for {market.symbols[j]}; "
                    "give one in instruments, such as calendar: NYSE"
                )
            blocked[~is_open(calendar, market.time), j] |= 1 << Gate.SESSION
            at_open[~is_open(calendar, market.open_time[:, j]), j] |= 1 << Gate.SESSION
    if gates.flatten:
        if market.period >= DAY_NS:
            raise ConfigError("gates: flatten needs bars shorter than a day")
        cut = gates.flatten_time()
        cut_second = cut.hour * 3600 + cut.minute * 60 + cut.second
        lead = market.period // 1_000_000_000
        length = int(gates.break_minutes * 60)
        _, at_close = new_york_seconds(market.time)
        in_window = (at_close - (cut_second - lead)) % 86_400 < lead + length
        blocked[in_window] |= 1 << Gate.FLATTEN
        for j in range(n):
            real = ~np.isnan(market.open[:, j])
            opens = market.open_time[real, j]
            known = last_open is not None and last_open[j] >= 0
            before = last_open[j : j + 1] if known and last_open is not None else opens[:0]
            marked = last_opens(np.concatenate([before, opens]), cut_second, lead, length)
            flatten[real, j] = marked[len(before) :]
            if calendars[j] and next_open is not None:
                again = next_open(calendars[j], opens + market.period)
                flatten[real, j] |= ends_before(opens, again, market.period, cut_second)
                again = next_open(calendars[j], market.time + market.period)
                ends = ends_before(market.time, again, market.period, cut_second)
                blocked[ends, j] |= 1 << Gate.FLATTEN
        at_open[flatten != 0] |= 1 << Gate.FLATTEN
    return Timetable(blocked, flatten, day, at_open)


def ends_before(instants: Times, again: Times, period: int, cut: int) -> NDArray[np.bool_]:
    """Instants after which the exchange shuts and does not open before the next time `cut`.

    Parameters
    ----------
    instants, again : (n,) int64, ns UTC
        When a bar opens, and when the exchange is open after it.
    period : ns
        Of a bar.
    cut : seconds of the day, New York
    """
    here, there = (
        day * 86_400 + second for day, second in map(new_york_seconds, (instants, again))
    )
    next_cut = ((here - cut) // 86_400 + 1) * 86_400 + cut
    ends: NDArray[np.bool_] = (again > instants + period) & (next_cut <= there)
    return ends


def last_opens(opens: Times, cut: int, lead: int, length: int) -> NDArray[np.bool_]:
    """Opens from the last one before a time of day until the break after it is over.

    Where bars are missing there, the first open that comes later counts too: it is the first
    chance to close. Only past opens are looked at.
    """
    day, second = new_york_seconds(opens)
    inside: NDArray[np.bool_] = (second - (cut - lead)) % 86_400 < lead + length
    passed = day + (second >= cut - lead)  # breaks begun so far, one a day
    missed = np.diff(passed, prepend=passed[:1]) > 0
    return inside | missed
