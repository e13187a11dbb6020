"""Strategies and exits by name: ours, those of other packages, and import paths.

Another package offers them through the entry-point groups `intrabar.strategies` and
`intrabar.exits`; anything else is named by `package.module:Name`.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from importlib import import_module
from typing import Any

from intrabar.errors import (
    ConfigError,
    IntrabarError,
    NotFoundError,
    StrategyError,
    at_fault,
)
from intrabar.exits import FixedPercent, FixedRatio, Hybrid, Learned, LinUCB, TrailingATR
from intrabar.indicators.given import request_of, written
from intrabar.model.values import Bounds, Rule, shown, taken
from intrabar.plugins import Table
from intrabar.strategy.bot import Bot, usual_exit
from intrabar.strategy.entries import CoinFlip, MovingAverageCrossover, TrendFollowing
from intrabar.strategy.gates import Gates
from intrabar.strategy.parts import acting
from intrabar.strategy.predictions import PredictionThreshold
from intrabar.strategy.signals import Signals
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.weights import Weights

ENTRIES: dict[str, Any] = {
    "CoinFlip": CoinFlip,
    "MovingAverageCrossover": MovingAverageCrossover,
    "PredictionThreshold": PredictionThreshold,
    "TrendFollowing": TrendFollowing,
}
EXITS: dict[str, Any] = {
    "FixedPercent": FixedPercent,
    "FixedRatio": FixedRatio,
    "Hybrid": Hybrid,
    "Learned": Learned,
    "LinUCB": LinUCB,
    "RLTrailingATRExit": Learned,
    "SequenceRLATRExit": Learned,
    "TrailingATR": TrailingATR,
}
STRATEGIES: Table[Any] = Table("strategy", "intrabar.strategies", ENTRIES)
EXIT_RULES: Table[Any] = Table("exit", "intrabar.exits", EXITS)
KINDS: dict[str, Rule] = {
    "int": Bounds(-math.inf, whole=True),
    "float": Bounds(-math.inf),
    "bool": bool,
}
BOT_PARAMETERS = (
    "exit", "risk_fraction", "qty", "equity_fraction", "gates", "warm_up", "interpreted",
    "predictions",
)  # fmt: skip

AnyStrategy = Bot | Strategy | Signals | Weights


def known() -> list[str]:
    """Names that a configuration may use without an import path."""
    return sorted(STRATEGIES.names())


def load(name: str, params: Mapping[str, Any] | None = None) -> AnyStrategy:
    """Make a strategy from its name and parameters.

    Parameters
    ----------
    name : str
        One of `known()`, or `package.module:Name`.
    params : mapping
        Of the class, and `gates`; for an entry also those of a bot: `exit` (a name, or a mapping
        with a name and its parameters), and the rest of `BOT_PARAMETERS`.

    Raises
    ------
    NotFoundError, ConfigError
        An unknown name, an unknown parameter, a value out of range.
    """
    return strategy_from(find(name), name, params or {})


def strategy_from(made: Any, name: str, params: Mapping[str, Any]) -> AnyStrategy:
    """Make a strategy from what is behind a name; raises as `load`."""
    given = dict(params)
    if isinstance(made, AnyStrategy):
        if given:
            raise ConfigError(f"{name} is a finished strategy and takes no parameters")
        return made
    if hasattr(made, "decide_side"):
        own = parameter_names(made)
        bot = {key: given.pop(key) for key in BOT_PARAMETERS if key in given and key not in own}
        allowed = [*own, *BOT_PARAMETERS]
        entry = construct(made, given, name, allowed)
        parts = bot_parts(bot, name, usual_exit(made).__name__)
        whole: Bot = construct(Bot, {"entry": entry, **parts}, name, allowed)
        return whole
    names = parameter_names(made)
    predictions = None if "predictions" in names else given.pop("predictions", None)
    gates = None if "gates" in names else bot_parts(popped(given, "gates"), name).get("gates")
    allowed = [*names, "gates", "predictions"]
    strategy = construct(made, given, name, allowed) if callable(made) else made
    if not isinstance(strategy, AnyStrategy):
        raise ConfigError(f"{name} is neither a strategy, an entry, a bot, signals nor weights")
    if predictions is not None:
        strategy = reading(strategy, predictions, name)
    return strategy if gates is None else gated(strategy, gates)


def popped(given: dict[str, Any], key: str) -> dict[str, Any]:
    """What is given under a key, taken out."""
    return {key: given.pop(key)} if key in given else {}


def gated(strategy: AnyStrategy, gates: Gates) -> AnyStrategy:
    """A strategy with gates."""
    if not isinstance(strategy, Strategy):
        return replace(strategy, gates=gates)
    strategy.__dict__["gates"] = gates
    return strategy


def reading(strategy: AnyStrategy, predictions: Any, name: str) -> AnyStrategy:
    """A strategy that reads predictions beside its own indicators.

    Raises
    ------
    ConfigError
        It reads no indicators.
    """
    if isinstance(strategy, Bot):
        return replace(strategy, predictions=predictions)
    if not isinstance(strategy, Strategy):
        raise ConfigError(f"{name}: predictions are read by bots and by strategies in Python")
    strategy.__dict__["predictions_file"] = written(request_of(predictions))
    return strategy


def find(name: str) -> Any:
    """The class (or function, or finished strategy) behind a name."""
    return _imported(name) if ":" in name else STRATEGIES.load(name)


def find_exit(name: str, what: str = "exit") -> Any:
    """The class behind the name of an exit; `what` is what messages call it."""
    return _imported(name) if ":" in name else EXIT_RULES.load(name, what)


def _imported(name: str) -> Any:
    """What `package.module:Name` names."""
    module, _, attribute = name.partition(":")
    if not module or not attribute or module.startswith("."):
        raise ConfigError(f"strategy {name!r}: must be a name, or package.module:Name")
    try:
        found = import_module(module)
    except ImportError as e:
        raise ConfigError(f"strategy {name!r}: cannot import {module!r}: {e}") from None
    except Exception as e:
        raise StrategyError(f"strategy {name!r}: importing {module!r}: {at_fault(e)}") from e
    if not hasattr(found, attribute):
        names = [n for n in vars(found) if not n.startswith("_")]
        raise NotFoundError(f"strategy in {module}", attribute, names)
    return getattr(found, attribute)


def bot_parts(
    given: Mapping[str, Any], name: str, usual: str = FixedRatio.__name__
) -> dict[str, Any]:
    """The parameters of a bot, exits and gates made from their mappings.

    `usual` is the exit of a mapping that names none.
    """
    parts = dict(given)
    exit_ = parts.get("exit")
    if isinstance(exit_, str):
        exit_ = {"name": exit_}
    if isinstance(exit_, Mapping):
        values = {key: value for key, value in exit_.items() if key != "name"}
        chosen = str(exit_.get("name", usual))
        made = find_exit(chosen, f"exit of {name}")
        parts["exit"] = construct(made, values, f"{name}.exit", parameter_names(made))
    if not hasattr(acting(parts.get("exit", FixedRatio)), "initial_levels"):
        raise ConfigError(f"{name}: exit is {shown(exit_)}, must be a name, or a mapping with one")
    if isinstance(parts.get("gates"), Mapping):
        parts["gates"] = construct(
            Gates, dict(parts["gates"]), f"{name}.gates", parameter_names(Gates)
        )
    if not isinstance(parts.get("gates", Gates()), Gates):
        raise ConfigError(f"{name}: gates is {shown(parts['gates'])}, must be a mapping")
    return parts


def parameter_names(made: Any) -> list[str]:
    """What a class or a function takes."""
    if is_dataclass(made):
        return [f.name for f in fields(made) if f.init]
    try:
        return list(inspect.signature(made).parameters)
    except (TypeError, ValueError):  # not callable, or a builtin that does not tell
        return []


def construct(made: Any, given: Mapping[str, Any], name: str, allowed: list[str]) -> Any:
    """Call a class with parameters, naming the one that is unknown or of the wrong kind."""
    for key in given:
        if key not in parameter_names(made):
            raise NotFoundError(f"parameter of {name}", key, allowed)
    values = dict(given)
    if is_dataclass(made) and not made.__module__.startswith("intrabar."):  # ours check themselves
        for f in fields(made):
            rule = KINDS.get(getattr(f.type, "__name__", str(f.type)).removesuffix(" | None"))
            if rule is not None and values.get(f.name) is not None:
                values[f.name] = taken(f"{name}: {f.name}", values[f.name], rule)
    try:
        return made(**values)
    except TypeError as e:
        raise ConfigError(f"{name}: {e}") from None
    except IntrabarError:
        raise
    except Exception as e:
        raise StrategyError(f"{name}: making it failed, {at_fault(e)}") from e
