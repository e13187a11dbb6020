"""The tables are made by the migrations as the program knows them; newer ones are refused."""

from __future__ import annotations

import ast
import os
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from intrabar.errors import IntegrityError, StateError, StoreError
from intrabar.journal.journal import open_journal
from intrabar.journal.verifying import verify
from intrabar.store import migrate as module
from intrabar.store.address import address_of
from intrabar.store.engine import Connection, Store
from intrabar.store.lease import take
from intrabar.store.migrate import check_format, migrate
from intrabar.store.tables import JOURNAL, LEASES, METADATA
from tests.databases import NUMBER, Database
from tests.journal.entries import turns

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


def test_a_second_start_holds_up_nobody(store: Database) -> None:
    """It looks at the tables while a transaction of another process is open, and does not wait."""
    one, two = store.open(), Store(address_of(store.url))

    def work(connection: Connection) -> None:
        connection.execute(LEASES.insert().values(name="main", fence=1))
        migrate(two, 0)

    one.write(work)
    one.close()
    two.close()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    opened = Store(address_of(f"sqlite:///{tmp_path / 'file' / 'sub' / 'journal.db'}"))
    with pytest.raises(StoreError, match="cannot be made: Not a directory"):
        migrate(opened, 0)
    opened.close()


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


ROLES = """
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO {writer};
GRANT UPDATE ON leases, sessions, orders, fills, trades, positions, equity, submissions TO {writer};
GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader};
"""


def test_roles_that_may_only_write_or_only_read(store: Database) -> None:
    """The grants of `docs/journal.md`; a file has one owner, and the journal opens as ever."""
    store.journal().close()
    if store.kind == "sqlite":
        store.journal().close()
        return
    number = next(NUMBER)
    names = {role: f"{role}_{os.getpid()}_{number}" for role in ("writer", "reader")}
    opened = store.open()
    for name in names.values():
        store.server.run(f"CREATE ROLE {name} LOGIN")
    grants = ROLES.format(**names)
    page = (Path(__file__).parents[2] / "docs" / "journal.md").read_text()
    assert ROLES.format(writer="intrabar", reader="intrabar_reader").strip() in page
    opened.write(lambda connection: connection.exec_driver_sql(grants))
    as_writer, as_reader = (store.url.replace("postgres:@", f"{name}@") for name in names.values())
    journal = open_journal(as_writer, "main", store.folder / "main", 0, commit_within=20.0)
    for turn in turns(5):
        journal.append(turn)
    for refused in (JOURNAL.update().values(kind="x"), JOURNAL.delete()):
        with pytest.raises(StoreError, match="permission denied"):
            journal.store.write(lambda connection, it=refused: connection.execute(it))
    reader = Store(address_of(as_reader))
    assert not verify(reader, deep=True)[0].why
    with pytest.raises(StoreError, match="permission denied"):
        open_journal(as_reader, "main", store.folder / "x", 40 * SECOND)
    journal.close()
    reader.close()
    for name in names.values():
        opened.write(lambda connection, it=name: connection.exec_driver_sql(f"DROP OWNED BY {it}"))
        store.server.run(f"DROP ROLE {name}")
    opened.close()
