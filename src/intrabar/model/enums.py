"""The field's words as numbers. The numbers are in files and kernels: they never change.

Compiled code compares with the plain integers; pass `int(member)` across that border, because
Numba compiles a second version for an enum argument.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from intrabar.errors import ConfigError


class Word(IntEnum):
    """An enumeration whose members are written in files by their lower-case name."""

    @property
    def word(self) -> str:
        """The name as files and tables write it."""
        return self.name.lower()

    @classmethod
    def _missing_(cls, value: object) -> Any:
        """Of a call such as `Side("buy")`: the member of a name; a sentence where there is none."""
        known = {member.word: member for member in cls}
        if not isinstance(value, str) or value.lower() not in known:
            raise ConfigError(
                f"{cls.__name__}: a value must be one of {', '.join(map(repr, known))}"
            )
        return known[value.lower()]


class Phase(Word):
    """The three parts of one timestamp of the timeline."""

    OPEN = 0
    INTRABAR = 1
    CLOSE = 2


class Side(Word):
    """Direction of an order; also the sign of its quantity."""

    SELL = -1
    BUY = 1


class OrderType(Word):
    """How an order finds its price (fill model, section 4)."""

    MARKET = 0
    LIMIT = 1
    STOP = 2
    STOP_LIMIT = 3
    MOC = 4
    TRAILING_STOP = 5


class TimeInForce(Word):
    """How long an order works."""

    GTC = 0
    DAY = 1
    GTD = 2
    IOC = 3
    FOK = 4


class OrderStatus(Word):
    """Where an order stands. All but the first two are final."""

    WORKING = 0
    PARTIALLY_FILLED = 1
    FILLED = 2
    CANCELLED = 3
    REJECTED = 4
    EXPIRED = 5


class Role(Word):
    """What an order is for; at one price of a path the lower number goes first."""

    STOP = 0
    TARGET = 1
    PLAIN = 2
    SESSION = 3
    LIQUIDATION = 4
    END_OF_DATA = 5
    MAX_BARS = 8  # the numbers of a fill's reason that follow from no role lie between


class FillReason(Word):
    """Why a fill happened; but for plain orders, one more than the order's role."""

    ENTRY = 0
    STOP = 1
    TARGET = 2
    EXIT = 3
    SESSION = 4
    LIQUIDATION = 5
    END_OF_DATA = 6
    SPLIT = 7
    ROLL = 8
    MAX_BARS = 9
    OUTSIDE = 10


class Reject(Word):
    """Why an order was refused."""

    NONE = 0
    NO_MARKET = 1
    INSUFFICIENT_MARGIN = 2
    SHORT_REFUSED = 3
    INVALID_QUANTITY = 5
    INVALID_PRICE = 6
    NO_PROTECTION = 7
    NO_PARTNER = 8
    RISK = 9
    BROKER = 10
    LOST = 11


class PathPolicy(Word):
    """Which extreme of a bar is assumed to come first (fill model, section 2)."""

    WORST = 0
    BEST = 1
    SHORTEST = 2
    NEAREST = 3
    LOW_FIRST = 4
    HIGH_FIRST = 5
    RANDOM = 6
    DETAIL = 7
    CALIBRATED = 8


class MarginCall(Word):
    """What a margin call closes: every position, or the largest until the rest is covered."""

    ALL = 0
    REDUCE = 1


class MarginCheck(Word):
    """What becomes of an entry that the margin does not cover."""

    REJECT = 0
    REDUCE = 1


class Settlement(Word):
    """When the profit of open futures goes to cash."""

    NONE = 0
    DAILY = 1


class ActionKind(Word):
    """What changes at an OPEN without an order (fill model, section 5)."""

    SPLIT = 0
    DIVIDEND = 1
    MARGIN = 2
    ROLL = 3
    DELISTING = 4


class LedgerKind(Word):
    """What moves cash without a fill."""

    DIVIDEND = 0
    BORROW = 1
    SWAP = 2
    INTEREST = 3
    SETTLEMENT = 4
    COST = 5
    TRANSFER = 6


class Ambiguity(Word):
    """Whether the bar of an exit held its partner's price too, and whether lower bars decided."""

    NONE = 0
    AMBIGUOUS = 1
    SETTLED = 2


class RunStatus(Word):
    """How a run ended."""

    FINISHED = 0
    RUINED = 1


class Gate(Word):
    """Why a bot that could have acted did not."""

    SESSION = 0
    ATR = 1
    FLATTEN = 2
    DAILY_LOSS = 3
    SIZE_ZERO = 4
    MARGIN = 5
    WARM_UP = 6
