"""A backup: the tables as Parquet, in a form that both databases make and take.

`objects/<SHA-256>` has the content, `backups/<time>-<digest>.json` says what belongs together. The
records of a session are cut at the same numbers each time, so that only what is new costs.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from msgspec import Struct

from intrabar.errors import IntegrityError, StateError, StoreError
from intrabar.journal import objects
from intrabar.journal.parquet import Row, parquet_of, rows_in
from intrabar.journal.verifying import chain_of, differing, worked_out
from intrabar.store.address import Address
from intrabar.store.dialects import copy_file
from intrabar.store.engine import Connection, Store
from intrabar.store.migrate import check_format
from intrabar.store.tables import JOURNAL, PROJECTIONS, SESSIONS, in_order, of
from intrabar.version import __version__

BACKUPS = "backups"  # the folder in a session's
FORMAT = 1
PROGRAM = "0.1.0"  # the oldest that reads it
NAME = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}\.json")
EXAMPLE = "20260102T210000Z-0a1b2c3d.json"
CUT = 50_000  # records in one object


class Part(Struct, frozen=True):
    """An object: rows of one session, of the journal those numbered `first` to `last`."""

    object: str
    size: int
    rows: int
    session: str
    first: int = 0
    last: int = 0


class End(Struct, frozen=True):
    """Where a session stood: number, hash and time (ns) of its last record."""

    last: int
    hash: str
    at: int


class Manifest(Struct, frozen=True):
    """What a backup holds.

    Parameters
    ----------
    format, program
        The form, and the oldest program that reads it.
    made : int, ns
    what : tuple of str
    database : str
        It was made of.
    tables : dict
        Table -> its objects.
    sessions : dict
        Name -> where it stood.
    """

    format: int
    program: str
    made: int
    what: tuple[str, ...]
    database: str
    tables: dict[str, list[Part]]
    sessions: dict[str, End]


def backup(store: Store, into: Path, now: int) -> Path:
    """Back all sessions up, also while they are written.

    Parameters
    ----------
    store : Store
    into : Path
        The folder of the backups.
    now : int, ns since 1970 UTC

    Returns
    -------
    Path
        Of the manifest.

    Raises
    ------
    StateError
        There is nothing to back up.
    StoreError
        The database is away, or the folder cannot be written.
    IntegrityError
        The database is damaged, or newer than the program.
    """
    if not check_format(store):
        raise StateError(f"{store.address}: there is no journal to back up")
    tables: dict[str, list[Part]] = {}
    sessions: dict[str, End] = {}
    try:
        into.mkdir(parents=True, exist_ok=True)
        with _one_state(store, into) as connection:
            for known in map(dict, connection.execute(SESSIONS.select()).mappings()):
                name = str(known["session"])
                parts = tables.setdefault(SESSIONS.name, [])
                parts.append(_part_of(into, SESSIONS.name, name, [known]))
                end = _keep_session(connection, into, name, tables)
                sessions[name] = End(int(known["seq"]), bytes(known["hash"]).hex(), end)
    except OSError as error:
        raise StoreError(f"{into} cannot be written: {error.strerror or error}") from None
    kind = "sqlite" if store.address.path is not None else "postgresql"
    manifest = Manifest(FORMAT, PROGRAM, now, ("journal",), kind, tables, sessions)
    content = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    time = datetime.fromtimestamp(now // 1_000_000_000, UTC)
    path = into / BACKUPS / f"{time:%Y%m%dT%H%M%SZ}-{_short(content)}.json"
    objects.write_whole(path, content)
    return path


def read_manifest(path: Path) -> Manifest:
    """What a backup holds.

    Raises
    ------
    StateError
        There is none, or it is called like none.
    IntegrityError
        It is not what was written, or newer than the program.
    """
    if not NAME.fullmatch(path.name):
        raise StateError(f"{path} is no backup: a manifest is called like {EXAMPLE}")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StateError(f"{path} is no backup: {error.strerror}") from None
    try:
        found = msgspec.json.decode(content)
        number, program = int(found["format"]), str(found["program"])
    except (msgspec.DecodeError, ValueError, TypeError, KeyError):
        raise IntegrityError(f"{path} is no manifest of a backup") from None
    if number > FORMAT:
        raise IntegrityError(
            f"{path}: format {number}, Intrabar {__version__} reads up to {FORMAT}; "
            f"install {program} or newer"
        )
    if path.stem.rsplit("-", 1)[-1] != _short(content):
        raise IntegrityError(f"{path} is not what was written: its name has another digest")
    try:
        return msgspec.json.decode(content, type=Manifest)
    except msgspec.ValidationError as error:
        raise IntegrityError(f"{path}: {error}") from None


def verify_backup(path: Path, *, deep: bool = False) -> Manifest:
    """Check that all of a backup is there.

    Parameters
    ----------
    path : Path
        Of its manifest.
    deep : bool
        Also every content, the chain of every session, and that the tables are what comes out
        when they are worked out again.

    Raises
    ------
    IntegrityError
        The object, the session or the table that is wrong.
    """
    manifest = read_manifest(path)
    folder = path.parent.parent
    for part in (part for parts in manifest.tables.values() for part in parts):
        objects.look(folder, part.object, part.size)
    if deep:
        for session, end in manifest.sessions.items():
            _check_session(folder, manifest, session, end)
    return manifest


def rows_of(folder: Path, manifest: Manifest, table: str, session: str) -> Iterator[Row]:
    """The rows of a session in a backup, in their order.

    Raises
    ------
    IntegrityError
        An object is missing, or not what was written.
    """
    for part in manifest.tables.get(table, []):
        if part.session == session:
            content = objects.get(folder, part.object)
            rows = rows_in(table, content, str(folder / "objects" / part.object))
            if len(rows) != part.rows:
                raise IntegrityError(f"object {part.object} has {len(rows)} rows, not {part.rows}")
            yield from rows


@contextmanager
def _one_state(store: Store, into: Path) -> Iterator[Connection]:
    """A connection that sees one state however long it is used; of SQLite a copy of the file."""
    if store.address.path is None:
        with store.reading() as connection:
            yield connection
        return
    with TemporaryDirectory(prefix=".copy-", dir=into) as folder:
        path = Path(folder) / "journal.db"
        copy_file(store.address.path, path)
        copy = Store(Address(store.address.url, path))
        try:
            with copy.reading() as connection:
                yield connection
        finally:
            copy.close()


def _keep_session(
    connection: Connection, into: Path, session: str, tables: dict[str, list[Part]]
) -> int:
    """Keep the rows of a session; the time of its last record."""
    last = 0
    for first in range(1, 1 << 62, CUT):
        numbers = JOURNAL.c.seq.between(first, first + CUT - 1)
        query = of(session, JOURNAL).where(numbers).order_by(JOURNAL.c.seq)
        rows = [dict(row) for row in connection.execute(query).mappings()]
        if not rows:
            break
        last = rows[-1]["at"]
        tables.setdefault(JOURNAL.name, []).append(_part_of(into, JOURNAL.name, session, rows))
    for table in PROJECTIONS:
        keys = list(table.primary_key)
        query = of(session, table).order_by(*keys)
        rows = [dict(row) for row in connection.execute(query).mappings()]
        if rows:
            tables.setdefault(table.name, []).append(_part_of(into, table.name, session, rows))
    return last


def _part_of(into: Path, table: str, session: str, rows: list[Row]) -> Part:
    content = parquet_of(table, rows)
    ends = (rows[0]["seq"], rows[-1]["seq"]) if table == JOURNAL.name else (0, 0)
    return Part(objects.put(into, content), len(content), len(rows), session, *ends)


def _check_session(folder: Path, manifest: Manifest, session: str, end: End) -> None:
    [known] = rows_of(folder, manifest, SESSIONS.name, session)
    if known["archived"] is not None:
        return
    if (known["seq"], bytes(known["hash"]).hex()) != (end.last, end.hash):
        raise IntegrityError(f"{session}: table sessions and the manifest name another end")
    verdict = chain_of(session, known, rows_of(folder, manifest, JOURNAL.name, session))
    why = verdict.sentence if verdict.why else ""
    if not why:
        found: dict[str, list[Any]] = {
            table.name: in_order(table, rows_of(folder, manifest, table.name, session))
            for table in PROJECTIONS
        }
        why = differing(
            found, worked_out(session, rows_of(folder, manifest, JOURNAL.name, session))
        )
    if why:
        raise IntegrityError(f"backup of {session!r}: {why}")


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:8]
