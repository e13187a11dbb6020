"""From a configuration to a run: the only place where bars, instruments and strategies meet."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.app.bars_in import Origin, read_bars
from intrabar.app.config import AccountConfig, Config, StrategyConfig
from intrabar.data.instruments import instrument
from intrabar.data.timeline import market_from_bars
from intrabar.engine.backtest import Setup
from intrabar.errors import ConfigError, NotFoundError, UsageError
from intrabar.model.bars import Bars, Times
from intrabar.model.enums import MarginCall, MarginCheck, PathPolicy
from intrabar.model.instrument import Instrument
from intrabar.sim.machine import Account
from intrabar.strategy.registry import AnyStrategy, load


@dataclass(frozen=True, eq=False)
class Composed:
    """A run that can begin, and what there is to say about where it came from."""

    setup: Setup
    bars: list[Bars]
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
    bars, origins, odd = read_bars(config)
    unknown = [symbol for symbol in config.instruments if symbol not in config.traded]
    if unknown:
        raise NotFoundError("symbol in instruments", unknown[0], config.traded)
    instruments = tuple(
        make_instrument(b.symbol, config.instruments.get(b.symbol, {})) for b in bars
    )
    setup = Setup(
        market_from_bars(bars), instruments, strategies, make_account(config.account), is_open
    )
    return Composed(setup, bars, origins, [*(remarks or []), *dict.fromkeys(odd)])


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
    """The account of a configuration."""
    return Account(
        cash=given.cash,
        margin_call=MarginCall[given.margin_call.upper()],
        margin_check=MarginCheck[given.margin_check.upper()],
        path_policy=PathPolicy[given.path_policy.upper()],
        cash_account=given.type == "cash",
        close_at_end=given.close_at_end,
        seed=given.seed,
    )


def is_open(calendar: str, instants: Times) -> NDArray[np.bool_]:
    """Whether instants lie in a session; calendars are loaded when a gate first asks."""
    from intrabar.data import calendars

    return calendars.is_open(calendar, instants)
