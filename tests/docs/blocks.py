"""The blocks of the pages that are meant to run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"<!-- run -->\n```python\n(.*?)```", re.DOTALL)


def runnable() -> dict[str, str]:
    """`page:line` -> code, of every Python block under `<!-- run -->`.

    Without the first hour, whose blocks need each other (`test_first_hour`).
    """
    found = {}
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        if page.name == "first-hour.md":
            continue
        text = page.read_text()
        for match in BLOCK.finditer(text):
            line = text.count("\n", 0, match.start(1)) + 1
            found[f"{page.relative_to(ROOT)}:{line}"] = match[1]
    return found
