"""What was sent a short while ago: rates and duplicates, in the time of the events."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from intrabar.risk.limits import SECOND_NS

MINUTE_NS = 60 * SECOND_NS
OF_A_SYMBOL_NS, OF_THE_ACCOUNT_NS = MINUTE_NS, 10 * MINUTE_NS
REFUSALS = 3  # of one symbol in a minute, or of the account in ten, are a runaway

Key = tuple[str, str, int, float, str, tuple[float, ...]]
"""Strategy, symbol, side, quantity, type, prices: what makes an order the same."""


class Sent(NamedTuple):
    """An order that adds and was let through, or changed into."""

    at: int
    symbol: str
    key: Key
    place: tuple[int, int, int]


class TooFast(NamedTuple):
    """An order that a rate has refused; `scope` is the account or the symbol."""

    at: int
    scope: str


@dataclass(frozen=True, slots=True)
class Windows:
    """Orders of the last minute and of the day, and refusals of the last ten minutes.

    Parameters
    ----------
    sent : tuple of Sent
    too_fast : tuple of TooFast
    day : int
        Number of the day that `today` counts.
    today : count
        Orders of it.
    keep : ns
        How long `sent` reaches back: a minute, or longer where duplicates are looked for longer.
    """

    sent: tuple[Sent, ...] = ()
    too_fast: tuple[TooFast, ...] = ()
    day: int = 0
    today: int = 0
    keep: int = MINUTE_NS

    def in_minute(self, now: int, symbol: str | None = None) -> int:
        """Orders of the last minute, in one symbol or in all."""
        return sum(
            1
            for s in self.sent
            if now - s.at < MINUTE_NS and (symbol is None or s.symbol == symbol)
        )

    def has(self, now: int, key: Key, place: tuple[int, int, int], span: int) -> bool:
        """Whether this was sent: by this very command, or the same in another turn of `span` ns."""
        return any(
            s.place == place or (s.key == key and s.at != now and now - s.at < span)
            for s in self.sent
        )

    def after(self, now: int, symbol: str, key: Key, place: tuple[int, int, int]) -> Windows:
        """With one more order."""
        kept = tuple(s for s in self.sent if now - s.at < self.keep)
        return replace(self, sent=(*kept, Sent(now, symbol, key, place)), today=self.today + 1)

    def refused(self, now: int, scope: str) -> Windows:
        """With one more order that a rate has refused."""
        kept = tuple(t for t in self.too_fast if now - t.at < OF_THE_ACCOUNT_NS)
        return replace(self, too_fast=(*kept, TooFast(now, scope)))

    def runs_away(self, now: int, scope: str, account: str) -> bool:
        """Whether the rate of a scope was refused three times in its span."""
        span = OF_THE_ACCOUNT_NS if scope == account else OF_A_SYMBOL_NS
        return sum(1 for t in self.too_fast if t.scope == scope and now - t.at < span) >= REFUSALS

    def on(self, day: int) -> Windows:
        """On a day: another one counts anew."""
        return self if day == self.day else replace(self, day=day, today=0)
