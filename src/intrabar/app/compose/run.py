"""From a configuration to a run: the only place where bars, instruments and strategies meet."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.app.compose.jumps import jumps
from intrabar.app.compose.market import market_of, settled
from intrabar.app.compose.series import Origin, Series, read_series
from intrabar.app.compose.strategies import in_zone
from intrabar.app.compose.traded import Said, traded
from intrabar.app.config.model import AccountConfig, Config, StrategyConfig
from intrabar.engine.run import Setup
from intrabar.errors import ConfigError, NotFoundError, UsageError
from intrabar.model.bars import Bars, Market, Times
from intrabar.model.instrument import Instrument
from intrabar.model.remark import Remark
from intrabar.sim.account import Account
from intrabar.strategy.registry import AnyStrategy, load


@dataclass(frozen=True, eq=False)
class Composed:
    """A run that can begin, where its bars came from, and what its file asks for in vain."""

    setup: Setup
    origins: list[Origin]
    remarks: list[str]


def compose(config: Config, remarks: list[str] | None = None) -> Composed:
    """Read the bars and make everything that a configuration names.

    Raises
    ------
    UsageError
        A name or a value is wrong; the message names its place.
    DataError
        The bars cannot be used.
    """
    strategies = make_strategies(config.strategies)
    make_account(config.account)  # a mistake in it is told before bars are read
    series = read_series(config)
    unknown = [symbol for symbol in config.instruments if symbol not in config.traded]
    if unknown:
        raise NotFoundError("symbol in instruments", unknown[0], config.traded)
    market, instruments, config, more, told = assembled(series, config.instruments, config)
    origins = [*(s.origin for s in series), *more]
    account = make_account(config.account)
    setup = Setup(
        market, instruments, in_zone(strategies, config.zone), account, is_open, remarks=told
    )
    return Composed(setup, origins, list(remarks or []))


class Assembled(NamedTuple):
    """The market of a run, and what was told while it was put together.

    Parameters
    ----------
    market : Market
    instruments : tuple of Instrument
        In the order of its columns.
    config : Config
        With the account's currency settled.
    origins : list of Origin
        Of the rates of exchange that were read.
    remarks : tuple of Remark
    """

    market: Market
    instruments: tuple[Instrument, ...]
    config: Config
    origins: list[Origin]
    remarks: tuple[Remark, ...]


def assembled(
    series: Sequence[Series],
    said: Mapping[str, Said],
    config: Config,
    rates: Sequence[Bars] = (),
) -> Assembled:
    """Bars, and what was said of their instruments, onto one market."""
    instruments, told = traded([s.seen for s in series], said)
    symbols, currencies = [s.bars.symbol for s in series], [x.currency for x in instruments]
    config, settling = settled(config, currencies, symbols, [b.symbol for b in rates])
    market, origins, guesses = market_of(series, instruments, config, rates)
    odd = [remark for s in series for remark in (*s.remarks, *jumps(s))]
    remarks = (*odd, *told, *settling, *(Remark(text) for text in guesses))
    return Assembled(market, instruments, config, origins, tuple(dict.fromkeys(remarks)))


def make_strategies(given: list[StrategyConfig]) -> dict[str, AnyStrategy]:
    """The enabled strategies by label, in order."""
    made: dict[str, AnyStrategy] = {}
    if any(":" in one.name for one in given) and "" not in sys.path:
        sys.path.insert(0, "")  # `my_rules:Mine` is looked for in the working folder
    for k, one in enumerate(given):
        if not one.enabled:
            continue
        place = f"strategies[{k}]"
        if one.label in made:
            raise ConfigError(
                f"{place}: {one.label!r} is there twice; tell them apart with 'as: another name'"
            )
        try:
            made[one.label] = load(one.name, one.params)
        except UsageError as error:
            raise ConfigError(f"{place}{_at_fault(one, str(error))}: {error}") from error
    if not made:
        raise ConfigError("strategies: there is no strategy to run; enable at least one")
    return made


def _at_fault(one: StrategyConfig, message: str) -> str:
    """The parameter that a message speaks of, as the end of its place."""
    if message.startswith("unknown strategy"):
        return ".name"
    for key in one.params:
        if re.search(rf"'{re.escape(key)}'|\b{re.escape(key)} is\b", message):
            return f".params.{key}"
    return ".params" if one.params else ""


def make_account(given: AccountConfig) -> Account:
    """The account of a configuration.

    Raises
    ------
    ConfigError
        The calibrated path without its probability.
    """
    values = given.model_dump(exclude={"type"})
    return Account(**values, cash_account=given.type == "cash")


def is_open(calendar: str, instants: Times) -> NDArray[np.bool_]:
    """Whether instants lie in a session; calendars are loaded when a gate first asks."""
    from intrabar.data import calendars

    return calendars.is_open(calendar, instants)
