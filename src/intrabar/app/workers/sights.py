"""What is seen at the moment: quotes, ages, the account, as an event of a session has them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from intrabar.engine.session.row import ClosedRow
from intrabar.engine.session.view import AccountView, SymbolView, View, view_body
from intrabar.links.clock import SECOND_NS
from intrabar.model.broker_facts import Snapshot
from intrabar.model.facts import Quote

NAN, INF = float("nan"), float("inf")


class Sights:
    """The last quote and bar of each symbol, and the last look at the account.

    Parameters
    ----------
    symbols : iterable of str
        By the columns of the rows.
    """

    def __init__(self, symbols: Iterable[str]) -> None:
        self._symbols = tuple(symbols)
        self._quotes: dict[str, tuple[Quote, int]] = {}
        self._bars: dict[str, tuple[float, int]] = {}  # close, and when it was
        self._look: Snapshot | None = None

    def quote(self, quote: Quote, now: int) -> None:
        """Take a quote in; `now` is when it came, ns UTC."""
        self._quotes[quote.symbol] = quote, now

    def row(self, row: ClosedRow) -> None:
        """Take the real bars of a row in."""
        for bar in row.bars:
            self._bars[self._symbols[bar.column]] = bar.close, row.time

    def look(self, look: Snapshot) -> None:
        """Take a look at the account in, if it has its balance."""
        if "balance" in look.complete:
            self._look = look

    def price(self, symbol: str) -> float:
        """The last that is known; NaN where nothing is."""
        seen = self._seen(symbol, 0)
        return seen.last if math.isfinite(seen.last) else self._bars.get(symbol, (NAN, 0))[0]

    def body(self, symbols: Iterable[str] | None, now: int) -> dict[str, Any]:
        """The view of an event: of some symbols, or of all."""
        names = self._symbols if symbols is None else symbols
        seen = {name: self._seen(name, now) for name in names}
        return view_body(View(seen, self._account(now)))

    def _seen(self, symbol: str, now: int) -> SymbolView:
        bid = ask = last = NAN
        age = INF
        if (found := self._quotes.get(symbol)) is not None:
            quote, came = found
            bid, ask, last = (NAN if x is None else x for x in (quote.bid, quote.ask, quote.price))
            age = max((now - (quote.time or came)) / SECOND_NS, 0.0)
        bar = self._bars.get(symbol)
        bar_age = INF if bar is None else max((now - bar[1]) / SECOND_NS, 0.0)
        return SymbolView(bid, ask, last, age, bar_age)

    def _account(self, now: int) -> AccountView:
        look = self._look
        if look is None:
            return AccountView()
        left = look.day_trades_left
        return AccountView(
            look.balance,
            look.funds,
            look.settled,
            None if math.isnan(left) else int(left),
            max((now - look.at) / SECOND_NS, 0.0),
        )
