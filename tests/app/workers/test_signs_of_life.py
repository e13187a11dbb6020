"""What a configuration asks to be told of, and a whole recorded session with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from intrabar.app.cli.main import run
from intrabar.app.workers.signs import STATUS, write_folder
from intrabar.app.workers.standing import HEADS
from intrabar.journal.journal import open_journal
from tests.app.cli.test_paper_command import config as config  # the fixture
from tests.app.cli.test_paper_command import written
from tests.links.test_notify import Receiver


def test_a_page_reaches_persons_and_the_folder_is_that_of_the_journal(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    receiver = Receiver()
    monkeypatch.setenv("HOOK", f"json://127.0.0.1:{receiver.port}/a-Planted-token")
    live = {"warm_up": 50, "notify": ["${HOOK}"], "metrics": 0, "heartbeat_url": "${BEAT}"}
    monkeypatch.setenv("BEAT", f"http://127.0.0.1:{receiver.port}/a-Planted-beat")
    file = written(config.parent, {"live": live, "risk": {"max_drawdown_pct": 0.5}})
    code = run(["paper", str(file), "--recorded", "data", "--json"])
    receiver.close()
    assert code == 3  # the breaker
    out = "".join(capsys.readouterr())
    (page,) = receiver.got
    assert (page["title"], page["type"]) == ("page: Try", "failure")
    assert page["message"].startswith("max_drawdown_pct account:")
    folder = Path("sessions/Try")
    status = json.loads((folder / STATUS).read_text())
    assert (status["state"], status["why"], status["pid"]) == (
        "stopped", "the bars have ended", None,
    )  # fmt: skip
    assert {cause["rule"] for cause in status["breaker"]["causes"]} == {"max_drawdown_pct"}
    log = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    left_out = [line["key"] for line in log if line["event"] == "watch.left_out"]
    assert left_out == ["live.metrics", "live.heartbeat_url"]
    assert {"breaker.set", "notice.sent", "order.filled", "session.stopped"} <= {
        line["event"] for line in log
    }
    everything = out + "".join(p.read_text() for p in folder.iterdir() if p.suffix != ".db")
    assert "Planted" not in everything

    journal = open_journal(f"sqlite:///{folder.resolve() / 'journal.db'}", "Try", folder, 0)
    entries = [record.entry for record in journal.read()]
    journal.close()
    again = Path("again")
    assert write_folder(entries, again) == status
    for name in HEADS:
        assert (again / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize(
    ("live", "place"),
    [
        ({"notify": ["json://127.0.0.1/token"]}, "live.notify[0]"),
        ({"notify": ["${NOWHERE}"]}, "live.notify[0]"),
        ({"notify": ["${ODD}"]}, "live.notify[0]: no service"),
        ({"heartbeat_url": "${ODD}"}, "live.heartbeat_url"),
    ],
)
def test_an_address_that_is_none_is_refused_at_the_start(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, live: dict[str, Any], place: str
) -> None:
    monkeypatch.setenv("ODD", "nonsense://a-Planted-token")
    monkeypatch.delenv("NOWHERE", raising=False)
    file = written(config.parent, {"live": {"warm_up": 50, **live}})
    assert run(["paper", str(file), "--recorded", "data"]) == 2
    said = capsys.readouterr().err
    assert place in said
    assert "token" not in said
