"""The view of an event: all that is known of the moment, beside what the event tells.

A session keeps no quote, age or balance from one event to the next: whoever decides reads them
here, and they stand in the journal with the event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from intrabar.engine.session.bodies import body_from, in_body

NAN, INF = float("nan"), float("inf")


class SymbolView(msgspec.Struct, frozen=True):
    """What is known of one symbol.

    Parameters
    ----------
    bid, ask, last : price
        NaN where there is none.
    quote_age, bar_age : seconds
        Since the quote, and since its last bar closed; infinite where there is none.
    halted : bool
        As far as anybody says.
    shortable : bool, optional
        None: nobody says.
    """

    bid: float = NAN
    ask: float = NAN
    last: float = NAN
    quote_age: float = INF
    bar_age: float = INF
    halted: bool = False
    shortable: bool | None = None


class AccountView(msgspec.Struct, frozen=True):
    """What the broker has last told of the account, in its currency.

    Parameters
    ----------
    balance, funds, settled : money
        Net liquidation; what may be spent, and what of it is settled. NaN where it is not told.
    day_trades : int, optional
        That are left; None: without a limit, or not told.
    age : seconds
    """

    balance: float = NAN
    funds: float = NAN
    settled: float = NAN
    day_trades: int | None = None
    age: float = INF


class View(msgspec.Struct, frozen=True):
    """All that is known of the moment.

    Parameters
    ----------
    symbols : mapping
        Those with a command, an order or a position; of others nothing is known.
    account : AccountView
    """

    symbols: Mapping[str, SymbolView] = {}
    account: AccountView = AccountView()

    def of(self, symbol: str) -> SymbolView:
        """What is known of a symbol."""
        return self.symbols.get(symbol, SymbolView())


def view_body(view: View) -> dict[str, Any]:
    """As an event has it, under `view`."""
    body: dict[str, Any] = in_body(view)
    return body


def view_in(body: Mapping[str, Any]) -> View:
    """The view of an event; one without has seen nothing."""
    return body_from(body.get("view", {}), View)
