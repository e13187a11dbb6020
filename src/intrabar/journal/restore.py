"""Bring a backup back: into a new file, or an empty database of either kind."""

from __future__ import annotations

import os
from pathlib import Path

from intrabar.durable import sync_folder
from intrabar.errors import StateError, StoreError
from intrabar.journal.backup import Manifest, rows_of, verify_backup
from intrabar.journal.verifying import check, verify
from intrabar.model.secret import Secret
from intrabar.store.address import Address, address_of
from intrabar.store.engine import HOUR, Connection, Store, execute_many
from intrabar.store.migrate import migrate
from intrabar.store.tables import LEASES, METADATA, SESSIONS, insert, values_of


def restore(path: Path, url: str, now: int, password: Secret | None = None) -> Manifest:
    """Restore a backup, once it is verified to the last byte.

    Parameters
    ----------
    path : Path
        Of its manifest.
    url : str
        As of `store.url`: a SQLite file that is not there yet, or an empty database.
    now : int, ns since 1970 UTC
        Each session is marked as restored then.
    password : Secret, optional

    Returns
    -------
    Manifest
        What is there now; `sessions` says up to when.

    Raises
    ------
    IntegrityError
        The backup is damaged, or newer than the program; nothing is written.
    StateError
        There is something already, or somebody has a lease there; nothing is written.
    StoreError
        The database is away or full, or the file cannot be written; nothing is left.
    """
    manifest = verify_backup(path, deep=True)
    address = address_of(url, password)
    if address.path is None:
        _restore(path, manifest, address, now)
        return manifest
    try:
        _restore_file(path, manifest, address, address.path, now)
    except OSError as error:
        why = error.strerror or error
        raise StoreError(f"{address.path} cannot be written: {why}") from None
    return manifest


def _restore_file(path: Path, manifest: Manifest, address: Address, into: Path, now: int) -> None:
    """Restore into a file that is there whole, or not at all."""
    if into.exists():
        raise StateError(f"{into} is there already; restore into a file that is not")
    part = into.with_name(f"{into.name}.part")
    _take_away(part)
    try:
        _restore(path, manifest, Address(address.url, part), now)
        os.replace(part, into)
        sync_folder(into.parent)
    finally:
        _take_away(part)


def _restore(path: Path, manifest: Manifest, address: Address, now: int) -> None:
    store = Store(address)
    folder = path.parent.parent

    def work(connection: Connection) -> None:
        alive = connection.execute(LEASES.select().where(LEASES.c.until > now)).first()
        if alive is not None:
            raise StateError(
                f"{address}: process {alive.pid} on {alive.host} has the lease of {alive.name!r}; "
                "stop it, and restore into an empty database"
            )
        if connection.execute(SESSIONS.select()).first() is not None:
            raise StateError(f"{address} holds sessions; restore into an empty database")
        for session in manifest.sessions:
            for name in manifest.tables:
                table = METADATA.tables[name]
                values = values_of(table)
                rows = list(rows_of(folder, manifest, name, session))
                if name == SESSIONS.name:
                    rows = [{**row, "restored": now} for row in rows]
                execute_many(connection, insert(table), [values(row) for row in rows])

    try:
        migrate(store, now)
        store.write(work, within=HOUR)
        check(verify(store, deep=True))
    finally:
        store.close()


def _take_away(part: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        part.with_name(part.name + ending).unlink(missing_ok=True)
