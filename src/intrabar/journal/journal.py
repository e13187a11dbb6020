"""The journal of a session: what happened, on disk before anything leaves.

A turn is one transaction: its records, tied to each other by their hashes, the tables that are
worked out of them, and the check that nobody else has taken the session.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Literal, NamedTuple, Self

from intrabar.errors import IntegrityError, StateError, StoreError
from intrabar.journal.backup import BACKUPS, backup
from intrabar.journal.projections import Fold, Rows, empty_rows, write_rows
from intrabar.journal.reading import read
from intrabar.journal.record import FIRST, Record, body_of, hash_of, text_of
from intrabar.model.entry import Entry
from intrabar.model.secret import Secret
from intrabar.store.address import address_of
from intrabar.store.engine import WITHIN, Connection, Store, execute, execute_many
from intrabar.store.lease import Lease, take
from intrabar.store.migrate import migrate
from intrabar.store.tables import (
    JOURNAL,
    POSITIONS,
    SESSIONS,
    SUBMISSIONS,
    insert,
    of,
)

_INSERT = insert(JOURNAL)
_BEGIN = (
    "INSERT INTO sessions (session, seq, hash, lease) VALUES (?, 0, ?, ?) "
    "ON CONFLICT (session) DO NOTHING"
)
_MOVE = "UPDATE sessions SET seq = ?, hash = ? WHERE session = ? AND seq = ? AND hash = ?"

Outcome = Literal["committed", "written again", "nothing open"]


class Head(NamedTuple):
    """Where a chain ends: number and hash of its last record."""

    seq: int
    hash: bytes


class _Batch(NamedTuple):
    """What one transaction writes."""

    before: Head
    after: Head
    records: list[tuple[object, ...]]
    rows: Rows


class Journal:
    """The journal of one session, open to be written by this process alone.

    Parameters
    ----------
    store : Store
    session : str
    lease : Lease
    head : Head
    fold : Fold
        What the records so far say.

    Attributes
    ----------
    commit_seconds : float
        How long the last `append` took in the database, s.
    """

    def __init__(self, store: Store, session: str, lease: Lease, head: Head, fold: Fold) -> None:
        self.store = store
        self.session = session
        self.lease = lease
        self.head = head
        self._fold: Fold | None = fold
        self._open: _Batch | None = None
        self.commit_seconds = 0.0

    def append(self, entries: Sequence[Entry]) -> int:
        """Commit the event and the records of a turn, all or none.

        Parameters
        ----------
        entries : sequence of Entry

        Returns
        -------
        int
            The number of the last record.

        Raises
        ------
        StoreError
            No answer within `commit_within`, or an error: whether they are committed is not
            known. Nothing more is appended before `reconcile_last`.
        IntegrityError
            Another process has the session, or the chain there is not ours.
        """
        if self._open is not None:
            raise StoreError(
                f"{self.store.address}: whether record {self._open.after.seq} is committed is not "
                "known yet; nothing is appended before it is"
            )
        if not entries:
            return self.head.seq
        self._open = batch = self._prepare(entries)
        try:
            self.store.write(lambda connection: self._commit(connection, batch))
        finally:
            self.commit_seconds = self.store.commit_seconds
        self.head, self._open = batch.after, None
        return self.head.seq

    def reconcile_last(self) -> Outcome:
        """At the next contact: find out what became of the last `append`, and see to it.

        What was sent before and is still on its way cannot be committed any more then: the chain
        does not end where it began.

        Returns
        -------
        "committed", "written again" or "nothing open"

        Raises
        ------
        StoreError
            The database is still away; to be asked again.
        IntegrityError
            Another process has the session, or the chain there is not ours.
        """
        batch = self._open

        def work(connection: Connection) -> Outcome:
            self.lease.check(connection)
            found = _head(connection, self.session)
            if batch is not None and found == batch.after:
                return "committed"
            if found != self.head:
                raise IntegrityError(
                    f"{self.store.address}: journal {self.session!r} ends with record {found.seq} "
                    f"({found.hash.hex()}), ours with {self.head.seq} ({self.head.hash.hex()})"
                )
            if batch is None:
                return "nothing open"
            self._write(connection, batch)
            return "written again"

        outcome = self.store.write(work)
        if batch is not None:
            self.head, self._open = batch.after, None
        return outcome

    def read(self, first: int = 1) -> Iterator[Record]:
        """The records, their chain checked; as `reading.read`."""
        return read(self.store, self.session, first)

    def renew(self, now: int) -> None:
        """Keep the session for 30 s more; to be called every 5 s. Raises as `Lease.renew`."""
        self.lease.renew(now)

    def close(self) -> None:
        """Give the session back, and end the connections."""
        try:
            self.lease.give_back()
        finally:
            self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        """Close it; where something went wrong, that is told, and not that closing failed too."""
        if kind is None:
            self.close()
            return
        with suppress(StoreError):
            self.close()

    def _prepare(self, entries: Sequence[Entry]) -> _Batch:
        if self._fold is None:
            self._fold = self.store.write(lambda connection: _fold(connection, self.session))
        fold, self._fold = self._fold, None  # what fails half way is read again
        records: list[tuple[object, ...]] = []
        rows = empty_rows()
        seq, hash_ = self.head
        for entry in entries:
            seq += 1
            body = text_of(entry.body)
            at, bar, step = int(entry.at), int(entry.bar), int(entry.step)  # those of NumPy too
            kind = entry.kind
            hash_ = hash_of(hash_, self.session, seq, at, bar, step, kind, body)
            records.append((self.session, seq, at, bar, step, kind, body, hash_))
            if kind in fold.kinds:
                fold.add(rows, seq, Entry(at, bar, step, kind, body_of(body)))
        self._fold = fold
        return _Batch(self.head, Head(seq, hash_), records, rows)

    def _commit(self, connection: Connection, batch: _Batch) -> None:
        self.lease.check(connection)
        self._write(connection, batch)

    def _write(self, connection: Connection, batch: _Batch) -> None:
        moved = (*batch.after, self.session, *batch.before)
        if execute(connection, _MOVE, moved).rowcount != 1:
            raise IntegrityError(
                f"{self.store.address}: journal {self.session!r} does not end with record "
                f"{batch.before.seq} as we left it; another program wrote to it"
            )
        execute_many(connection, _INSERT, batch.records)
        write_rows(connection, batch.rows)


def open_journal(
    url: str,
    session: str,
    folder: Path,
    now: int,
    *,
    lease: str | None = None,
    password: Secret | None = None,
    take_over: bool = False,
    commit_within: float = WITHIN,
) -> Journal:
    """Open the journal of a session to write it, and make what is not there.

    Parameters
    ----------
    url : str
        `store.url`: `sqlite:///sessions/main/journal.db`, `postgresql://user@host/database`.
    session : str
    folder : Path
        The session's.
    now : int, ns since 1970 UTC
    lease : str, optional
        What must be alone: with a broker "broker/account", else the session.
    password : Secret, optional
    take_over : bool
        Take the session from a process that lives.
    commit_within : float, s

    Raises
    ------
    StateError
        It runs already, or is archived.
    ConfigError
        The address, or a folder on a network file system.
    StoreError
        The database is away.
    IntegrityError
        It is newer than the program, damaged, or its end is not what was written.
    """
    store = Store(address_of(url, password), commit_within)
    try:
        migrate(store, now, lambda: backup(store, folder / BACKUPS, now))
        held = take(store, lease or session, now, folder, take_over=take_over)
    except BaseException:
        store.close()
        raise
    try:

        def work(connection: Connection) -> tuple[Head, Fold]:
            held.check(connection)
            execute(connection, _BEGIN, [session, FIRST, held.name])
            row = connection.execute(of(session, SESSIONS)).mappings().one()
            if row["archived"] is not None:
                raise StateError(
                    f"session {session!r} is archived in {row['archived']}; name another one"
                )
            return _head(connection, session), _fold(connection, session)

        head, fold = store.write(work)
    except BaseException:
        with closing(store):
            held.give_back()
        raise
    return Journal(store, session, held, head, fold)


def _head(connection: Connection, session: str) -> Head:
    """Where a chain ends by `sessions`, and that its last record is that one."""
    row = connection.execute(of(session, SESSIONS)).mappings().one()
    head = Head(int(row["seq"]), bytes(row["hash"]))
    query = of(session, JOURNAL).order_by(JOURNAL.c.seq.desc()).limit(1)
    last = connection.execute(query).mappings().first()
    found = Head(0, FIRST) if last is None else Head(int(last["seq"]), bytes(last["hash"]))
    if found != head:
        raise IntegrityError(
            f"journal {session!r} ends with record {found.seq}, and {head.seq} were written; "
            "`intrabar journal verify` says more"
        )
    return head


def _fold(connection: Connection, session: str) -> Fold:
    unanswered = SUBMISSIONS.c.answer.is_(None) | (SUBMISSIONS.c.answer == "unknown")
    requests = of(session, SUBMISSIONS).where(unanswered, SUBMISSIONS.c.client_id.is_not(None))
    positions, open_requests = (
        [dict(row) for row in connection.execute(query).mappings()]
        for query in (of(session, POSITIONS), requests)
    )
    return Fold(session, positions, open_requests)
