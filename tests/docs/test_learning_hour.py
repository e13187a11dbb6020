"""From bars to a hybrid: every file, block and command of the page, in its order."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT
from tests.own_process import python

PAGE = ROOT / "docs" / "learning-hour.md"
STEP = re.compile(r"<!-- (then|type|slow|file: (\S+)) -->\n```\w+\n(.*?)```", re.DOTALL)


def typed(line: str, folder: Path) -> str:
    program, *arguments = shlex.split(line)
    assert program == "intrabar"
    return python("-P", "-m", "intrabar.app.cli.main", *arguments, folder=folder)


def test_the_page_works_from_top_to_bottom(tmp_path: Path) -> None:
    told = []
    for kind, name, text in STEP.findall(PAGE.read_text()):
        if name:
            (tmp_path / name).write_text(text)
        elif kind == "then":
            told.append(python("-c", text, folder=tmp_path))
        elif kind == "type":
            told += [typed(line, tmp_path) for line in text.strip().splitlines()]
    assert len(told) == 6
    assert (tmp_path / "datasets" / "trend" / "rows.csv").exists()
    assert "always" in told[1]
    assert "score lost" in told[2]
    assert "multiple" in told[4]
    assert told[5].startswith(("Open", "Not worth it"))


@pytest.mark.slow
def test_ppo_is_trained_as_the_page_says(tmp_path: Path) -> None:
    steps = STEP.findall(PAGE.read_text())
    (tmp_path / "trend.yaml").write_text(next(text for _, name, text in steps if name))
    line = next(text for kind, _, text in steps if kind == "slow")
    assert "always" in typed(line.strip(), tmp_path)
    assert (tmp_path / "policies" / "ppo" / "ppo.zip").exists()
