"""How a strategy of a sweep is made anew for each trial: from a name, an object or a function."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cached_property
from types import CodeType
from typing import Any

from intrabar.app.compose.parameter_paths import merged
from intrabar.engine.prepared import Prepared
from intrabar.engine.tables.lessons import hashes_of
from intrabar.engine.tables.predicted import files_of
from intrabar.errors import ConfigError, IntrabarError
from intrabar.indicators import Indicator
from intrabar.model.bars import Floats
from intrabar.model.values import shown
from intrabar.strategy.bot import Bot, usual_exit
from intrabar.strategy.gates import Gates
from intrabar.strategy.registry import (
    BOT_PARAMETERS,
    AnyStrategy,
    find,
    find_exit,
    parameter_names,
    strategy_from,
)

Places = dict[str, tuple[str, ...]]
PARTS = ("entry", "exit", "gates")  # of a bot
GIVEN = ("market", "indicator")
"""What a function that makes a strategy may ask for beside its parameters."""


@dataclass(frozen=True)
class FromName:
    """A strategy by its name, or by its class.

    Parameters
    ----------
    label : str
        How the run calls it.
    name : str
    params : mapping
    own : class or None
        In place of what the name stands for.
    """

    label: str
    name: str
    params: Mapping[str, Any] = field(default_factory=dict)
    own: Any = None

    def places(self) -> Places:
        """Its parameters, those of a bot with them."""
        made = self.own or find(self.name)
        own = parameter_names(made) if callable(made) else []
        if not hasattr(made, "decide_side"):
            return _places(own)
        exits = self.params.get("exit")
        name = exits.get("name") if isinstance(exits, Mapping) else exits
        exit_ = find_exit(str(name)) if name else usual_exit(made)
        inner = [f"exit.{x}" for x in ["name", *parameter_names(exit_)]]
        inner += [f"gates.{x}" for x in parameter_names(Gates)]
        return _places([*own, *BOT_PARAMETERS, *inner])

    def make(self, over: Mapping[str, Any], prepared: Prepared) -> AnyStrategy:
        """The strategy with changes over its parameters."""
        params = merged(self.params, over)
        name = str(params.pop("name", self.name))
        return strategy_from(self.own or find(name), name, params)

    def told(self) -> dict[str, Any]:
        """What decides it beside the changes."""
        made = self.own or find(self.name)
        own = {"name": self.name, "code": code_of(made), **_defaults(made), **self.params}
        with suppress(IntrabarError):  # some of its parameters come with the changes alone
            strategy = strategy_from(made, self.name, self.params)
            own["predictions read"] = files_of(self.label, strategy)
            if isinstance(strategy, AnyStrategy) and hashes_of(strategy):
                own["policies read"] = hashes_of(strategy)
        return own


@dataclass(frozen=True)
class FromInstance:
    """A strategy that is there already; its fields are its parameters."""

    label: str
    strategy: Any

    def places(self) -> Places:
        """Its fields, those of a bot's parts with the part's name; of the entry also without."""
        own = _places(_fields(self.strategy))
        if not isinstance(self.strategy, Bot):
            return own
        for part in ("gates", "exit", "entry"):
            for name in _fields(getattr(self.strategy, part)):
                own[f"{part}.{name}"] = (part, name)
                if part == "entry":
                    own.setdefault(name, (part, name))
        return {name: path for name, path in own.items() if name not in PARTS}

    def make(self, over: Mapping[str, Any], prepared: Prepared) -> AnyStrategy:
        """A copy with changes to its fields."""
        made: AnyStrategy = _replaced(self.strategy, over)
        return made

    def told(self) -> dict[str, Any]:
        """What decides it beside the changes."""
        read: dict[str, Any] = {"predictions read": files_of(self.label, self.strategy)}
        if hashes_of(self.strategy):
            read["policies read"] = hashes_of(self.strategy)
        return {"code": code_of(self.strategy), **_held(self.strategy), **read}


@dataclass(frozen=True)
class FromFunction:
    """A function that makes a strategy from its parameters.

    It may ask for `market` too, and for `indicator`, which gives the values of an indicator and
    works each out once for all trials.
    """

    label: str
    function: Callable[..., Any]
    params: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def _asked(self) -> list[str]:
        return list(inspect.signature(self.function).parameters)

    def places(self) -> Places:
        """Its parameters."""
        return _places([name for name in self._asked if name not in GIVEN])

    def make(self, over: Mapping[str, Any], prepared: Prepared) -> AnyStrategy:
        """What the function makes of its parameters.

        Raises
        ------
        ConfigError
            It is no strategy.
        """

        def indicator(wanted: Indicator) -> Floats:
            values = prepared.columns({"": {"x": wanted}})[""]["x"]
            return values[:, 0] if values.shape[1] == 1 else values

        given = {"market": prepared.market, "indicator": indicator}
        given = {name: value for name, value in given.items() if name in self._asked}
        made = self.function(**given, **{**self.params, **over})
        if not isinstance(made, AnyStrategy):
            raise ConfigError(f"{self.label}: made {shown(made)}, which is no strategy")
        return made

    def told(self) -> dict[str, Any]:
        """What decides it beside the changes."""
        return {"code": code_of(self.function), **_defaults(self.function), **self.params}


Maker = FromName | FromInstance | FromFunction


def maker_of(given: Any, label: str, params: Mapping[str, Any] | None = None) -> Maker:
    """A maker of whatever a program gives as a strategy.

    Raises
    ------
    ConfigError
        It is nothing that makes a strategy, or takes no parameters.
    """
    if isinstance(given, str):
        made = find(given)
        if not inspect.isfunction(made):
            return FromName(label, given, params or {})
        given = made
    if isinstance(given, type):
        return FromName(label, given.__name__, params or {}, given)
    if isinstance(given, AnyStrategy):
        if params:
            raise ConfigError("params: belong to a strategy that is given by name")
        return FromInstance(label, given)
    if callable(given):
        return FromFunction(label, given, params or {})
    raise ConfigError(
        f"strategy: is {shown(given)}, must be a name, a class, a strategy or a function that "
        "makes one"
    )


def _places(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(name.split(".")) for name in names}


def _defaults(made: Any) -> dict[str, Any]:
    """What parameters are where nothing is said."""
    try:
        known = inspect.signature(made).parameters.values()
    except (TypeError, ValueError):
        return {}
    return {x.name: x.default for x in known if x.default is not x.empty}


def _fields(thing: Any) -> list[str]:
    return [f.name for f in fields(thing) if f.init] if is_dataclass(thing) else []


def _replaced(thing: Any, over: Mapping[str, Any]) -> Any:
    inner = {
        name: _replaced(getattr(thing, name), value) if isinstance(value, Mapping) else value
        for name, value in over.items()
    }
    return replace(thing, **inner) if inner else thing


def code_of(thing: Any) -> str:
    """A hash of the code that a strategy runs: of the files of its class, its entry and its exit.

    What such a file imports of other files is not in it.
    """
    parts = [thing.entry, thing.exit] if isinstance(thing, Bot) else [thing]
    if hasattr(thing, "decide_side") and isinstance(thing, type):
        parts.append(usual_exit(thing))
    digest = hashlib.sha256()
    for part in parts:
        own = part if inspect.isclass(part) or inspect.isroutine(part) else type(part)
        digest.update(f"{own.__module__}.{own.__qualname__}".encode())
        try:
            with open(inspect.getsourcefile(own) or "", "rb") as source:
                digest.update(source.read())
        except (OSError, TypeError):  # typed at a prompt, or in a page
            digest.update(_compiled(own))
    return digest.hexdigest()[:16]


def _compiled(thing: Any) -> bytes:
    """The compiled code of a function, or of the functions of a class, without line numbers."""
    functions = [thing] if inspect.isroutine(thing) else vars(thing).values()
    told = []
    for function in functions:
        code = getattr(getattr(function, "__func__", function), "__code__", None)
        if code is not None:
            told.append(_steps(code))
    return repr(told).encode()


def _steps(code: CodeType) -> list[Any]:
    constants = [_steps(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return [code.co_name, code.co_code.hex(), code.co_names, constants]


def _held(thing: Any) -> dict[str, Any]:
    """What an object holds by name, as deep as it has names."""
    names = _fields(thing) or sorted(getattr(thing, "__dict__", {}))
    return {
        "": type(thing).__qualname__,
        **{name: state_of(getattr(thing, name)) for name in names},
    }


def state_of(value: Any) -> Any:
    """A value as plain ones: arrays by the hash of their bytes, objects by what they hold."""
    if isinstance(value, bool | int | float | str | None):
        return value
    if isinstance(value, Mapping):
        return {str(key): state_of(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [state_of(inner) for inner in value]
    if hasattr(value, "iloc"):  # pandas: what stands beside the values decides too
        names = [str(name) for name in getattr(value, "columns", ())]
        return [names, state_of(value.index.to_numpy()), state_of(value.to_numpy())]
    if hasattr(value, "columns"):  # polars
        return {str(name): state_of(value[name]) for name in value.columns}
    array = value if hasattr(value, "tobytes") else getattr(value, "to_numpy", lambda: None)()
    if array is not None:
        told = repr(array.tolist()).encode() if array.dtype.hasobject else array.tobytes()
        return f"{array.dtype}{array.shape}{hashlib.sha256(told).hexdigest()}"
    if hasattr(value, "__dict__") or is_dataclass(value):
        return _held(value)
    return repr(value)
