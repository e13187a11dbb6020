"""Where TradeStation is: the real accounts, the simulated ones, and where tokens are given."""

from __future__ import annotations

from typing import Literal, NamedTuple

NAME = "tradestation"


class Service(NamedTuple):
    """Hosts that belong together.

    Parameters
    ----------
    kind : "live" or "paper"
        What the accounts behind `api` are.
    api, sign_in : str
        Addresses without a slash at the end.
    """

    kind: Literal["live", "paper"]
    api: str
    sign_in: str


SIGN_IN = "https://signin.tradestation.com"
LIVE = Service("live", "https://api.tradestation.com/v3", SIGN_IN)
PAPER = Service("paper", "https://sim-api.tradestation.com/v3", SIGN_IN)
AUDIENCE = "https://api.tradestation.com"
"""Of a login: the same for both."""
