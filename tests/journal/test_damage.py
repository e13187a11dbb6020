"""A row that is lost, changed or put in is found, and the last good one is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from intrabar.errors import IntegrityError, StoreError
from intrabar.journal.journal import open_journal
from intrabar.journal.reading import read
from intrabar.journal.verifying import check, verify
from intrabar.store.address import address_of
from intrabar.store.engine import Connection, Store, execute
from intrabar.store.tables import JOURNAL
from intrabar.store.triggers import free_journal, keep_journal
from tests.databases import Database
from tests.journal.entries import turns

RECORDS = 40
CHANGES: dict[str, Any] = {
    "at": 1,
    "bar": 99,
    "step": 1,
    "kind": "other",
    "body": '{"a":1}',
    "hash": b"0" * 16,
}


def filled(store: Database, count: int = 8) -> int:
    journal = store.journal()
    for turn in turns(count):
        last = journal.append(turn)
    journal.close()
    return last


def tampered(store: Database, *statements: tuple[str, list[Any]]) -> Store:
    opened = store.open()

    def work(connection: Connection) -> None:
        free_journal(connection)
        for statement, values in statements:
            execute(connection, statement, values)
        keep_journal(connection)

    opened.write(work)
    return opened


@pytest.mark.parametrize("column", CHANGES)
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_a_changed_column(store: Database, column: str, place: str) -> None:
    last = filled(store)
    seq = {"first": 1, "middle": last // 2, "last": last}[place]
    change = f"UPDATE journal SET {column} = ? WHERE seq = ?"
    opened = tampered(store, (change, [CHANGES[column], seq]))
    [verdict] = verify(opened)
    assert (verdict.bad, verdict.records) == (seq, seq - 1)
    with pytest.raises(IntegrityError, match=f"record {seq} .*last good record is {seq - 1}"):
        check([verdict])
    with pytest.raises(IntegrityError, match=f"record {seq} "):
        list(read(opened, "main"))
    opened.close()


@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_a_lost_row(store: Database, place: str) -> None:
    last = filled(store)
    seq = {"first": 1, "middle": last // 2, "last": last}[place]
    opened = tampered(store, ("DELETE FROM journal WHERE seq = ?", [seq]))
    [verdict] = verify(opened)
    assert (verdict.bad, verdict.records) == (seq, seq - 1)
    opened.close()
    if place == "last":  # a start does not go on behind a loss
        with pytest.raises(IntegrityError, match="journal verify"):
            store.journal()


def test_rows_that_were_put_in(store: Database) -> None:
    last = filled(store)
    columns = ", ".join(JOURNAL.columns.keys())
    copy = columns.replace("seq", "?", 1)
    again = f"INSERT INTO journal ({columns}) SELECT {copy} FROM journal WHERE seq = ?"
    opened = tampered(store, (again, [last + 1, last]))
    [verdict] = verify(opened)
    assert (verdict.bad, verdict.records) == (last + 1, last)
    other = again.replace("session", "'other'", 2).replace("'other'", "session", 1)
    opened.close()
    opened = tampered(store, (other, [1, 1]))
    assert [verdict.bad for verdict in verify(opened)] == [last + 1, 1]
    opened.close()


def test_rows_that_changed_places(store: Database) -> None:
    filled(store)
    move = "UPDATE journal SET seq = ? WHERE seq = ?"
    opened = tampered(store, (move, [-3, 3]), (move, [3, 5]), (move, [5, -3]))
    assert verify(opened)[0].bad == 3
    opened.close()


def start(path: Path) -> None:
    """As a session does: it opens its journal, and reads all of it."""
    journal = open_journal(f"sqlite:///{path}", "main", path.parent / "main", 0)
    try:
        list(journal.read())
    finally:
        journal.close()


@pytest.mark.parametrize("every", [61, pytest.param(1, marks=pytest.mark.slow)])
def test_a_file_cut_at_every_byte_of_its_last_page(tmp_path: Path, every: int) -> None:
    """Of SQLite alone: PostgreSQL looks after its own pages."""
    path = tmp_path / "journal.db"
    filled(Database("sqlite", f"sqlite:///{path}", tmp_path), 4)
    whole = path.read_bytes()
    page = int.from_bytes(whole[16:18], "big")
    found = 0
    for size in range(len(whole) - 1, len(whole) - page - 1, -every):
        path.write_bytes(whole[:size])
        opened = Store(address_of(f"sqlite:///{path}"))
        try:
            [verdict] = verify(opened, deep=True)
        finally:
            opened.close()
        if not verdict.why:  # what is gone held nothing
            assert whole[size:].strip(b"\0") == b""
            continue
        found += 1
        path.write_bytes(whole[:size])
        with pytest.raises(IntegrityError):
            start(path)
    assert found
    path.write_bytes(whole)
    [verdict] = verify(opened, deep=True)
    assert not verdict.why
    opened.close()


def test_a_file_that_is_none(store: Database, tmp_path: Path) -> None:
    if store.kind == "sqlite":
        store.path.write_bytes(b"not a database" * 1000)
        with pytest.raises(IntegrityError, match="not a database"):
            store.journal()
    missing = Store(address_of(f"sqlite:///{tmp_path / 'missing.db'}"))
    with pytest.raises(StoreError, match="no journal"):
        verify(missing)
    assert not (tmp_path / "missing.db").exists()
