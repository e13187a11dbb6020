"""`intrabar watch`: what a source tells, in lines, in JSON and as a table."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from intrabar.app.cli import watch as command
from intrabar.app.cli.main import run
from intrabar.data.live import vendors
from intrabar.data.live.polling import Polled
from intrabar.links.clock import LoopClock
from intrabar.model.facts import BarClosed, LinkFact, Quote
from tests.data.live.samples import MINUTE, Scripted, minutes, ns, rows

BARS = "time,open,high,low,close,volume\n" + "".join(
    f"2026-03-02T10:0{n}:00Z,{100 + n},{102 + n},{99 + n},{101 + n},{10 + n}\n" for n in range(5)
)


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    path = tmp_path / "ACME.csv"
    path.write_text(BARS)
    return path


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(["watch", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_recorded_bars_are_told_line_by_line(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = told(capsys, "--recorded", str(recorded), "--speed", "0", "--calendar", "none")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "link up"
    assert "2026-03-02T10:03:00Z ACME bar open 102 high 104 low 101 close 103 volume 12" in lines
    assert "2026-03-02T10:03:00Z ACME begun open 102" in lines
    assert sum(" bar " in line for line in lines) == 5


def test_a_program_reads_an_object_a_line(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = told(
        capsys, "--recorded", str(recorded), "--speed", "0", "--calendar", "none", "--json"
    )
    assert code == 0
    objects = [json.loads(line) for line in out.splitlines()]
    assert objects[0] == {"kind": "link", "state": "up", "reason": ""}
    bars = [x for x in objects if x["kind"] == "bar"]
    assert bars[-1] == {
        "kind": "bar",
        "symbol": "ACME",
        "time": "2026-03-02T10:05:00Z",
        "open": 104.0,
        "high": 106.0,
        "low": 103.0,
        "close": 105.0,
        "volume": 14.0,
        "corrected": False,
    }
    assert {x["kind"] for x in objects} == {"link", "opened", "bar"}


def test_a_source_that_is_asked_shows_a_quote_first(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = LoopClock(ns("2026-03-02T20:58:20"))

    class Ends(Polled):
        async def events(self, symbols: tuple[str, ...], period: int) -> Any:
            async for fact in super().events(symbols, period):
                yield fact
                if isinstance(fact, BarClosed) and fact.time >= ns("2026-03-02T21:00"):
                    return

    def make(*_: object) -> Ends:
        return Ends(Scripted(clock, {"IBM": rows("2026-03-02", MINUTE, 390)}), clock)

    from intrabar.links import simulated_time

    monkeypatch.setattr(vendors.SOURCES, "_own", {"scripted": make})
    monkeypatch.setattr(command, "WallClock", lambda: clock)
    monkeypatch.setattr(command.asyncio, "run", simulated_time.run)
    code, out, err = told(capsys, "IBM", "--source", "scripted", "--calendar", "NYSE")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert " IBM quote last " in lines[0]
    assert lines[1] == "link up"
    assert lines[-1].startswith("2026-03-02T21:00:00Z IBM bar open 489 ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "there is no source"),
        (["--source", "yfinance"], "there is no symbol"),
        (["AAPL", "--source", "nope"], "unknown source 'nope'"),
        (["AAPL", "--source", "yfinance", "--period", "5 parsecs"], "--period"),
        (["AAPL", "--source", "yfinance", "--period", "7m"], "no bars of 7m"),
        (["AAPL", "--source", "yfinance", "--calendar", "MARS"], "MARS"),
        (["ZZ/1", "--source", "yfinance"], "--calendar"),
        (["A", "B", "--recorded", "x.csv"], "one symbol"),
        (["--recorded", "{naive}", "--calendar", "none"], "--zone"),
        (["--recorded", "no-such.csv"], "no-such.csv"),
        (["A", "--source", "yfinance", "--recorded", "x.csv"], "--source and --recorded"),
        (["--recorded", "{file}", "--speed", "-1", "--calendar", "none"], "speed"),
        (["AAPL", "--source", "tradestation"], "TRADESTATION_CLIENT_ID"),
    ],
)
def test_what_cannot_be_watched_is_one_sentence(
    arguments: list[str],
    said: str,
    recorded: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in list(os.environ):
        if name.startswith("TRADESTATION"):
            monkeypatch.delenv(name)
    naive = recorded.with_name("naive.csv")
    naive.write_text(BARS.replace("Z,", ","))
    places = {"{file}": str(recorded), "{naive}": str(naive)}
    code, out, err = told(capsys, *(places.get(x, x) for x in arguments))
    assert code != 0
    assert out == ""
    assert said in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_ctrl_c_ends_it_without_a_failure(recorded: Path) -> None:
    if sys.platform == "win32":
        return
    line = [
        sys.executable,
        "-m",
        "intrabar",
        "watch",
        "--recorded",
        str(recorded),
        "--speed",
        "0.5",
    ]
    with subprocess.Popen(
        [*line, "--calendar", "none"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "link up\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")


def test_the_table_shows_what_stands() -> None:
    from rich.console import Console

    board = command.Board(("ACME", "BETA"), MINUTE)
    board.take(LinkFact("degraded", "quotes are delayed"))
    board.take(Quote("ACME", ns("2026-03-02T10:00:00"), price=10.5, bid=10.25))
    bar = next(iter(minutes("ACME", "2026-03-02T10:00", 1).close))
    board.take(BarClosed("ACME", ns("2026-03-02T10:01:00"), 1.0, 2.0, 0.5, float(bar), 7.0))
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(board.table(ns("2026-03-02T10:00:30")))
    text = console.export_text()
    assert "degraded: quotes are delayed" in text
    assert "10.5" in text
    assert "10.25" in text
    assert "none" in text
    assert "30 s" in text
    assert "BETA" in text
    assert "2026-03-02T10:01:00Z" in text
