"""Strategies that are objects, written as a configuration names them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from intrabar.app.compose.factories import state_of
from intrabar.app.config.model import READER
from intrabar.errors import ConfigError, IntrabarError, RunError
from intrabar.model.bars import Market
from intrabar.strategy.bot import Bot
from intrabar.strategy.gates import Gates
from intrabar.strategy.registry import (
    BOT_PARAMETERS,
    ENTRIES,
    EXITS,
    AnyStrategy,
    load,
    parameter_names,
)
from intrabar.strategy.signals import ARRAYS, Signals
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.weights import Weights

NAMES = ("name", "_name")
ARRAYS_OF = {Signals: ARRAYS, Weights: ("weight",)}


def described(label: str, strategy: AnyStrategy, file: str) -> dict[str, Any]:
    """A strategy as an entry of `strategies`.

    Parameters
    ----------
    label : str
        How the run calls it.
    strategy : strategy
    file : str
        Where the arrays of signals and weights are kept.

    Raises
    ------
    RunError
        It cannot be made again from a name and parameters; the message says why.
    """
    if isinstance(strategy, Signals | Weights):
        return {"name": READER, "as": label, "params": {"file": file, **_gates(strategy)}}
    try:
        name, params = _bot(strategy) if isinstance(strategy, Bot) else _named(strategy)
        if isinstance(strategy, Strategy) and "gates" in vars(strategy) and "gates" not in params:
            params = {**params, **_gates(strategy)}
        if isinstance(strategy, Strategy) and "predictions_file" in vars(strategy):
            params = {**params, "predictions": strategy.predictions_file}
        others = _differing(state_of(load(name, params)), state_of(strategy))
        if others:
            raise ConfigError(
                f"{', '.join(others)} of it is none of its parameters, and was given afterwards or "
                "worked out"
            )
    except IntrabarError as error:
        raise RunError(f"{label} cannot be made again from the stored run: {error}") from None
    return {"name": name, "as": label, "params": params}


def _differing(made: dict[str, Any], strategy: dict[str, Any]) -> list[str]:
    """What a strategy holds otherwise than one that is made anew; the label stands for its name."""
    names = [name for name in {**made, **strategy} if name not in NAMES]
    return [name for name in names if made.get(name) != strategy.get(name)]


def _bot(bot: Bot) -> tuple[str, dict[str, Any]]:
    name, params = _named(bot.entry, ENTRIES)
    exit_name, of_exit = _named(bot.exit, EXITS)
    of_entry = parameter_names(type(bot.entry))  # one of them may bear a name of the bot's
    plain = [key for key in BOT_PARAMETERS if key not in ("exit", "gates", *of_entry)]
    own = {key: getattr(bot, key) for key in plain}
    return name, {**params, **own, "exit": {"name": exit_name, **of_exit}, **_gates(bot)}


def _gates(strategy: AnyStrategy) -> dict[str, Any]:
    return {"gates": {f.name: getattr(strategy.gates, f.name) for f in fields(Gates)}}


def _named(thing: Any, known: Mapping[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
    """The name of a thing's class, and the parameters that it was made with."""
    made = type(thing)
    if made.__module__ == "__main__":
        raise ConfigError(
            f"the class {made.__qualname__} is in the notebook or script itself; put it into a "
            "file of its own and import it from there"
        )
    if "<locals>" in made.__qualname__:
        raise ConfigError(f"the class {made.__name__} is inside a function")
    names = parameter_names(made)
    if not is_dataclass(thing) and "__init__" not in _methods(made):
        names = []
    params = {name: _plain(made, name, getattr(thing, name, None)) for name in names}
    given = {name: value for name, value in params.items() if value != _default(made, name)}
    own = next((key for key, one in (known or {}).items() if one is made), "")
    return own or f"{made.__module__}:{made.__qualname__}", given


def _methods(made: type) -> set[str]:
    return {name for one in made.__mro__[:-1] for name in vars(one)}


def _default(made: type, name: str) -> Any:
    return inspect.signature(made).parameters[name].default


def _plain(made: type, name: str, value: Any) -> Any:
    """A value that a configuration can write."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, list | tuple):
        return [_plain(made, name, one) for one in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(made, name, one) for key, one in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ConfigError(
        f"{made.__name__}: {name} is of {type(value).__name__}, which no configuration can write"
    )


def keep_arrays(strategy: Signals | Weights, market: Market, path: Path) -> None:
    """Write the arrays of signals or weights, a row per bar and a column per symbol."""
    kept = {what: _column(strategy, what, market) for what in ARRAYS_OF[type(strategy)]}
    kept = {what: array for what, array in kept.items() if array is not None}
    zero = getattr(strategy, "zero", "")
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path, symbols=np.array(market.symbols), name=strategy.name, zero=zero, **kept
    )


def _column(strategy: Signals | Weights, what: str, market: Market) -> Any:
    if isinstance(strategy, Weights):
        return strategy.grid(market)
    if getattr(strategy, what) is None:
        return None
    grid = np.broadcast_to(strategy.grid(market, what), market.close.shape)
    # A stop that is not given is 0 there, and NaN here, which is as little of one.
    return np.where(grid == 0.0, np.nan, grid) if what in ("stop", "target") else grid


def from_arrays(file: str) -> Signals | Weights:
    """Signals or weights whose arrays were kept with a run.

    Raises
    ------
    ConfigError
        The file cannot be read.
    """
    try:
        with np.load(file, allow_pickle=False) as kept:
            name, symbols = str(kept["name"]), kept["symbols"].tolist()
            if "weight" in kept:
                return Weights(kept["weight"], name=name)
            arrays: dict[str, Any] = {
                what: dict(zip(symbols, kept[what].T, strict=True))
                for what in ARRAYS
                if what in kept
            }
            return Signals(**arrays, name=name, zero=str(kept["zero"]))
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"{file}: cannot be read as signals or weights: {error}") from None
