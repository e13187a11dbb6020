"""Continuous futures: where they roll, and that holding one earns what its contracts earn."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import intrabar as ib
from intrabar.data.catalogue import Catalogue
from intrabar.data.checks import check
from intrabar.data.continuous import continuous, keep, kept_rolls, placed, rule_of
from intrabar.data.readers import Reading, read_file
from intrabar.errors import ConfigError, DataError
from intrabar.model.bars import DAY_NS, Bars
from tests.app.runs_of_it import said

FIRST = int(np.datetime64("2020-03-02", "D").astype(np.int64))


def contract(symbol: str, prices: list[float], volumes: list[float], start: int = 0) -> Bars:
    """Daily bars that open half a point below their close."""
    days = FIRST + start + np.arange(len(prices))
    close = np.array(prices, float)
    return Bars(
        symbol,
        (days + 1) * DAY_NS,
        close - 0.5,
        close + 1,
        close - 1,
        close,
        np.array(volumes, float),
        DAY_NS,
        days * DAY_NS,
        days,
    )


OLD = contract("OLD", [100, 101, 102, 103, 104, 105], [90, 80, 70, 40, 20, 10])
NEW = contract("NEW", [110, 112, 113, 114, 116, 117, 118], [20, 30, 60, 80, 90, 90, 90], start=1)


@pytest.mark.parametrize(
    ("rule", "day"), [("volume", 4), (0, 5), (2, 3), (("2020-03-04",), 2), (("2020-02-01",), 1)]
)
def test_a_roll_is_where_its_rule_says(rule: Any, day: int) -> None:
    if isinstance(rule, tuple):
        rule = rule_of(list(rule))
    made = continuous("X", [OLD, NEW], rule)
    assert [(r.time, r.price) for r in made.rolls] == [((FIRST + day + 1) * DAY_NS, OLD.open[day])]
    assert list(made.bars.close) == [*OLD.close[:day], *NEW.close[day - 1 :]]
    assert made.bars.symbol == "X"


def test_three_contracts_roll_twice() -> None:
    last = contract("LAST", [200.0] * 6, [1, 1, 500, 500, 500, 500], start=4)
    made = continuous("X", [OLD, NEW, last], "volume")
    assert [(r.old, r.new) for r in made.rolls] == [("OLD", "NEW"), ("NEW", "LAST")]
    assert made.bars.close[-1] == 200.0
    assert (np.diff(made.bars.close_time) > 0).all()


def test_what_cannot_roll_says_why() -> None:
    with pytest.raises(DataError, match="NEW never had a higher volume than OLD"):
        continuous("X", [OLD, contract("NEW", [1.0] * 3, [1.0] * 3)], "volume")
    with pytest.raises(DataError, match="OLD and NEW have no bar in common from 2020-03-30 on"):
        continuous("X", [OLD, NEW], rule_of(["2020-03-30"]))
    with pytest.raises(ConfigError, match="1 dates for 2 rolls"):
        continuous("X", [OLD, NEW, NEW], rule_of(["2020-03-04"]))
    for wrong in ("never", -1, True, [], ["x"], None):
        with pytest.raises(ConfigError, match="must be volume, a number of sessions"):
            rule_of(wrong)


def test_buy_and_hold_over_a_roll_earns_what_both_contracts_earn() -> None:
    made = continuous("X", [OLD, NEW], "volume")
    costs = {
        "tick_size": 0.25,
        "slippage_ticks": 1,
        "commission_per_contract": 2.0,
        "contract_size": 50,
        "calendar": "",
        "initial_margin": 1000,
        "maintenance_margin": 900,
    }
    for side in (1, -1):
        signals = ib.Signals([side] * len(made.bars), qty=3)
        found = _held(made, signals, costs)
        bought, sold = OLD.open[1] + side * 0.25, OLD.open[4] - side * 0.25
        again, end = NEW.open[3] + side * 0.25, NEW.close[-1]
        by_hand = side * 3 * 50 * ((sold - bought) + (end - again)) - 3 * 3 * 2.0
        assert found.fills["reason"].to_list() == ["entry", "roll", "roll"]
        assert float(found.equity["equity"][-1]) == pytest.approx(100_000 + by_hand, abs=1e-6)


def _held(made: Any, signals: Any, costs: dict[str, Any]) -> ib.Result:
    folder = Catalogue(Path(os.environ["INTRABAR_CATALOGUE"]))
    keep(folder, made, "", "volume")
    return ib.backtest(signals, symbols="X", config={"instruments": {"X": costs}, "symbols": ["X"]})


@pytest.fixture(autouse=True)
def _own_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTRABAR_CATALOGUE", str(tmp_path / "catalogue"))


def test_rolls_of_other_bars_are_refused() -> None:
    catalogue = Catalogue()
    manifest = keep(catalogue, continuous("X", [OLD, NEW], "volume"), "", "volume")
    assert len(kept_rolls(catalogue, manifest)) == 1
    (catalogue.folder_of("X") / "rolls-1d.json").write_text("{}")
    with pytest.raises(DataError, match="make it again"):
        kept_rolls(catalogue, manifest)


def test_the_command_and_the_configuration_make_the_same(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    catalogue = Catalogue()
    record = {"source": "x", "source_sha256": "", "format": "f", "zone": "UTC", "label": "end"}
    for bars in (OLD, NEW):
        catalogue.write(bars, {**record, "adjustment": "raw", "calendar": ""})
    call = ("data", "continuous", "X", "--contracts", "OLD,NEW", "--roll")
    code, out, err = said(capsys, *call, "2020-03-05")
    assert (code, "OLD  NEW" in out) == (0, True), err
    assert said(capsys, *call, "never")[0] == 2
    assert said(capsys, "data", "resample", "X", "1w")[0] == 1
    code, out, _ = said(capsys, "data", "show", "X", "--adjusted")
    assert (code, "roll 102.5" in out) == (0, True)
    hold = ib.Signals([1] * 8)
    kept = ib.backtest(hold, symbols="X")
    entry = {"symbol": "X", "contracts": ["OLD", "NEW"], "roll": ["2020-03-05"]}
    made = ib.backtest(hold, config={"data": [entry]})
    assert kept.digest == made.digest
    assert kept.fills["reason"].to_list() == ["entry", "roll", "roll"]
    with pytest.raises(ib.ConfigError, match="X: roll is missing"):
        ib.backtest(hold, config={"data": [{"symbol": "X", "contracts": ["OLD", "NEW"]}]})


def test_real_contracts_roll_a_week_before_expiry(real_file: Callable[[str], Path]) -> None:
    how = Reading(zone="UTC", calendar="CME_Equity")
    contracts = [
        check(read_file(real_file(f"futures/lean_es_{month}_1m_trade.csv.gz"), how), month).bars
        for month in ("201312", "201403")
    ]
    made = continuous("ES", contracts, "volume")
    (roll,) = made.rolls
    day = str(np.datetime64(roll.time, "ns"))[:10]
    assert "2013-12-10" < day < "2013-12-20"
    (action,) = placed(made.rolls, made.bars.close_time, 0)
    front = made.bars.open[action.bar]
    assert 0 < abs(front - action.value) < 15  # the March contract stood some points below
    hand = contracts[0].between(None, roll.time - 1)
    assert np.array_equal(made.bars.close[: len(hand)], hand.close)
    later = contracts[1].between(roll.time, None)
    assert np.array_equal(made.bars.close[len(hand) :], later.close)
