"""One instrument of a session: when its bars are due, and where one that came belongs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from intrabar.data.verdicts import utc_text
from intrabar.engine.session.exchange import Exchange
from intrabar.errors import ConfigError
from intrabar.model.bars import DAY_NS, Bars
from intrabar.model.instrument import Instrument


class Place(NamedTuple):
    """Where a bar belongs.

    Parameters
    ----------
    open_time : int, ns UTC
    day : int
        Trade date, days since 1970.
    ends_session : bool
        Without a calendar; with one the row says it.
    """

    open_time: int
    day: int
    ends_session: bool = False


class Column:
    """The bars of one instrument as its calendar, or a record, has them.

    Parameters
    ----------
    instrument : Instrument
    period : int, ns
    exchange : Exchange
        Of its calendar.
    recorded : Bars, optional
        The record that it lives through: it says when a bar opens and which date it is of, and
        without a calendar where a session ends.
    is_regular : bool
        Bars outside the sessions are dropped.

    Raises
    ------
    ConfigError
        Live intraday bars without a calendar, or live bars of more than a day.
    """

    def __init__(
        self,
        instrument: Instrument,
        period: int,
        exchange: Exchange,
        recorded: Bars | None,
        is_regular: bool = True,
    ) -> None:
        symbol, self.calendar = instrument.symbol, instrument.calendar
        if recorded is None and period > DAY_NS:
            raise ConfigError(f"{symbol}: live bars last a day at most; name a shorter period")
        if recorded is None and period < DAY_NS and not self.calendar:
            raise ConfigError(
                f"{symbol}: when its exchange is open is not known, and live bars shorter than a "
                f"day need it; name the calendar: instruments: {{{symbol}: {{calendar: NYSE}}}}, "
                "CME_Equity, 24/5, 24/7, ..."
            )
        self.symbol, self.tick, self.exchange = symbol, instrument.tick_size, exchange
        self._period, self._recorded, self._is_regular = period, recorded, is_regular
        if recorded is not None:
            # Of stored bars without a calendar the last of a date ends the day.
            self._ends = np.append(recorded.session[1:], -1) != recorded.session

    def place(self, time: int, last: int) -> Place | str:
        """Where the bar that closes at an instant belongs, or why there is none.

        Parameters
        ----------
        time : int, ns UTC
        last : int, ns UTC
            Close time of its last bar before.
        """
        if self._recorded is not None:
            return self._in_record(time, self._recorded)
        if self._period == DAY_NS:
            return self._of_a_day(time)
        exchange, period = self.exchange, self._period
        _, opening, _ = exchange.session(time - 1)
        phases = (0, opening, exchange.open_since(time - 1))
        cut = exchange.is_shut_from(time)
        if cut and opening < last < time and (time - last) % period:
            opened = time - (time - last) % period  # the last of a session is shorter
        elif any((time - phase) % period == 0 for phase in phases):
            opened = time - period
        elif cut:
            opened = time - (time - phases[2]) % period
        else:
            return f"no bar of its period closes at {utc_text(time)}"
        return Place(opened, exchange.date(opened))

    def expects(self, time: int) -> bool:
        """Whether a bar of it is due at an instant, as far as is known.

        Outside the sessions one may come at any time, where it is not dropped.
        """
        if self._recorded is not None:
            row = self._row_at(time, self._recorded)
            return row >= 0 and not self.is_dropped(self._place_at(row, self._recorded), time)
        if self._period == DAY_NS:
            return self.exchange.daily(time) is not None
        return not self._is_regular or self.exchange.is_open_within(time - self._period, time)

    def is_dropped(self, place: Place, time: int) -> bool:
        """Whether a bar shares no instant with its open exchange, and only those are taken."""
        if not self._is_regular or not self.calendar or self._period >= DAY_NS:
            return False
        return not self.exchange.is_open_within(place.open_time, time)

    def across(self, close: int, last: int) -> int:
        """When the bar closes that a scheduled close falls into; the close itself where none does.

        Parameters
        ----------
        close : int, ns UTC
        last : int, ns UTC
            Close time of its last bar.
        """
        if self._recorded is not None:
            times = self._recorded.close_time
            row = int(times.searchsorted(close))
            is_across = row < len(times) and self._recorded.open_time[row] < close
            return int(times[row]) if is_across else close
        if self._period == DAY_NS:
            return close
        _, opening, _ = self.exchange.session(close - 1)
        return close + (last - close) % self._period if opening < last < close else close

    def _in_record(self, time: int, record: Bars) -> Place | str:
        row = self._row_at(time, record)
        if row < 0:
            return f"the record has no bar that closes at {utc_text(time)}"
        return self._place_at(row, record)

    def _place_at(self, row: int, record: Bars) -> Place:
        ends = not self.calendar and bool(self._ends[row])
        return Place(int(record.open_time[row]), int(record.session[row]), ends)

    def _row_at(self, time: int, record: Bars) -> int:
        row = int(record.close_time.searchsorted(time))
        return row if row < len(record) and record.close_time[row] == time else -1

    def _of_a_day(self, time: int) -> Place | str:
        found = self.exchange.daily(time)
        if found is None:
            name = self.calendar or "24/7"
            return f"no session of {name} closes at {utc_text(time)}, as its daily bar would"
        return Place(found[1], found[0], ends_session=not self.calendar)
