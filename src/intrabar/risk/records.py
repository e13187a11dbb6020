"""What a check reads: frozen values, filled from the machine or from what a broker tells."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from intrabar.risk.breaker import Breaker
from intrabar.risk.windows import Windows

NAN = math.nan


class Sleeve(NamedTuple):
    """The position of one strategy in one symbol that is not flat.

    Parameters
    ----------
    strategy, symbol : str
    qty : contracts
        Signed.
    stop : price
        Level of its protective stop; NaN for none.
    """

    strategy: str
    symbol: str
    qty: float
    stop: float = NAN


class Working(NamedTuple):
    """An order that works.

    Parameters
    ----------
    id : int
    strategy, symbol : str
    side : {1, -1}
    qty, filled : contracts
        All of it, and what of it is done.
    type : str
        As `OrderType` writes it.
    limit_price, stop_price : price
        NaN where the type has none.
    stop : price
        Level of the stop that it brings; NaN for none.
    reduce_only : bool
    protective : bool
        The stop or the target of a position.
    role : int
        As `Role` numbers it.
    """

    id: int
    strategy: str
    symbol: str
    side: int
    qty: float
    filled: float = 0.0
    type: str = "market"
    limit_price: float = NAN
    stop_price: float = NAN
    stop: float = NAN
    reduce_only: bool = False
    protective: bool = False
    role: int = 2

    @property
    def open(self) -> float:
        """Contracts that are still to be filled."""
        return self.qty - self.filled


class Request(NamedTuple):
    """Something that is asked for.

    Parameters
    ----------
    kind : {"submit", "modify", "cancel", "move"}
        `modify`: the order is what it would be; `move`: of the stop or target of a position.
    order : Working
    place : (bar, step, index)
        Where it was asked for.
    by : {"strategy", "person", "session"}
        The session's own are its duties (cancels, closing): they are not judged.
    """

    kind: Literal["submit", "modify", "cancel", "move"]
    order: Working
    place: tuple[int, int, int] = (0, 0, 0)
    by: Literal["strategy", "person", "session"] = "strategy"


class Seen(NamedTuple):
    """What is known of a symbol's price at the moment of an event.

    Parameters
    ----------
    price : price
        The last quote that is young enough, else the last close; where the market fills, the mark.
    age : seconds
        Of the younger of quote and bar, while the symbol was in session.
    bid, ask : price
        NaN where no quote is read.
    """

    price: float
    age: float = 0.0
    bid: float = NAN
    ask: float = NAN


View = Mapping[str, Seen]
"""By symbol."""


@dataclass(frozen=True, slots=True)
class Book:
    """What is held, what works, and what it is worth, all in the account's currency.

    Parameters
    ----------
    equity : money
        X: the book's, or what of the broker's balance counts for it.
    sleeves : tuple of Sleeve
        Those that are not flat.
    working : tuple of Working
        By symbol and in order of acceptance.
    marks, point_values, lots : mapping of symbol
    earned : mapping of strategy to money
        What each has contributed since the session's first row.
    start : money
        X0, the equity at the day's beginning.
    breaker : Breaker
    windows : Windows
    blocks : mapping of "account" or symbol to why nothing may be entered there
    """

    equity: float
    sleeves: tuple[Sleeve, ...] = ()
    working: tuple[Working, ...] = ()
    marks: Mapping[str, float] = field(default_factory=dict)
    point_values: Mapping[str, float] = field(default_factory=dict)
    lots: Mapping[str, float] = field(default_factory=dict)
    earned: Mapping[str, float] = field(default_factory=dict)
    start: float = NAN
    breaker: Breaker = field(default_factory=Breaker)
    windows: Windows = field(default_factory=Windows)
    blocks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something that was asked for is not done.

    Parameters
    ----------
    rule : str
        The limit's key under `risk`, or `breaker`, `not_finite`, `no_stop`, or a block's name.
    scope : str
        "account", a strategy or a symbol.
    value, limit : float, optional
        What it would be, and what is allowed, in the unit of the rule; None where that is no
        finite number.
    text : str
        "max_position_size_pct AAPL: 12.4 % after the order, limit 10 %".
    """

    rule: str
    scope: str
    value: float | None
    limit: float | None
    text: str

    def body(self) -> dict[str, Any]:
        """Its fields, as a journal has them."""
        return {name: getattr(self, name) for name in ("rule", "scope", "value", "limit", "text")}
