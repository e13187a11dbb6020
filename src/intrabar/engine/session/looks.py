"""Looks at the account: when one is wanted, and what the last ones have left open (5.2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite, nan
from typing import Literal, NamedTuple

from intrabar.brokers.reconcile import (
    TRANSFER,
    Action,
    Block,
    Book,
    Clean,
    Differs,
    LookUp,
    Moved,
    Stands,
    Tell,
)
from intrabar.engine.session.clocks import SECOND_NS
from intrabar.model.broker_facts import Snapshot
from intrabar.risk.breaker import ACCOUNT

APART = 5 * SECOND_NS
WITH_ORDERS, WITHOUT = 30 * SECOND_NS, 300 * SECOND_NS
UNANSWERED = 30 * SECOND_NS
BACK = 60 * SECOND_NS
"""How far a look reaches back behind the last whole one: clocks differ."""
DRIFT_TRIPS = 300 * SECOND_NS
FAILED = 3

Link = Literal["down", "connecting", "syncing", "up", "degraded"]


class Drift(NamedTuple):
    """A position that nothing explains: by how much, since when, and the broker's average price."""

    qty: float
    since: int
    average: float


class Looks:
    """What is known of how book and broker agree.

    Attributes
    ----------
    link : str
        How the broker's link stands.
    is_synced : bool
        Enough has been seen over this link for entries; what is left blocks by itself.
    has_seen : bool
        One whole look has come over this link: what protects may leave.
    gap : money
        G: what the account holds beside the book.
    """

    def __init__(self, started: int) -> None:
        self.link: Link = "down"
        self.is_synced = self.has_seen = False
        self.gap = nan
        self.drifts: dict[str, Drift] = {}
        self.foreign: dict[str, str] = {}
        self.anomalies: dict[str, str] = {}
        self.suspected = nan
        self.refuses = ""  # why a session may not start on this account
        self.differences: dict[str, tuple[float, int]] = {}
        self.shows_nothing = False  # the last look: no position
        self._gap_day = 0
        self._seen = 0  # whole looks over this link
        self._failed = 0
        self._whole_at = started
        self._asked = 0  # when a look was asked for that has not come; 0: none
        self._wanted = 0  # from when on one is wanted; 0: none
        self._last = 0
        self._tripped: set[str] = set()

    @property
    def listens(self) -> bool:
        """Whether anything may be asked of the broker."""
        return self.link in ("syncing", "up", "degraded")

    def linked(self, state: Link, now: int) -> None:
        """The link has another state; after one that was down all is looked at anew."""
        was, self.link = self.link, state
        if state in ("down", "connecting") or was in ("down", "connecting"):
            self.is_synced = self.has_seen = False
            self._seen = self._asked = 0
        if self.listens and not self.is_synced:
            self.want(now)

    def want(self, at: int) -> None:
        """A look is wanted, at an instant."""
        self._wanted = min(self._wanted, at) if self._wanted else at

    def since(self, sent: Sequence[int]) -> int:
        """From when on a look must reach: the last whole one, and what may still fill."""
        return min([self._whole_at, *sent]) - BACK

    def is_due(self, now: int, has_open: bool) -> bool:
        """Whether a look is to be asked for now; it counts as asked."""
        if not self.listens or (self._asked and now - self._asked < UNANSWERED):
            return False
        if now < self._due(has_open):
            return False
        self._asked, self._wanted = now, 0
        return True

    def next_timer(self, has_open: bool) -> Iterator[int]:
        """When the next look is to be asked for, and a drift trips the breaker."""
        if self.listens:
            yield self._asked + UNANSWERED if self._asked else self._due(has_open)
        for symbol, drift in self.drifts.items():
            if symbol not in self._tripped:
                yield drift.since + DRIFT_TRIPS

    def took(
        self, look: Snapshot, actions: Sequence[Action], equity: float, day: int, now: int
    ) -> list[tuple[str, str]]:
        """A look has come, and what it asks for has been done; what persons are paged of.

        Parameters
        ----------
        equity : money
            E of the book; NaN where what is held has no price of the moment.
        day : int
            Of the limits.
        """
        self._asked, self._last = 0, now
        self.shows_nothing = {"orders", "positions"} <= look.complete and not any(
            qty for qty, _ in look.positions.values()
        )
        pages: list[tuple[str, str]] = []
        is_whole = {"orders", "fills", "positions", "balance"} <= look.complete
        self._failed = 0 if is_whole else self._failed + 1
        if self._failed == FAILED:
            pages.append(("reconcile", "three looks at the account in a row were not complete"))
        if {"positions", "fills"} <= look.complete:
            pages += self._positions(look, actions, now)
        if "orders" in look.complete:
            pages += self._strangers(actions)
        pages += self._money(look, actions, equity, day)
        if any(isinstance(x, Clean) for x in actions):
            self.anomalies.clear()
        moved = any(isinstance(x, Tell | LookUp | Stands | Book | Differs) for x in actions)
        if is_whole:
            self._whole_at = look.at
            self._seen, self.has_seen = self._seen + 1, True
            self.is_synced = self.is_synced or not moved or self._seen > 1
        if moved or not is_whole or self.anomalies:
            self.want(now + APART)
        return pages

    def blocks(self) -> dict[str, str]:
        """Why nothing is entered, by ACCOUNT or symbol."""
        found = dict.fromkeys(self.anomalies, "anomaly")
        found |= dict.fromkeys(self.foreign, "foreign")
        found |= dict.fromkeys((*self.differences, *self.drifts), "drift")
        if isfinite(self.suspected):
            found[ACCOUNT] = "transfer"
        if not self.is_synced:
            found[ACCOUNT] = "reconciling"
        if self.link != "up":
            found[ACCOUNT] = "broker_link"
        return found

    def trips(self, now: int) -> list[str]:
        """Symbols whose drift has lasted so long that the breaker moves, each once."""
        found = [
            symbol
            for symbol, drift in self.drifts.items()
            if symbol not in self._tripped and now - drift.since >= DRIFT_TRIPS
        ]
        self._tripped.update(found)
        return found

    def explain(self, symbol: str) -> None:
        """A person answers for a difference."""
        self.drifts.pop(symbol, None)
        self.differences.pop(symbol, None)
        self._tripped.discard(symbol)

    def transferred(self, amount: float) -> None:
        """A person says that so much came or went beside the book."""
        self.gap += amount
        self.suspected = nan

    def _due(self, has_open: bool) -> int:
        due = self._last + (WITH_ORDERS if has_open else WITHOUT)
        return min(self._wanted, due) if self._wanted else due

    def _positions(
        self, look: Snapshot, actions: Sequence[Action], now: int
    ) -> list[tuple[str, str]]:
        pages = []
        differs = {x.symbol: x for x in actions if isinstance(x, Differs)}
        for symbol in [*self.differences, *self.drifts]:
            if symbol not in differs:
                self.explain(symbol)
        for symbol, one in differs.items():
            if one.is_drift and symbol not in self.drifts:
                held, average = look.positions.get(symbol, (0.0, nan))
                since = self.differences[symbol][1]
                self.drifts[symbol] = Drift(one.qty, since, average)
                text = (
                    f"{symbol}: the broker has {held:g}, {one.qty:+g} against the book, and "
                    f"nothing explains it; adopt it (session adopt {symbol}), or flatten it"
                )
                pages.append((f"drift {symbol}", text))
            before = self.differences.get(symbol)
            if before is None or before[0] != one.qty:
                self.differences[symbol] = one.qty, now
            if symbol in self.drifts and self.drifts[symbol].qty != one.qty:
                average = look.positions.get(symbol, (0.0, nan))[1]
                self.drifts[symbol] = self.drifts[symbol]._replace(qty=one.qty, average=average)
        return pages

    def _strangers(self, actions: Sequence[Action]) -> list[tuple[str, str]]:
        blocks = [x for x in actions if isinstance(x, Block)]
        pages = [
            (f"foreign {one.symbol}", one.why)
            for one in blocks
            if one.pages and self.foreign.get(one.symbol) != one.why
        ]
        self.foreign = {one.symbol or ACCOUNT: one.why for one in blocks}
        self.refuses = next((one.why for one in blocks if one.refuses), "")
        return pages

    def _money(
        self, look: Snapshot, actions: Sequence[Action], equity: float, day: int
    ) -> list[tuple[str, str]]:
        for one in actions:
            if isinstance(one, Moved):
                is_new, self.suspected = not isfinite(self.suspected), one.amount
                text = (
                    f"the balance has moved by {one.amount:+,.2f} and no fill explains it; name it "
                    "(session transfer AMOUNT)"
                )
                return [("transfer", text)] if is_new else []
        is_clean = any(isinstance(x, Clean) for x in actions)
        if not is_clean or not isfinite(look.balance - equity):
            return []
        self.suspected = nan
        amount = look.balance - equity - self.gap
        if not isfinite(self.gap) or (day != self._gap_day and abs(amount) <= TRANSFER * equity):
            self.gap, self._gap_day = look.balance - equity, day
        return []
