"""A collection of layouts beside the project: each is right, or leads there by its sentences.

What an option is worth that only the owner of a file can know (its zone) is in the collection's
own list of options; everything else is taken from the sentence.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from intrabar.app.cli.main import run
from intrabar.data.catalogue import Catalogue

FLAG = re.compile(
    r"--(zone|label|sort|calendar|time-format|only|decimal|scale)(?: ('[^']*'|[^\s,;()]+))?"
)
STEPS = 3


def cases() -> list[dict[str, Any]]:
    listed = Path(os.environ.get("INTRABAR_TEST_DATA", "")) / "layouts" / "expected.jsonl"
    return [json.loads(line) for line in listed.read_text().splitlines()] if listed.exists() else []


def known(case: dict[str, Any]) -> dict[str, str]:
    """The options that the collection gives: flag to value."""
    words = case["options"]
    after = [*words[1:], ""][: len(words)]
    values = ["" if w.startswith("--") else w for w in after]
    return {w[2:]: v for w, v in zip(words, values, strict=True) if w.startswith("--")}


def answers(sentence: str, case: dict[str, Any]) -> list[list[str]]:
    """What a reader of the sentence may write: each alternative, or what the owner knows."""
    named: dict[str, list[str]] = {}
    for flag, value in FLAG.findall(sentence):
        named.setdefault(flag, []).append("" if flag == "sort" else value.strip("'"))
    own = known(case)
    if {"zone", "label"} <= set(named):  # both in each alternative
        pairs = zip(named["zone"], named["label"], strict=True)
        return [["--zone", zone, "--label", label] for zone, label in pairs]
    every: list[list[str]] = [[]]
    for flag, values in named.items():
        one = [own[flag]] if flag in own else values
        words = [[f"--{flag}", v] if v else [f"--{flag}"] for v in one]
        every = [[*before, *word] for before in every for word in words]
    return [words for words in every if words]


def outcome(
    case: dict[str, Any], folder: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> str:
    """ "right", "wrong", or the sentence of the refusal."""
    root = folder / f"c{len(list(folder.iterdir()))}"
    os.environ["INTRABAR_CATALOGUE"] = str(root)
    path = Path(os.environ["INTRABAR_TEST_DATA"]) / "layouts" / case["file"]
    code = run(["data", "import", str(path), "--symbol", case["symbol"], *words])
    said = capsys.readouterr()
    if code:
        assert "Traceback" not in said.err
        return said.err
    expect, bars = case["expect"], Catalogue(root).read(case["symbol"])
    if "refusal" in expect:
        return "wrong"
    start = str(np.datetime64(int(bars.open_time[0]), "ns"))[:19] + "Z"
    fields = [getattr(bars, n) for n in ("open", "high", "low", "close", "volume")]
    same = (start, len(bars)) == (expect["start"], expect["rows"])
    same &= np.allclose([f[0] for f in fields], expect["first"], rtol=1e-9)
    same &= np.allclose([f[-1] for f in fields], expect["last"], rtol=1e-9)
    return "right" if same else "wrong"


@pytest.mark.skipif(not cases(), reason="INTRABAR_TEST_DATA has no layouts")
@pytest.mark.parametrize("case", cases(), ids=lambda case: case["file"])
def test_every_layout_is_right_or_its_sentences_lead_there(
    case: dict[str, Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("INTRABAR_CATALOGUE", "")
    may_refuse = "refusal" in case["expect"] or bool(case.get("or_refusal"))
    reached: set[str] = set()

    def follow(words: list[str], steps: int) -> None:
        found = outcome(case, tmp_path, words, capsys)
        if found in ("right", "wrong"):
            reached.add(found)
            return
        reached.add("refused")
        for answer in answers(found, case) if steps else []:
            new = [w for w in answer if w.startswith("--") and w not in words]
            if new:
                follow([*words, *answer], steps - 1)

    first = outcome(case, tmp_path, [], capsys)
    assert first != "wrong"
    follow([], STEPS)
    assert "right" in reached or may_refuse
