"""Frames as Trader Workstation sends them, at server version 178: `|` stands for the NUL.

They are written after frames that others have recorded, and compared with them field by field
(`tests/brokers/ibkr/test_recorded.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from intrabar.brokers.fakes.ibkr.contracts import Contract

UNSET = "1.7976931348623157E308"
NO_INT, NO_LONG = "2147483647", "9223372036854775807"

_OPEN = (
    "5|{number}|{con_id}|{symbol}|{kind}|{expiry}|0|?|{multiplier}|{exchange}|{currency}|{local}|"
    "{trading}|{action}|{qty}|{type}|{limit}|{stop}|{tif}|{oca}|{account}||0|{ref}|{client}|{perm}|"
    "{outside}|0|0||{perm}.0/{account}/{client}|||||{until}||||0||-1|0||||||" + NO_INT + "|0|0|0||"
    "{oca_type}|0|0||{parent}|0||0|None||0||||?|0|0||0|0||||||0|0|0|"
    + f"{NO_INT}|{NO_INT}|||0||IB|0|0||0|0|"
    + "{status}|"
    + f"{UNSET}|" * 9
    + "{commission}|||{paid}||0|0|0|None|"
    + f"{UNSET}|" * 6
    + "0||||0|1|0|0|0|||0||{least}|{compete}|||"
)
_COMPLETED = (
    "101|{con_id}|{symbol}|{kind}|{expiry}|0|?|{multiplier}|{exchange}|{currency}|{local}|{trading}|"
    "{action}|{qty}|{type}|{limit}|{stop}|{tif}|{oca}|{account}||0|{ref}|{perm}|{outside}|0|0||||"
    "||{until}||||0||-1||||||" + NO_INT + "|0|0||{oca_type}|0||0|None||0|0|0||0|0||||0|0|0|"
    f"{NO_INT}|{NO_INT}||||IB|0|0||0|" + "{status}|0|0|0|" + f"{UNSET}|{UNSET}|0|1|0||"
    "{filled}|" + f"{NO_INT}|0|Not an insider or substantial shareholder|0|0|{NO_LONG}|"
    "{time}|{text}||||||"
)
_DETAILS = (
    "10|{request}|{symbol}|{kind}|{expiry}|0||{exchange}|{currency}|{local}|{market}|{trading}|"
    "{con_id}|{tick}|{multiplier}|{types}|{exchanges}|{magnifier}|0|{name}|{primary}|{month}||||"
    "US/Eastern|{hours}|{hours}|||{ids}|1|||{rules}||{stock_type}|{lot}|{lot}|{lot}|"
)
TYPES = "ACTIVETIM,ADJUST,ALLOC,DAY,FOK,GTC,GTD,IOC,LMT,MKT,MOC,OCA,STP,STPLMT,TRAIL,WHATIF"


def fields(text: str) -> list[str]:
    """A frame that is written with `|`, as fields."""
    found = text.split("|")
    found.pop()
    return found


def plain(value: float) -> str:
    """A number as TWS writes it: whole ones without a point."""
    return str(int(value)) if value == int(value) else repr(value)


def open_order(contract: Contract, **said: Any) -> list[str]:
    """Frame 5: an order that TWS has."""
    values: dict[str, Any] = {
        "expiry": "", "multiplier": "", "limit": "0.0", "stop": "0.0", "tif": "DAY", "oca": "",
        "ref": "", "client": 0, "outside": 0, "until": "", "oca_type": 3, "parent": 0,
        "commission": "", "paid": "", "least": "", "compete": "",
    }  # fmt: skip
    return fields(_OPEN.format(**{**values, **contract.as_fields(), **said}))


def completed_order(contract: Contract, **said: Any) -> list[str]:
    """Frame 101: an order that is over."""
    values: dict[str, Any] = {
        "expiry": "", "multiplier": "", "limit": "0.0", "stop": "0.0", "tif": "DAY", "oca": "",
        "ref": "", "outside": 0, "until": "", "oca_type": 3, "filled": "0",
    }  # fmt: skip
    return fields(_COMPLETED.format(**{**values, **contract.as_fields(), **said}))


def status(
    number: int,
    word: str,
    filled: float,
    rest: float,
    average: float,
    perm: int,
    client: int,
    *,
    parent: int = 0,
    last: float = 0.0,
    held: str = "",
) -> list[str]:
    """Frame 3: how an order stands."""
    counts = (plain(filled), plain(rest), plain(average), perm, parent, plain(last), client)
    return _texts(3, number, word, *counts, held, 0)


def execution(request: int, number: int, contract: Contract, **said: Any) -> list[str]:
    """Frame 11: a fill; `request` is -1 where it has just happened."""
    c = contract
    return _texts(
        11, request, number, c.con_id, c.symbol, c.kind, c.expiry, "0.0", "", c.multiplier,
        said["exchange"], c.currency, c.local, c.trading, said["id"], said["time"],
        said["account"], said["exchange"], said["side"], plain(said["qty"]),
        plain(said["price"]), said["perm"], said["client"], 0, plain(said["total"]),
        plain(said["average"]), said.get("ref", ""), "", "", "", 2, 0,
    )  # fmt: skip


def commission(id_: str, amount: str, currency: str) -> list[str]:
    """Frame 59: what a fill has cost."""
    return _texts(59, 1, id_, amount, currency, UNSET, UNSET, "")


def notice(number: int, code: int, text: str) -> list[str]:
    """Frame 4: a remark or an error."""
    return _texts(4, 2, number, code, text, "")


def position(account: str, contract: Contract, qty: float, cost: float) -> list[str]:
    """Frame 61: what an account holds, and what a contract of it has cost."""
    c = contract
    return _texts(
        61, 3, account, c.con_id, c.symbol, c.kind, c.expiry, "0.0", "", c.multiplier,
        c.primary, c.currency, c.local, c.trading, plain(qty), plain(cost),
    )  # fmt: skip


def figure(request: int, account: str, tag: str, value: str, currency: str) -> list[str]:
    """Frame 63: a figure of an account."""
    return _texts(63, 1, request, account, tag, value, currency)


def details(request: int, contract: Contract) -> list[str]:
    """Frame 10: a contract."""
    c = contract
    said = {
        **c.as_fields(), "request": request, "market": c.trading, "tick": c.tick, "types": TYPES,
        "exchanges": c.exchange, "magnifier": c.magnifier, "name": c.name, "primary": c.primary,
        "month": c.expiry[:6], "hours": "20250324:0930-20250324:1600", "ids": 0, "rules": "26",
        "stock_type": "COMMON" if c.kind == "STK" else "", "lot": c.lot,
    }  # fmt: skip
    return fields(_DETAILS.format(**said))


Row = tuple[str, float, float, float, float, float]
"""A bar: its start, open, high, low, close, volume."""


def history(request: int, start: str, end: str, rows: Iterable[Row]) -> list[str]:
    """Frame 17: bars."""
    bars = list(rows)
    told = _texts(17, request, start, end, len(bars))
    for at, open_, high, low, close, volume in bars:
        told += _texts(at, open_, high, low, close, volume, close, 1)
    return told


def update(request: int, row: Row) -> list[str]:
    """Frame 90: the newest bar as it is now; its prices stand in another order than in 17."""
    at, open_, high, low, close, volume = row
    return _texts(90, request, 1, at, open_, close, high, low, close, volume)


def price_tick(request: int, kind: int, price: float) -> list[str]:
    """Frame 1: a price of a quote."""
    return _texts(1, 6, request, kind, price, 0, 0)


def size_tick(request: int, kind: int, size: float) -> list[str]:
    """Frame 2: a size of a quote."""
    return _texts(2, 6, request, kind, plain(size))


def text_tick(request: int, kind: int, text: str) -> list[str]:
    """Frame 46: a text of a quote."""
    return _texts(46, 6, request, kind, text)


def end(kind: int, *more: Any) -> list[str]:
    """A frame that ends an answer: 53, 62, 64, 52, 55, 57 have a version, 102 has none."""
    return _texts(kind, *(() if kind == 102 else (1,)), *more)


def accounts(*ids: str) -> list[str]:
    """Frame 15: the accounts of the login."""
    return _texts(15, 1, ",".join(ids))


def next_number(number: int) -> list[str]:
    """Frame 9: the first number that a new order may have."""
    return _texts(9, 1, number)


def time_now(seconds: int) -> list[str]:
    """Frame 49: what time it is at TWS."""
    return _texts(49, 1, seconds)


def _texts(*values: Any) -> list[str]:
    return [str(value) for value in values]
