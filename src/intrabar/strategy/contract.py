"""What a strategy, an entry or an exit must be, asked before a run begins."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import is_dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from intrabar.errors import ConfigError, IntrabarError, StrategyError, at_fault
from intrabar.indicators import Indicator
from intrabar.model.session import CLOCK_FIELDS
from intrabar.model.values import Bounds, shown, taken
from intrabar.strategy.parts import learns

TRADING = ("on_open", "on_close")  # hooks that can be the first to submit an order
HOOKS = (*TRADING, "on_start", "on_fill", "on_order", "on_stop")
ELSEWHERE = ("next", "on_bar", "on_data", "on_tick", "handle_data", "run", "step")
"""What other tools call the hook that is `on_close` here."""

OF_THE_BAR = ("open", "high", "low", "close", "volume", "previous_close")
OF_NOW = ("time", "local", "session", "bar", "symbol", "position", "equity", "cash")
RESERVED = (*OF_THE_BAR, *OF_NOW, "point_value", "tick_size", *CLOCK_FIELDS)


def require_hooks(strategy: Any, base: type) -> None:
    """Refuse a strategy in Python that would never be called, or not as it is meant.

    Parameters
    ----------
    strategy : Strategy
    base : type
        The class that all of them inherit, whose hooks do nothing.

    Raises
    ------
    StrategyError
        It has no hook, one that is misspelt, asynchronous or a generator, or one on the object.
    """
    kind = type(strategy)
    own = {
        name: member
        for owner in reversed(kind.__mro__)
        if not issubclass(base, owner)
        for name, member in vars(owner).items()
        if not name.startswith("_")
    }
    for name in HOOKS:
        if name in getattr(strategy, "__dict__", {}):
            raise StrategyError(
                f"{kind.__name__}: {name} is put on the object, where it is not called; write it "
                "as a method of the class"
            )
        hook = getattr(own.get(name), "__func__", own.get(name))
        if hook is None:
            continue
        if not callable(hook):
            raise StrategyError(f"{kind.__name__}: {name} is {hook!r}, must be a method")
        if inspect.iscoroutinefunction(hook) or inspect.isasyncgenfunction(hook):
            raise StrategyError(f"{kind.__name__}: {name} is async, must be a plain method")
        if inspect.isgeneratorfunction(hook):
            raise StrategyError(
                f"{kind.__name__}: {name} has a yield, so that calling it does nothing; take the "
                "yield out"
            )
    for name, member in own.items():
        near = get_close_matches(name.lower(), HOOKS, n=1, cutoff=0.8)
        if name not in HOOKS and near and callable(member) and near[0] not in own:
            raise StrategyError(
                f"{kind.__name__}: {name} is no hook and is never called; did you mean {near[0]}?"
            )
    meant = [name for name in own if name.lower() in ELSEWHERE]
    # One that only watches may sit where a person trades by hand.
    if meant and not any(name in own for name in TRADING):
        raise StrategyError(
            f"{kind.__name__} has neither on_open nor on_close, so that it can never trade; did "
            f"you mean on_close(self, now) for {meant[0]}?"
        )


def indicators_of(strategy: Any) -> dict[str, Indicator]:
    """The indicators of a strategy or a part of one, by the names that it calls them.

    Raises
    ------
    StrategyError
        Asking for them failed.
    ConfigError
        It is no mapping of names to indicators, or a name is that of something else.
    """
    name = getattr(strategy, "name", type(strategy).__name__)
    try:
        named = strategy.indicators()
    except IntrabarError:
        raise
    except Exception as e:
        raise StrategyError(f"{name}.indicators() failed, {at_fault(e)}") from e
    return checked(name, named)


def checked(strategy: str, named: Any) -> dict[str, Indicator]:
    """What `indicators()` of a strategy has given, by name.

    Raises
    ------
    ConfigError
        As `indicators_of`.
    """
    place = f"{strategy}.indicators()"
    if not isinstance(named, Mapping):
        raise ConfigError(
            f"{place}: gives {shown(named)}, must give a mapping such as {{'fast': ema(12)}}"
        )
    for name, indicator in named.items():
        if not isinstance(name, str):
            raise ConfigError(f"{place}: {name!r} is no name, must be a text")
        if name in RESERVED:
            what = "the bar has" if name in OF_THE_BAR else "`now` has"
            raise ConfigError(
                f"{place}: an indicator is called {name!r}, which {what} already; give it "
                f"another name, such as {f'my_{name}'!r}"
            )
        if not isinstance(indicator, Indicator):
            raise ConfigError(
                f"{place}: {name!r} is {shown(indicator)}, must be an indicator such as ema(12); "
                "values that are there already go into the attributes of the strategy"
            )
    return dict(named)


SIDED = ("wants_out(now, p, side)", "stop_entry(now, p, side)", "limit_entry(now, p, side)")
"""Rules that an entry may have beside `decide_side`, and an exit the first of them."""


def require_entry(entry: Any) -> dict[str, Indicator]:
    """Refuse what no bot can ask for a side; returns its indicators.

    Raises
    ------
    ConfigError
        It says what to write.
    """
    named = _require_part(entry, "entry", "decide_side(now, p)")
    wakes_on = getattr(entry, "wakes_on", None)
    if not isinstance(wakes_on, str):
        raise ConfigError(
            f"{_name(entry)}: wakes_on is {wakes_on!r}, must name the indicator that is 0 where "
            'nothing can happen; write wakes_on = "" in the class to be asked at every bar'
        )
    if hasattr(entry, "stop_entry") and hasattr(entry, "limit_entry"):
        raise ConfigError(
            f"{_name(entry)} has a stop_entry and a limit_entry; an entry has one at most"
        )
    known = {*named, *getattr(entry, "given", ())}  # columns come with a setup
    if wakes_on and wakes_on not in known:
        raise ConfigError(
            f"{_name(entry)}: wakes_on is {wakes_on!r}, which is none of its indicators"
        )
    return named


def require_exit(exit_: Any) -> dict[str, Indicator]:
    """Refuse what no bot can ask for a stop; returns and raises as `require_entry`."""
    if learns(exit_):
        return indicators_of(exit_)
    named = _require_part(exit_, "exit", "initial_levels(now, p, side, price)")
    if not isinstance(getattr(exit_, "trails", None), bool):
        raise ConfigError(
            f"{_name(exit_)}: trails is missing; write trails = False in the class, or True and a "
            "static update_stop(now, p, side, entry, stop)"
        )
    for told in ("ingest_trade_log", "campaign_closed"):
        if hasattr(exit_, told):
            raise ConfigError(
                f"{_name(exit_)}: {told} is never called: an exit of one's own learns nothing in a "
                "run; learn outside and give the arms as a file, Learned(arms=FILE), or take "
                "LinUCB or Hybrid"
            )
    if exit_.trails:
        _require_static(exit_, "update_stop(now, p, side, entry, stop)")
    taken(f"{_name(exit_)}: max_bars", getattr(exit_, "max_bars", 0), Bounds(whole=True))
    return named


def _require_part(part: Any, what: str, rule: str) -> dict[str, Indicator]:
    """Refuse what both must not be; returns its indicators."""
    if isinstance(part, type):
        raise ConfigError(f"{what}: {part.__name__} is a class; write {part.__name__}()")
    name = rule.partition("(")[0]
    if isinstance(part, str):
        raise ConfigError(
            f"{what}: is {shown(part)}, a name; those are for backtest({shown(part)}, ...), and a "
            f"Bot takes the {what} itself"
        )
    if not hasattr(part, name):
        raise ConfigError(
            f"{what}: is {shown(part)}, which has no {name}; an {what} is a dataclass with "
            f"indicators() and a static {rule}"
        )
    _require_static(part, rule)
    for more in SIDED:
        if getattr(part, more.partition("(")[0], None) is not None:
            _require_static(part, more)
    if not is_dataclass(part):
        raise ConfigError(
            f"{_name(part)}: must be a dataclass, so that its parameters are known; write "
            "@dataclass(frozen=True) above the class"
        )
    if not callable(getattr(part, "indicators", None)):
        raise ConfigError(
            f"{_name(part)}: has no indicators(); write one that gives {{}}, or a mapping such as "
            "{'fast': ema(12)}"
        )
    return indicators_of(part)


def _require_static(part: Any, rule: str) -> None:
    name = rule.partition("(")[0]
    member = inspect.getattr_static(part, name, None)
    if not isinstance(member, staticmethod):
        raise ConfigError(f"{_name(part)}: write @staticmethod above def {rule}")
    wanted, there = rule.count(",") + 1, _arguments(member.__func__)
    if there is None:
        raise ConfigError(f"{_name(part)}: {name} must be a plain function, no async, no yield")
    if there != wanted:
        raise ConfigError(f"{_name(part)}: {name} takes {there} arguments, must be {rule}")


@lru_cache(maxsize=512)
def _arguments(function: Any) -> int | None:
    """How many arguments a plain function takes, None where it is async or a generator.

    Kept, since reading it off takes as long as all else that making a bot asks.
    """
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        return None
    return len(inspect.signature(function).parameters)


def _name(part: Any) -> str:
    return type(part).__name__
