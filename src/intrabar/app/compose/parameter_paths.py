"""Where a parameter of a sweep stands in a run: its name as people write it, and its paths.

A path leads through a tree of changes: `("account", "path_policy")`, `("strategies", 0, "exit",
"period")`. A short name stands for all places that it fits, as `--param` has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Protocol

from intrabar.app.config.model import AccountConfig, Config
from intrabar.errors import ConfigError, NotFoundError
from intrabar.model.instrument import Instrument
from intrabar.research.sweep.trial import Value
from intrabar.risk.limits import KEYS

Path = tuple[str | int, ...]
STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
WHOLE = ("symbols", "start", "end", "period")  # of the run itself


class Maker(Protocol):
    """Makes one strategy; see `makers`."""

    @property
    def label(self) -> str:
        """How the run calls it."""
        ...

    def places(self) -> Mapping[str, tuple[str, ...]]:
        """Its parameters, those of its parts with a dot (`exit.period`), and where they stand."""
        ...


def paths_of(place: str, makers: Sequence[Maker], symbols: Sequence[str]) -> tuple[Path, ...]:
    """Where a parameter stands.

    Parameters
    ----------
    place : str
        `fast`, `MovingAverageCrossover.fast`, `strategies[0].params.fast`, `exit.period`,
        `instruments.ES.slippage_ticks`, `account.path_policy`, `risk.max_daily_loss_pct`,
        `symbols`, `strategy`.
    makers : sequence of Maker
        Of the strategies, in order.
    symbols : sequence of str

    Raises
    ------
    NotFoundError
        There is no such place; the message names the nearest.
    ConfigError
        It is a setting of the run and a parameter of a strategy.
    """
    steps = [name or int(number) for name, number in STEP.findall(place)]
    if place in WHOLE:
        both = [maker.label for maker in makers if place in maker.places()]
        if both:
            raise ConfigError(
                f"parameters.{place}: is a setting of the run and a parameter of {both[0]}; for "
                f"the strategy's write {both[0]}.{place}"
            )
        return ((place,),)
    if steps[:1] == ["account"] and len(steps) == 2 and steps[1] in AccountConfig.model_fields:
        return (tuple(steps),)
    if steps[:1] == ["risk"] and len(steps) == 2 and steps[1] in KEYS:
        return (tuple(steps),)
    if place.startswith("instruments."):
        # A symbol may have dots itself.
        symbol, _, name = place.removeprefix("instruments.").rpartition(".")
        if symbol in symbols and name in _instrument_fields():
            return (("instruments", symbol, name),)
    found = list(_in_strategies(place, steps, makers))
    if not found:
        raise NotFoundError("parameter", place, known_places(makers, symbols))
    return tuple(found)


def _in_strategies(place: str, steps: list[Any], makers: Sequence[Maker]) -> Iterable[Path]:
    if place == "strategy" and len(makers) == 1:
        yield ("strategies", 0, "name")
    if steps[:1] == ["strategies"] and len(steps) > 2 and steps[1] in range(len(makers)):
        name = ".".join(str(step) for step in steps[3:])
        if steps[2:] == ["name"]:
            yield ("strategies", steps[1], "name")
        elif steps[2] == "params" and name in makers[steps[1]].places():
            yield ("strategies", steps[1], *makers[steps[1]].places()[name])
        return
    for k, maker in enumerate(makers):
        own = place.removeprefix(f"{maker.label}.")
        if own in maker.places():
            yield ("strategies", k, *maker.places()[own])


def known_places(makers: Sequence[Maker], symbols: Sequence[str]) -> list[str]:
    """What a sweep may name, in the short form."""
    return [
        *(place for maker in makers for place in maker.places()),
        *(f"account.{name}" for name in AccountConfig.model_fields),
        *(f"risk.{name}" for name in KEYS),
        *(f"instruments.{symbol}.{name}" for symbol in symbols for name in _instrument_fields()),
        *WHOLE,
        *(["strategy"] if len(makers) == 1 else []),
    ]


def _instrument_fields() -> list[str]:
    names = [f.name for f in fields(Instrument) if f.name != "symbol"]
    return [*names, "tick_value", "contract_size"]


def tree_of(changes: Iterable[tuple[Path, Value]]) -> dict[Any, Any]:
    """Changes as nested mappings."""
    tree: dict[Any, Any] = {}
    for path, value in changes:
        here = tree
        for step in path[:-1]:
            here = here.setdefault(step, {})
        here[path[-1]] = value
    return tree


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with changes over it, at any depth; a name of an exit becomes a mapping for it."""
    made = dict(under)
    for key, value in over.items():
        if isinstance(value, Mapping):
            inner = made.get(key) or {}
            made[key] = merged({"name": inner} if isinstance(inner, str) else inner, value)
        else:
            made[key] = value
    return made


def canonical(path: Path) -> str:
    """A path as one name, the same however the place was written."""
    return "".join(f"[{x}]" if isinstance(x, int) else f".{x}" for x in path).lstrip(".")


def changed(config: Config, tree: Mapping[Any, Any]) -> dict[str, Any]:
    """The values of a configuration with changes to account, instruments and the run itself."""
    values = config.model_dump(by_alias=True, exclude_unset=True)
    for key, over in tree.items():
        if key == "symbols":
            symbols = str(over).split(",")
            if not all(symbols):
                raise ConfigError(f"symbols: {over!r} names none")
            values[key] = symbols
        elif key != "strategies":
            values[key] = merged(values.get(key, {}), over) if isinstance(over, Mapping) else over
    return values
