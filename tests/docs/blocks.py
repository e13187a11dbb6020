"""The blocks of the pages that are meant to run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"<!-- run -->\n```python\n(.*?)```", re.DOTALL)


def runnable() -> dict[str, str]:
    """`page:line` -> code, of every Python block under `<!-- run -->`.

    Of the README: the pages of docs run in `test_docs`, the first hour in `test_first_hour`.
    """
    found = {}
    for page in (ROOT / "README.md",):
        text = page.read_text()
        for match in BLOCK.finditer(text):
            line = text.count("\n", 0, match.start(1)) + 1
            found[f"{page.relative_to(ROOT)}:{line}"] = match[1]
    return found
