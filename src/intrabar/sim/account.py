"""The account of a run: its money and the rules that it lives by."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from intrabar.errors import ConfigError
from intrabar.model.enums import MarginCall, MarginCheck, PathPolicy, Settlement
from intrabar.model.values import Bounds, Rule, shown, take

RULES: dict[str, Rule] = {
    "cash": Bounds(above=True),
    "margin_call": MarginCall,
    "margin_check": MarginCheck,
    "path_policy": PathPolicy,
    "cash_account": bool,
    "close_at_end": bool,
    "close_delisted": bool,
    "seed": Bounds(high=2**64 - 1, whole=True),
    "path_trust": Bounds(high=1.0, or_none=True),
    "interest_rate": Bounds(high=10.0),
    "debit_rate": Bounds(high=10.0),
    "settlement": Settlement,
}


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
        That the shortest path is right; the `calibrated` path needs it, the others do not ask.
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
    path_trust: float | None = None
    currency: str = "USD"
    interest_rate: float = 0.0
    debit_rate: float = 0.0
    settlement: Settlement = Settlement.NONE

    def __post_init__(self) -> None:
        take(self, "account.", RULES, ":")
        money("account.currency:", self.currency)
        if self.path_trust is None:
            if self.path_policy is PathPolicy.CALIBRATED:
                raise ConfigError(
                    "account.path_trust: is missing; the calibrated path needs the probability "
                    "that the shortest one is right, from 0 to 1 (intrabar data path-truth "
                    "measures it)"
                )
            object.__setattr__(self, "path_trust", 1.0)


def money(place: str, currency: Any) -> str:
    """The ISO code of a currency, or the short name of a coin.

    Raises
    ------
    ConfigError
        It is none.
    """
    if not isinstance(currency, str) or not re.fullmatch("[A-Z]{3,5}", currency):
        raise ConfigError(
            f"{place} is {shown(currency)}, must be a currency in capitals, such as USD"
        )
    return currency
