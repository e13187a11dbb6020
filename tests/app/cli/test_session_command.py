"""`intrabar session export` and `watch`: what a journal says, and what a session says now."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from intrabar.app.cli.main import run
from intrabar.app.cli.session_folders import followed
from intrabar.app.cli.session_status import status_lines
from intrabar.app.workers.control import Control
from intrabar.app.workers.standing import HEADS
from intrabar.errors import StateError
from tests.app.cli.test_paper_command import config as config  # the fixture
from tests.app.cli.test_paper_command import paper


def test_the_files_of_a_folder_are_worked_out_again(config: Path, capsys: Any) -> None:
    paper(config, capsys=capsys)
    assert run(["session", "export", "Try", "--out", "again"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("again: ")
    assert said.endswith(": 350 rows\n")
    lines = Path("again/metrics.jsonl").read_text().splitlines()
    took = [json.loads(line)["latencies"] for line in lines]
    assert all(0.0 < one[what] < 60.0 for one in took for what in ("turn", "commit"))
    for name in HEADS:
        assert (Path("again") / name).read_bytes() == (Path("sessions/Try") / name).read_bytes()


def test_a_session_that_has_ended_is_watched_to_its_end(config: Path, capsys: Any) -> None:
    paper(config, capsys=capsys)
    assert run(["session", "watch", "Try"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("breaker trading")
    assert lines[1] == "it has ended: the bars have ended"


def test_a_line_is_told_when_something_has_happened_and_when_nobody_has_it() -> None:
    row = {"time": "now", "equity": 1000.0, "day_profit": -5.0, "positions": [1], "orders": []}
    told = {"breaker": {"state": "trading"}, "state": "running", "process": "answers"}
    states = iter(
        [
            {**told, "seq": 1},
            {**told, "seq": 1},
            {**told, **row, "seq": 9},
            {**told, **row, "seq": 9, "process": "silent"},
            {**told, **row, "seq": 9, "process": "none"},
        ]
    )
    waits: list[None] = []
    line = "now  equity 1,000.00  day -5.00  positions 1  orders 0  breaker trading"
    assert list(followed(lambda: next(states), lambda: waits.append(None))) == [
        "no row yet  positions 0  orders 0  breaker trading",
        line,
        f"{line}  it does not answer",
        line,
        "no process has it: it ended without a word; intrabar paper goes on with it",
    ]
    assert len(waits) == 4


Handle = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


def beside(sessions: dict[str, Handle], *words: str) -> int:
    """The exit code of a command while sessions live that answer so."""

    async def main() -> int:
        async with AsyncExitStack() as stack:
            for name, handle in sessions.items():
                folder = Path("sessions", name)
                folder.mkdir(parents=True)
                control = Control(folder, handle)
                await control.open()
                stack.push_async_callback(control.close)
            return await asyncio.to_thread(run, words)

    return asyncio.run(main())


def test_all_are_killed_though_one_refuses(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    asked = []

    async def refuses(request: dict[str, Any]) -> dict[str, Any]:
        if request["kind"] == "kill":
            raise StateError(f"no {len(asked)}")
        return {}

    async def obeys(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request["kind"])
        return {}

    assert beside({"a": refuses, "b": obeys, "c": refuses}, "kill") == 2
    assert asked[-1] == "kill"
    out, err = capsys.readouterr()
    assert out.startswith("b: kill is taken")
    assert err.count("error: no ") == 2


def test_a_session_that_does_not_answer_is_listed(
    tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    end = asyncio.Event()

    async def hangs(_: dict[str, Any]) -> dict[str, Any]:
        await end.wait()
        return {}

    async def answers(_: dict[str, Any]) -> dict[str, Any]:
        end.set()
        return {}

    assert beside({"a": hangs, "b": answers}, "session", "list", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["process"] for one in found] == ["silent", "answers"]


def test_a_session_whose_journal_is_elsewhere_is_listed_and_a_damaged_status_is_told(
    tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    status = Path("sessions/main/status.json")
    status.parent.mkdir(parents=True)
    status.write_text('{"breaker": {"state": "trading"}}')
    assert run(["session", "status", "main"]) == 0
    assert "none" in capsys.readouterr().out
    for text in ("{", "[]"):
        status.write_text(text)
        assert run(["session", "status", "main"]) == 2
        assert "intrabar session export main works it out again" in capsys.readouterr().err


def test_how_it_stands_is_told_to_a_person_in_lines() -> None:
    status = {
        "state": "stopped",
        "why": None,
        "equity": 97_887.5963,
        "exposure": 0.0,
        "breaker": {"state": "halted", "causes": [{"since": "Monday", "text": "killed"}]},
        "positions": [{"symbol": "AAPL", "qty": 10.0}],
        "orders": [],
        "refusals": {
            "by_rule": {"halted": 7},
            "last": [{"time": f"t{k}", "text": "no"} for k in range(7)],
        },
        "left_out": {},
        "pid": 12345,
    }
    assert list(status_lines(status)) == [
        "state        stopped",
        "why          -",
        "equity       97,887.60",
        "exposure     0",
        "breaker",
        "  state      halted",
        "  causes",
        "    Monday killed",
        "positions",
        "  symbol AAPL, qty 10",
        "orders       -",
        "refusals",
        "  by_rule    halted 7",
        "  last 7, the last 5:",
        *(f"    t{k} no" for k in range(2, 7)),
        "left_out     -",
        "pid          12345",
    ]
