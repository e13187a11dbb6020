"""What decides a session; nothing of it changes while the session lives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from intrabar.data.heard import Heard, name_of
from intrabar.data.prediction_file import read_predictions
from intrabar.data.predictions import names_of
from intrabar.engine.chunks.setup import Rows
from intrabar.engine.run import require_runnable
from intrabar.engine.session.blocks import Blocks
from intrabar.engine.session.broker_fills import BrokerFills
from intrabar.engine.session.closing import Flatten, expiry
from intrabar.engine.session.exchange import Exchange
from intrabar.engine.tables.predicted import requests_of
from intrabar.errors import ConfigError
from intrabar.indicators.given import Request
from intrabar.model.enums import PathPolicy
from intrabar.model.instrument import Instrument
from intrabar.risk.limits import Limits
from intrabar.sim.account import Account
from intrabar.strategy.bot import Bot
from intrabar.strategy.gates import IsOpen
from intrabar.strategy.registry import AnyStrategy
from intrabar.strategy.strategy import Strategy, defines
from intrabar.strategy.weights import Weights

BY_HAND = "by hand"
"""The strategy, without hooks, of orders that a person gives and no other strategy has."""

LOOK_BACK = 5_000


@dataclass(frozen=True, eq=False)
class Plan:
    """Strategies, instruments and rules of a session.

    Parameters
    ----------
    instruments : tuple of Instrument
    strategies : mapping of name to strategy
        In the order in which they act.
    account : Account
    period : int, ns
        Of a row.
    is_open : callable or None
        Whether instants lie in a session of a calendar; needed by the session gate.
    limits : Limits
        Filled in; none by default.
    look_back : int, rows
        That stay for the histories of Python strategies.
    on_error : "reduce" or "halt"
        What the breaker does when a hook raises.
    day_begins : str
        When a day of the limits begins, where they do not say it.
    array_rows : int
        How many rows the arrays of signals and weights have, from the first of the history on;
        0 where none has a row per bar.
    flatten : Flatten or None
        When positions are closed before each scheduled close.
    ends : mapping of symbol to int
        Of contracts, the earlier of first notice and last trade, days since 1970.
    expire_days : int, sessions
        Before that in which nothing is entered.
    phases : tuple of int, ns
        What the opens of each instrument are usually past a multiple of longer periods.
    told : mapping of name to names
        Of a session that has begun, the columns of each request (`name_of`).
    shadowed : mapping of name to Bot
        Bots whose learned exit is in shadow; what trades in their place is among `strategies`.
    broker : BrokerFills or None
        What fills come from, if not from the compiled market.
    predicted : mapping of Request to Heard
        What a session has heard of predictions; of a plan before its session, nothing.

    Raises
    ------
    ConfigError
        A session cannot do what is asked for.
    """

    instruments: tuple[Instrument, ...]
    strategies: Mapping[str, AnyStrategy]
    account: Account
    period: int
    is_open: IsOpen | None = None
    limits: Limits = field(default_factory=Limits)
    look_back: int = LOOK_BACK
    on_error: Literal["reduce", "halt"] = "reduce"
    day_begins: str = "00:00 UTC"
    array_rows: int = 0
    flatten: Flatten | None = None
    ends: Mapping[str, int] = field(default_factory=dict)
    expire_days: int = 2
    phases: tuple[int, ...] = ()
    told: Mapping[str, Sequence[str]] = field(default_factory=dict)
    predicted: Mapping[Request, Heard] = field(default_factory=dict)
    shadowed: Mapping[str, Bot] = field(default_factory=dict)
    broker: BrokerFills | None = None

    def __post_init__(self) -> None:
        if not self.strategies:
            raise ConfigError("there is no strategy to run; enable at least one")
        if BY_HAND in self.strategies:
            raise ConfigError(f"strategies: {BY_HAND!r} is the name of orders given by a person")
        problems = []
        if self.account.close_at_end:
            problems.append("account.close_at_end: a session has no last bar")
        if self.account.close_delisted:
            problems.append("account.close_delisted: a session does not know which bar is the last")
        if self.account.path_policy is PathPolicy.DETAIL:
            problems.append(
                "account.path_policy: detail needs lower bars, which do not come; write shortest"
            )
        if self.broker is not None:
            problems += _at_opens(self.given)
        if problems:
            raise ConfigError("; ".join(problems))
        require_runnable(self.strategies)
        if not self.phases:
            object.__setattr__(self, "phases", (0,) * len(self.instruments))

    @property
    def fills(self) -> Literal["market", "broker"]:
        """Where fills come from."""
        return "market" if self.broker is None else "broker"

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """Of its columns."""
        return tuple(x.symbol for x in self.instruments)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of the strategies by their rows, that of orders by hand last."""
        return (*self.strategies, BY_HAND)

    @cached_property
    def given(self) -> dict[str, AnyStrategy]:
        """The strategies as they were given, with the exits that are in shadow."""
        return {**self.strategies, **self.shadowed}

    @cached_property
    def requests(self) -> tuple[Request, ...]:
        """The predictions that its strategies read: they come as events."""
        return requests_of(self.strategies)

    @cached_property
    def columns(self) -> dict[Request, tuple[str, ...]]:
        """The columns of each that strategies read by name: as it began, else as its file has them.

        Raises
        ------
        FileError
            A file cannot be used.
        """
        return {
            x: tuple(self.told.get(name_of(x)) or names_of(read_predictions(x.file)))
            for x in self.requests
        }

    @property
    def timeline(self) -> Rows:
        """Whose rows signals and weights have."""
        return Rows(self.symbols, max(self.array_rows, 1))

    @property
    def moves_prices(self) -> bool:
        """There may be a split or a dividend on any day."""
        return True

    @property
    def exchanges(self) -> list[Exchange]:
        """Of each instrument the sessions of its calendar."""
        return [Exchange(x.calendar, self.period) for x in self.instruments]

    def blocks(self, started: int, grace: int, is_recorded: bool) -> Blocks:
        """The reasons for no entries of a session that starts at an instant (ns UTC)."""
        exchanges = dict(zip(self.symbols, self.exchanges, strict=True))
        expiries = {
            symbol: expiry(exchanges[symbol], day, self.expire_days)
            for symbol, day in self.ends.items()
        }
        return Blocks(
            self.symbols,
            list(exchanges.values()),
            self.period,
            grace,
            started,
            flatten=self.flatten,
            expiries=expiries,
            ages=not is_recorded,
        )


def _at_opens(strategies: Mapping[str, AnyStrategy]) -> list[str]:
    """Strategies that act at the open of a bar, which a session at a broker does not see yet."""
    problems = []
    for name, strategy in strategies.items():
        why = ""
        if isinstance(strategy, Weights):
            why = "weights buy at the open what their sales have paid for"
        elif strategy.gates.flatten:
            why = "gates.flatten closes at an open; live.flatten closes by the clock"
        elif isinstance(strategy, Strategy) and defines(strategy, "on_open"):
            why = "on_open is called at an open"
        if why:
            problems.append(f"{name}: {why}, and with broker fills opens are not seen in time")
    return problems
