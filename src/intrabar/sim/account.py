"""The account of a run: its money and the rules that it lives by."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum
from numbers import Integral
from typing import Any

from intrabar.errors import ConfigError, NotFoundError
from intrabar.model.enums import MarginCall, MarginCheck, PathPolicy, Settlement
from intrabar.model.numbers import Bounds, number

BOUNDS = {
    "cash": Bounds(above=True),
    "seed": Bounds(high=2.0**64 - 1.0),
    "path_trust": Bounds(high=1.0),
    "interest_rate": Bounds(high=10.0),
    "debit_rate": Bounds(high=10.0),
}
WORDS: dict[str, Any] = {
    "margin_call": MarginCall,
    "margin_check": MarginCheck,
    "path_policy": PathPolicy,
    "settlement": Settlement,
}
"""What is one of some words, which may be given as text."""


@dataclass(frozen=True, slots=True)
class Account:
    """The money of a run and the rules that it lives by (fill model, section 5).

    Parameters
    ----------
    cash : account currency, > 0
    margin_call : MarginCall
    margin_check : MarginCheck
    path_policy : PathPolicy
    cash_account : bool
        Margin rate 1, shorts refused.
    close_at_end : bool
        Close positions at the last close instead of leaving them marked.
    close_delisted : bool
        Close positions in an instrument whose bars end before those of the others, at its last
        close, at the OPEN of the next timestamp, instead of leaving them marked.
    seed : int
        Of the `random` and the `calibrated` path.
    path_trust : probability, 0 to 1
        That the shortest path is right, for the `calibrated` path.
    currency : str
        ISO code.
    interest_rate, debit_rate : fraction a year, >= 0
        On free cash above 0, and below.
    settlement : Settlement
        Whether the profit of open futures goes to cash every day.
    """

    cash: float = 100_000.0
    margin_call: MarginCall = MarginCall.ALL
    margin_check: MarginCheck = MarginCheck.REJECT
    path_policy: PathPolicy = PathPolicy.WORST
    cash_account: bool = False
    close_at_end: bool = False
    close_delisted: bool = False
    seed: int = 0
    path_trust: float = 1.0
    currency: str = "USD"
    interest_rate: float = 0.0
    debit_rate: float = 0.0
    settlement: Settlement = Settlement.NONE

    def __post_init__(self) -> None:
        for f in fields(self):
            place, value = f"account.{f.name}", getattr(self, f.name)
            if f.name in BOUNDS:
                found = number(place, value, BOUNDS[f.name])
                value = found
                if f.name == "seed":
                    value = _whole(place, getattr(self, f.name))
            elif f.name in WORDS:
                value = _word(place, value, WORDS[f.name])
            elif f.name == "currency":
                if not (isinstance(value, str) and 3 <= len(value) <= 5 and value.isupper()):
                    raise ConfigError(f"{place} is {value!r}, must be a currency such as USD")
            elif not isinstance(value, bool):
                raise ConfigError(f"{place} is {value!r}, must be true or false")
            object.__setattr__(self, f.name, value)


def _whole(place: str, value: Any) -> int:
    if not isinstance(value, Integral):
        raise ConfigError(f"{place} is {value!r}, must be a whole number")
    return int(value)


def _word(place: str, value: Any, words: Any) -> IntEnum:
    """One of the words of an enumeration, given as itself or as text."""
    if isinstance(value, words):
        found: IntEnum = value
        return found
    known = {member.name.lower(): member for member in words}
    if not isinstance(value, str) or value.lower() not in known:
        if isinstance(value, str):
            raise NotFoundError(place, value, known)
        raise ConfigError(f"{place} is {value!r}, must be one of {', '.join(known)}")
    return known[value.lower()]
