"""Without the extra: one sentence with the command; and nothing of it is imported at start."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
from typing import Any

import pytest

import intrabar.store
from intrabar.errors import MissingExtra

HEAVY = ("sqlalchemy", "alembic", "psycopg", "intrabar.store", "intrabar.journal")


@pytest.mark.parametrize("missing", ["alembic", "psycopg", "sqlalchemy"])
def test_a_missing_package_is_one_sentence(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec

    def without(name: str, package: str | None = None) -> Any:
        return None if name == missing else find(name, package)

    with monkeypatch.context() as patch:
        patch.setattr(importlib.util, "find_spec", without)
        with pytest.raises(MissingExtra, match=r"pip install 'intrabar\[store\]'"):
            importlib.reload(intrabar.store)
    importlib.reload(intrabar.store)


def test_the_start_imports_none_of_it() -> None:
    code = (
        "import sys, intrabar, intrabar.app.cli.main\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert found.stdout.strip() == "[]"
