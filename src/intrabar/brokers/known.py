"""Brokers by their names: ours, and those that other packages offer as `intrabar.brokers`.

What stands behind a name is an `Offer`: what it can, and how a `Broker` is made of credentials, an
account and a clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from intrabar.brokers.simulated import SimulatedBroker
from intrabar.errors import ConfigError, NotFoundError
from intrabar.links.broker import Broker, Offer, Wanted
from intrabar.links.clock import Clock, WallClock
from intrabar.plugins import Table


def broker_named(
    name: str,
    wanted: Wanted,
    credentials: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
) -> Broker:
    """A broker, not connected yet.

    Parameters
    ----------
    name : str
        "tradestation", or that of another package.
    wanted : Wanted
        Which account, and of which kind.
    credentials : mapping, optional
        References to secrets (`${NAME}`, `file:/path`), or secrets that were fetched, by the names
        on the broker's page.
    clock : Clock, optional

    Raises
    ------
    NotFoundError
        No broker has that name.
    ConfigError
        Credentials that are unknown or missing.
    GateError
        It has no accounts of that kind.
    MissingExtra
    """
    clock = WallClock() if clock is None else clock
    return offer_of(name).make(dict(credentials or {}), wanted, clock)


def offer_of(name: str) -> Offer:
    """What stands behind a name.

    Raises
    ------
    NotFoundError, MissingExtra
    ConfigError
        A package offers something else by that name.
    """
    found = BROKERS.load(known_broker(name))
    if not isinstance(found, Offer):
        raise ConfigError(
            f"the broker {name} of another package is {found!r}, not an Offer (docs/brokers.md)"
        )
    return found


def known_broker(name: str) -> str:
    """The name of a broker, however it is spelt.

    Raises
    ------
    NotFoundError
    """
    plain = name.strip().lower().replace("-", "_")
    found = SPELT.get(plain.replace("_", ""), plain)
    if found not in BROKERS and name not in BROKERS:
        raise NotFoundError("broker", name, BROKERS.names())
    return found if found in BROKERS else name


def _simulated(credentials: dict[str, Any], wanted: Wanted, clock: Clock) -> NoReturn:
    raise ConfigError(
        "the simulated broker trades the bars of a session and has no account to connect to: "
        "`intrabar paper` is what it does"
    )


SPELT = {"ib": "ibkr", "interactivebrokers": "ibkr", "futu": "moomoo"}
"""Names that others write."""
BROKERS: Table[Offer] = Table(
    "broker",
    "intrabar.brokers",
    {
        "simulated": Offer(_simulated, SimulatedBroker.can),
        "tradestation": "intrabar.brokers.tradestation.adapter:OFFER [live]",
        "alpaca": "intrabar.brokers.alpaca.adapter:OFFER [alpaca]",
        "public": "intrabar.brokers.public.adapter:OFFER [public]",
        "moomoo": "intrabar.brokers.moomoo.adapter:OFFER [moomoo]",
        "ibkr": "intrabar.brokers.ibkr.adapter:OFFER [ibkr]",
    },
)
