"""Strategies: those that a configuration names, and those that a program gives."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from intrabar.app.config.model import StrategyConfig
from intrabar.errors import ConfigError, IntrabarError, UsageError
from intrabar.model.bars import Market
from intrabar.model.values import shown
from intrabar.research.look_ahead.audit import Make
from intrabar.strategy.blame import blame
from intrabar.strategy.registry import AnyStrategy, load
from intrabar.strategy.signals import Signals
from intrabar.strategy.weights import Weights


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


def strategies_of(given: Any, params: Mapping[str, Any] | None) -> dict[str, AnyStrategy]:
    """Strategies by label.

    Parameters
    ----------
    given : strategy, name, or {label: strategy or name}
    params : mapping
        Parameters of a strategy given by name.

    Raises
    ------
    ConfigError
        It is no strategy, or has parameters of its own already.
    NotFoundError
        No strategy has that name.
    """
    if isinstance(given, Mapping):
        return {str(name): _strategy(one, None) for name, one in given.items()}
    made = _strategy(given, params)
    return {given.rpartition(":")[2] if isinstance(given, str) else made.name: made}


def in_zone(strategies: Mapping[str, AnyStrategy], zone: str | None) -> dict[str, AnyStrategy]:
    """Signals and weights that name no zone for their stamps in the zone that is given."""
    return {
        name: replace(one, zone=zone)
        if isinstance(one, Signals | Weights) and one.zone is None and zone is not None
        else one
        for name, one in strategies.items()
    }


def makers_of(given: Any, params: Mapping[str, Any] | None) -> Make:
    """Strategies by label for any market: a function makes its own anew, the others stay."""

    def of(one: Any, market: Market) -> Any:
        is_function = callable(one) and not isinstance(one, type) and not hasattr(one, "indicators")
        if not is_function:
            return one
        try:
            return one(market)
        except IntrabarError:
            raise
        except Exception as e:
            raise blame("strategy", "when it was made of the market", e) from e

    def make(market: Market) -> dict[str, AnyStrategy]:
        if isinstance(given, Mapping):
            return strategies_of({name: of(one, market) for name, one in given.items()}, None)
        return strategies_of(of(given, market), params)

    return make


def _strategy(given: Any, params: Mapping[str, Any] | None) -> AnyStrategy:
    if isinstance(given, str):
        return load(given, params)
    if params:
        raise ConfigError("params: belong to a strategy that is given by name")
    if isinstance(given, AnyStrategy):
        return given
    if isinstance(given, type):
        whole = f"{given.__name__}()"
        whole = f"Bot({whole})" if hasattr(given, "decide_side") else whole
        raise ConfigError(f"strategy: {given.__name__} is a class; write {whole}")
    if hasattr(given, "decide_side"):
        name = type(given).__name__
        raise ConfigError(f"strategy: {name} is an entry; write Bot({name}(...))")
    raise ConfigError(
        f"strategy: is {shown(given)}, must be a Bot, a Strategy, Signals, Weights or a name"
    )
