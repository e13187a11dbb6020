"""A store: one connection that writes, and readers that cannot.

It writes in a thread of its own, so that no commit can hang its caller.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any, TypeVar

from sqlalchemy import Connection as Connection
from sqlalchemy import CursorResult, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import IntegrityError as Violation

from intrabar.errors import IntegrityError, StoreError
from intrabar.model.secret import redact
from intrabar.store.address import Address
from intrabar.store.dialects import reader_engine, try_lock, writer_engine

T = TypeVar("T")
Work = Callable[[Connection], T]
WITHIN = 5.0  # s that a commit may take
HOUR = 3600.0  # s that work on a whole session may take in one transaction
DAMAGED = ("malformed", "not a database", "corrupt", "invalid page", "could not read block")


class Store:
    """A database.

    Parameters
    ----------
    address : Address
    commit_within : float, s
        Who waits longer for a commit is told that its outcome is not known.
    """

    def __init__(self, address: Address, commit_within: float = WITHIN) -> None:
        self.address = address
        self.commit_within = commit_within
        self.commit_seconds = 0.0
        """How long the last transaction took, s."""
        self._writer: _Writer | None = None
        self._one = threading.Lock()  # several threads write, by one connection
        self._readers: Engine | None = None
        self._began = False
        self.locks: set[str] = set()
        """The names that this store holds."""

    def write(self, work: Work[T], within: float | None = None) -> T:
        """Do work in one transaction.

        Parameters
        ----------
        work : callable
            Gets the connection; what it raises undoes all.
        within : float, s, optional
            Instead of `commit_within`.

        Raises
        ------
        StoreError
            The database is away, full, or gave no answer in time: whether it was committed is
            not known. The next call has a connection of its own.
        IntegrityError
            The database refused it, or is damaged.
        """
        began = time.perf_counter()
        with self._one:
            writer = self._writer
            if writer is None or writer.left:
                writer = self._writer = _Writer(self._connect, self._hold)
        limit = self.commit_within if within is None else within
        try:
            return writer.do(work, limit)
        except TimeoutError:
            writer.leave()
            raise StoreError(
                f"{self.address}: no answer in {limit:g} s; whether it was committed is not known"
            ) from None
        except SQLAlchemyError as error:
            raise self._error_of(error) from error
        finally:
            self.commit_seconds = time.perf_counter() - began

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state and cannot change it; to be given back in 10 s.

        Raises
        ------
        StoreError
            The database is away, or is not there.
        IntegrityError
            It is damaged.
        """
        if self.address.path is not None and not self.address.path.is_file():
            raise StoreError(f"{self.address}: there is no journal")
        if self._readers is None:
            self._readers = reader_engine(self.address)
        try:
            with self._readers.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise self._error_of(error) from error

    def hold(self, name: str) -> bool:
        """Take the lock of a name that ends with the writer's connection, whenever that is made.

        Returns
        -------
        bool
            Whether it is taken: nobody else has it.
        """
        self.locks.add(name)
        return self.write(lambda connection: name in connection.info["locks"])

    def let_go(self, name: str) -> None:
        """Give a lock back: the connection that holds it ends."""
        self.locks.discard(name)
        self._end_writer()

    def close(self) -> None:
        """End the connections; what is written is written."""
        self._end_writer()
        if self._readers is not None:
            self._readers.dispose()
            self._readers = None

    def _end_writer(self) -> None:
        if self._writer is not None:
            self._writer.end()
            self._writer = None

    def _connect(self) -> Engine:
        if self.address.path is not None:
            try:
                self.address.path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreError(f"{self.address} cannot be made: {error.strerror}") from None
        create, self._began = not self._began, True
        return writer_engine(self.address, create=create)

    def _hold(self, connection: Connection) -> None:
        """Take the locks that this connection has not yet."""
        held = connection.info.setdefault("locks", set())
        for name in self.locks - held:
            if try_lock(connection, name):
                held.add(name)

    def _error_of(self, error: SQLAlchemyError) -> StoreError:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
        why = redact(" ".join(str(cause).split()) or type(cause).__name__)
        damaged = any(sign in why for sign in DAMAGED)
        if damaged or isinstance(error, Violation) or "only appended to" in why:
            return IntegrityError(f"{self.address}: {why}")
        return StoreError(f"{self.address}: {why}")


def execute(connection: Connection, statement: str, values: Sequence[Any]) -> CursorResult[Any]:
    """Execute a statement whose values stand as `?`."""
    return connection.exec_driver_sql(_spelt(statement, connection), tuple(values))


def execute_many(connection: Connection, statement: str, rows: Sequence[Sequence[Any]]) -> None:
    """Execute a statement with each of some rows; none: not at all."""
    if rows:
        connection.exec_driver_sql(_spelt(statement, connection), list(map(tuple, rows)))


def _spelt(statement: str, connection: Connection) -> str:
    """A statement with the placeholders of the driver."""
    return statement if connection.dialect.name == "sqlite" else statement.replace("?", "%s")


class _Writer(threading.Thread):
    """The thread that has the connection. One that hangs is left alone, and ends when it wakes."""

    def __init__(self, connect: Callable[[], Engine], begin: Callable[[Connection], None]) -> None:
        super().__init__(daemon=True, name="journal")
        self.left = False
        self._connect = connect
        self._begin = begin
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self.start()

    def do(self, work: Work[T], within: float) -> T:
        job = _Job(work)
        self._jobs.put(job)
        if not job.done.wait(within):
            raise TimeoutError
        if job.error is not None:
            raise job.error
        return job.result  # type: ignore[no-any-return]

    def leave(self) -> None:
        self.left = True
        self._jobs.put(None)

    def end(self) -> None:
        hangs = self.left
        self.leave()
        if not hangs:
            self.join(WITHIN)

    def run(self) -> None:
        engine: Engine | None = None
        while (job := self._jobs.get()) is not None and not self.left:
            try:
                engine = engine or self._connect()
                with engine.begin() as connection:
                    self._begin(connection)
                    job.result = job.work(connection)
            except BaseException as error:
                job.error = error
            job.done.set()
        if engine is not None:
            engine.dispose()


class _Job:
    def __init__(self, work: Work[Any]) -> None:
        self.work = work
        self.done = threading.Event()
        self.result: Any = None
        self.error: BaseException | None = None
