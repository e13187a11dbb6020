"""Format 1: the journal, who may write it, and what is worked out of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from intrabar.store.triggers import keep_journal

revision = "1"
down_revision = None
branch_labels = None
depends_on = None

TABLES: dict[str, tuple[dict[str, type], dict[str, type]]] = {  # keys, other columns
    "format": ({"format": sa.BigInteger}, {"program": sa.Text}),
    "leases": (
        {"name": sa.Text},
        {
            "fence": sa.BigInteger,
            "owner": sa.Text,
            "until": sa.BigInteger,
            "proof": sa.Text,
            "locked": sa.BigInteger,
            "host": sa.Text,
            "pid": sa.BigInteger,
        },
    ),
    "sessions": (
        {"session": sa.Text},
        {
            "seq": sa.BigInteger,
            "hash": sa.LargeBinary,
            "lease": sa.Text,
            "archived": sa.Text,
            "restored": sa.BigInteger,
        },
    ),
    "journal": (
        {"session": sa.Text, "seq": sa.BigInteger},
        {
            "at": sa.BigInteger,
            "bar": sa.BigInteger,
            "step": sa.BigInteger,
            "kind": sa.Text,
            "body": sa.Text,
            "hash": sa.LargeBinary,
        },
    ),
    "orders": (
        {"session": sa.Text, "number": sa.BigInteger},
        {
            "strategy": sa.Text,
            "symbol": sa.Text,
            "side": sa.Text,
            "type": sa.Text,
            "tif": sa.Text,
            "qty": sa.Double,
            "filled": sa.Double,
            "status": sa.Text,
            "reject": sa.Text,
            "limit_price": sa.Double,
            "stop_price": sa.Double,
            "role": sa.Text,
            "oco": sa.BigInteger,
            "created": sa.BigInteger,
            "changed": sa.BigInteger,
            "seq": sa.BigInteger,
        },
    ),
    "fills": (
        {"session": sa.Text, "seq": sa.BigInteger},
        {
            "at": sa.BigInteger,
            "bar": sa.BigInteger,
            "step": sa.BigInteger,
            "number": sa.BigInteger,
            "order_number": sa.BigInteger,
            "strategy": sa.Text,
            "symbol": sa.Text,
            "side": sa.Text,
            "qty": sa.Double,
            "price": sa.Double,
            "cost": sa.Double,
            "reason": sa.Text,
            "phase": sa.Text,
            "time": sa.BigInteger,
            "position": sa.Double,
            "realized": sa.Double,
            "point_value": sa.Double,
        },
    ),
    "trades": (
        {"session": sa.Text, "seq": sa.BigInteger, "part": sa.BigInteger},
        {
            "strategy": sa.Text,
            "symbol": sa.Text,
            "side": sa.Text,
            "open_seq": sa.BigInteger,
            "open_bar": sa.BigInteger,
            "close_bar": sa.BigInteger,
            "open_time": sa.BigInteger,
            "close_time": sa.BigInteger,
            "qty": sa.Double,
            "open_price": sa.Double,
            "close_price": sa.Double,
            "gross": sa.Double,
            "costs": sa.Double,
            "net": sa.Double,
        },
    ),
    "positions": (
        {"session": sa.Text, "strategy": sa.Text, "symbol": sa.Text},
        {
            "qty": sa.Double,
            "average": sa.Double,
            "realized": sa.Double,
            "costs": sa.Double,
            "time": sa.BigInteger,
            "seq": sa.BigInteger,
            "lots": sa.Text,
        },
    ),
    "equity": (
        {"session": sa.Text, "row": sa.BigInteger},
        {"time": sa.BigInteger, "equity": sa.Double, "cash": sa.Double, "seq": sa.BigInteger},
    ),
    "submissions": (
        {"session": sa.Text, "seq": sa.BigInteger},
        {
            "at": sa.BigInteger,
            "bar": sa.BigInteger,
            "step": sa.BigInteger,
            "number": sa.BigInteger,
            "kind": sa.Text,
            "strategy": sa.Text,
            "symbol": sa.Text,
            "side": sa.Text,
            "qty": sa.Double,
            "type": sa.Text,
            "limit_price": sa.Double,
            "stop_price": sa.Double,
            "order_number": sa.BigInteger,
            "client_id": sa.Text,
            "request": sa.Text,
            "verdict": sa.Text,
            "rule": sa.Text,
            "scope": sa.Text,
            "value": sa.Double,
            "limit_value": sa.Double,
            "text": sa.Text,
            "answer": sa.Text,
            "answer_text": sa.Text,
            "vendor_id": sa.Text,
            "answered": sa.BigInteger,
        },
    ),
}


def upgrade() -> None:
    """Make them."""
    for name, (keys, columns) in TABLES.items():
        op.create_table(
            name,
            *(
                sa.Column(key, kind(), primary_key=True, autoincrement=False, nullable=False)
                for key, kind in keys.items()
            ),
            *(sa.Column(column, kind()) for column, kind in columns.items()),
        )
    keep_journal(op.get_bind())
    op.execute("INSERT INTO format (format, program) VALUES (1, '0.1.0')")
