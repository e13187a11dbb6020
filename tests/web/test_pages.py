from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from intrabar.errors import RunError
from intrabar.ui.report_view import report_view
from intrabar.ui.view_types import ReportView
from intrabar.web import pages
from intrabar.web.pages import PLACEHOLDER, write_report
from tests.ui.synthetic import facts, findings, tables, walk

PAGE = f'<script id="view" type="application/json">{PLACEHOLDER}</script>'


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_template", lambda _: PAGE)


def view_named(name: str) -> ReportView:
    bars = [walk("MES", 300, 1)]
    run = tables(bars, 6)
    return report_view(facts(name, bars), run, bars, findings(run, bars))


def written(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    return text[text.index(">") + 1 : text.rindex("</script>")]


@pytest.mark.usefixtures("page")
def test_view_is_inside_the_page(tmp_path: Path) -> None:
    view = view_named("plain")
    path = write_report(view, tmp_path / "new" / "report.html")
    assert json.loads(written(path)) == json.loads(json.dumps(view))


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize(
    "name",
    ["</script><script>alert(1)</script>", "<!-- <script>", "a\u2028b\u2029c", 'é "quoted" \\'],
)
def test_no_text_can_leave_the_script_element(tmp_path: Path, name: str) -> None:
    path = write_report(view_named(name), tmp_path / "report.html")
    inside = written(path)
    assert "<" not in inside
    assert "\u2028" not in inside
    assert json.loads(inside)["name"] == name


@pytest.mark.usefixtures("page")
def test_failed_write_leaves_the_old_report_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")

    def refuse(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(RunError, match="disk full"):
        write_report(view_named("new"), path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_page_that_was_not_built_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "files", lambda _: tmp_path)
    with pytest.raises(RunError, match="not built"):
        write_report(view_named("new"), tmp_path / "report.html")


def test_page_without_its_one_place_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "report.html").write_text("<html></html>")
    monkeypatch.setattr(pages, "files", lambda _: tmp_path)
    with pytest.raises(RunError, match="broken"):
        write_report(view_named("new"), tmp_path / "report.html")
