"""Ended sessions as one Parquet file each, out of the database's way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from intrabar.errors import IntegrityError, StateError
from intrabar.journal.objects import write_whole
from intrabar.journal.parquet import parquet_of, rows_in
from intrabar.journal.reading import rows_of, session_of, wrong_in
from intrabar.journal.record import FIRST, Record, body_of
from intrabar.journal.verifying import chain_of, check
from intrabar.store.engine import HOUR, Connection, Store, execute
from intrabar.store.lease import take
from intrabar.store.tables import JOURNAL
from intrabar.store.triggers import free_journal, keep_journal

ENDED = "session.stopped"  # the kind of the last record of a session that has ended


def archive(
    store: Store, session: str, into: Path, folder: Path, now: int, *, delete: bool = False
) -> Path:
    """Write the records of a session that has ended to a file, and read it again to be sure.

    Parameters
    ----------
    store : Store
    session : str
    into : Path
        The folder of the archives.
    folder : Path
        Of the session.
    now : int, ns since 1970 UTC
    delete : bool
        Take them out of the database then. The tables that were worked out of them stay.

    Returns
    -------
    Path
        Of the file; `read_archive` reads it.

    Raises
    ------
    StateError
        The session runs, has not ended, or is archived already.
    IntegrityError
        A record is not what was written; nothing is deleted.
    StoreError
        The database is away, or the folder cannot be written.
    """
    known = session_of(store, session)
    if known["archived"] is not None:
        raise StateError(f"{session!r} is archived already, in {known['archived']}")
    lease = take(store, str(known["lease"]), now, folder)
    try:
        rows = list(rows_of(store, session))
        check([chain_of(session, known, rows)])
        if not rows or rows[-1]["kind"] != ENDED:
            found = rows[-1]["kind"] if rows else "nothing"
            raise StateError(
                f"{session!r} has not ended: its last record is {found}; stop it first"
            )
        path = into / f"{quote(session, safe='')}-{_short(bytes(known['hash']))}.parquet"
        write_whole(path, parquet_of(JOURNAL.name, rows))
        if sum(1 for _ in read_archive(path)) != len(rows):
            raise IntegrityError(f"{path} has not all records of {session!r}")

        def work(connection: Connection) -> None:
            lease.check(connection)
            free_journal(connection)
            execute(connection, "DELETE FROM journal WHERE session = ?", [session])
            keep_journal(connection)
            moved = "UPDATE sessions SET archived = ? WHERE session = ?"
            execute(connection, moved, [str(path.absolute()), session])

        if delete:
            store.write(work, within=HOUR)
        return path
    finally:
        lease.give_back()


def read_archive(path: Path) -> Iterator[Record]:
    """The records of an archived session, their chain checked, and at its end that it is whole.

    Raises
    ------
    IntegrityError
        One is not what was written, or is missing; or the file was given another name.
    StateError
        There is no such file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StateError(f"{path} is no archive: {error.strerror}") from None
    before = FIRST
    for number, row in enumerate(rows_in(JOURNAL.name, content, str(path)), start=1):
        why = wrong_in(row, number, before)
        if why:
            raise IntegrityError(f"{path}: {why}")
        before = row["hash"]
        yield Record(**{**row, "body": body_of(row["body"])})
    if path.stem.rsplit("-", 1)[-1] != _short(before):
        raise IntegrityError(f"{path} is not what was written: its name has another last record")


def _short(hash_: bytes) -> str:
    """How the name of an archive tells its last record: no chain shows that its end is gone."""
    return hash_.hex()[:8]
