"""Killed, frozen, cut off, full: what was told as committed is there once, and nothing twice."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sqlite3
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from intrabar.errors import IntegrityError, StateError, StoreError
from intrabar.journal.journal import Journal, open_journal
from intrabar.journal.reading import rows_of
from intrabar.journal.verifying import tables_of, verify, worked_out
from intrabar.model.entry import Entry
from intrabar.store.engine import Store
from tests.databases import Database
from tests.journal.entries import turns

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.journal.test_crashes"])
MADE = turns(4)


def whole(journal: Journal, made: list[list[Entry]]) -> None:
    """Every turn is there, once, in its order; the tables are what the records make of them."""
    assert [record.entry for record in journal.read()] == [x for turn in made for x in turn]
    assert not verify(journal.store, deep=True)[0].why
    rows = worked_out(journal.session, rows_of(journal.store, journal.session))
    assert tables_of(journal.store, journal.session) == rows


def committed(journal: Journal) -> int:
    """How many turns are there."""
    seq, count = journal.head.seq, 0
    while seq > 0:
        seq -= len(MADE[count])
        count += 1
    assert seq == 0  # never a part of one
    return count


def go_on(url: str, folder: Path, dies: str) -> None:
    """Append from where the journal ends; die by SIGKILL right before or after a commit."""
    journal = open_journal(url, "main", folder, 0, commit_within=60.0)
    store = journal.store
    write = store.write

    def die(work: Any, within: float | None = None) -> Any:
        def until(connection: Any) -> Any:
            result = work(connection)
            if dies == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        result = write(until, within)
        os.kill(os.getpid(), signal.SIGKILL)
        return result

    store.write = die  # type: ignore[method-assign]
    journal.append(MADE[committed(journal)])


def test_killed_before_and_after_every_commit(store: Database) -> None:
    folder = store.folder / "main"
    for turn in range(len(MADE)):
        for dies, there in (("before", turn), ("before", turn), ("after", turn + 1)):
            process = CONTEXT.Process(target=go_on, args=(store.url, folder, dies))
            process.start()
            process.join(120)
            assert process.exitcode == -signal.SIGKILL
            journal = free(store)
            assert committed(journal) == there
            journal.close()
    journal = free(store)
    whole(journal, MADE)
    journal.close()


def free(store: Database) -> Journal:
    """The journal, once the server has seen that the killed process is gone."""
    while True:
        try:
            return store.journal()
        except StateError:
            assert store.kind == "postgres"


def cut(journal: Journal, when: str) -> None:
    """Lose the way to the database once: before it has the transaction, or before its answer."""
    write = journal.store.write

    def lose(work: Any, within: float | None = None) -> Any:
        journal.store.write = write  # type: ignore[method-assign]
        if when == "answer":
            write(work, within)
        raise StoreError("the connection is gone")

    journal.store.write = lose  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("when", "outcome"), [("request", "written again"), ("answer", "committed")]
)
def test_an_outcome_that_is_not_known(store: Database, when: str, outcome: str) -> None:
    journal = store.journal()
    for count, turn in enumerate(MADE):
        cut(journal, when)
        with pytest.raises(StoreError, match="gone"):
            journal.append(turn)
        with pytest.raises(StoreError, match="not known yet"):
            journal.append(turn)
        cut(journal, when)  # reconciling may be lost, too
        with pytest.raises(StoreError, match="gone"):
            journal.reconcile_last()
        second = "committed" if when == "answer" else outcome
        assert journal.reconcile_last() == second
        assert journal.reconcile_last() == "nothing open"
        assert committed(journal) == count + 1
    whole(journal, MADE)
    journal.close()


@contextmanager
def frozen(store: Database) -> Any:
    """The database does not answer: its processes are stopped, or its file is locked."""
    if store.kind == "postgres":
        store.server.freeze()
        try:
            yield
        finally:
            store.server.thaw()
        return
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def test_frozen_a_commit_returns_in_time_and_is_never_done_twice(store: Database) -> None:
    journal = store.journal()
    journal.append(MADE[0])
    journal.store.commit_within = 0.3
    for turn in MADE[1:]:
        with frozen(store):
            began = time.perf_counter()
            with pytest.raises(StoreError, match=r"no answer in 0\.3 s"):
                journal.append(turn)
            with pytest.raises(StoreError):
                journal.reconcile_last()
            assert time.perf_counter() - began < 3.0
            assert journal.commit_seconds >= 0.3
        journal.store.commit_within = 20.0
        outcome = "none"
        while outcome == "none":
            try:
                outcome = journal.reconcile_last()
            except IntegrityError:
                raise
            except StoreError:  # what was left behind still has the file or the row
                continue
        assert outcome in ("committed", "written again")
        journal.store.commit_within = 0.3
    journal.store.commit_within = 20.0
    whole(journal, MADE)
    journal.close()


def test_gone_and_back(store: Database) -> None:
    """Killed as by a loss of power and started again; of SQLite the file is moved away."""
    away = store.folder / "away.db"
    journal = store.journal()
    journal.append(MADE[0])
    if store.kind == "postgres":
        store.server.kill()
    else:
        store.path.rename(away)
    try:
        with pytest.raises(StoreError):
            journal.append(MADE[1])
        with pytest.raises(StoreError):
            journal.reconcile_last()
        with pytest.raises(StoreError):
            journal.renew(1)
    finally:
        if store.kind == "postgres":
            store.server.start()
        else:
            away.rename(store.path)
    assert journal.reconcile_last() == "written again"
    for turn in MADE[2:]:
        journal.append(turn)
    whole(journal, MADE)
    journal.close()


def test_another_file_in_its_place(store: Database) -> None:
    """A copy of yesterday, laid over the journal that is being written: nothing goes on."""
    journal = store.journal()
    journal.append(MADE[0])
    if store.kind == "sqlite":
        store.path.rename(store.folder / "away.db")
        Database("sqlite", store.url, store.folder).journal("other").close()
    else:
        move = "UPDATE sessions SET seq = 0"
        journal.store.write(lambda connection: connection.exec_driver_sql(move))
    with pytest.raises(IntegrityError, match="another"):
        journal.append(MADE[1])
    with pytest.raises(IntegrityError):
        journal.reconcile_last()
    with suppress(IntegrityError):
        journal.close()


def test_no_room(store: Database) -> None:
    """A full disk: by the limit of a file's size, and by the error that a server gives."""
    process = CONTEXT.Process(target=fill_up, args=(store.kind, store.url, store.folder / "main"))
    process.start()
    process.join(200)
    assert process.exitcode == 0


