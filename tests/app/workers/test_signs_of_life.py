"""What a configuration asks to be told of, and a whole recorded session with it."""

from __future__ import annotations

import asyncio
import io
import json
import os
import time
from collections.abc import AsyncIterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from intrabar.app.cli.health import health
from intrabar.app.cli.main import run
from intrabar.app.compose.recipe import Recipe
from intrabar.app.compose.session import recorded_session
from intrabar.app.config.file import read_config
from intrabar.app.workers.control import ask
from intrabar.app.workers.paper import Ways, live_through
from intrabar.app.workers.signs import STATUS
from intrabar.app.workers.standing import HEADS, METRICS
from intrabar.errors import DataError
from intrabar.model.bars import DAY_NS
from intrabar.model.facts import Fact, LinkFact, SourceCan
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

    before = {name: (folder / name).read_bytes() for name in (*HEADS, STATUS)}
    for name in {*before} - {METRICS}:  # which has what was measured, and no journal has
        (folder / name).unlink()
    assert run(["session", "export", "Try", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {**status, "unreported": ""}
    assert {name: (folder / name).read_bytes() for name in before} == before
    assert run(["session", "export", "Tri"]) == 2
    assert "Try" in capsys.readouterr().err


class Quiet:
    """A source that lives and tells nothing."""

    can = SourceCan("none", 1.0, False, False)

    async def events(self, symbols: tuple[str, ...], period: int) -> AsyncIterator[Fact]:
        yield LinkFact("up", "it begins")
        await asyncio.Event().wait()

    async def history(self, symbol: str, period: int, start: int, end: int) -> Any:
        raise DataError("none")

    async def close(self) -> None:
        pass


class Stream(io.StringIO):
    """Waits until the log says where the port is, and that the source is up."""

    def __init__(self) -> None:
        super().__init__()
        self.port: Future[int] = Future()
        self.is_up: Future[None] = Future()

    def write(self, text: str) -> int:
        line = json.loads(text)
        if line["event"] == "health.opened":
            self.port.set_result(line["port"])
        elif line["event"] == "link.up" and not self.is_up.done():
            self.is_up.set_result(None)
        return super().write(text)


def test_a_session_that_lives_is_reached_by_port_and_socket(
    config: Path,
) -> None:
    file = written(config.parent, {"live": {"warm_up": 50, "metrics": 0}})
    head, *bars = Path("x.csv").read_text().splitlines()  # up to yesterday
    later = (time.time_ns() // DAY_NS) * 86_400 - int(bars[-1].split(",")[0])
    moved = (bar.split(",", 1) for bar in bars)
    rows = [f"{int(stamp) + later},{rest}" for stamp, rest in moved]
    Path("x.csv").write_text("\n".join([head, *rows]))
    settings, remarks = read_config(file, "paper")
    recorded = recorded_session(Recipe.of_config(settings, remarks), "")
    stream, folder = Stream(), Path("sessions/Try")
    with ThreadPoolExecutor(1) as pool:
        living = pool.submit(
            live_through, replace(recorded, recorded=None), Ways(stream=stream), Quiet()
        )
        wait([living, stream.port], 250, FIRST_COMPLETED)  # the market may have to be compiled
        port = stream.port.result(0)
        try:
            assert health(port=port) == 0
            wait([living, stream.is_up], 20, FIRST_COMPLETED)
            assert health(ready=True, port=port) == 0
            with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                assert b"intrabar_equity{" in answer.read()
            assert ask(folder, {"kind": "status"})["journal"] == "there"
            assert run(["session", "export", "Try"]) == 2  # it keeps its folder itself
            killed = ask(folder, {"kind": "kill", "reason": "a test"})
            assert [entry["kind"] for entry in killed["records"]] == ["breaker"]
            assert json.loads((folder / STATUS).read_text())["pid"] == os.getpid()
        finally:
            assert ask(folder, {"kind": "stop"})["stopping"]
        assert living.result(20).level.word in ("flattening", "halted")
    assert health(port=port) == 5
    assert not (folder / "control.sock").exists()


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
