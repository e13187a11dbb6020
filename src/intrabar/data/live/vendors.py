"""Vendors by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from intrabar.errors import ConfigError, NotFoundError
from intrabar.links.clock import Clock
from intrabar.links.vendor import Vendor
from intrabar.model.secret import Secret, resolve

KEY_VARIABLE = "ALPHAVANTAGE_API_KEY"
SPELT = {"alphaavantage": "alpha_vantage", "alphavantage": "alpha_vantage", "yahoo": "yfinance"}
"""Names that others write."""


def vendor_named(
    name: str, credentials: Mapping[str, Any] | None = None, clock: Clock | None = None
) -> Vendor:
    """A vendor of bars and quotes.

    Parameters
    ----------
    name : str
        "yfinance" or "alpha_vantage".
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
    return _VENDORS[known_vendor(name)](dict(credentials or {}), clock)


def known_vendor(name: str) -> str:
    """The name of a vendor, however it is spelt.

    Raises
    ------
    NotFoundError
    """
    plain = name.strip().lower().replace("-", "_")
    found = SPELT.get(plain.replace("_", ""), plain)
    if found not in _VENDORS:
        raise NotFoundError("source", name, _VENDORS)
    return found


def _yahoo(credentials: dict[str, Any], clock: Clock | None) -> Vendor:
    from intrabar.links.yahoo import Yahoo

    _require_known("yfinance", credentials, ())
    return Yahoo(clock)


def _alpha_vantage(credentials: dict[str, Any], clock: Clock | None) -> Vendor:
    from intrabar.links.alpha_vantage import AlphaVantage

    _require_known("alpha_vantage", credentials, ("api_key", "calls_a_day", "calls_a_minute"))
    key = credentials.pop("api_key", f"${{{KEY_VARIABLE}}}")
    if not isinstance(key, Secret):
        key = resolve(str(key), "credentials.api_key of alpha_vantage")
    return AlphaVantage(key, clock, **credentials)


def _require_known(name: str, credentials: dict[str, Any], known: tuple[str, ...]) -> None:
    for key in credentials:
        if key not in known:
            told = ", ".join(known) or "none"
            raise ConfigError(f"credentials of {name}: {key!r} is not known; there are: {told}")


_VENDORS: dict[str, Callable[[dict[str, Any], Clock | None], Vendor]] = {
    "yfinance": _yahoo,
    "alpha_vantage": _alpha_vantage,
}
