"""The account of a run: its money and the rules that it lives by."""

from __future__ import annotations

from dataclasses import dataclass

from intrabar.model.enums import MarginCall, MarginCheck, PathPolicy, Settlement


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
