"""The account that a session trades: which broker, who answers, whether it is the right one."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from intrabar.app.compose.broker_fills import SIMULATED, Answered
from intrabar.app.config.model import Config
from intrabar.app.workers.paper import MakesLine
from intrabar.brokers.known import broker_named, known_broker
from intrabar.brokers.simulated import SimulatedBroker
from intrabar.errors import ConfigError
from intrabar.links.broker import Broker, Wanted
from intrabar.links.clock import Clock, WallClock
from intrabar.links.lines import within
from intrabar.model.broker_facts import AccountFacts, Snapshot
from intrabar.risk.gates import check_wire

LOGIN, LOOK = 30.0, 30.0  # seconds


class Found(NamedTuple):
    """An account, as it has answered.

    Parameters
    ----------
    answered : Answered
    make : callable, optional
        Makes its broker; None: the simulated one.
    look : Snapshot, optional
        What it holds.
    """

    answered: Answered
    make: MakesLine | None
    look: Snapshot | None


def broker_of(config: Config, given: str | None) -> str | None:
    """The broker that fills, by the flag or by the file; None: the market does.

    Raises
    ------
    ConfigError, NotFoundError
    """
    named = given or (config.brokerage.name if config.brokerage is not None else None)
    if given is None and config.live.fills == "market":
        return None
    if named is None:
        raise ConfigError(
            "live.fills: is broker, and nobody says which; write brokerage: {name: tradestation}, "
            "or give --broker NAME"
        )
    return known_broker(named)


def simulated() -> Found:
    """The simulated broker: it needs no account and no key."""
    facts = AccountFacts(SIMULATED, {"kind": "paper"}, "")
    return Found(Answered(SIMULATED, facts, SimulatedBroker.can, "paper"), None, None)


def found(
    name: str, config: Config, kind: Literal["paper", "live"], symbols: Sequence[str]
) -> Found:
    """Ask the account of a configuration who it is, and refuse another one.

    Raises
    ------
    ConfigError
        The file does not name the account.
    GateError
        It is another account, or one of another kind.
    LinkError, AuthError, NotFoundError
        Nobody answers; the login is refused; a symbol that the broker lacks.
    """
    account = config.live.account
    if not account:
        raise ConfigError("live.account: is missing; write the id of the account, in quotes")
    named = config.brokerage is not None and known_broker(config.brokerage.name) == name
    credentials = dict(config.brokerage.credentials) if named and config.brokerage else {}
    wanted = Wanted(account, kind, tuple(symbols))

    def make(clock: Clock) -> Broker:
        return broker_named(name, wanted, credentials, clock)

    facts, broker, look = asyncio.run(_asked(make(WallClock())))
    check_wire(account, kind, facts.id, facts.signs)
    equity = look.balance if "balance" in look.complete else math.nan
    return Found(Answered(name, facts, broker.can, kind, equity), make, look)


async def _asked(broker: Broker) -> tuple[AccountFacts, Broker, Snapshot]:
    """Who answers, and what is there."""
    try:
        facts = await within(LOGIN, broker.connect(), "the broker's login")
        return facts, broker, await within(LOOK, broker.snapshot(0), "a look at the account")
    finally:
        await within(LOGIN, broker.close(), "the end of the broker's link")


def with_capital(config: Config, answered: Answered) -> Config:
    """The configuration with the money that the book of a session begins with.

    Raises
    ------
    ConfigError
        Nobody says how much.
    """
    capital = config.live.capital
    if capital == "all":
        if not math.isfinite(answered.equity):
            raise ConfigError("live.capital: is all, and the broker does not tell it; write money")
        capital = answered.equity
    if capital is None:
        if answered.name != SIMULATED and "cash" not in config.account.model_fields_set:
            raise ConfigError(
                "live.capital: is missing; write the money that this session trades with, or all"
            )
        return config
    account = config.account.model_copy(update={"cash": float(capital)})
    return config.model_copy(update={"account": account})
