"""The documentation holds: its scenarios, its code, its pictures, its words and its links."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from intrabar.engine.scenario.scenario import run_scenario
from intrabar.model import enums
from tests.oracles.comparing import differences
from tests.oracles.naive_market import run as run_oracle

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(p for p in [*DOCS.rglob("*.md"), ROOT / "README.md"] if p.exists())
SCENARIOS = [
    pytest.param(json.loads(line), id=f"{file.stem}-{n}")
    for file in sorted((DOCS / "scenarios").glob("*.jsonl"))
    for n, line in enumerate(file.read_text(encoding="utf-8").splitlines())
]
FENCE = re.compile(r"^( *)```.*?^\1```", re.M | re.S)
MARKED = re.compile(r"<!-- run -->\n+```python\n(.*?)^```", re.M | re.S)
LINK = re.compile(r"\]\(([^()\s]+)\)")
WORDS = [w for _, w in inspect.getmembers(enums, inspect.isclass) if issubclass(w, enums.Word)]


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def drawing() -> ModuleType:
    sys.path.insert(0, str(DOCS / "pictures"))  # as for a script in that folder
    try:
        return importlib.import_module("draw")
    finally:
        sys.path.pop(0)


def anchors(page: Path) -> set[str]:
    found = set()
    for heading in re.findall(r"^#+ +(.+?)\s*$", FENCE.sub("", text_of(page)), re.M):
        plain = re.sub(r"[^\w\s-]", "", heading.lower()).strip()
        found.add(re.sub(r"[-\s]+", "-", plain))
    return found


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario_gives_the_result_that_it_states(scenario: dict) -> None:
    given = {name: value for name, value in scenario.items() if name != "expect"}
    stated = {"name": scenario["name"], **scenario["expect"]}
    assert differences(given, stated, run_scenario(given)) == []
    assert differences(given, run_oracle(given), run_scenario(given)) == []


def test_pictures_are_up_to_date() -> None:
    drawn = drawing().pictures()
    on_disk = {p.name: text_of(p) for p in (DOCS / "pictures").glob("*.svg")}
    assert sorted(drawn) == sorted(on_disk)
    stale = [name for name, svg in drawn.items() if svg != on_disk[name]]
    assert stale == [], "run docs/pictures/draw.py"


def test_every_picture_is_shown() -> None:
    pages = "".join(map(text_of, PAGES))
    pictures = {p.name for p in (DOCS / "pictures").glob("*.svg")}
    assert {name for name in pictures if f"pictures/{name})" not in pages} == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_marked_code_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of one page share their names, as they would in a session."""
    text = text_of(page)
    assert text.count("<!-- run -->") == len(MARKED.findall(text))
    monkeypatch.chdir(tmp_path)
    names: dict = {"__name__": "__main__"}
    for block in MARKED.finditer(text):
        line = text[: block.start(1)].count("\n")
        exec(compile("\n" * line + block[1], str(page), "exec"), names)


@pytest.mark.parametrize("words", WORDS, ids=lambda w: w.__name__)
def test_every_word_of_the_files_is_explained(words: type[enums.Word]) -> None:
    pages = text_of(DOCS / "fill-model.md") + text_of(DOCS / "glossary.md")
    assert [m.word for m in words if f"`{m.word}`" not in pages] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_internal_links_resolve(page: Path) -> None:
    broken = []
    for link in LINK.findall(FENCE.sub("", text_of(page))):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_is_in_the_navigation() -> None:
    nav = set(re.findall(r"[\w/-]+\.md", text_of(ROOT / "mkdocs.yml")))
    assert {p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md")} <= nav
    assert {page for page in nav if not (DOCS / page).exists()} == set()
