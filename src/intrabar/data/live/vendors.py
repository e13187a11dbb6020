"""Sources by their names: ours, and those that other packages offer as `intrabar.sources`.

What stands behind a name is called with the credentials and a clock, and makes a `Vendor`, which
is asked, or a `BarSource`, which tells by itself and may have a `vendor` that is asked. A
`BarSource` that lays bars into sessions has a dictionary `calendars`, of symbols whose names do not
tell theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from intrabar.errors import ConfigError, NotFoundError
from intrabar.links.clock import Clock
from intrabar.links.credentials import require_known, secret_of
from intrabar.links.source import BarSource
from intrabar.links.vendor import Vendor
from intrabar.model.values import Bounds, taken
from intrabar.plugins import Table

Make = Callable[[dict[str, Any], Clock | None], Vendor | BarSource]

KEY_VARIABLE = "ALPHAVANTAGE_API_KEY"
SPELT = {"alphaavantage": "alpha_vantage", "alphavantage": "alpha_vantage", "yahoo": "yfinance"}
"""Names that others write."""
LIMITS = {
    "calls_a_day": Bounds(1, 10**6, whole=True, or_none=True),
    "calls_a_minute": Bounds(1, 10**6, whole=True),
}
"""What a key of Alpha Vantage allows; a paid one has no daily limit."""


def vendor_named(
    name: str, credentials: Mapping[str, Any] | None = None, clock: Clock | None = None
) -> Vendor:
    """A vendor of bars and quotes.

    Parameters
    ----------
    name : str
        "yfinance", "alpha_vantage", or that of another package.
    credentials : mapping, optional
        References to secrets (`${NAME}`, `file:/path`), or secrets that were fetched: `api_key`
        of Alpha Vantage. None: `${ALPHAVANTAGE_API_KEY}`.
    clock : Clock, optional

    Raises
    ------
    NotFoundError
        No vendor has that name.
    ConfigError
        Credentials that are unknown or missing.
    MissingExtra
    """
    made = SOURCES.load(known_source(name))(dict(credentials or {}), clock)
    asked = getattr(made, "vendor", made)  # a source that pushes may have one behind it
    if not isinstance(asked, Vendor):
        raise ConfigError(f"the source {name} tells bars as they come; it cannot be asked for them")
    return asked


def source_named(
    name: str,
    credentials: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
    *,
    calendars: Mapping[str, str] | None = None,
    pause: float | None = None,
) -> BarSource:
    """A source of live bars; a vendor is asked again and again.

    Parameters
    ----------
    name, credentials, clock
        As `vendor_named`.
    calendars : mapping, optional
        Symbols to calendars, where their names do not tell.
    pause : float, optional
        Seconds between two questions (`trading.update_interval`).

    Raises
    ------
    NotFoundError, ConfigError, MissingExtra
    """
    from intrabar.data.live.polling import Polled

    made = SOURCES.load(known_source(name))(dict(credentials or {}), clock)
    if isinstance(made, BarSource):
        known = getattr(made, "calendars", None)
        if isinstance(known, dict):
            known.update(calendars or {})
        return made
    return Polled(made, clock, calendars=calendars, pause=pause)


def sources_named(
    named: Sequence[tuple[str, Mapping[str, Any]]],
    clock: Clock | None = None,
    *,
    calendars: Mapping[str, str] | None = None,
    pause: float | None = None,
) -> BarSource:
    """A source, or several of which the next is listened to where one is down.

    Parameters
    ----------
    named : sequence of (name, credentials)
        `live.sources`, in the order in which they are wished for.
    clock, calendars, pause
        As `source_named`.

    Raises
    ------
    NotFoundError, ConfigError, MissingExtra
    """
    from intrabar.data.live.in_turn import InTurn

    made = [
        (name, source_named(name, credentials, clock, calendars=calendars, pause=pause))
        for name, credentials in named
    ]
    return made[0][1] if len(made) == 1 else InTurn(made, clock)


def known_source(name: str) -> str:
    """The name of a source, however it is spelt.

    Raises
    ------
    NotFoundError
    """
    plain = name.strip().lower().replace("-", "_")
    found = SPELT.get(plain.replace("_", ""), plain)
    if found not in SOURCES and name not in SOURCES:
        raise NotFoundError("source", name, SOURCES.names())
    return found if found in SOURCES else name


def _yahoo(credentials: dict[str, Any], clock: Clock | None) -> Vendor:
    from intrabar.links.yahoo import Yahoo

    require_known("yfinance", credentials, ())
    return Yahoo(clock)


def _alpha_vantage(credentials: dict[str, Any], clock: Clock | None) -> Vendor:
    from intrabar.links.alpha_vantage import AlphaVantage

    require_known("alpha_vantage", credentials, ("api_key", *LIMITS))
    key = secret_of("alpha_vantage", credentials, "api_key", KEY_VARIABLE)
    limits = {
        name: taken(f"credentials.{name} of alpha_vantage:", value, LIMITS[name])
        for name, value in credentials.items()
        if name in LIMITS
    }
    return AlphaVantage(key, clock, **limits)


def _alpaca(credentials: dict[str, Any], clock: Clock | None) -> BarSource:
    from intrabar.data.live.alpaca import alpaca_bars
    from intrabar.data.live.alpaca_stream import AlpacaSource

    return AlpacaSource(alpaca_bars(credentials, clock))


def _tradestation(credentials: dict[str, Any], clock: Clock | None) -> BarSource:
    from intrabar.data.live.tradestation import tradestation_bars

    return tradestation_bars(credentials, clock)


SOURCES: Table[Make] = Table(
    "source",
    "intrabar.sources",
    {
        "yfinance": _yahoo,
        "alpha_vantage": _alpha_vantage,
        "alpaca": _alpaca,
        "tradestation": _tradestation,
        "public": "intrabar.data.live.public:make [public]",
        "moomoo": "intrabar.data.live.moomoo:make [moomoo]",
        "ibkr": "intrabar.data.live.ibkr_stream:ibkr_source [ibkr]",
    },
)
