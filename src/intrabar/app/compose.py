"""From a configuration to a run: the only place where bars, instruments and strategies meet."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.app.around import market_of
from intrabar.app.bars_in import Origin, read_series
from intrabar.app.config import AccountConfig, Config, StrategyConfig
from intrabar.data.instruments import instrument
from intrabar.engine.backtest import Setup
from intrabar.errors import ConfigError, NotFoundError, UsageError
from intrabar.model.bars import Times
from intrabar.model.enums import MarginCall, MarginCheck, PathPolicy, Settlement
from intrabar.model.instrument import Instrument
from intrabar.sim.account import Account
from intrabar.strategy.registry import AnyStrategy, load


@dataclass(frozen=True, eq=False)
class Composed:
    """A run that can begin, and what there is to say about where it came from."""

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
    account = make_account(config.account)
    series = read_series(config)
    unknown = [symbol for symbol in config.instruments if symbol not in config.traded]
    if unknown:
        raise NotFoundError("symbol in instruments", unknown[0], config.traded)
    instruments = tuple(
        make_instrument(s.bars.symbol, config.instruments.get(s.bars.symbol, {})) for s in series
    )
    market, more, told = market_of(series, instruments, config)
    origins = [*(s.origin for s in series), *more]
    odd = [*(remark for s in series for remark in s.remarks), *told]
    setup = Setup(market, instruments, strategies, account, is_open)
    return Composed(setup, origins, [*(remarks or []), *dict.fromkeys(odd)])


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


def make_instrument(symbol: str, given: dict[str, Any]) -> Instrument:
    """An instrument from the table, with the configuration's values over it."""
    try:
        return instrument(symbol, given)
    except UsageError as error:
        raise ConfigError(f"instruments.{symbol}: {error}") from error


def make_account(given: AccountConfig) -> Account:
    """The account of a configuration.

    Raises
    ------
    ConfigError
        The calibrated path without its probability.
    """
    if given.path_policy == "calibrated" and given.path_trust is None:
        raise ConfigError(
            "account.path_trust: is missing; the calibrated path needs the probability that the "
            "shortest one is right, from 0 to 1 (intrabar data path-truth measures it)"
        )
    return Account(
        cash=given.cash,
        margin_call=MarginCall[given.margin_call.upper()],
        margin_check=MarginCheck[given.margin_check.upper()],
        path_policy=PathPolicy[given.path_policy.upper()],
        cash_account=given.type == "cash",
        close_at_end=given.close_at_end,
        close_delisted=given.close_delisted,
        seed=given.seed,
        path_trust=1.0 if given.path_trust is None else given.path_trust,
        currency=given.currency,
        interest_rate=given.interest_rate,
        debit_rate=given.debit_rate,
        settlement=Settlement[given.settlement.upper()],
    )


def is_open(calendar: str, instants: Times) -> NDArray[np.bool_]:
    """Whether instants lie in a session; calendars are loaded when a gate first asks."""
    from intrabar.data import calendars

    return calendars.is_open(calendar, instants)
