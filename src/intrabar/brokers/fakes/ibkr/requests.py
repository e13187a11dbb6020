"""What clients of Trader Workstation send, read by position at server version 178."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from intrabar.brokers.fakes.account import Order

TYPES = {"MKT": "market", "LMT": "limit", "STP": "stop", "STP LMT": "stop_limit", "MOC": "moc"}
_CONTRACT = (
    "con_id", "symbol", "kind", "expiry", "strike", "right", "multiplier", "exchange", "primary",
    "currency", "local", "trading",
)  # fmt: skip


def contract(fields: list[str], at: int) -> dict[str, str]:
    """The twelve fields of a contract, from a place on."""
    return dict(zip(_CONTRACT, fields[at : at + 12], strict=True))


@dataclass(frozen=True)
class Placed:
    """Frame 3: a new order, or what an order is to be."""

    number: int
    contract: dict[str, str]
    action: str
    qty: float
    type: str
    limit: float
    stop: float
    tif: str
    oca: str
    account: str
    ref: str
    transmit: bool
    parent: int
    outside: bool
    until: int
    oca_type: int

    @classmethod
    def read(cls, f: list[str]) -> Placed:
        """Read a frame."""
        return cls(
            int(f[1]), contract(f, 2), f[16], float(f[17]), f[18], _price(f[19]), _price(f[20]),
            f[21], f[22], f[23], f[26], f[27] == "1", int(f[28] or 0), f[33] == "1",
            _instant(f[38]), int(f[46] or 0),
        )  # fmt: skip

    def order(self, symbol: str, held: float, parent: str) -> Order:
        """What it is in an account that holds so much; `parent` is the client id of its entry."""
        side = 1 if self.action == "BUY" else -1
        return Order(
            "",
            self.ref,
            symbol,
            side,
            TYPES[self.type],
            self.qty,
            self.limit if self.type in ("LMT", "STP LMT") else math.nan,
            self.stop if self.type in ("STP", "STP LMT") else math.nan,
            self.tif.lower(),
            self.until,
            opens=not parent and side * held >= 0.0,
            parent=parent,
            group=self.oca,
        )


def _price(text: str) -> float:
    return float(text) if text else math.nan


def _instant(text: str) -> int:
    """`20250415-19:38:31` is UTC."""
    if not text:
        return 0
    moment = datetime.strptime(text, "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC)
    return round(moment.timestamp()) * 1_000_000_000
