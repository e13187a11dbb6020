"""One writer: a name has one holder, is free when that is proven dead; the fence stops the old."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from intrabar.errors import ConfigError, IntegrityError, StateError
from intrabar.store import lease as module
from intrabar.store.lease import LASTS, take
from tests.databases import Database
from tests.journal.entries import turns

SECOND = 1_000_000_000


def test_it_is_held_until_it_ends(store: Database, tmp_path: Path) -> None:
    one, two = store.open(), store.open()
    first = take(one, "main", 0, tmp_path / "a")
    with pytest.raises(StateError, match=rf"'main' runs already: process {os.getpid()} on .* 29 s"):
        take(two, "main", SECOND, tmp_path / "b")
    first.renew(5 * SECOND)
    with pytest.raises(StateError, match="5 s more"):
        take(two, "main", 30 * SECOND, tmp_path / "b")
    first.renew(4 * SECOND)  # one that was held up
    with pytest.raises(StateError, match="5 s more"):
        take(two, "main", 30 * SECOND, tmp_path / "b")
    assert first.until == 35 * SECOND
    later = take(two, "main", 5 * SECOND + LASTS, tmp_path / "b")
    assert later.fence == first.fence + 1
    with pytest.raises(IntegrityError, match="not ours any more"):
        first.renew(6 * SECOND)
    first.give_back()  # harms nobody
    later.renew(40 * SECOND)
    later.give_back()
    take(one, "main", 41 * SECOND, tmp_path / "a").give_back()
    one.close()
    two.close()


def test_two_names_share_a_server_and_no_file(store: Database, tmp_path: Path) -> None:
    one, two = store.open(), store.open()
    first = take(one, "main", 0, tmp_path / "a")
    if store.kind == "postgres":
        take(two, "other", SECOND, tmp_path / "b").give_back()
    else:
        with pytest.raises(StateError, match="writes 'main' into the same file"):
            take(two, "other", SECOND, tmp_path / "b")
    first.give_back()
    take(two, "other", SECOND, tmp_path / "b").give_back()
    one.close()
    two.close()


def test_the_same_folder_is_no_proof_while_its_holder_lives(
    store: Database, tmp_path: Path
) -> None:
    one, two = store.open(), store.open()
    first = take(one, "main", 0, tmp_path)
    with pytest.raises(StateError):
        take(two, "main", 0, tmp_path)
    first.give_back()
    one.close()
    two.close()


def test_taken_over_the_old_one_cannot_commit(store: Database) -> None:
    made = turns(6)
    old = store.journal()
    for turn in made[:3]:
        old.append(turn)
    new = store.journal(now=SECOND, take_over=True)
    assert new.head == old.head
    for refused in (
        lambda: old.append(made[3]),
        lambda: old.renew(2 * SECOND),
        old.reconcile_last,
    ):
        with pytest.raises(IntegrityError, match="not ours any more"):
            refused()
    for turn in made[3:]:
        new.append(turn)
    old.close()
    assert [record.entry for record in new.read()] == [entry for turn in made for entry in turn]
    new.close()


def test_two_that_append_at_once_never_both_do(store: Database) -> None:
    """Each takes the session over again and again; every record is in one chain."""
    done: list[str] = []

    def work(name: str) -> None:
        for turn in turns(8):
            with suppress(IntegrityError):
                journal = store.journal(folder=store.folder / name, take_over=True)
                try:
                    journal.append(turn)
                    done.append(name)
                finally:
                    journal.close()

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done
    journal = store.journal(take_over=True)
    assert [record.seq for record in journal.read()] == list(range(1, journal.head.seq + 1))
    journal.close()


def test_several_threads_of_one_holder(store: Database) -> None:
    """The lease is renewed by one thread while another appends, from the first moment on."""
    journal = store.journal()
    journal.store.let_go("nothing")  # the next call makes the connection
    made = turns(20)
    renewed = threading.Thread(target=lambda: [journal.renew(now * SECOND) for now in range(1, 40)])
    renewed.start()
    for turn in made:
        journal.append(turn)
    renewed.join()
    assert journal.lease.until == 39 * SECOND + LASTS
    assert [record.entry for record in journal.read()] == [entry for turn in made for entry in turn]
    journal.close()


def hold(url: str, folder: Path, ready: object) -> None:
    from intrabar.journal.journal import open_journal

    open_journal(url, "main", folder, 0, commit_within=60.0)
    ready.set()  # type: ignore[attr-defined]
    threading.Event().wait()


@pytest.mark.parametrize("folder", ["same", "other"])
def test_a_killed_holder_frees_it_at_once(store: Database, folder: str) -> None:
    """By the lock of the same folder; on PostgreSQL also by its connection that ended."""
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=hold, args=(store.url, store.folder / "same", ready))
    process.start()
    assert ready.wait(120)
    with pytest.raises(StateError, match=f"process {process.pid}"):
        store.journal(now=SECOND, folder=store.folder / folder)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    if folder == "other" and store.kind == "sqlite":
        with pytest.raises(StateError, match=f"process {process.pid}"):
            store.journal(now=SECOND, folder=store.folder / folder)
        return
    if store.kind == "postgres":
        gone(store)
    journal = store.journal(now=SECOND, folder=store.folder / folder)
    assert journal.lease.fence == 2
    journal.close()


def gone(store: Database) -> None:
    """Until the server has seen that the connections of a killed process ended."""
    import psycopg

    with psycopg.connect(store.url, autocommit=True) as connection:
        count = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        while connection.execute(count).fetchone() != (0,):
            pass


def test_a_lock_of_another_machine_or_start_proves_nothing(
    store: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = store.open(), store.open()
    first = take(one, "main", 0, tmp_path)
    first.lock.release()  # as if its process had ended
    if store.kind == "sqlite":
        with monkeypatch.context() as patch:
            patch.setattr(module, "_boot", lambda: "another start")
            with pytest.raises(StateError):
                take(two, "main", 0, tmp_path)
            patch.setattr(module, "_boot", lambda: "")
            with pytest.raises(StateError):
                take(two, "main", 0, tmp_path)
        assert take(two, "main", 0, tmp_path).fence == 2
    one.close()
    two.close()


def test_a_machine_that_does_not_name_its_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in some sandboxes: then the lock proves nothing, and that is all."""
    monkeypatch.setattr(module, "BOOT", tmp_path / "boot_id")
    lock = module.Lock(tmp_path)
    assert lock.proof == ""
    lock.release()


def test_a_folder_that_cannot_be_written(store: Database, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    opened = store.open()
    with pytest.raises(ConfigError, match="cannot be written"):
        take(opened, "main", 0, tmp_path / "file" / "folder")
    opened.close()
