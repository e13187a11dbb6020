"""The moment of an event: what is open, and what a price is, as far as the event's view says."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite, nan
from typing import NamedTuple

from intrabar.engine.session.exchange import Exchange
from intrabar.engine.session.view import View

FRESH = 60.0  # seconds: a quote that is older is no price of the moment


class Moment(NamedTuple):
    """What is known at an event.

    Parameters
    ----------
    now : int, ns UTC
    view : View
    exchanges : mapping of symbol to Exchange
    marks : mapping of symbol to price
        The last closes.
    bar_ages : mapping of symbol to seconds
        How long its last bar is over.
    """

    now: int
    view: View
    exchanges: Mapping[str, Exchange]
    marks: Mapping[str, float]
    bar_ages: Mapping[str, float]

    def trades(self, symbol: str) -> bool:
        """Whether a symbol can trade: its exchange is open, and nobody says that it is halted."""
        return self.exchanges[symbol].is_open(self.now) and not self.view.of(symbol).halted

    def quoted(self, symbol: str) -> float:
        """The last price of a fresh quote, else the middle of bid and ask; NaN for none."""
        seen = self.view.of(symbol)
        if not seen.quote_age <= FRESH:
            return nan
        return seen.last if isfinite(seen.last) else (seen.bid + seen.ask) / 2.0

    def price(self, symbol: str) -> float:
        """The quoted price, else the last close."""
        quoted = self.quoted(symbol)
        return quoted if isfinite(quoted) else self.marks.get(symbol, nan)

    def is_through(self, symbol: str, side: int, level: float, is_stop: bool) -> bool:
        """Whether the market has reached the level of a stop, or of a limit, of a side."""
        way = side if is_stop else -side
        return way * (self.price(symbol) - level) >= 0.0

    def sees(self, symbol: str, longest: float) -> bool:
        """Whether a price of a symbol is not older than so many seconds."""
        return min(self.view.of(symbol).quote_age, self.bar_ages.get(symbol, nan)) <= longest
