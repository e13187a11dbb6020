"""`intrabar journal`, on both databases: what it prints, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from intrabar.app.cli.main import run
from intrabar.journal.archive import read_archive
from intrabar.model.entry import Entry
from intrabar.store.engine import execute
from intrabar.store.triggers import free_journal
from tests.databases import Database
from tests.journal.entries import turns


@pytest.fixture
def place(store: Database, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A session that has ended; the options that name its database."""
    monkeypatch.chdir(store.folder)
    folder = store.folder / "sessions" / "main"
    folder.mkdir(parents=True)
    journal = store.journal(folder=folder)
    for turn in turns(10):
        journal.append(turn)
    journal.append([Entry(99, 10, 0, "session.stopped", {"reason": "asked"})])
    journal.close()
    if store.kind == "sqlite":
        for ending in ("", "-wal", "-shm"):
            path = store.path.with_name(store.path.name + ending)
            if path.exists():
                path.rename(folder / path.name)
        return []
    return ["--store", store.url.replace(":@", "@")]


def told(capsys: Any, *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run(["journal", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_verify_and_rebuild(store: Database, place: list[str], capsys: Any) -> None:
    code, out, _ = told(capsys, "verify", "main", "--deep", *place)
    assert (code, out.endswith("records, the chain is whole\n")) == (0, True)
    code, out, _ = told(capsys, "verify", "main", "--json", *place)
    assert json.loads(out)["bad"] is None
    code, out, _ = told(capsys, "rebuild", "main", "--json", *place)
    assert (code, json.loads(out)["equity"]) == (0, 10)
    assert told(capsys, "rebuild", "main", *place)[0] == 0
    code, _, err = told(capsys, "verify", "mian", *place)
    assert (code, "did you mean 'main'?" in err) == (2, True)


def test_a_changed_record_is_exit_code_6(store: Database, place: list[str], capsys: Any) -> None:
    opened = Database(store.kind, store.url, store.folder)
    if store.kind == "sqlite":
        opened = Database("sqlite", "sqlite:///sessions/main/journal.db", store.folder)
    writer = opened.open()
    writer.write(free_journal)
    change = "UPDATE journal SET body = ? WHERE seq = ?"
    writer.write(lambda connection: execute(connection, change, ["{}", 5]).rowcount)
    writer.close()
    for more in ([], ["--json"]):
        code, out, err = told(capsys, "verify", "main", *more, *place)
        assert code == 6
        assert "record 5 " in err
        assert "the last good record is 4" in err
        assert not more or json.loads(out)["bad"] == 5
    code, _, err = told(capsys, "rebuild", "main", *place)
    assert (code, "record 5 " in err) == (6, True)


def test_backup_restore_and_archive(store: Database, place: list[str], capsys: Any) -> None:
    code, out, _ = told(capsys, "backup", "main", "--json", *place)
    path = Path(json.loads(out)["path"])
    assert (code, path.parent) == (0, Path("sessions/main/backups/backups"))
    code, out, _ = told(capsys, "restore", "sessions/main/backups", "--into", "again/journal.db")
    assert (code, out.startswith("main: ")) == (0, True)
    code, _, err = told(capsys, "restore", str(path), "--into", "again/journal.db")
    assert (code, "there already" in err) == (2, True)
    code, out, _ = told(capsys, "verify", "main", "--store", "sqlite:///again/journal.db")
    assert code == 0
    code, out, _ = told(capsys, "archive", "main", "--delete", "--json", *place)
    assert code == 0
    assert len(list(read_archive(Path(json.loads(out)["path"])))) > 50
    code, out, _ = told(capsys, "verify", "main", *place)
    assert (code, "archived in" in out) == (0, True)
    code, _, err = told(capsys, "archive", "main", *place)
    assert (code, "archived already" in err) == (2, True)
    broken = next((Path("sessions/main/backups") / "objects").iterdir())
    broken.write_bytes(b"")
    code, _, err = told(capsys, "restore", str(path), "--into", "third.db")
    assert (code, broken.name in err) == (6, True)
    assert not Path("third.db").exists()
