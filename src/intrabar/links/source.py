"""What a source of bars is, whoever makes it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol, runtime_checkable

from intrabar.model.bars import Bars
from intrabar.model.facts import Fact, Quote, SourceCan


@runtime_checkable
class BarSource(Protocol):
    """Bars and quotes of a vendor, as they come: `data/live/conformance.py` tests one.

    It keeps no orders and repairs nothing: bars that cannot be are told as they came, and whoever
    takes them sets them aside.
    """

    @property
    def can(self) -> SourceCan:
        """What it is able to."""

    async def quote(self, symbol: str) -> Quote:
        """What a symbol is worth; `None` in what the vendor does not tell.

        Raises
        ------
        NotFoundError
            The vendor does not know the symbol, or has no quotes.
        LinkError
        """

    async def history(self, symbol: str, period: int, start: int, end: int) -> Bars:
        """Bars that are over, with `start <= close_time <= end`: raw, not adjusted.

        Parameters
        ----------
        symbol : str
        period : int, ns
        start, end : int, ns UTC

        Raises
        ------
        NotFoundError
            The vendor does not know the symbol.
        DataError
            It has no such bars, or not of that period.
        LinkError
        """

    def events(self, symbols: tuple[str, ...], period: int) -> AsyncIterator[Fact]:
        """Everything that happens from now on; the last bar that was over is told again.

        A gap is a `LinkFact`; what was missed in it comes later, in the order of time. It ends
        with a `NotFoundError` or an `AuthError` where only a person can help.
        """

    async def close(self) -> None:
        """Let go of what it holds; a second time too."""
