"""What a broker is, whoever makes it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from intrabar.links.clock import Clock
from intrabar.model.broker_facts import (
    AccountFacts,
    Can,
    CashFact,
    Change,
    FillFact,
    OrderFact,
    Outcome,
    Ref,
    Request,
    Snapshot,
)
from intrabar.model.facts import LinkFact


@dataclass(frozen=True)
class Wanted:
    """The account that is asked for.

    Parameters
    ----------
    account : str
        Its id at the vendor.
    kind : "paper" or "live"
        Of another kind it is refused.
    symbols : tuple of str
        That will be traded: `connect` tells their grids, and refuses what the broker lacks.
    """

    account: str
    kind: Literal["paper", "live"]
    symbols: tuple[str, ...] = ()


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
            It was not reached, or refused the login.
        GateError
            The account is not there, or the wire says that it is of another kind.
        NotFoundError
            A symbol that the broker lacks.
        """

    async def submit(self, group: tuple[Request, ...]) -> tuple[Outcome, ...]:
        """Send orders, an entry before its children; they leave whole or not at all.

        An answer for each. What the account is not able to, and what is off the grid, is refused
        before it leaves. An error of the link is an `Unknown`, or where no byte was written a
        `Refused(not_sent=True)`: nothing is raised.
        """

    async def replace(self, ref: Ref, change: Change) -> Outcome:
        """Change an order."""

    async def cancel(self, ref: Ref) -> Outcome:
        """Ask for the end of an order; that it has ended is told as an event."""

    async def find(self, ref: Ref) -> OrderFact | None:
        """An order; None where the broker says that there is none.

        Raises
        ------
        LinkError
            Nobody knows; also where several orders may be it.
        """

    async def snapshot(self, since: int) -> Snapshot:
        """One look at the account; fills and orders that are over from `since` (ns) on.

        A part that was not had whole is not in `complete`.

        Raises
        ------
        LinkError
            No part was had.
        """

    def events(self) -> AsyncIterator[OrderFact | FillFact | CashFact | LinkFact]:
        """Everything that happens from now on; a gap is a `LinkFact`.

        It says `up` when it listens, reconnects for ever, and ends with `close` alone.
        """

    async def close(self) -> None:
        """Let go of what it holds; a second time too."""


@dataclass(frozen=True)
class Offer:
    """What stands behind a broker's name.

    Parameters
    ----------
    make : callable
        Given credentials, the account that is wanted and a clock: a broker that is not connected
        yet; nothing is asked of the vendor. It raises `ConfigError` for credentials that are
        unknown or missing, and `GateError` for a kind of account that the vendor does not have.
    can : Can
        What its accounts are able to, as far as that is known before one has answered.
    """

    make: Callable[[dict[str, Any], Wanted, Clock], Broker]
    can: Can
