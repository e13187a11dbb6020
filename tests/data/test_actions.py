"""Splits and dividends from three kinds of files, held against figures that others published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from intrabar.data.actions import Actions, CorporateAction, keep_actions, kept_actions, read_actions
from intrabar.data.adjust import adjusted_bars
from intrabar.data.catalogue import Catalogue
from intrabar.data.checks import check
from intrabar.data.readers import Reading, read_file
from intrabar.errors import DataError
from tests.data.conftest import day


def rows_of(path: Path) -> dict[str, tuple[float, float]]:
    return {
        str(np.datetime64(row.date, "D")): (row.split, row.dividend)
        for row in read_actions(path, "A").rows
    }


def test_own_columns_in_any_order_and_with_blanks(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "dividend,date,split\n0.5,2020-03-02,\n,20200101,2\n0.1,2020-05-05,1.5\n,2020-06-01,1\n"
    )
    assert rows_of(path) == {
        "2020-01-01": (2.0, 0.0),
        "2020-03-02": (1.0, 0.5),
        "2020-05-05": (1.5, 0.1),
    }


def test_restated_amounts_are_taken_back_to_those_that_were_paid(tmp_path: Path) -> None:
    path = tmp_path / "y.csv"
    path.write_text(
        "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n"
        "2012-08-09 00:00:00-04:00,1,1,1,1,1,0.094643,0.0\n"
        "2014-06-09,1,1,1,1,1,0.0,7.0\n"
        "2014-08-07,1,1,1,1,1,0.1175,0.0\n"
        "2020-08-31,1,1,1,1,1,0.0,4.0\n"
    )
    found = rows_of(path)
    assert found["2012-08-09"] == (1.0, pytest.approx(2.65, abs=1e-4))  # what Apple declared
    assert found["2014-08-07"] == (1.0, pytest.approx(0.47, abs=1e-4))
    again = read_actions(path, "A").without_splits.rows
    assert [row.dividend for row in again] == pytest.approx([0.094643, 0, 0.1175, 0])


def test_factor_files_tell_what_was_declared(real_file: Callable[[str], Path]) -> None:
    found = rows_of(real_file("daily/lean_aapl_factor.csv"))
    splits = {date: split for date, (split, _) in found.items() if split != 1.0}
    assert list(splits.values()) == [2.0, 2.0, 7.0, 4.0]
    # The day after the row: the ex-date, or a day without a session before it.
    assert list(splits) == ["2000-06-21", "2005-02-26", "2014-06-07", "2020-08-29"]
    for date, declared in {"2012-08-09": 2.65, "2012-11-07": 2.65, "2021-02-05": 0.205}.items():
        assert found[date][1] == pytest.approx(declared, abs=2e-3)


def test_a_raw_series_becomes_the_adjusted_close_that_yahoo_delivers(
    real_file: Callable[[str], Path],
) -> None:
    how = Reading(period="1d", calendar="NYSE", zone="America/New_York")
    raw = check(read_file(real_file("daily/lean_aapl_1d.csv.gz"), how), "AAPL").bars
    actions = read_actions(real_file("daily/lean_aapl_factor.csv"), "AAPL")
    ours = adjusted_bars(raw, actions.placed(raw, raw.close_time, 0))
    table = pl.read_csv(real_file("daily/yahoo_aapl_1d.csv.gz"))
    theirs = dict(zip(table["Date"], table["Adj Close"], strict=True))
    dates = [str(np.datetime64(int(s), "D")) for s in ours.session]
    both = np.array([(ours.close[n], theirs[d]) for n, d in enumerate(dates) if d in theirs])
    ratio = both[:, 0] / both[:, 1]
    assert len(both) > 3_000
    # One factor between them for all years: the actions after the end of the other file. Closes
    # of the two sources differ by more than a hundredth on some days.
    assert np.quantile(np.abs(ratio / np.median(ratio) - 1.0), 0.99) < 0.005


def test_what_is_kept_comes_back_and_damage_is_seen(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path)
    assert kept_actions(catalogue, "BRK/B") is None
    given = Actions("BRK/B", (CorporateAction(day("2020-01-02"), 2.0, 0.5),), "a.csv", "ff")
    path = keep_actions(catalogue, given)
    assert kept_actions(catalogue, "BRK/B") == given
    assert catalogue.list() == ()
    path.write_text(path.read_text().replace("0.5", "0.7"))
    with pytest.raises(DataError, match="the rows are not those of its hash"):
        kept_actions(catalogue, "BRK/B")
    path.write_text("{")
    with pytest.raises(DataError, match="import the actions again"):
        kept_actions(catalogue, "BRK/B")


def test_a_date_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("date,split\n2020-01-01,2\n2020-01-01,3\n")
    with pytest.raises(DataError, match="2020-01-01 is there twice"):
        read_actions(path, "A")
