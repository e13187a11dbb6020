"""What a session decides hangs on its events alone: no clock, no chance, no waiting in its code."""

from __future__ import annotations

import ast
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "src" / "intrabar"
FOLDERS = ("engine/session", "risk", "journal")
MODULES = {"time", "random", "secrets", "uuid"}
CALLS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "asyncio.sleep"}


def test_sessions_risk_and_journal_ask_no_clock() -> None:
    found = []
    for folder in FOLDERS:
        paths = sorted((SOURCES / folder).rglob("*.py"))
        assert paths
        for path in paths:
            for node in ast.walk(ast.parse(path.read_text())):
                place = f"{path.relative_to(SOURCES)}:{getattr(node, 'lineno', 0)}"
                if isinstance(node, ast.Import):
                    names = {name.name.split(".")[0] for name in node.names}
                elif isinstance(node, ast.ImportFrom):
                    names = {(node.module or "").split(".")[0]}
                elif isinstance(node, ast.Attribute):
                    text = ast.unparse(node)
                    names = {"random"} if ".random." in f".{text}." else set()
                    if any(text == call or text.endswith(f".{call}") for call in CALLS):
                        found.append(f"{place}: {text}")
                else:
                    continue
                found += [f"{place}: {name}" for name in sorted(names & MODULES)]
    assert not found
