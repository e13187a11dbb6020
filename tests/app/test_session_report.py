"""The report of a session: written at its stop, again by `session export`, and told where not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import intrabar as ib
from intrabar.app.cli.main import run
from intrabar.app.workers import lived as of_stop
from intrabar.app.workers.logs import NAME as LOG
from tests.app.cli.test_paper_command import config as config  # the fixture
from tests.app.cli.test_paper_command import paper
from tests.engine.chunks.test_chunks import walk

FOLDER = Path("sessions/Try")
PAGE = FOLDER / "report.html"


class Dips(ib.Strategy):
    """A class that no configuration can name."""

    def on_close(self, now: Any) -> None:
        if now.bar % 10 == 0:
            now.buy(1)


def logged() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / LOG).read_text().splitlines()]


def test_a_report_is_there_when_a_session_stops_and_is_written_anew(
    config: Path, capsys: Any
) -> None:
    code, told = paper(config, capsys=capsys)
    assert (code, told["report"], told["unreported"]) == (0, str(PAGE), "")
    page = PAGE.read_text()
    assert "There is no ambiguity band" in page
    assert told["digest"] in page
    PAGE.unlink()
    assert run(["session", "export", "Try"]) == 0
    assert ", report.html: 350 rows" in capsys.readouterr().out
    assert told["digest"] in PAGE.read_text()
    assert run(["session", "export", "Try", "--out", "again", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["unreported"] == ""
    assert told["digest"] in Path("again/report.html").read_text()


def test_a_report_that_cannot_be_written_stops_no_stop(config: Path, capsys: Any) -> None:
    PAGE.mkdir(parents=True)
    assert run(["paper", str(config), "--recorded", "data"]) == 0
    said = capsys.readouterr().out
    assert "\nreport    none: " in said
    assert "report.html" in said
    assert [line["why"] for line in logged() if line["event"] == "report.left_out"]
    kinds = [line["event"] for line in logged()]
    assert kinds.index("session.stopped") < kinds.index("report.left_out")


def test_a_bug_in_the_report_is_told_and_the_page_of_an_earlier_stop_is_gone(
    config: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    paper(config, capsys=capsys)

    def broken(*_: Any) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(of_stop, "session_report", broken)
    code, told = paper(config, capsys=capsys)
    assert (code, told["report"]) == (0, None)
    assert told["unreported"] == "a bug: ZeroDivisionError: by zero"
    assert not PAGE.exists()


def test_what_is_long_is_left_to_the_command(
    config: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_stop, "MOST", 100)
    _, told = paper(config, capsys=capsys)
    assert told["unreported"] == "400 bars take long; intrabar session export Try writes it"
    assert run(["session", "export", "Try"]) == 0
    assert PAGE.exists()


def test_the_report_of_a_class_is_written_at_the_stop_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    lived = ib.paper(Dips(), walk("A", 1, 60), name="Try", warm_up=20)
    assert lived.unreported == ""
    before = PAGE.read_text()
    assert lived.digest in before
    assert run(["session", "export", "Try"]) == 0
    said = capsys.readouterr().out
    assert "note: report.html was not written: session 'Try' had strategies that a program" in said
    assert PAGE.read_text() == before
