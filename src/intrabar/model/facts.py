"""What a source of bars tells: frozen values, as they came.

Prices are in the instrument's currency, volumes in its units, times in ns since 1970 UTC.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class Quote(msgspec.Struct, frozen=True):
    """What is bid and asked; `None` where the vendor has none.

    Parameters
    ----------
    symbol : str
    time : int
        Of the quote, by the vendor.
    price : float, optional
        Of the last trade.
    bid, ask : float, optional
    volume : float, optional
        Of the day so far.
    """

    symbol: str
    time: int
    price: float | None = None
    bid: float | None = None
    ask: float | None = None
    volume: float | None = None


class BarOpened(msgspec.Struct, frozen=True):
    """The first price of a bar in progress; `time` is its close time."""

    symbol: str
    time: int
    open: float


class BarClosed(msgspec.Struct, frozen=True):
    """A bar that is over; `time` is its close time.

    Parameters
    ----------
    corrected : bool
        It takes the place of one that was told before.
    period : int, ns
        Its length; 0 where the source does not tell.
    """

    symbol: str
    time: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    corrected: bool = False
    period: int = 0


class Heartbeat(msgspec.Struct, frozen=True):
    """The source lives; `time` is the server's, 0 where it shows none."""

    time: int = 0


class LinkFact(msgspec.Struct, frozen=True):
    """The state of a link, and why."""

    state: Literal["down", "connecting", "syncing", "up", "degraded"]
    reason: str = ""


class SourceCan(msgspec.Struct, frozen=True):
    """What a source is able to.

    Parameters
    ----------
    opens : "forming", "prints" or "none"
        It pushes the bar in progress; its first print gives the open; closed bars only.
    lag : float, seconds
        How long after its close time a bar is there at the latest.
    corrects : bool
        It tells a bar again when it was wrong.
    quotes : bool
    periods : tuple of int, ns
        Base periods that it has; empty for any.
    streams : bool
        It pushes; else it is polled.
    lag_daily : float, seconds
        The same of daily bars, where it is longer than `lag`.
    """

    opens: Literal["forming", "prints", "none"]
    lag: float
    corrects: bool
    quotes: bool
    periods: tuple[int, ...] = ()
    streams: bool = True
    lag_daily: float = 0.0


Fact = BarOpened | BarClosed | Quote | Heartbeat | LinkFact
