"""A backup of either database comes back in either, equal; a damaged one is refused by name."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import tempfile
from pathlib import Path

import pytest

from intrabar.errors import IntegrityError, StateError, StoreError
from intrabar.journal.archive import archive, read_archive
from intrabar.journal.backup import backup, verify_backup
from intrabar.journal.parquet import parquet_of, rows_in
from intrabar.journal.reading import rows_of, session_of
from intrabar.journal.restore import restore
from intrabar.journal.verifying import tables_of, verify
from intrabar.model.entry import Entry
from intrabar.store.address import address_of
from intrabar.store.engine import Store
from tests.databases import Database, server_of_worker
from tests.journal.entries import turns

NOW = 1_700_000_000_000_000_000


def made(store: Database, folder: Path) -> Path:
    store.journal("empty").close()
    journal = store.journal()
    for turn in turns(25):
        journal.append(turn)
    path = backup(journal.store, folder, NOW)  # while it is written
    journal.append(turns(1)[0])
    journal.close()
    return path


def test_it_comes_back_in_both_kinds(store: Database, tmp_path: Path) -> None:
    path = made(store, tmp_path / "backups")
    assert path.name.startswith("20231114T221320Z-")
    manifest = verify_backup(path, deep=True)
    source = store.open()
    last = manifest.sessions["main"].last
    assert last == session_of(source, "main")["seq"] - 1
    other = f"sqlite:///{tmp_path / 'restored' / 'journal.db'}"
    if store.kind == "sqlite":
        server = server_of_worker()
        server.run("CREATE DATABASE restored TEMPLATE template0")
        other = server.url("restored")
    try:
        assert restore(path, other, NOW + 1) == manifest
        target = Store(address_of(other))
        meant = [row for row in rows_of(source, "main") if row["seq"] <= last]
        assert list(rows_of(target, "main")) == meant
        assert session_of(target, "main")["restored"] == NOW + 1
        assert not any(verdict.why for verdict in verify(target, deep=True))
        again = backup(target, tmp_path / "again", NOW)
        tables = verify_backup(again, deep=True).tables
        for table, parts in manifest.tables.items():
            if table != "sessions":
                assert [part.object for part in parts] == [part.object for part in tables[table]]
        with pytest.raises(StateError, match=r"there already|holds sessions"):
            restore(path, other, NOW)
        target.close()
    finally:
        if store.kind == "sqlite":
            server.run("DROP DATABASE restored WITH (FORCE)")
    source.close()


def test_only_what_is_new_costs(store: Database, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    made(store, folder)
    opened = store.open()
    backup(opened, folder, NOW)
    before = {file.name for file in (folder / "objects").iterdir()}
    backup(opened, folder, NOW + 10**9)
    assert {file.name for file in (folder / "objects").iterdir()} == before
    assert len(list((folder / "backups").iterdir())) == 3
    assert not [file for file in folder.iterdir() if file.name.startswith(".")]
    opened.close()


def test_damage_is_named_and_nothing_is_written(store: Database, tmp_path: Path) -> None:
    path = made(store, tmp_path / "backups")
    target = tmp_path / "target" / "journal.db"
    for file in sorted((tmp_path / "backups" / "objects").iterdir()):
        content = file.read_bytes()
        middle = len(content) // 2
        changed = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        for damaged, deep in ((changed, True), (content[:-1], False), (None, False)):
            if damaged is None:
                file.unlink()
            else:
                file.write_bytes(damaged)
            with pytest.raises(IntegrityError, match=file.name):
                verify_backup(path, deep=deep)
            with pytest.raises(IntegrityError, match=file.name):
                restore(path, f"sqlite:///{target}", NOW)
        file.write_bytes(content)
    assert not target.parent.exists()
    verify_backup(path, deep=True)


def test_a_changed_or_newer_manifest(store: Database, tmp_path: Path) -> None:
    path = made(store, tmp_path / "backups")
    text = path.read_text()
    path.write_text(text.replace('"last": ', '"last":  ', 1))
    with pytest.raises(IntegrityError, match="another digest"):
        verify_backup(path)
    fields = json.loads(text)
    path.write_text(json.dumps({**fields, "format": 2, "program": "0.6"}))
    with pytest.raises(IntegrityError, match=r"format 2, .* reads up to 1; install 0.6 or newer"):
        verify_backup(path)
    path.write_text("[]")
    with pytest.raises(IntegrityError, match="no manifest"):
        verify_backup(path)
    with pytest.raises(StateError, match="no backup"):
        verify_backup(tmp_path / "backups" / "none.json")


def test_into_what_is_in_use(store: Database, tmp_path: Path) -> None:
    path = made(store, tmp_path / "backups")
    journal = store.journal(now=NOW)
    with pytest.raises(StateError, match=r"there already|has the lease"):
        restore(path, store.url, NOW + 1)
    journal.close()
    with pytest.raises(StateError, match=r"there already|holds sessions"):
        restore(path, store.url, NOW + 1)


def test_an_ended_session_is_archived(store: Database, tmp_path: Path) -> None:
    journal = store.journal()
    for turn in turns(5):
        journal.append(turn)
    journal.close()
    opened = store.open()
    folder, into = tmp_path / "main", tmp_path / "archive"
    with pytest.raises(StateError, match="has not ended: its last record is row"):
        archive(opened, "main", into, folder, 0)
    journal = store.journal()
    journal.append([Entry(9, 5, 0, "session.stopped", {"reason": "asked"})])
    with pytest.raises(StateError, match="runs already"):
        archive(opened, "main", into, tmp_path / "other", 0)
    meant = list(journal.read())
    journal.close()
    tables = tables_of(opened, "main")
    kept = archive(opened, "main", into, folder, 0)
    assert list(read_archive(kept)) == meant
    assert len(list(rows_of(opened, "main"))) == len(meant)
    assert archive(opened, "main", into, folder, 0, delete=True) == kept
    assert not list(rows_of(opened, "main"))
    assert tables_of(opened, "main") == tables
    assert list(read_archive(kept)) == meant
    [verdict] = verify(opened, deep=True)
    assert "archived in" in verdict.sentence
    with pytest.raises(StateError, match="is archived"):
        store.journal()
    verify_backup(backup(opened, tmp_path / "backups", NOW), deep=True)
    whole = kept.read_bytes()
    for place in range(0, len(whole), 3):  # some make Polars panic
        kept.write_bytes(whole[:place] + bytes([whole[place] ^ 64]) + whole[place + 1 :])
        with contextlib.suppress(IntegrityError):
            assert list(read_archive(kept)) == meant
    kept.write_bytes(parquet_of("journal", rows_in("journal", whole, "")[:-1]))
    with pytest.raises(IntegrityError, match="another last record"):
        list(read_archive(kept))
    kept.write_bytes(whole[:-9])
    with pytest.raises(IntegrityError, match="archive"):
        list(read_archive(kept))
    opened.close()


def test_places_that_cannot_be_written(
    store: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(store, tmp_path / "backups")
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(StoreError, match="cannot be written: Not a directory"):
        restore(path, f"sqlite:///{file / 'journal.db'}", NOW)
    opened = store.open()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="cannot be written: No space left"):
        backup(opened, tmp_path / "other", NOW)
    opened.close()


def test_nothing_to_back_up(store: Database, tmp_path: Path) -> None:
    empty = Store(address_of(store.url))
    with pytest.raises((StateError, StoreError), match="no journal"):
        backup(empty, tmp_path / "backups", NOW)
    empty.close()
