"""Who may write: one holder of a name at a time, and a fence that stops the one before.

A lease is free 30 s after it was last renewed. It is free at once where its holder is proven dead:
the file lock in the session's folder is free, on the same machine since the same start; or, on
PostgreSQL, its connection has ended. Every transaction checks that the fence is still its own.
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intrabar.errors import ConfigError, IntegrityError, StateError
from intrabar.store.dialects import locks_rows
from intrabar.store.engine import Connection, Store, execute
from intrabar.store.file_systems import refuse_shared
from intrabar.store.tables import LEASES

SECOND = 1_000_000_000
LASTS = 30 * SECOND
BOOT = Path("/proc/sys/kernel/random/boot_id")

_FIRST = (
    "INSERT INTO leases (name, fence, owner, until, proof, locked) "
    "VALUES (?, 0, '', 0, '', 0) ON CONFLICT (name) DO NOTHING"
)

# A renewal that was held up, and comes after a later one, takes nothing back.
_LATER = "UPDATE leases SET until = ? WHERE name = ? AND until < ?"
_READ = f"SELECT {', '.join(LEASES.columns.keys())} FROM leases WHERE name = ?"


class Lock:
    """A file lock in a session's folder: it ends with the process, whatever ends that.

    Parameters
    ----------
    folder : Path
        Made where it is not there.

    Raises
    ------
    ConfigError
        The folder is on a network file system, or cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        refuse_shared(folder, "live.folder")
        path = folder / ".lease"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        except OSError as error:
            raise ConfigError(f"live.folder: {path} cannot be written: {error.strerror}") from None
        self.held = _try_flock(self._file)

    @property
    def proof(self) -> str:
        """Where this lock proves something: machine, its last start, the file; else empty."""
        boot = _boot()
        found = os.fstat(self._file)
        return f"{socket.gethostname()} {boot} {found.st_dev}:{found.st_ino}" if boot else ""

    def release(self) -> None:
        """Give it back; twice does no harm."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        self.held = False


@dataclass(slots=True)
class Lease:
    """The right to write under a name.

    Parameters
    ----------
    name : str
        A session's, with a broker "broker/account".
    fence : int
        Larger than that of every holder before.
    owner : str
        Drawn at random: two processes never have the same.
    until : int, ns
    """

    store: Store
    name: str
    fence: int
    owner: str
    until: int
    lock: Lock

    def check(self, connection: Connection) -> None:
        """Refuse to go on where somebody else took the name; part of every transaction.

        Raises
        ------
        IntegrityError
            The fence is another's: nothing that is decided here counts any more.
        """
        row = _row(connection, self.name)
        if row is None or row["owner"] != self.owner or row["fence"] != self.fence:
            raise self._lost(row)

    def renew(self, now: int) -> None:
        """Keep it for 30 s more; to be called every 5 s.

        Raises
        ------
        IntegrityError
            Somebody else took it.
        StoreError
            The database is away; the lease ends as it would have.
        """

        def work(connection: Connection) -> None:
            self.check(connection)
            execute(connection, _LATER, [now + LASTS, self.name, now + LASTS])

        self.store.write(work)
        self.until = max(self.until, now + LASTS)

    def give_back(self) -> None:
        """Free the name; where somebody else took it, leave it alone."""

        def work(connection: Connection) -> None:
            row = _row(connection, self.name)
            if row is not None and row["owner"] == self.owner:
                freed = _of(self.name, LEASES.update()).values(
                    owner="", until=0, proof="", locked=0
                )
                connection.execute(freed)

        try:
            self.store.write(work)
        finally:
            self.store.let_go(self.name)
            self.lock.release()

    def _lost(self, row: Any) -> IntegrityError:
        who = "nobody" if row is None or not row["owner"] else f"process {row['pid']}"
        fence = "none" if row is None else row["fence"]
        return IntegrityError(
            f"{self.store.address}: the lease of {self.name!r} is not ours any more (fence {fence} "
            f"of {who}, ours is {self.fence}): this process decides nothing from here on"
        )


def take(store: Store, name: str, now: int, folder: Path, *, take_over: bool = False) -> Lease:
    """Take a name, if it is free.

    Parameters
    ----------
    store : Store
    name : str
    now : int, ns since 1970 UTC
    folder : Path
        Of the session, for the lock.
    take_over : bool
        Take it from a holder that lives; its next transaction fails.

    Raises
    ------
    StateError
        It is held; says by whom and until when.
    ConfigError
        The folder is on a network file system.
    StoreError
        The database is away.
    """
    if name in store.locks:
        raise StateError(f"{name!r} runs already, in this process")
    lock = Lock(folder)
    try:
        alone = store.hold(name)
        proof = lock.proof if lock.held else ""
        owner = secrets.token_hex(16)
        host = socket.gethostname()

        def work(connection: Connection) -> int:
            execute(connection, _FIRST, [name])
            row = _row(connection, name)
            dead = (alone and row["locked"]) or (proof != "" and proof == row["proof"])
            if row["until"] > now and not dead and not take_over:
                raise _held(row, now)
            if not locks_rows(connection):
                _refuse_second(connection, name, now)
            fence = int(row["fence"]) + 1
            values = {
                "fence": fence,
                "owner": owner,
                "until": now + LASTS,
                "proof": proof,
                "locked": int(alone),
                "host": host,
                "pid": os.getpid(),
            }
            connection.execute(_of(name, LEASES.update()).values(**values))
            return fence

        fence = store.write(work)
    except BaseException:
        store.let_go(name)
        lock.release()
        raise
    return Lease(store, name, fence, owner, now + LASTS, lock)


def _held(row: Any, now: int) -> StateError:
    left = (row["until"] - now) / SECOND
    return StateError(
        f"{row['name']!r} runs already: process {row['pid']} on {row['host']} holds its lease for "
        f"{left:.0f} s more; stop it, wait, or take the lease over (--take-over). Two sessions at "
        "once need a sub-account each, or one session at the shorter period with .on('1d')"
    )


def _refuse_second(connection: Connection, name: str, now: int) -> None:
    """Of SQLite: older versions can damage a file into which two connections write."""
    others = LEASES.select().where(LEASES.c.name != name, LEASES.c.until > now)
    row = connection.execute(others).mappings().first()
    if row is not None:
        raise StateError(
            f"process {row['pid']} writes {row['name']!r} into the same file; give each session "
            "a file of its own, or let them share a PostgreSQL"
        )


def _of(name: str, statement: Any) -> Any:
    return statement.where(LEASES.c.name == name)


def _row(connection: Connection, name: str) -> Any:
    """The row of a name, which nobody else changes before this transaction ends."""
    locked = " FOR UPDATE" if locks_rows(connection) else ""
    return execute(connection, _READ + locked, [name]).mappings().first()


def _try_flock(file: int) -> bool:
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _boot() -> str:
    """What names the last start of this machine; empty where nothing does."""
    try:
        return BOOT.read_text("ascii").strip()
    except OSError:  # of Linux alone, and not in every sandbox
        return ""
