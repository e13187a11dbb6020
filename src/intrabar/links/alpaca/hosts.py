"""Where Alpaca is, and with which keys: both follow from one word, paper or live."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from intrabar.model.secret import Secret

KEY, SECRET = "APCA_API_KEY_ID", "APCA_API_SECRET_KEY"
"""Variables of the environment, as Alpaca's own tools have them."""
PREFIXES = {"PK": "paper", "AK": "live"}
"""How keys begin: a convention, so it only ever forbids."""


class Hosts(msgspec.Struct, frozen=True):
    """The addresses of one environment.

    Parameters
    ----------
    kind : str
        "paper" or "live".
    trading, data : str
        Of REST, without the version.
    trades, prices : str
        Of the websockets; `prices` without the feed.
    """

    kind: str
    trading: str
    data: str
    trades: str
    prices: str


_DATA, _PRICES = "https://data.alpaca.markets", "wss://stream.data.alpaca.markets/v2"
PAPER = Hosts(
    "paper",
    "https://paper-api.alpaca.markets",
    _DATA,
    "wss://paper-api.alpaca.markets/stream",
    _PRICES,
)
LIVE = Hosts(
    "live", "https://api.alpaca.markets", _DATA, "wss://api.alpaca.markets/stream", _PRICES
)


class Keys(NamedTuple):
    """A key of Alpaca and its secret."""

    id: Secret
    secret: Secret

    @property
    def kind(self) -> str:
        """Of which environment it is by its beginning; "unknown" of another one."""
        return PREFIXES.get(self.id.reveal()[:2], "unknown")
