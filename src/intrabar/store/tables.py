"""The tables of a store as they are now; `migrations` has how they came to be.

Times are ns since 1970 UTC. `journal` is the truth; `sessions` says where it ends, `leases` who may
write; the others are worked out from it, and can be again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import BigInteger, Column, Double, LargeBinary, MetaData, Select, Table, Text

METADATA = MetaData()


def _table(name: str, *keys: Column[object], **columns: type) -> Table:
    rest: list[Column[object]] = [Column(column, kind) for column, kind in columns.items()]
    return Table(name, METADATA, *keys, *rest)


def _key(name: str, kind: type = BigInteger) -> Column[object]:
    return Column(name, kind, primary_key=True, autoincrement=False, nullable=False)


# One row: the form of these tables, and the oldest program that reads it.
FORMAT = _table("format", _key("format"), program=Text)

LEASES = _table(
    "leases",
    _key("name", Text),
    fence=BigInteger,
    owner=Text,  # drawn at random by who took it; empty: given back
    until=BigInteger,
    proof=Text,  # host, boot and file of the lock that ends with the process; empty: none
    locked=BigInteger,  # 1: its connection to PostgreSQL has a lock that ends with it
    host=Text,
    pid=BigInteger,
)

SESSIONS = _table(
    "sessions",
    _key("session", Text),
    seq=BigInteger,  # of the last record, 0 before the first
    hash=LargeBinary,
    lease=Text,
    archived=Text,  # the file in which its records are now
    restored=BigInteger,  # when it came from a backup
)

JOURNAL = _table(
    "journal",
    _key("session", Text),
    _key("seq"),
    at=BigInteger,
    bar=BigInteger,
    step=BigInteger,
    kind=Text,
    body=Text,
    hash=LargeBinary,
)

ORDERS = _table(
    "orders",
    _key("session", Text),
    _key("number"),
    strategy=Text,
    symbol=Text,
    side=Text,
    type=Text,
    tif=Text,
    qty=Double,
    filled=Double,
    status=Text,
    reject=Text,
    limit_price=Double,
    stop_price=Double,
    role=Text,
    oco=BigInteger,
    created=BigInteger,
    changed=BigInteger,
    seq=BigInteger,
)

FILLS = _table(
    "fills",
    _key("session", Text),
    _key("seq"),
    at=BigInteger,
    bar=BigInteger,
    step=BigInteger,
    number=BigInteger,
    order_number=BigInteger,
    strategy=Text,
    symbol=Text,
    side=Text,
    qty=Double,
    price=Double,
    cost=Double,
    reason=Text,
    phase=Text,
    time=BigInteger,
    position=Double,
    realized=Double,
    point_value=Double,
)

TRADES = _table(
    "trades",
    _key("session", Text),
    _key("seq"),  # of the fill that closed it
    _key("part"),  # a fill may close several
    strategy=Text,
    symbol=Text,
    side=Text,
    open_seq=BigInteger,
    open_bar=BigInteger,
    close_bar=BigInteger,
    open_time=BigInteger,
    close_time=BigInteger,
    qty=Double,
    open_price=Double,
    close_price=Double,
    gross=Double,
    costs=Double,
    net=Double,
)

POSITIONS = _table(
    "positions",
    _key("session", Text),
    _key("strategy", Text),
    _key("symbol", Text),
    qty=Double,
    average=Double,
    realized=Double,
    costs=Double,
    time=BigInteger,
    seq=BigInteger,
    lots=Text,  # open ones, the oldest first, as JSON
)

EQUITY = _table(
    "equity",
    _key("session", Text),
    _key("row"),
    time=BigInteger,
    equity=Double,
    cash=Double,
    seq=BigInteger,
)

SUBMISSIONS = _table(
    "submissions",
    _key("session", Text),
    _key("seq"),
    at=BigInteger,
    bar=BigInteger,
    step=BigInteger,
    number=BigInteger,  # of the command at its place
    kind=Text,
    strategy=Text,
    symbol=Text,
    side=Text,
    qty=Double,
    type=Text,
    limit_price=Double,
    stop_price=Double,
    order_number=BigInteger,
    client_id=Text,
    request=Text,
    verdict=Text,  # passed or refused
    rule=Text,
    scope=Text,
    value=Double,
    limit_value=Double,
    text=Text,
    answer=Text,
    answer_text=Text,
    vendor_id=Text,
    answered=BigInteger,
)

PROJECTIONS = (ORDERS, FILLS, TRADES, POSITIONS, EQUITY, SUBMISSIONS)


def of(session: str, table: Table) -> Select[Any]:
    """The rows of one session."""
    return table.select().where(table.c.session == session)


def insert(table: Table) -> str:
    """The statement, of both databases, that writes a row; values in the order of the columns."""
    names = _quoted(table.columns)
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"


def upsert(table: Table) -> str:
    """The same, which writes over a row of that key; when an order was `created` stays."""
    keys = _quoted(table.primary_key)
    rest = [name for name in _quoted(table.columns) if name not in (*keys, '"created"')]
    changed = ", ".join(f"{name} = excluded.{name}" for name in rest)
    return f"{insert(table)} ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changed}"


def values_of(table: Table) -> Callable[[Mapping[str, Any]], Sequence[Any]]:
    """What takes the values out of a row, in the order of the columns."""
    return itemgetter(*(column.name for column in table.columns))


def in_order(table: Table, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows in the order of their keys: the two databases sort texts in ways of their own."""
    keys = [column.name for column in table.primary_key]
    return sorted(rows, key=lambda row: tuple(row[key] for key in keys))


def _quoted(columns: Iterable[Column[Any]]) -> list[str]:
    return [f'"{column.name}"' for column in columns]
