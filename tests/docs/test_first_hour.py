"""The first hour, typed from the top: every file, block and command of the page."""

from __future__ import annotations

import re
import shlex
from importlib.util import find_spec
from pathlib import Path

from tests.docs.blocks import ROOT
from tests.own_process import python

PAGE = ROOT / "docs" / "first-hour.md"
STEP = re.compile(r"<!-- (run|type|file: (\S+)) -->\n```\w+\n(.*?)```", re.DOTALL)


def is_page_built() -> bool:
    """Whether the report's page is there; it needs Node once."""
    found = find_spec("intrabar.web")
    assert found is not None
    assert found.origin is not None
    return (Path(found.origin).parent / "static" / "report.html").exists()


def test_the_first_hour_works_from_top_to_bottom(tmp_path: Path) -> None:
    told = []
    for kind, name, text in STEP.findall(PAGE.read_text()):
        if name:
            (tmp_path / name).write_text(text)
        elif kind == "run":
            told.append(python("-c", text, folder=tmp_path))
        else:
            for line in text.strip().splitlines():
                program, *arguments = shlex.split(line)
                assert program == "intrabar"
                if arguments[0] in ("demo", "backtest") and not is_page_built():
                    arguments.append("--no-report")
                # -P: as the installed program, which does not look for modules where it is
                # started.
                told.append(
                    python("-P", "-m", "intrabar.app.cli.main", *arguments, folder=tmp_path)
                )
    assert len(told) == 14
    assert all(told)
    assert "identical" in told[-1]
