"""Tests of the store and the journal run on both databases, or say why not."""

from __future__ import annotations

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]
ALONE = {
    "tests/store/test_address.py": "texts: no database is opened",
    "tests/store/test_extra.py": "there is no database",
    "tests/journal/test_emergency.py": "the file for when there is none",
    "test_a_file_cut_at_every_byte_of_its_last_page": "the file of SQLite",
    "test_the_end_of_the_log_is_cut": "the log of SQLite",
    "test_trades_are_those_of_a_finished_run": "the fold alone",
    "test_a_machine_that_does_not_name_its_start": "the lock of a folder alone",
    "test_a_folder_that_cannot_be_made": "a path, which PostgreSQL has not",
    "test_a_migration_only_adds": "the text of the migrations",
}


def test_every_test_of_a_database_has_the_fixture() -> None:
    missing = []
    used = set()
    for folder in ("store", "journal"):
        for path in sorted((TESTS / folder).rglob("test_*.py")):
            name = path.relative_to(TESTS.parent).as_posix()
            if name in ALONE:
                used.add(name)
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                    if node.name in ALONE:
                        used.add(node.name)
                    elif "store" not in {argument.arg for argument in node.args.args}:
                        missing.append(f"{name}: {node.name}")
    assert not missing
    assert used == set(ALONE)
