"""Bring the tables of a store up to the form that this program writes, or refuse to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, inspect

from intrabar.errors import IntegrityError, StateError
from intrabar.store.dialects import alone_until_commit, check_pages
from intrabar.store.engine import Store
from intrabar.store.tables import FORMAT, LEASES
from intrabar.version import __version__

NEWEST = 1
LONG = 600.0  # s
FOLDER = Path(__file__).parent / "migrations"


def format_of(connection: Connection) -> tuple[int, str]:
    """The form of the tables, 0 where there are none, and the oldest program that reads it."""
    if not inspect(connection).has_table(FORMAT.name):
        return 0, ""
    row = connection.execute(FORMAT.select()).one()
    return int(row.format), str(row.program)


def check_format(store: Store) -> int:
    """The form of a store that this program can read; 0 where it is empty.

    Raises
    ------
    IntegrityError
        It is newer than the program.
    """
    with store.reading() as connection:
        return _readable(store, connection)


def _readable(store: Store, connection: Connection) -> int:
    found, program = format_of(connection)
    if found > NEWEST:
        raise IntegrityError(
            f"{store.address}: format {found}, Intrabar {__version__} reads up to {NEWEST}; "
            f"install {program} or newer"
        )
    return found


def migrate(store: Store, now: int, keep: Callable[[], object] = lambda: None) -> None:
    """Make the tables, or bring older ones up to now.

    Parameters
    ----------
    store : Store
    now : int, ns
    keep : callable
        Makes a backup; called before tables that hold something are changed.

    Raises
    ------
    IntegrityError
        They are newer than the program, or the file is damaged; nothing is changed.
    StateError
        They are older, and somebody writes to them.
    """
    found = _look(store, now)
    if found == NEWEST:
        return
    if found:
        keep()
    store.write(_upgrade, within=LONG)


def _look(store: Store, now: int) -> int:
    """The form of the tables. It only reads: a session that writes to them is not held up."""
    if store.address.path is not None and not store.address.path.exists():
        return 0
    with store.reading() as connection:
        check_pages(connection, store.address, whole=True)
        found = _readable(store, connection)
        if 0 < found < NEWEST:
            alive = connection.execute(LEASES.select().where(LEASES.c.until > now)).first()
            if alive is not None:
                raise StateError(
                    f"{store.address}: format {found} becomes {NEWEST} once nobody writes to it, "
                    f"and process {alive.pid} on {alive.host} does; stop it first"
                )
        return found


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    alone_until_commit(connection)
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
