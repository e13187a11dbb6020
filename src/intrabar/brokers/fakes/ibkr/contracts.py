"""What can be traded at the fake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Contract:
    """A contract, by IB's number and names."""

    con_id: int
    symbol: str
    kind: str
    local: str
    exchange: str
    primary: str
    currency: str = "USD"
    trading: str = ""
    expiry: str = ""
    multiplier: str = ""
    tick: float = 0.01
    lot: float = 1.0
    magnifier: int = 1
    name: str = ""

    def as_fields(self) -> dict[str, Any]:
        """What frames say of it."""
        names = (
            "con_id", "symbol", "kind", "expiry", "multiplier", "exchange", "currency", "local",
            "trading",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}

    def fits(self, asked: Mapping[str, str]) -> bool:
        """Whether a description, of which blanks say nothing, is one of it."""
        expiry = asked["expiry"]
        said = (
            (asked["con_id"], "0", str(self.con_id)),
            (asked["symbol"], "", self.symbol),
            (asked["kind"], "", self.kind),
            (asked["local"], "", self.local),
            (asked["currency"], "", self.currency),
            (expiry, "", self.expiry[: len(expiry)]),
        )
        return all(value in (blank, mine) for value, blank, mine in said)


def stock(con_id: int, symbol: str, name: str = "", **more: Any) -> Contract:
    """A share of the United States."""
    said = {"lot": 0.0001, **more}
    return Contract(
        con_id, symbol, "STK", symbol, "SMART", "NASDAQ", trading="NMS", name=name, **said
    )


CONTRACTS = {
    "AAPL": stock(265598, "AAPL", "APPLE INC"),
    "MSFT": stock(272093, "MSFT", "MICROSOFT CORP"),
    "ESZ6": Contract(
        649180678,
        "ES",
        "FUT",
        "ESZ6",
        "CME",
        "",
        trading="ES",
        expiry="20261218",
        multiplier="50",
        tick=0.25,
        name="E-mini S&P 500",
    ),
    "EURUSD": Contract(
        12087792,
        "EUR",
        "CASH",
        "EUR.USD",
        "IDEALPRO",
        "",
        trading="EUR.USD",
        tick=0.00005,
        name="European Monetary Union Euro",
    ),
}
"""By our names."""
