"""The folder of a session: the tables of its backtest, the same bytes however they were written."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from intrabar.app.workers.signs import STATUS, Signs, measured_in, write_folder
from intrabar.app.workers.standing import EQUITY, FILLS, HEADS, TRADES
from intrabar.errors import StoreError
from intrabar.model.entry import Entry
from tests.app.workers.lived import Lived, lived


def no_problem(text: str) -> None:
    raise AssertionError(text)


def live(lived: Lived, folder: Path, first: int = 1) -> Signs:
    """Keep a folder turn by turn, as a driver does."""
    signs = Signs(folder, no_problem)
    signs.take([entry for turn in lived.turns[:first] for entry in turn], lived.session)
    for turn in lived.turns[first:]:
        signs.take(turn, lived.session)
    return signs


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in HEADS}


def table(folder: Path, name: str, like: pl.DataFrame) -> pl.DataFrame:
    given = {c: pl.String if like[c].dtype.is_temporal() else like[c].dtype for c in like.columns}
    return pl.read_csv(folder / name, schema=given)


def written(frame: pl.DataFrame) -> pl.DataFrame:
    """A table with its instants as a file has them."""
    times = pl.selectors.datetime().dt.strftime("%Y-%m-%dT%H:%M:%S%.9f+0000")
    return frame.with_columns(times)


@pytest.mark.parametrize("name", ["fills.csv", "trades.csv", "equity.csv"])
def test_the_tables_are_those_of_the_backtest(tmp_path: Path, name: str) -> None:
    session = lived()
    write_folder(session.entries, tmp_path)
    result = session.backtest
    columns = {"fills.csv": FILLS, "trades.csv": TRADES, "equity.csv": EQUITY}[name]
    of_it = {"fills.csv": result.fills, "trades.csv": result.trades, "equity.csv": result.equity}
    expected = of_it[name].select(columns)
    if name == "equity.csv":
        expected = expected.filter(pl.col("bar") >= 30)  # the history before the start
    assert len(expected) > 10
    found = table(tmp_path, name, expected)
    exact = name != "trades.csv" and name != "equity.csv"
    assert_frame_equal(found, written(expected), check_exact=exact, rel_tol=1e-12, abs_tol=1e-9)


@pytest.mark.parametrize("first", [1, 2, 50])
def test_turn_by_turn_and_worked_out_again_are_the_same_bytes(tmp_path: Path, first: int) -> None:
    session = lived()
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    live(session, one, first)
    write_folder(session.entries, other)
    assert bytes_of(one) == bytes_of(other)
    mine, again = (json.loads((folder / STATUS).read_text()) for folder in (one, other))
    assert mine.pop("pid") == os.getpid()
    assert again.pop("pid") is None
    assert mine == again


def test_metrics_say_each_row(tmp_path: Path) -> None:
    session = lived()
    write_folder(session.entries, tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    days = [e.body["x0"]["account"] for e in session.entries if e.kind == "limit.day"]
    assert len(rows) == sum(e.kind == "row" for e in session.entries)
    assert sum(row["refusals"] for row in rows) == sum(e.kind == "refused" for e in session.entries)
    assert sum(row["fills"] for row in rows) == sum(e.kind == "fill" for e in session.entries)
    assert {round(row["equity"] - row["day_profit"], 6) for row in rows} == {
        round(x0, 6) for x0 in days
    }
    assert rows[-1]["orders"] == len(session.session.machine.working())
    assert rows[-1]["latencies"] == {"sealed_after": 0.0, "turn": None, "commit": None}


def test_what_a_row_took_is_measured_and_outlives_a_start_and_an_export(tmp_path: Path) -> None:
    session = lived()
    rows = [n for n, turn in enumerate(session.turns) if turn[0].kind == "row.closed"]
    half = rows[len(rows) // 2]
    commits = iter([0.5, 0.25])
    one = Signs(tmp_path, no_problem, lambda: next(commits))
    one.take([e for turn in session.turns[:half] for e in turn])
    for number in (half, half + 1):
        one.turned("link", 9.0)
        one.turned("row.closed", number / 1000.0)
        one.take(session.turns[number])
    expected = {half: (half / 1000.0, 0.5), half + 1: ((half + 1) / 1000.0, 0.25)}

    def told(folder: Path) -> dict[int, tuple[Any, Any]]:
        lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        latencies = [line["latencies"] for line in lines]
        found = {k: (x["turn"], x["commit"]) for k, x in enumerate(latencies, rows[0])}
        return {k: x for k, x in found.items() if x != (None, None)}

    first = bytes_of(tmp_path)
    assert told(tmp_path) == expected
    so_far = [e for turn in session.turns[: half + 2] for e in turn]
    Signs(tmp_path, no_problem).take(so_far)
    assert bytes_of(tmp_path) == first
    write_folder(so_far, tmp_path)
    assert bytes_of(tmp_path) == first
    with open(tmp_path / "metrics.jsonl", "a") as file:
        file.write('{"bar": 5, "laten')  # a full disk
    write_folder(so_far, tmp_path / "other", measured_in(tmp_path))
    assert bytes_of(tmp_path / "other") == first
    write_folder(session.entries, tmp_path)  # of the others nobody has measured it
    assert told(tmp_path) == expected


def test_status_says_how_it_stands(tmp_path: Path) -> None:
    session = lived()
    status = write_folder(session.entries, tmp_path)
    machine = session.session.machine
    held = {(p["strategy"], p["symbol"]): p["qty"] for p in status["positions"]}
    last = session.backtest.fills.group_by("strategy", "symbol").agg(pl.col("position").last())
    positions = {(a, b): qty for a, b, qty in last.iter_rows() if qty != 0.0}
    assert held == positions
    assert status["state"] == "running"
    assert status["refusals"]["by_rule"] == dict(session.session.judge.counts)
    assert status["breaker"]["state"] == session.session.judge.breaker.level().word
    assert status["equity"] == float(machine.tape.equity[machine.bar - 1])


def entry(kind: str, **body: Any) -> Entry:
    return Entry(1_704_178_800_000_000_001, 0, 0, kind, body)


def test_status_follows_breaker_links_hooks_and_the_stop(tmp_path: Path) -> None:
    cause = {"cause": "daily_loss", "scope": "account", "rule": "max_daily_loss_pct"}
    told = [
        entry("session.started", name="main", history=0, trade_from=1),
        entry("link", who="source", state="down", reason="no answer"),
        entry("breaker", event="loss", set=True, state="flattening", level="flattening", **cause),
        entry("breaker", event="flat", set=True, state="halted", level="halted", **cause),
        entry("hook", strategy="mine", text="ZeroDivisionError", raised=True),
    ]
    status = write_folder(told, tmp_path)
    assert status["links"]["source"] == {
        "state": "down",
        "reason": "no answer",
        "since": "2024-01-02T07:00:00.000000001+0000",
    }
    assert status["breaker"]["state"] == "halted"
    assert [(c["cause"], c["level"]) for c in status["breaker"]["causes"]] == [
        ("daily_loss", "halted")
    ]
    assert status["left_out"] == {"mine": "ZeroDivisionError"}
    told += [
        entry("breaker", event="resume", set=False, state="trading", level="halted", **cause),
        entry("session.stopped", reason="a person stops it"),
    ]
    status = write_folder(told, tmp_path)
    assert (status["state"], status["why"]) == ("stopped", "a person stops it")
    assert status["breaker"] == {"state": "trading", "causes": []}


def test_a_worth_that_is_not_known_makes_no_exposure(tmp_path: Path) -> None:
    session = lived()
    start = session.entries[0]
    body = {name: value for name, value in start.body.items() if name != "point_values"}
    unknown = Entry(start.at, start.bar, start.step, start.kind, body)
    write_folder([unknown, *session.entries[1:]], tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert {row["exposure"] for row in rows if row["positions"]} == {None}


def test_a_full_disk_is_told_once_and_the_files_are_completed_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = lived()
    told: list[str] = []
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    signs = Signs(one, told.append)
    real = Signs._append
    is_full = False

    def append(self: Signs, name: str) -> None:
        if is_full and name == "equity.csv":
            with open(one / name, "ab") as file:
                file.write(b"half a li")  # what a disk takes before it is full
            raise OSError(errno.ENOSPC, "No space left on device")
        real(self, name)

    monkeypatch.setattr(Signs, "_append", append)
    for number, turn in enumerate(session.turns):
        is_full = 40 <= number < 60 or 80 <= number < 85
        signs.take(turn, session.session)
    write_folder(session.entries, other)
    assert bytes_of(one) == bytes_of(other)
    assert len(told) == 2
    assert "No space left on device; the session goes on" in told[0]


def test_what_cannot_be_written_again_leaves_what_was_there(tmp_path: Path) -> None:
    session = lived()
    write_folder(session.entries, tmp_path)
    before = bytes_of(tmp_path)
    broken = [*session.entries, entry("row", row=1)]
    with pytest.raises(KeyError):
        write_folder(broken, tmp_path)
    assert bytes_of(tmp_path) == before
    assert not list(tmp_path.glob(".*"))
    (tmp_path / "a file").touch()
    with pytest.raises(StoreError, match=r"a file.* cannot be written"):
        write_folder(session.entries, tmp_path / "a file")
