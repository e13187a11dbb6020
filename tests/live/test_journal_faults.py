"""What goes wrong with the journal of a session, through `intrabar paper`: a sentence, a code."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from intrabar.app.cli.main import run
from intrabar.journal.journal import Journal, open_journal
from intrabar.journal.verifying import verify
from tests.app.cli.test_paper_command import config, written
from tests.databases import Database

__all__ = ["config"]


def paper(config: Path, capsys: Any, *more: str) -> tuple[int, str, str]:
    code = run(["paper", str(config), "--recorded", "data", "--json", *more])
    said = capsys.readouterr()
    return code, said.out, said.err


def stored(config: Path, store: Database) -> Path:
    """The configuration with its journal in a database; of SQLite the session's own file."""
    return written(config.parent, {"store": {"url": store.url}} if store.server else {})


def journal_of(config: Path) -> Path:
    return config.parent / "sessions" / "Try" / "journal.db"


def away(store: Database, path: Path, is_away: bool, is_full: bool) -> None:
    """Take the database away, or bring it back: the server killed, the file moved, or full."""
    if is_full:
        room = path.with_name("journal.db-wal").stat().st_size + 5_000
        most = room if is_away else resource.RLIM_INFINITY
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    elif store.server is not None:
        (store.server.kill if is_away else store.server.start)()
    else:
        aside = path.with_suffix(".aside")
        path.rename(aside) if is_away else aside.rename(path)


@pytest.mark.parametrize("is_full", [False, True])
def test_gone_and_back_in_the_middle_it_ends_halted_and_the_journal_is_whole(
    config: Path, store: Database, capsys: Any, monkeypatch: pytest.MonkeyPatch, is_full: bool
) -> None:
    is_full = is_full and store.server is None
    made, path = stored(config, store), journal_of(config)
    append, reconcile = Journal.append, Journal.reconcile_last
    count, asked = 0, 0

    def appended(self: Journal, entries: Any) -> int:
        nonlocal count
        count += 1
        if count == 3:
            away(store, path, is_away=True, is_full=is_full)
        return append(self, entries)

    def looked(self: Journal) -> Any:
        nonlocal asked
        asked += 1
        if asked == 3:
            away(store, path, is_away=False, is_full=is_full)
        return reconcile(self)

    monkeypatch.setattr(Journal, "append", appended)
    monkeypatch.setattr(Journal, "reconcile_last", looked)
    code, out, err = paper(made, capsys)
    assert (code, asked) == (3, 3), err
    told = json.loads(out)
    assert told["breaker"] == "halted"
    assert told["rows"] == 400
    url = store.url if store.server else f"sqlite:///{path}"
    journal = open_journal(url, "Try", path.parent, 0, commit_within=60.0)
    kinds = [record.kind for record in journal.read()]
    found = verify(journal.store, deep=True)
    journal.close()
    assert [one.why for one in found] == [""] * len(found)
    assert kinds.count("emergency") == 1
    assert kinds.count("row.closed") == told["rows"] - 50


def test_stopped_while_it_is_gone_it_ends_and_goes_on_from_what_is_there(
    config: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = journal_of(config)
    append, reconcile = Journal.append, Journal.reconcile_last
    count = 0

    def appended(self: Journal, entries: Any) -> int:
        nonlocal count
        count += 1
        if count == 3:
            path.rename(path.with_suffix(".aside"))
        return append(self, entries)

    def looked(self: Journal) -> Any:
        monkeypatch.setattr(Journal, "reconcile_last", reconcile)  # a second one waits for nothing
        os.kill(os.getpid(), signal.SIGINT)
        return reconcile(self)

    monkeypatch.setattr(Journal, "append", appended)
    monkeypatch.setattr(Journal, "reconcile_last", looked)
    code, out, err = paper(config, capsys)
    assert code == 5
    assert "it was stopped while the journal is away" in err
    path.with_suffix(".aside").rename(path)
    monkeypatch.setattr(Journal, "append", append)
    code, out, err = paper(config, capsys)
    assert code == 3, err
    assert json.loads(out)["breaker"] == "halted"
    assert json.loads(out)["rows"] == 400


def test_away_from_the_start_on_it_is_refused(
    config: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ITS_PASSWORD", "secret")
    place = {"url": "postgresql://nobody@127.0.0.1:9/none", "password": "${ITS_PASSWORD}"}
    made = written(config.parent, {"store": place})
    code, _, err = paper(made, capsys)
    assert code == 5
    assert err.startswith("error: ")
    assert "127.0.0.1:9" in err


def test_a_broken_chain_is_refused_with_its_last_good_record(config: Path, capsys: Any) -> None:
    assert paper(config, capsys)[0] == 0
    with sqlite3.connect(journal_of(config)) as connection:
        for (name,) in list(
            connection.execute("SELECT name FROM sqlite_master WHERE type='trigger'")
        ):
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute("UPDATE journal SET at = at + 1 WHERE seq = 5")
    connection.close()
    code, _, err = paper(config, capsys)
    assert code == 6
    assert "record 5" in err
    assert "the last good one is 4" in err
    assert err.startswith("error: ")


def test_a_journal_of_a_newer_version_is_refused(config: Path, capsys: Any) -> None:
    assert paper(config, capsys)[0] == 0
    with sqlite3.connect(journal_of(config)) as connection:
        connection.execute("UPDATE format SET format = 9, program = '9.1'")
    connection.close()
    code, _, err = paper(config, capsys)
    assert code == 6
    assert "install 9.1 or newer" in err


SLOWLY = ("--speed", "5")


def started(config: Path, *more: str, before: Any = None) -> subprocess.Popen[str]:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "intrabar", "paper", str(config), "--recorded", "data", *more]
    return subprocess.Popen(
        command,
        cwd=config.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=before,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )


def test_a_second_process_of_one_session_is_refused(
    config: Path, store: Database, capsys: Any
) -> None:
    made = stored(config, store)
    first = started(made, *SLOWLY)
    try:
        folder = made.parent / "sessions" / "Try"
        while not (folder / "equity.csv").exists():
            assert first.poll() is None, first.communicate()
        code, _, err = paper(made, capsys)
        assert code == 2
        assert str(first.pid) in err
        assert "--take-over" in err
    finally:
        first.send_signal(signal.SIGTERM)
        _, err = first.communicate(timeout=60)
    assert first.returncode == 0, err


def test_a_full_disk_at_the_start_is_told(config: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))

    process = started(config, before=limit)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 5, err
    assert err.startswith("error: ")
    assert "File too large" in err
    again = started(config, "--json")
    out, err = again.communicate(timeout=120)
    assert again.returncode == 0, err
    assert json.loads(out)["rows"] == 400
