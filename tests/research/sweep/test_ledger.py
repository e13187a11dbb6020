"""The ledger: exact, patient with what it cannot use, and the one who counts what was tried."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intrabar.errors import RunError
from intrabar.research.sweep.ledger import VERSION, Data, Ledger
from intrabar.research.sweep.trial import Outcome, Trial

BARS = Data("b" * 8, ("ES", "NQ"), 500, "2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z")
OTHER = Data("c" * 8, ("IBM",), 20, "2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z")


def outcome(key: str, status: str = "finished", sharpe: float | None = 1.5) -> Outcome:
    failed = status == "failed"
    return Outcome(
        trial=Trial(7, {"fast": 3, "path": "worst", "on": True, "none": None}),
        key=key,
        status=status,
        metrics={} if failed else {"sharpe": sharpe, "calmar": None},
        digest="" if failed else f"digest of {key}",
        returns=np.empty(0) if failed else np.array([0.01, -1e-310, np.nan, 1 / 3]),
        days=np.empty(0, np.int64) if failed else np.arange(4) * 86_400_000_000_000,
        error="it broke" if failed else "",
        seconds=0.25,
    )


def write(ledger: Ledger, *outcomes: Outcome, data: Data = BARS) -> None:
    ledger.write(outcomes, {o.key: data for o in outcomes}, "Cross")


@given(st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)))
def test_what_comes_back_is_what_was_written_to_the_bit(figure: float | None) -> None:
    with Ledger(":memory:") as ledger:
        written = outcome("k", sharpe=figure)
        write(ledger, written)
        found = ledger.found(["k", "unknown"])["k"]
        assert dict(found.metrics) == dict(written.metrics)
        assert dict(found.trial.parameters) == dict(written.trial.parameters)
        assert (found.digest, found.status, found.seconds) == ("digest of k", "finished", 0.25)
        ((key, days, returns),) = ledger.returns_of(["unknown", "k"])
        assert key == "k"
        assert days.tobytes() == written.days.tobytes()
        assert returns.tobytes() == written.returns.tobytes()


def test_it_is_there_the_next_time(tmp_path: Path) -> None:
    for k in range(3):
        with Ledger(tmp_path / "new" / "t.sqlite") as ledger:
            write(ledger, outcome(f"k{k}"))
    with Ledger(tmp_path / "new" / "t.sqlite") as ledger:
        assert sorted(ledger.found([f"k{k}" for k in range(2000)])) == ["k0", "k1", "k2"]


def test_a_failed_trial_is_kept_but_tried_again() -> None:
    with Ledger(":memory:") as ledger:
        write(ledger, outcome("k", "failed"))
        assert ledger.found(["k"]) == {}
        assert [t["error"] for t in ledger.trials()] == ["it broke"]
        write(ledger, outcome("k"))
        assert [t["status"] for t in ledger.trials()] == ["finished"]


def test_it_counts_what_was_tried_on_which_bars() -> None:
    with Ledger(":memory:") as ledger:
        write(ledger, outcome("a"), outcome("b", sharpe=None), outcome("c", "failed"))
        write(ledger, outcome("a"))  # the same once more is no other variant
        write(ledger, outcome("d"), data=OTHER)
        assert (ledger.tried_on(BARS.hash), ledger.tried_on(OTHER.hash)) == (2, 1)
        assert ledger.tried_on("unknown") == 0
        assert ledger.sharpes_on(BARS.hash).tolist() == [1.5]
        tried = ledger.tried()
        assert [(x.data, x.trials, x.failed) for x in tried] == [(BARS, 3, 1), (OTHER, 1, 0)]
        assert [x.data for x in ledger.tried("NQ")] == [BARS]
        assert [t["key"] for t in ledger.trials("IBM")] == ["d"]


def test_a_batch_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    with Ledger(tmp_path / "t.sqlite") as ledger:
        broken = outcome("b")
        broken.metrics["sharpe"] = {}  # type: ignore[index]  # what SQLite cannot take
        with pytest.raises(RunError):
            write(ledger, outcome("a"), broken)
        assert list(ledger.trials()) == []


def other_version(path: Path) -> None:
    with Ledger(path) as ledger:
        write(ledger, outcome("a"))
    file = sqlite3.connect(path)
    file.execute(f"PRAGMA user_version = {VERSION + 1}")
    file.close()


def foreign(path: Path) -> None:
    file = sqlite3.connect(path)
    file.execute("CREATE TABLE mine (x)")
    file.close()


def garbled(path: Path) -> None:
    with Ledger(path) as ledger:
        write(ledger, *(outcome(f"k{k}") for k in range(200)))
    whole = bytearray(path.read_bytes())
    whole[4096:] = b"\x07" * (len(whole) - 4096)
    path.write_bytes(whole)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (other_version, f"version {VERSION + 1}, this program writes version {VERSION}"),
        (foreign, "is no ledger"),
        (lambda path: path.write_text("hello " * 1000), "damaged"),
        (garbled, "damaged|no ledger"),
        (lambda path: path.mkdir(), "cannot be used"),
    ],
)
def test_what_cannot_be_used_is_told_and_left_as_it_is(
    tmp_path: Path, spoil: object, said: str
) -> None:
    path = tmp_path / "t.sqlite"
    spoil(path)  # type: ignore[operator]
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(RunError, match=said) as told, Ledger(path) as ledger:
        list(ledger.trials())
    assert str(path) in str(told.value)
    assert (path.read_bytes() if path.is_file() else b"") == before


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="asks Linux what is open")
def test_a_ledger_that_cannot_be_used_is_not_held_open(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    path.write_text("hello " * 1000)
    with pytest.raises(RunError, match="damaged") as told:
        Ledger(path)
    held = [os.path.realpath(file) for file in Path("/proc/self/fd").iterdir()]
    assert str(path.resolve()) not in held
    del told  # it held all that its traceback names
