"""What a session is told of the arrays of its strategies: another one does not go on with it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import intrabar as ib
from intrabar.app.cli.main import run
from intrabar.app.config.model import READER
from intrabar.app.provenance import content
from intrabar.errors import StateError
from tests.app.cli.test_paper_command import BARS, paper, written
from tests.app.cli.test_paper_command import config as config  # the fixture
from tests.engine.chunks.test_chunks import walk

SIDE = np.sign(np.sin(np.arange(120) / 5.0))
DAYS = pd.date_range("2020-01-01", periods=120, tz="UTC")


class Listens(ib.Strategy):
    """Has something of its own."""

    def __init__(self, holds: Any) -> None:
        self.holds = holds

    def on_close(self, now: Any) -> None: ...


def live(folder: Path, side: Any, **more: Any) -> Any:
    strategies = {"first": ib.Signals(side, **more), "last": ib.Weights(np.zeros((120, 1)))}
    return ib.paper(strategies, walk("A", 1, 120), name="s", folder=folder, warm_up=10)


def test_another_array_does_not_go_on_with_a_session(tmp_path: Path) -> None:
    first = live(tmp_path, SIDE)
    assert live(tmp_path, SIDE.copy()).digest == first.digest
    with pytest.raises(StateError, match=r"other values of first: signals"):
        live(tmp_path, -SIDE)
    one = SIDE.copy()
    one[77] = np.nan
    with pytest.raises(StateError, match="other values of first"):
        live(tmp_path, one)
    with pytest.raises(StateError, match="what decides is fixed"):
        live(tmp_path, SIDE, qty=np.full(120, 2.0))


def test_a_file_of_signals_that_has_changed_is_told_also_to_who_only_reads(
    config: Path, capsys: Any
) -> None:
    side = np.where(np.arange(BARS) // 9 % 2, 1.0, -1.0)[:, None]
    table = config.parent / "side.npz"
    np.savez(table, symbols=["X"], name="mine", zero="flat", side=side)
    reader = {"name": READER, "params": {"file": "side.npz"}}
    made = written(config.parent, {"strategies": [reader]})
    assert paper(made, capsys=capsys)[0] == 0
    assert run(["parity", "Try"]) == 0
    side[300] = 0.0
    np.savez(table, symbols=["X"], name="mine", zero="flat", side=side)
    capsys.readouterr()
    assert run(["paper", str(made), "--recorded", "data"]) == 2
    assert "other values" in capsys.readouterr().err
    assert run(["parity", "Try"]) == 2
    assert "has changed since" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([*range(30)], [*range(29), 99]),
        ({"a": np.arange(3.0)}, {"a": np.arange(3.0) + 1.0}),
        (np.array(["LONG", "FLAT"], object), np.array(["LONG", "SHORT"], object)),
        (np.arange(4.0).reshape(2, 2), np.arange(4.0).reshape(2, 2).T),
        (pd.Series(SIDE, DAYS), pd.Series(SIDE, DAYS + pd.Timedelta(days=1))),
        (pd.Series(SIDE, DAYS), pd.Series(SIDE, DAYS.tz_convert("America/New_York"))),
        (
            pd.DataFrame([[1.0, 2.0]], columns=["a", "a"]),
            pd.DataFrame([[1.0, 3.0]], columns=["a", "a"]),
        ),
        (pl.DataFrame({"a": [1.0]}), pl.DataFrame({"b": [1.0]})),
        (pl.Series(["x", "y"]), pl.Series(["x", "z"])),
        ({1, 2}, {1, 3}),
        (date(2020, 1, 1), date(2020, 1, 2)),
        (Path("one"), Path("two")),
        (b"one", b"two"),
    ],
)
def test_the_content_is_all_that_a_strategy_holds(one: Any, other: Any) -> None:
    assert content(Listens(one)) == content(Listens(one))
    assert content(Listens(one)) != content(Listens(other))


def test_a_thing_in_an_array_that_holds_itself_is_named_again() -> None:
    holds = np.empty(2, object)
    holds[0] = holds
    assert content(Listens(holds)) == content(Listens(holds))
