"""The log of a session: every line whole, known and without a secret; it never holds anybody up."""

from __future__ import annotations

import io
import json
import os
import re
import threading
from pathlib import Path
from typing import Any

import pytest

import intrabar
from intrabar.app.workers.log_events import EVENTS, LEVELS, line_of
from intrabar.app.workers.logs import NAME, CutFile, Log, Shown, page, wanted
from intrabar.engine.session import rerun
from intrabar.errors import ConfigError
from intrabar.model.entry import Entry
from intrabar.model.secret import Secret
from tests.app.workers.lived import lived

KNOWN = {"session": "main", "mode": "paper"}
ALWAYS = ("ts", "level", "event", "service", "version", "pid", "session", "mode")


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / NAME).read_text().splitlines()]


def test_a_session_is_told_line_by_line(tmp_path: Path) -> None:
    log = Log(tmp_path, KNOWN)
    for turn in lived().turns:
        log.take(turn)
    log.close()
    found = lines(tmp_path)
    assert len(found) == len(lived().entries)
    for line, entry in zip(found, lived().entries, strict=True):
        assert tuple(line)[:3] == ALWAYS[:3]
        assert set(ALWAYS) <= set(line)
        assert line["event"] in EVENTS
        assert line["level"] == EVENTS[line["event"]].level
        assert line["place"] == f"{entry.bar}:{entry.step}"
    fill = next(line for line in found if line["event"] == "order.filled")
    assert {"strategy", "symbol", "order", "qty", "price"} <= set(fill)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", found[0]["ts"])


def test_a_resumed_session_is_not_told_again(tmp_path: Path) -> None:
    log = Log(tmp_path, KNOWN)
    log.take([*lived().entries, Entry(1, 0, 0, "session.resumed", {"turns": 3})])
    log.close()
    assert [line["event"] for line in lines(tmp_path)] == ["session.resumed"]


def test_every_kind_of_record_has_a_word() -> None:
    events = rerun.EVENTS - {"timer"}  # which nothing journals
    for kind in events | {entry.kind for entry in lived().entries}:
        assert line_of(Entry(0, 0, 0, kind, {}))[0] != "journalled"
    event, fields = line_of(Entry(0, 0, 0, "of tomorrow", {"x": 1}))
    assert (event, fields) == ("journalled", {"x": 1, "kind_of_record": "of tomorrow"})
    assert line_of(Entry(0, 0, 0, "breaker", {"set": True}))[0] == "breaker.set"
    assert line_of(Entry(0, 0, 0, "link", {"state": "degraded"}))[0] == "link.down"


def test_what_the_program_logs_stands_in_the_table() -> None:
    source = Path(intrabar.__file__).parent
    said = {
        event
        for file in (*source.glob("app/workers/*.py"), source / "links" / "notify.py")
        for event in re.findall(r'\b_?log\(\s*"([\w.]+)"', file.read_text())
    }
    assert {"notice.sent", "heartbeat.failed"} <= said <= set(EVENTS)
    assert {event.level for event in EVENTS.values()} == set(LEVELS)


def test_the_page_of_the_events_is_made_of_the_table() -> None:
    docs = Path(__file__).parents[3] / "docs" / "log-events.md"
    assert docs.read_text() == page(), "python -m intrabar.app.workers.logs > docs/log-events.md"


def test_no_secret_is_in_a_line(tmp_path: Path) -> None:
    secret = Secret("a-Planted-key-7")
    stream = io.StringIO()
    log = Log(tmp_path, KNOWN, stream)
    log.take([Entry(0, 0, 0, "link", {"state": "down", "reason": f"key {secret.reveal()}"})])
    log("notice.failed", url=secret, deep={"a": [f"https://x/{secret.reveal()}?api_key=abcdefgh"]})
    log("no such event", text=f"Bearer {secret.reveal()}")
    log.close()
    written = (tmp_path / NAME).read_text()
    assert len(written.splitlines()) == len(stream.getvalue().splitlines()) == 3
    for text in (written, stream.getvalue()):
        assert "Planted" not in text
        assert "abcdefgh" not in text


