"""Read what was journalled, in pieces, so that no reader stays open for long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from intrabar.errors import IntegrityError, NotFoundError
from intrabar.journal.record import FIRST, Record, body_of, hash_of
from intrabar.store.engine import Store
from intrabar.store.tables import JOURNAL, SESSIONS

PIECE = 5_000  # records that are read at once
Row = dict[str, Any]


def sessions(store: Store) -> dict[str, Row]:
    """Name -> what the store knows of a session: `seq` and `hash` of its last record, ..."""
    with store.reading() as connection:
        rows = connection.execute(SESSIONS.select()).mappings().all()
    return {str(row["session"]): dict(row) for row in sorted(rows, key=lambda row: row["session"])}


def session_of(store: Store, name: str) -> Row:
    """What the store knows of one session.

    Raises
    ------
    NotFoundError
        It has no such session.
    """
    known = sessions(store)
    if name not in known:
        raise NotFoundError("session", name, known)
    return known[name]


def rows_of(store: Store, session: str, first: int = 1, last: int | None = None) -> Iterator[Row]:
    """The rows of a session from `first` to `last`, in their order."""
    after, names = first - 1, JOURNAL.columns.keys()
    while True:
        query = JOURNAL.select().where(JOURNAL.c.session == session, JOURNAL.c.seq > after)
        if last is not None:
            query = query.where(JOURNAL.c.seq <= last)
        with store.reading() as connection:
            piece = connection.execute(query.order_by(JOURNAL.c.seq).limit(PIECE)).all()
        for row in piece:
            yield dict(zip(names, row, strict=True))
        if len(piece) < PIECE:
            return
        after = int(piece[-1].seq)


def read(store: Store, session: str, first: int = 1) -> Iterator[Record]:
    """The records of a session, their chain checked on the way.

    Parameters
    ----------
    store : Store
    session : str
    first : int
        Number of the first; of one behind the start the hash is taken as it is.

    Raises
    ------
    IntegrityError
        A record is not the one that was written; those before it were given.
    """
    before = b"" if first > 1 else FIRST
    for seq, row in enumerate(rows_of(store, session, first), start=first):
        bad = wrong_in(row, seq, before)
        if bad:
            raise IntegrityError(
                f"{store.address}: journal {session!r}: {bad}; the last good one is {seq - 1}. "
                "intrabar journal verify says more, intrabar journal restore takes a backup"
            )
        before = row["hash"]
        yield Record(**{**row, "body": body_of(row["body"])})


def wrong_in(row: Row, seq: int, before: bytes) -> str:
    """What is wrong with a row, or nothing; an empty hash before: the hash is not checked."""
    if row["seq"] != seq:
        return f"record {seq} is missing: after {seq - 1} comes {row['seq']}"
    fields = [row[name] for name in ("session", "seq", "at", "bar", "step", "kind", "body")]
    if None in fields or (before and hash_of(before, *fields) != row["hash"]):
        return f"record {seq} ({row['kind']}) is not what was written"
    return ""
