"""What SQLite and PostgreSQL do not share: settings of a connection, and a lock that ends with it.

Their triggers are in `triggers`.
"""

from __future__ import annotations

import hashlib
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool, QueuePool

from intrabar.errors import ConfigError, IntegrityError, StoreError
from intrabar.store.address import Address

PAGE = 8192  # bytes: a row of 50 symbols takes 2,000, and pages of 4,096 stay a fifth empty
WAIT = 2000  # ms for another connection of the same database; less than any commit may take
OLDEST = 15  # of PostgreSQL
IDLE = 10_000  # ms after which a server ends the transaction of a writer that was stopped in it

Prepare = Callable[[sqlite3.Connection], None]


def writer_engine(address: Address, *, create: bool) -> Engine:
    """An engine of one connection that writes, and makes a file that is not there, or does not."""
    if address.path is not None:
        return _sqlite(address.path, "rwc" if create else "rw", _prepare_writer, 1)
    return _postgres(address, f"-c idle_in_transaction_session_timeout={IDLE}", 1)


def reader_engine(address: Address) -> Engine:
    """An engine that cannot write."""
    if address.path is not None:
        return _sqlite(address.path, "ro", _prepare_reader, 0)
    engine = _postgres(address, "-c default_transaction_read_only=on", 2)
    return engine.execution_options(isolation_level="REPEATABLE READ")


def _sqlite(path: Path, mode: str, prepare: Prepare, connections: int) -> Engine:
    uri = f"{path.absolute().as_uri()}?mode={mode}"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            uri, uri=True, timeout=WAIT / 1000, isolation_level=None, check_same_thread=False
        )
        try:
            prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    pool: dict[str, Any] = (
        {"poolclass": QueuePool, "pool_size": 1, "max_overflow": 0}
        if connections
        else {"poolclass": NullPool}
    )
    engine = create_engine("sqlite://", creator=connect, **pool)

    @event.listens_for(engine, "connect")
    def _opened(_: Any, record: Any) -> None:
        record.info["file"] = _file_of(path)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        _check_file(path, connection.info["file"])
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connections else "BEGIN")

    return engine


def _file_of(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _check_file(path: Path, opened: tuple[int, int]) -> None:
    """Refuse to write on into a file that nobody finds any more: SQLite itself would."""
    try:
        found = _file_of(path)
    except OSError as error:
        raise StoreError(f"{path} was taken away while it is open: {error.strerror}") from None
    if found != opened:
        raise IntegrityError(f"{path} is another file than the one that was opened")


def _prepare_writer(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA page_size = {PAGE}")  # of a file that is made now
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    if sys.platform == "darwin":
        connection.execute("PRAGMA fullfsync = ON")
        connection.execute("PRAGMA checkpoint_fullfsync = ON")


def _prepare_reader(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA query_only = ON")


def _postgres(address: Address, options: str, connections: int) -> Engine:
    password = {} if address.password is None else {"password": address.password.reveal()}
    engine = create_engine(
        address.url,
        pool_size=connections,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": 5,
            "tcp_user_timeout": 5000,
            "options": f"-c synchronous_commit=on -c lock_timeout={WAIT} {options}",
            **password,
        },
    )

    @event.listens_for(engine, "connect")
    def _check(connection: Any, _: Any) -> None:
        version = connection.info.server_version // 10_000
        if version < OLDEST:
            raise ConfigError(
                f"store.url: {address} is PostgreSQL {version}; {OLDEST} or newer is needed"
            )

    return engine


def try_lock(connection: Connection, name: str) -> bool:
    """Take the lock that ends with this connection.

    Returns
    -------
    bool
        True where no living connection holds it: the one that did is gone. Always False of
        SQLite, which has none; there `lease.Lock` is the proof.
    """
    if connection.dialect.name == "sqlite":
        return False
    statement = "SELECT pg_try_advisory_lock(%s)"
    return bool(connection.exec_driver_sql(statement, (_number(name),)).scalar())


def alone_until_commit(connection: Connection) -> None:
    """Let nobody else come here before this transaction ends; SQLite lets nobody anyway."""
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (_number("migrate\n"),))


def _number(name: str) -> int:
    digest = hashlib.blake2b(name.encode(), digest_size=8, person=b"intrabar").digest()
    return int.from_bytes(digest, "big", signed=True)


def check_pages(connection: Connection, address: Address, *, whole: bool = False) -> None:
    """Let SQLite look for damaged pages, with `whole` for wrong indexes too.

    Raises
    ------
    IntegrityError
        What it found. PostgreSQL looks after its own pages.
    """
    if connection.dialect.name == "sqlite":
        check = "integrity_check(1)" if whole else "quick_check(1)"
        found = connection.exec_driver_sql(f"PRAGMA {check}").scalar()
        if found != "ok":
            raise IntegrityError(f"{address}: the file is damaged: {found}")


def locks_rows(connection: Connection) -> bool:
    """Whether rows that are read to be changed have to be locked: SQLite locks the whole file."""
    return connection.dialect.name != "sqlite"


def copy_file(path: Path, into: Path) -> None:
    """Copy a SQLite file as it is at one moment, while it may be written.

    Raises
    ------
    StoreError
        It cannot be read, or there is no room.
    IntegrityError
        It is damaged.
    """
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None
        )
        try:
            connection.execute("VACUUM INTO ?", (str(into),))
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        damaged = error.sqlite_errorname in ("SQLITE_CORRUPT", "SQLITE_NOTADB")
        raise (IntegrityError if damaged else StoreError)(f"{path}: {error}") from None
