"""The tables are made by the migrations as the program knows them; newer ones are refused."""

from __future__ import annotations

import ast
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from intrabar.errors import IntegrityError, StateError
from intrabar.store import migrate as module
from intrabar.store.address import address_of
from intrabar.store.engine import Store
from intrabar.store.lease import take
from intrabar.store.migrate import check_format, migrate
from intrabar.store.tables import METADATA
from tests.databases import Database

SECOND = 1_000_000_000


def test_they_are_the_tables_of_the_program(store: Database) -> None:
    opened = store.open()
    with opened.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    assert check_format(opened) == module.NEWEST
    opened.close()


def test_several_that_begin_at_once(store: Database) -> None:
    stores = [Store(address_of(store.url), 60.0) for _ in range(4)]
    threads = [threading.Thread(target=migrate, args=(one, 0)) for one in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [check_format(one) for one in stores] == [1] * 4
    for one in stores:
        one.close()


def test_newer_ones_are_refused_and_left_alone(store: Database) -> None:
    opened = store.open()
    newer = "UPDATE format SET format = 3, program = '0.6'"
    opened.write(lambda connection: connection.exec_driver_sql(newer))
    says = r"format 3, Intrabar \S+ reads up to 1; install 0\.6 or newer"
    for refused in (lambda: migrate(opened, 0), lambda: check_format(opened), store.journal):
        with pytest.raises(IntegrityError, match=says) as caught:
            refused()
        assert caught.value.exit_code == 6
    opened.close()


def test_older_ones_are_backed_up_first_and_never_changed_under_a_session(
    store: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = store.open()
    lease = take(opened, "main", 0, tmp_path)
    monkeypatch.setattr(module, "NEWEST", 2)
    kept: list[int] = []
    with pytest.raises(StateError, match="format 1 becomes 2 once nobody writes"):
        migrate(opened, SECOND, lambda: kept.append(1))
    assert not kept
    lease.give_back()
    migrate(opened, SECOND, lambda: kept.append(1))
    assert kept == [1]
    opened.close()


def test_a_migration_only_adds() -> None:
    for path in sorted((module.FOLDER / "versions").glob("v*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                if node.value.id == "op":
                    assert node.attr in {
                        "create_table",
                        "add_column",
                        "create_index",
                        "execute",
                        "get_bind",
                    }
