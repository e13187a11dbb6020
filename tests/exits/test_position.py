"""What an exit is told of its position, by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from intrabar.exits.policy_arrays import POSITION
from intrabar.exits.position import HELD, PROFIT, RISKED, TO_STOP, marked_profit, tell_position
from intrabar.kernel import plain
from intrabar.model.bars import Floats
from intrabar.sim import state


def told(
    qty: float,
    avg: float,
    stop: float,
    mark: float,
    atr: float = 2.0,
    tell: Any = tell_position,
) -> Floats:
    sleeve, x = np.zeros(1, state.SLEEVE), np.zeros(1, state.INSTRUMENT)
    sleeve["qty"], sleeve["avg"], sleeve["stop"] = qty, avg, stop
    x["mark"], x["point_value"] = mark, 50.0
    one, at = sleeve.view(np.recarray)[0], x.view(np.recarray)[0]
    profit = plain(marked_profit)(one, at) - 100.0
    out = np.full(POSITION, math.nan)
    tell(one, at, profit, 1_000.0, 5, 250, atr, 4.0, out)
    return out


def test_a_long_by_hand() -> None:
    # 3 contracts 4 points above their price are 600, less 100 of costs, of a budget of 1,000.
    out = told(qty=3.0, avg=100.0, stop=98.0, mark=104.0)
    assert out[PROFIT] == 0.5
    assert out[HELD] == 5 / 250
    assert out[TO_STOP] == 6.0 / 2.0 / 4.0
    assert out[RISKED] == 1_000.0 / 150.0 / 2.0 / 4.0


def test_a_short_is_its_mirror() -> None:
    long, short = told(3.0, 100.0, 98.0, 104.0), told(-3.0, 100.0, 102.0, 96.0)
    assert np.array_equal(long, short)


def test_when_flat_all_is_0() -> None:
    assert not told(0.0, 0.0, math.nan, 104.0, atr=math.nan).any()


def test_a_split_changes_nothing() -> None:
    before = told(3.0, 100.0, 98.0, 104.0)
    after = told(30.0, 10.0, 9.8, 10.4, atr=0.2)
    assert np.allclose(after, before, rtol=1e-12)


def test_without_a_stop_nothing_can_be_decided() -> None:
    out = told(3.0, 100.0, math.nan, 104.0)
    assert math.isnan(out[TO_STOP])


@pytest.mark.parametrize("qty", [3.0, -2.0, 0.0])
def test_compiled_is_interpreted(qty: float) -> None:
    given = qty, 100.1, 98.3, 104.7, 1.3
    assert np.array_equal(told(*given), told(*given, tell=plain(tell_position)))
