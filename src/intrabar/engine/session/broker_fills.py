"""What a session must know where its fills come from a broker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from intrabar.brokers.plan import Rules
from intrabar.engine.session.clocks import SECOND_NS
from intrabar.errors import ConfigError
from intrabar.model.broker_facts import Can

UNSAID_REACH = 3_600 * SECOND_NS
"""Of an account that lists what is over since its vendor's midnight, whenever that is."""


@dataclass(frozen=True, eq=False)
class BrokerFills:
    """The account at a broker, as far as it decides.

    Parameters
    ----------
    code : str
        Six letters, drawn once: the names of all orders begin with it (`brokers.names`).
    can : Can
        Of the account.
    act_within : int, ns
        How old an entry may be when it leaves (`live.act_within`, in full).
    absence_after : int, ns
        From the end of a call on, before what it sent may count as absent.
    naked_seconds : float
        How long a position may be short of its cover.
    on_stop_refused : "watch" or "exit"
        What is done when new attempts of a stop fail.
    watched_stops : bool
        Whether a stop that only we watch counts as cover.
    foreign : "block" or "tolerate"
        What is done about what is foreign in symbols that are not ours.
    codes : frozenset of str
        Codes of before, whose orders are ours too.
    holds : bool
        A market entry outside the hours of its instrument waits here until they begin; False where
        the broker holds it.
    symbols : mapping of strategy to symbols
        Whose each symbol is; empty: any strategy trades any.

    Raises
    ------
    ConfigError
        Two strategies share a symbol: a broker nets their positions.
    """

    code: str
    can: Can
    act_within: int
    absence_after: int = 30 * SECOND_NS
    naked_seconds: float = 5.0
    on_stop_refused: Literal["watch", "exit"] = "watch"
    watched_stops: bool = False
    foreign: Literal["block", "tolerate"] = "block"
    codes: frozenset[str] = frozenset()
    holds: bool = True
    symbols: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        owner: dict[str, str] = {}
        for strategy, symbols in self.symbols.items():
            for symbol in symbols:
                if symbol in owner:
                    raise ConfigError(
                        f"strategies: {owner[symbol]} and {strategy} both name {symbol}; a broker "
                        "nets positions, so each symbol belongs to one strategy"
                    )
                owner[symbol] = strategy

    @cached_property
    def rules(self) -> Rules:
        """What the plan must know of it."""
        can = self.can
        is_same = can.replace == "same"
        return Rules(self.code, self.act_within, can.nets, can.bracket, is_same, can.oco)

    @property
    def reaches_back(self) -> int:
        """How long (ns) after a send a list that lacks it says something."""
        return self.can.lists_done or UNSAID_REACH

    def owner(self, symbol: str) -> str | None:
        """The strategy whose a symbol is; None where it is anybody's."""
        return next((s for s, symbols in self.symbols.items() if symbol in symbols), None)