def test_an_event_that_nobody_knows_is_a_warning(tmp_path: Path) -> None:
    log = Log(tmp_path, KNOWN)
    log("no such event", odd=object(), n=float("nan"))
    log.close()
    assert lines(tmp_path)[0]["level"] == "warning"


def test_the_file_is_cut_and_the_last_ones_are_kept(tmp_path: Path) -> None:
    file = CutFile(tmp_path / NAME, largest=100, kept=3)
    for number in range(100):
        file.write(b"%03d" % number + b"x" * 26 + b"\n")  # three to a file
    file.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [NAME, f"{NAME}.1", f"{NAME}.2", f"{NAME}.3"]
    kept = [f"{NAME}.3", f"{NAME}.2", f"{NAME}.1", NAME]
    text = "".join((tmp_path / name).read_text() for name in kept)
    assert [int(line[:3]) for line in text.splitlines()] == list(range(90, 100))
    assert all(path.stat().st_size <= 100 for path in tmp_path.iterdir())
    assert (tmp_path / NAME).stat().st_mode & 0o077 == 0


def test_lines_that_a_full_disk_lost_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log(tmp_path, KNOWN)
    log("link.up")
    real, is_full = os.write, True

    def write(file: int, data: bytes) -> int:
        return real(file, data[:7] if is_full else data)

    monkeypatch.setattr("intrabar.app.workers.logs.os.write", write)
    for _ in range(3):
        log("link.down")
    is_full = False
    log("link.up")
    log.close()
    told = [(line["event"], line.get("lines")) for line in lines(tmp_path)]
    assert told[0] == ("link.up", None)
    assert told[-1] == ("link.up", None)
    assert sum(lost for _, lost in told if lost) == 3
    assert "link.down" not in [event for event, _ in told]


class Stuck(io.StringIO):
    """A reader that does not read."""

    def __init__(self) -> None:
        super().__init__()
        self.may_read = threading.Event()

    def write(self, text: str) -> int:
        self.may_read.wait(10)
        return super().write(text)


def test_a_slow_reader_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intrabar.app.workers.logs.WAITING", 10)
    stream = Stuck()
    shown = Shown(stream)
    for number in range(100):
        shown.write(f"{number}\n")
    assert 88 <= shown.dropped <= 90
    stream.may_read.set()
    shown.close()
    assert len(stream.getvalue().splitlines()) == 100 - shown.dropped


def test_a_stream_without_the_letters_is_written_all_the_same() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    shown = Shown(stream)
    for text in ("größer\n", "after it\n"):
        shown.write(text)
    shown.close()
    stream.flush()
    assert raw.getvalue() == b"gr\\xf6\\xdfer\nafter it\n"


def test_a_reader_that_is_gone_is_left(tmp_path: Path) -> None:
    stream = io.StringIO()
    log = Log(tmp_path, KNOWN, stream)
    stream.close()
    for _ in range(5):
        log("link.up")
    log.close()
    assert len([line for line in lines(tmp_path) if line["event"] == "link.up"]) == 5


def test_what_is_shown_is_chosen_by_a_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.StringIO()
    monkeypatch.delenv("INTRABAR_LOG", raising=False)
    assert wanted(stream) == ("info", "json")
    monkeypatch.setenv("INTRABAR_LOG", " TEXT , debug")
    assert wanted(stream) == ("debug", "text")
    monkeypatch.setenv("INTRABAR_LOG", "loud")
    with pytest.raises(ConfigError, match="INTRABAR_LOG: 'loud' is neither"):
        wanted(stream)
    monkeypatch.setenv("INTRABAR_LOG", "warning,text")
    log = Log(tmp_path, KNOWN, stream)
    log("link.up", who="source")
    log("link.down", who="source", reason="no answer")
    log.close()
    assert "link.down" in stream.getvalue()
    assert "reason='no answer'" in stream.getvalue()
    assert "link.up" not in stream.getvalue()
    assert len(lines(tmp_path)) == 2
