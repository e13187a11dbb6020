"""What a broker is, whoever makes it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from intrabar.model.broker_facts import (
    AccountFacts,
    Can,
    CashFact,
    Change,
    FillFact,
    OrderFact,
    Outcome,
    Request,
    Snapshot,
)
from intrabar.model.facts import LinkFact


class Broker(Protocol):
    """Orders of one account at a vendor.

    It holds no state of orders, repairs nothing and rounds nothing: what is told is as it came.
    """

    @property
    def can(self) -> Can:
        """What the account is able to."""

    async def connect(self) -> AccountFacts:
        """Open the link.

        Raises
        ------
        LinkError
        """

    async def submit(self, group: tuple[Request, ...]) -> tuple[Outcome, ...]:
        """Send orders, an entry before its children; they leave whole or not at all."""

    async def replace(self, client_id: str, change: Change) -> Outcome:
        """Change an order."""

    async def cancel(self, client_id: str) -> Outcome:
        """Ask for the end of an order; that it has ended is told as an event."""

    async def find(self, client_id: str) -> OrderFact | None:
        """An order; None where the broker says that there is none.

        Raises
        ------
        LinkError
            Nobody knows.
        """

    async def snapshot(self, since: int) -> Snapshot:
        """One look at the account; fills and orders that are over from `since` (ns) on."""

    def events(self) -> AsyncIterator[OrderFact | FillFact | CashFact | LinkFact]:
        """Everything that happens from now on; a gap is a `LinkFact`."""

    async def close(self) -> None:
        """Let go of what it holds; a second time too."""
