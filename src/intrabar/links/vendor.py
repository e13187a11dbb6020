"""What a vendor of prices answers, in one form for all of them.

Each is a file beside this one, which knows the wire and nothing else: no calendar, no cache.
"""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

import msgspec

from intrabar.model.facts import Quote


class Row(msgspec.Struct, frozen=True):
    """One bar as the vendor writes it.

    Parameters
    ----------
    stamp : int, ns UTC
        Of a daily bar midnight UTC of its trade date.
    open, high, low, close : float, price
    volume : float
    """

    stamp: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class Answer(msgspec.Struct, frozen=True):
    """Bars of a symbol, raw, as a vendor has them at one moment; the last may be half a bar.

    Parameters
    ----------
    symbol : str
    period : int, ns
    zone : str
        IANA zone of the exchange, by the vendor; "" where it does not tell.
    label : "start" or "end"
        Edge that the stamps of intraday bars mark.
    rows : tuple of Row
        Rising.
    dividends, splits : tuple of (day, value)
        Days since 1970; money a share, as it was paid; new shares for an old one. `None` where
        the vendor was not asked.
    notes : tuple of str
        What was left out or guessed.
    adjustment : "raw" or "split"
        Whether prices are as they were traded, or adjusted for the splits since.
    """

    symbol: str
    period: int
    zone: str
    label: Literal["start", "end"]
    rows: tuple[Row, ...]
    dividends: tuple[tuple[int, float], ...] | None = None
    splits: tuple[tuple[int, float], ...] | None = None
    notes: tuple[str, ...] = ()
    adjustment: Literal["raw", "split"] = "raw"


@runtime_checkable
class Vendor(Protocol):
    """The wire of one vendor."""

    name: str
    lag: float  # seconds after its close time at which a bar is there at the latest
    lag_daily: float
    periods: tuple[int, ...]  # ns
    corrects: bool
    calls_a_day: int | None  # None: no limit is known

    async def bars(
        self, symbol: str, period: int, start: int, end: int, *, actions: bool = False
    ) -> Answer:
        """Bars whose stamps lie between two instants (ns UTC), with splits and dividends if asked.

        Raises
        ------
        NotFoundError, DataError, LinkError
        """

    def earliest(self, period: int) -> int:
        """From when on a few calls have the bars of a period, ns UTC; 0 for as far as there are."""

    async def quote(self, symbol: str) -> Quote:
        """The last price, and what else there is.

        Raises
        ------
        NotFoundError, LinkError
        """

    async def close(self) -> None:
        """Close the connection."""