FULL = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left' USING ERRCODE = '53100'; END $$;
CREATE TRIGGER full_disk AFTER INSERT ON equity FOR EACH ROW EXECUTE FUNCTION full_disk();
"""
ROOM = "DROP TRIGGER full_disk ON equity"


def fill_up(kind: str, url: str, folder: Path) -> None:
    journal = open_journal(url, "main", folder, 0, commit_within=60.0)
    made = turns(60)
    for count, turn in enumerate(made):
        if count == 10 and kind == "sqlite":
            wal = (folder.parent / "journal.db-wal").stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (wal + 20_000, resource.RLIM_INFINITY))
        elif count == 10:
            journal.store.write(lambda connection: connection.exec_driver_sql(FULL))
        try:
            journal.append(turn)
            continue
        except IntegrityError:
            raise
        except StoreError:
            refused = count
        with pytest.raises(StoreError) as caught:
            journal.reconcile_last()
        assert caught.type is StoreError
        if kind == "sqlite":
            unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
        else:
            journal.store.write(lambda connection: connection.exec_driver_sql(ROOM))
        assert journal.reconcile_last() == "written again"
    assert 10 <= refused < 60
    whole(journal, made)
    journal.close()


def test_the_end_of_the_log_is_cut(tmp_path: Path) -> None:
    """Of SQLite, killed, its WAL cut anywhere in the last commit: that one is not there, whole."""
    path = tmp_path / "journal.db"
    url = f"sqlite:///{path}"
    journal = open_journal(url, "main", tmp_path, 0)
    for turn in MADE[:-1]:
        journal.append(turn)
    wal = path.with_name("journal.db-wal")
    before = wal.stat().st_size
    journal.append(MADE[-1])
    copies = path.read_bytes(), wal.read_bytes()
    journal.close()
    sizes = [*range(before, len(copies[1]), 4127), len(copies[1]) - 1, len(copies[1])]
    for size in sizes:
        folder = tmp_path / str(size)
        folder.mkdir()
        (folder / "journal.db").write_bytes(copies[0])
        (folder / "journal.db-wal").write_bytes(copies[1][:size])
        again = open_journal(
            f"sqlite:///{folder / 'journal.db'}", "main", folder, 0, take_over=True
        )
        assert committed(again) == len(MADE) - (size < len(copies[1]))
        whole(again, MADE[: committed(again)])
        again.close()
    assert isinstance(journal.store, Store)
