"""What a symbol is worth, and how old that is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from intrabar.data.live.answers import Answers
from intrabar.links.clock import SECOND_NS


@dataclass(frozen=True, slots=True)
class Quoted:
    """A quote of a vendor; `None` in what the vendor does not tell.

    Parameters
    ----------
    symbol, source : str
    price : float, optional
        Of the last trade.
    bid, ask : float, optional
    volume : float, optional
        Of the day so far.
    time : datetime, UTC
        Of the quote, by the vendor; as old as it can be where only a day is told.
    age : float, seconds
        From then to now.
    stale : str
        Why there is no newer one: the source is down, and this was kept. "" else.
    """

    symbol: str
    source: str
    price: float | None
    bid: float | None
    ask: float | None
    volume: float | None
    time: datetime
    age: float
    stale: str

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "time": self.time.isoformat()}


async def quoted(answers: Answers, symbol: str) -> Quoted:
    """Ask a vendor for a quote; where it is down, the one that is kept, with the reason.

    Raises
    ------
    NotFoundError, LinkError
    """
    kept = await answers.quote(symbol)
    quote, now = kept.answer, answers.clock.now()
    return Quoted(
        symbol,
        answers.vendor.name,
        quote.price,
        quote.bid,
        quote.ask,
        quote.volume,
        datetime.fromtimestamp(quote.time // SECOND_NS, UTC),
        max((now - quote.time) / SECOND_NS, 0.0),
        kept.why,
    )
