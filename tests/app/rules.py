"""Strategies that tests name by import path."""

from __future__ import annotations

from dataclasses import dataclass

from intrabar.strategy.strategy import Strategy
from intrabar.strategy.views import AtClose


@dataclass
class Clumsy(Strategy):
    """Divides by zero on the eighth bar."""

    seen: int = 0

    def on_close(self, now: AtClose) -> None:
        self.seen += 1
        if self.seen == 8:
            self.seen //= 0


@dataclass
class Remembering(Strategy):
    """Buys on its tenth close and sells on its twentieth, by its own count."""

    seen: int = 0

    def on_close(self, now: AtClose) -> None:
        self.seen += 1
        if self.seen == 10:
            now.buy(1)
        if self.seen == 20:
            now.sell(1)


class Unmakeable(Strategy):
    """Cannot be made."""

    def __init__(self) -> None:
        raise ValueError("never")


class EveryFew(Strategy):
    """Buys every few bars, with a stop."""

    def __init__(self, every: int = 5, part: float = 0.97) -> None:
        self.every = every
        self.part = part

    def on_close(self, now: AtClose) -> None:
        if now.is_flat and now.bar % self.every == 0:
            now.buy(3, stop_loss=now.close * self.part)
