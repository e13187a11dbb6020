"""What is appended is there, in its order, on both databases, and can be worked out again."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from intrabar.errors import IntegrityError, StateError
from intrabar.journal.reading import read, rows_of, sessions
from intrabar.journal.verifying import rebuild, tables_of, verify, worked_out
from intrabar.model.entry import Entry
from intrabar.store.address import address_of
from intrabar.store.engine import Store
from intrabar.store.tables import EQUITY, JOURNAL
from tests.databases import Database
from tests.journal.entries import turns


def test_what_was_appended_is_read(store: Database) -> None:
    journal = store.journal()
    made = turns(30)
    for turn in made:
        journal.append(turn)
    meant = [entry for turn in made for entry in turn]
    records = list(journal.read())
    assert [record.entry for record in records] == meant
    assert [record.seq for record in records] == list(range(1, len(meant) + 1))
    assert list(journal.read(len(records))) == records[-1:]
    assert len({record.hash for record in records}) == len(records)
    assert [verdict.why for verdict in verify(journal.store, deep=True)] == [""]
    journal.close()


def test_it_goes_on_where_it_ended(store: Database) -> None:
    made = turns(20)
    for first in range(0, len(made), 7):
        journal = store.journal()
        for turn in made[first : first + 7]:
            journal.append(turn)
        journal.close()
    opened = store.open()
    assert sum(map(len, made)) == sessions(opened)["main"]["seq"]
    [verdict] = verify(opened, "main", deep=True)
    assert not verdict.why
    opened.close()


def test_the_tables_are_worked_out_again_equal(store: Database, tmp_path: Path) -> None:
    journal = store.journal()
    for turn in turns(40):
        journal.append(turn)
    before = tables_of(journal.store, "main")
    assert all(before.values())
    assert before == worked_out("main", rows_of(journal.store, "main"))
    with pytest.raises(StateError, match="runs already"):
        rebuild(journal.store, "main", tmp_path / "other", 0)
    journal.close()
    opened = store.open()
    opened.write(lambda connection: connection.execute(EQUITY.delete()))
    [verdict] = verify(opened, deep=True)
    assert "equity" in verdict.why
    counts = rebuild(opened, "main", tmp_path / "main", 0)
    assert counts == {name: len(rows) for name, rows in before.items()}
    assert tables_of(opened, "main") == before
    opened.close()


def test_rows_are_neither_changed_nor_taken_away(store: Database) -> None:
    journal = store.journal()
    journal.append(turns(1)[0])
    for statement in (JOURNAL.update().values(kind="x"), JOURNAL.delete()):
        with pytest.raises(IntegrityError, match="only appended to"):
            journal.store.write(lambda connection, it=statement: connection.execute(it))
    assert not verify(journal.store)[0].why
    journal.close()


def test_numbers_of_every_kind_come_back(store: Database) -> None:
    journal = store.journal()
    body = {
        "small": 5e-324,
        "third": 1 / 3,
        "minus": -0.0,
        "big": 2**62,
        "none": None,
        "nan": float("nan"),
        "inf": [float("inf"), -float("inf"), np.float64("nan")],
        "numpy": [np.int64(3), np.float64(0.1), np.bool_(True)],
        "text": "ä\x00\n\"'\\ \U0001f600",
    }
    journal.append([Entry(1, 0, 0, "odd", body)])
    journal.append([Entry(2, 0, 0, "fill", {"symbol": "ES", "qty": float("nan"), "cost": -0.0})])
    found = next(journal.read()).body
    assert found["nan"] == "nan"
    assert found["inf"] == ["inf", "-inf", "nan"]
    assert found["numpy"] == [3, 0.1, True]
    assert str(found["minus"]) == "-0.0"
    for name in ("small", "third", "big", "none", "text"):
        assert found[name] == body[name]
    assert not verify(journal.store, deep=True)[0].why
    journal.close()


def test_numbers_of_numpy_and_texts_that_are_none(store: Database) -> None:
    journal = store.journal()
    named = {"symbol": "E\0S", "strategy": "x\ud800y", "qty": np.float64(1.0), "index": np.int64(3)}
    at = Entry(np.int64(5), np.int32(2), np.int8(7), "fill", {**named, "position": 1.0})  # type: ignore[arg-type]
    journal.append([at])
    journal.append(
        [Entry(6, 2, 7, "outcome", {"ticket": "\0", "outcomes": [{"text": "\ud800\0"}]})]
    )
    assert not verify(journal.store, deep=True)[0].why
    tables = tables_of(journal.store, "main")
    assert [(row["symbol"], row["at"], row["bar"]) for row in tables["fills"]] == [("ES", 5, 2)]
    first = next(journal.read())
    assert (first.body["symbol"], first.body["strategy"]) == ("E\0S", "x?y")
    journal.close()
    journal = store.journal()
    journal.append([Entry(7, 3, 7, "fill", {**named, "position": 2.0})])
    assert not verify(journal.store, deep=True)[0].why
    journal.close()


def test_a_body_that_is_no_json_leaves_nothing_behind(store: Database) -> None:
    journal = store.journal()
    with pytest.raises(TypeError):
        journal.append(
            [Entry(1, 0, 0, "fill", {"symbol": "ES"}), Entry(1, 0, 0, "x", {"a": object()})]
        )
    with pytest.raises(IntegrityError, match="has no 'symbol'"):
        journal.append([Entry(1, 0, 0, "fill", {"qty": 1.0})])
    assert journal.append(turns(1)[0]) == 1
    assert not verify(journal.store, deep=True)[0].why
    journal.close()


def test_several_sessions_share_a_database(store: Database) -> None:
    """On a server at once; in a file one after the other."""
    for name in ("one", "two"):
        journal = store.journal(name)
        for turn in turns(5):
            journal.append(turn)
        journal.close()
    opened = store.open()
    one, two = (list(read(opened, name)) for name in ("one", "two"))
    assert [record.entry for record in one] == [record.entry for record in two]
    assert not {record.hash for record in one} & {record.hash for record in two}
    assert [verdict.why for verdict in verify(opened, deep=True)] == ["", ""]
    opened.close()


def test_verified_while_it_is_written(store: Database) -> None:
    journal = store.journal()
    journal.append(turns(1)[0])
    done = threading.Event()

    def write() -> None:
        for turn in turns(60)[1:]:
            journal.append(turn)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    reader = Store(address_of(store.url))
    looks = 0
    while not done.is_set() or looks < 2:
        assert [verdict.why for verdict in verify(reader, deep=True)] == [""]
        looks += 1
    writer.join()
    reader.close()
    journal.close()
