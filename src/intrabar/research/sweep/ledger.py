"""The ledger: every trial that was ever run, by the content hash of all that decided it.

One SQLite file beside the runs. A trial that is in it is not run again; what a sweep had written
before it was killed is there for the next one. It also says how many variants were tried on which
data, without which no Sharpe ratio of a best one can be believed.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from intrabar.errors import RunError
from intrabar.model.bars import Floats, Times
from intrabar.research.sweep.trial import Outcome, Trial

LEDGER = "trials.sqlite"  # in the folder of runs
VERSION = 1
APPLICATION = 0x49420001  # told from any other SQLite file
ASKED = 500  # keys in one question
PATIENCE_MS = 30_000  # for another process that writes

TABLES = """
CREATE TABLE data (hash TEXT PRIMARY KEY, symbols TEXT, bars INTEGER, first TEXT, last TEXT);
CREATE TABLE days (hash TEXT PRIMARY KEY, days BLOB);
CREATE TABLE trials (
    key TEXT PRIMARY KEY,
    made TEXT,        -- ISO, UTC
    data TEXT,        -- hash of the bars it ran on
    strategy TEXT,
    parameters TEXT,  -- JSON
    status TEXT,
    metrics TEXT,     -- JSON
    sharpe REAL,      -- of the metrics, for the deflated one
    digest TEXT,
    error TEXT,
    seconds REAL,     -- CPU
    days TEXT,        -- hash of the days of its returns
    returns BLOB      -- float64, deflated
);
CREATE INDEX trials_data ON trials (data);
"""
KEPT = "key, parameters, status, metrics, digest, error, seconds"


@dataclass(frozen=True, slots=True)
class Data:
    """The bars that trials ran on.

    Parameters
    ----------
    hash : str
        Of their content.
    symbols : tuple of str
    bars : int
    first, last : str
        Close times, ISO, UTC.
    """

    hash: str
    symbols: tuple[str, ...] = ()
    bars: int = 0
    first: str = ""
    last: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """How often anything was tried on the same bars."""

    data: Data
    trials: int
    failed: int
    strategies: tuple[str, ...]


class Ledger:
    """The ledger in a file, made where there is none.

    Parameters
    ----------
    path : path

    Raises
    ------
    RunError
        The file is damaged, no ledger, of another version, or cannot be written.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        with self._told():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Batches may be asked for and taken on different threads, one after the other.
            self._file = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            try:
                self._file.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
                self._open()
            except BaseException:
                self._file.close()
                raise

    def _open(self) -> None:
        version = self._file.execute("PRAGMA user_version").fetchone()[0]
        application = self._file.execute("PRAGMA application_id").fetchone()[0]
        is_empty = not self._file.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if is_empty:
            self._file.execute("PRAGMA journal_mode = WAL")
            with self._writing():
                # Another process may have been first.
                if not self._file.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    for statement in TABLES.split(";")[:-1]:
                        self._file.execute(statement)
                    self._file.execute(f"PRAGMA application_id = {APPLICATION}")
                    self._file.execute(f"PRAGMA user_version = {VERSION}")
        elif application != APPLICATION:
            raise RunError(
                f"{self.path}: is no ledger of trials; move it away. Nothing was changed"
            )
        elif version != VERSION:
            raise RunError(
                f"{self.path}: is a ledger of version {version}, this program writes version "
                f"{VERSION}; move it away, or use the program that wrote it. Nothing was changed"
            )
        # Safe after a kill; after a power cut the last batches may be missing, and run again.
        self._file.execute("PRAGMA synchronous = NORMAL")

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def found(self, keys: Sequence[str]) -> dict[str, Outcome]:
        """Outcomes of trials that are in the ledger, without their returns; none that failed.

        Their trials have number -1: the ledger does not know their place in a sweep.
        """
        outcomes: dict[str, Outcome] = {}
        with self._told():
            for first in range(0, len(keys), ASKED):
                part = keys[first : first + ASKED]
                marks = ",".join("?" * len(part))
                rows = self._file.execute(
                    f"SELECT {KEPT} FROM trials WHERE status != 'failed' AND key IN ({marks})", part
                )
                outcomes.update((row[0], _outcome(row)) for row in rows)
        return outcomes

    def returns_of(self, keys: Iterable[str]) -> Iterator[tuple[str, Times, Floats]]:
        """Days and daily returns of trials, those that are in the ledger."""
        known: dict[str, Times] = {}
        with self._told():
            for key in keys:
                row = self._file.execute(
                    "SELECT trials.days, days.days, returns FROM trials "
                    "JOIN days ON days.hash = trials.days WHERE key = ?",
                    (key,),
                ).fetchone()
                if row is None:
                    continue
                if row[0] not in known:
                    known[row[0]] = np.frombuffer(zlib.decompress(row[1]), np.int64)
                yield key, known[row[0]], np.frombuffer(zlib.decompress(row[2]), np.float64)

    def write(self, outcomes: Sequence[Outcome], data: Mapping[str, Data], strategy: str) -> None:
        """Keep outcomes; all of them or, where the process dies, none.

        Parameters
        ----------
        outcomes : sequence of Outcome
        data : mapping of key to Data
        strategy : str
            What was tried, for lists.
        """
        made = datetime.now(UTC).isoformat(timespec="seconds")
        days = {_hash(o.days): o.days for o in outcomes}
        rows = [
            (
                o.key,
                made,
                data[o.key].hash,
                strategy,
                json.dumps(dict(o.trial.parameters)),
                o.status,
                json.dumps(dict(o.metrics)),
                o.metrics.get("sharpe"),
                o.digest,
                o.error,
                o.seconds,
                _hash(o.days),
                zlib.compress(o.returns.tobytes(), 1),
            )
            for o in outcomes
        ]
        bars = {
            d.hash: (d.hash, ",".join(d.symbols), d.bars, d.first, d.last) for d in data.values()
        }
        kept = [(name, zlib.compress(value.tobytes(), 1)) for name, value in days.items()]
        with self._told(), self._writing():
            write = self._file.executemany
            write("INSERT OR IGNORE INTO data VALUES (?, ?, ?, ?, ?)", bars.values())
            write("INSERT OR IGNORE INTO days VALUES (?, ?)", kept)
            marks = ",".join("?" * 13)
            write(f"INSERT OR REPLACE INTO trials VALUES ({marks})", rows)

    def tried_on(self, data: str) -> int:
        """How many variants were ever tried on bars of this content hash, failed ones left out."""
        with self._told():
            row = self._file.execute(
                "SELECT count(*) FROM trials WHERE data = ? AND status != 'failed'", (data,)
            ).fetchone()
        return int(row[0])

    def sharpes_on(self, data: str) -> Floats:
        """Annual Sharpe ratios of the variants that were tried on these bars and have one."""
        with self._told():
            rows = self._file.execute(
                "SELECT sharpe FROM trials WHERE data = ? AND sharpe IS NOT NULL ORDER BY key",
                (data,),
            ).fetchall()
        return np.array([row[0] for row in rows], np.float64)

    def tried(self, symbol: str | None = None) -> list[Tried]:
        """What was tried on which bars, the most often tried first."""
        with self._told():
            rows = self._file.execute(
                "SELECT d.hash, d.symbols, d.bars, d.first, d.last, count(*), "
                "sum(t.status = 'failed'), group_concat(DISTINCT t.strategy) "
                "FROM trials t JOIN data d ON d.hash = t.data GROUP BY d.hash "
                "ORDER BY count(*) DESC, d.hash"
            ).fetchall()
        every = [
            Tried(
                Data(row[0], tuple(row[1].split(",")), *row[2:5]),
                row[5],
                row[6],
                tuple(sorted(set(row[7].split(",")))),
            )
            for row in rows
        ]
        return [x for x in every if symbol is None or symbol in x.data.symbols]

    def trials(self, symbol: str | None = None) -> Iterator[dict[str, Any]]:
        """Every trial, oldest first, as plain values; on bars of a symbol where one is named."""
        with self._told():
            rows = self._file.execute(
                f"SELECT {KEPT}, made, strategy, symbols, data.hash FROM trials "
                "JOIN data ON data.hash = trials.data ORDER BY trials.rowid"
            )
            for row in rows:
                symbols = row[9].split(",")
                if symbol is not None and symbol not in symbols:
                    continue
                yield {
                    "key": row[0],
                    "made": row[7],
                    "strategy": row[8],
                    "symbols": symbols,
                    "data": row[10],
                    "parameters": json.loads(row[1]),
                    "status": row[2],
                    "metrics": json.loads(row[3]),
                    "digest": row[4],
                    "error": row[5],
                    "seconds": row[6],
                }

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction on the file, for what stands beside the trials; all of it or none."""
        with self._told(), self._writing():
            yield self._file

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What SQLite and the disk say, as a sentence."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise RunError(f"{self.path}: the ledger cannot be used: {error}") from None
        except (sqlite3.DatabaseError, zlib.error, ValueError) as error:
            raise RunError(
                f"{self.path}: the ledger is damaged: {error}; move it away, or put a copy in its "
                "place. Nothing was changed"
            ) from None
        except OSError as error:
            raise RunError(f"{self.path}: the ledger cannot be written: {error}") from None


def _hash(days: Times) -> str:
    return sha256(days.tobytes()).hexdigest()[:16]


def _outcome(row: Sequence[Any]) -> Outcome:
    none = np.empty(0)
    return Outcome(
        trial=Trial(-1, json.loads(row[1])),
        key=row[0],
        status=row[2],
        metrics=json.loads(row[3]),
        digest=row[4],
        returns=none,
        days=none.astype(np.int64),
        error=row[5],
        seconds=row[6],
    )
