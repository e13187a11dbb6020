"""`intrabar session export` and `watch`: what a journal says, and what a session says now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from intrabar.app.cli.main import run
from intrabar.app.cli.session import followed
from intrabar.app.workers.standing import HEADS
from tests.app.cli.test_paper_command import config as config  # the fixture
from tests.app.cli.test_paper_command import paper


def test_the_files_of_a_folder_are_worked_out_again(config: Path, capsys: Any) -> None:
    paper(config, capsys=capsys)
    assert run(["session", "export", "Try", "--out", "again"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("again: ")
    assert said.endswith(": 350 rows\n")
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
    told = {"breaker": {"state": "trading"}, "state": "running", "runs": True}
    states = iter(
        [
            {**told, "seq": 1},
            {**told, "seq": 1},
            {**told, **row, "seq": 9},
            {**told, **row, "seq": 9, "runs": False},
        ]
    )
    waits: list[None] = []
    assert list(followed(lambda: next(states), lambda: waits.append(None))) == [
        "no row yet  positions 0  orders 0  breaker trading",
        "now  equity 1,000.00  day -5.00  positions 1  orders 0  breaker trading",
        "no process has it: it ended without a word; intrabar paper goes on with it",
    ]
    assert len(waits) == 3
