"""`exp`, `tanh` and `log` against the C library, 45 decimals, and themselves uncompiled."""

from __future__ import annotations

import math
import platform
from collections.abc import Callable
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from intrabar.indicators import elementary
from intrabar.kernel import kernel, plain
from tests.assembly import FUSED, assembly

POINTS = 100_001
SPECIAL = [
    *(0.0, math.inf, math.nan, 5e-324, 1e-310, 2.0**-1022, 1.0, 0.625, 708.5, 709.78, 709.79),
    *(710.0, 745.13, 745.14, 746.0, 1.7976931348623157e308),
]


@kernel
def each_exp(x: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    for i in range(x.shape[0]):
        out[i] = elementary.exp(x[i])


@kernel
def each_tanh(x: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    for i in range(x.shape[0]):
        out[i] = elementary.tanh(x[i])


@kernel
def each_log(x: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    for i in range(x.shape[0]):
        out[i] = elementary.log(x[i])


EACH: dict[str, Any] = {"exp": each_exp, "tanh": each_tanh, "log": each_log}


def of(name: str, x: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.empty_like(x)
    EACH[name](x, out)
    return out


def tanh_of(x: Decimal) -> Decimal:
    grown = (2 * x).exp()
    return (grown - 1) / (grown + 1)


@pytest.mark.parametrize(
    ("name", "x", "units"),
    [
        ("exp", np.linspace(-708.0, 709.0, POINTS), 1.0),
        ("exp", np.linspace(-1.0, 1.0, POINTS), 1.0),
        ("tanh", np.linspace(-20.0, 20.0, POINTS), 2.0),
        ("tanh", np.linspace(-1.0, 1.0, POINTS), 2.0),
        ("tanh", np.geomspace(1e-300, 1.0, POINTS), 2.0),
        ("log", np.geomspace(1e-307, 1e308, POINTS), 1.0),
        ("log", np.linspace(0.5, 2.0, POINTS), 1.0),
        ("log", np.geomspace(5e-324, 1e-307, POINTS), 1.0),
    ],
)
def test_as_the_c_library_within_units_in_the_last_place(
    name: str, x: NDArray[np.float64], units: float
) -> None:
    known = np.array([getattr(math, name)(v) for v in x.tolist()])
    assert np.max(np.abs(of(name, x) - known) / np.spacing(np.abs(known))) <= units


@pytest.mark.parametrize(
    ("name", "low", "high", "exact"),
    [
        ("exp", -700.0, 700.0, Decimal.exp),
        ("exp", -2.0, 2.0, Decimal.exp),
        ("tanh", 0.6, 1.2, tanh_of),
        ("tanh", 0.0, 0.7, tanh_of),
        ("log", 0.5, 2.0, Decimal.ln),
        ("log", 0.0, 1e6, Decimal.ln),
    ],
)
def test_relative_error(
    name: str, low: float, high: float, exact: Callable[[Decimal], Decimal]
) -> None:
    x = np.random.default_rng(7).uniform(low, high, 2_000)
    with localcontext() as context:
        context.prec = 45
        for each, got in zip(x.tolist(), of(name, x).tolist(), strict=True):
            true = exact(Decimal(each))
            assert abs((Decimal(got) - true) / true) <= Decimal("3.3e-16"), each


def test_what_is_no_ordinary_number() -> None:
    inf, nan = math.inf, math.nan
    assert [elementary.exp(x) for x in (-inf, -746.0, 0.0, -0.0, 709.79, inf)] == [
        *(0.0, 0.0, 1.0, 1.0, inf, inf)
    ]
    assert elementary.exp(-745.13) == 5e-324
    assert elementary.exp(709.78) == pytest.approx(math.exp(709.78), rel=3.3e-16)
    assert [elementary.tanh(x) for x in (-inf, -20.0, 5e-324, 1e308)] == [-1.0, -1.0, 5e-324, 1.0]
    assert math.copysign(1.0, elementary.tanh(-0.0)) == -1.0
    assert [elementary.log(x) for x in (0.0, -0.0, 1.0, inf)] == [-inf, -inf, 0.0, inf]
    assert elementary.log(5e-324) == math.log(5e-324)
    wrong = [elementary.exp(nan), elementary.tanh(nan), elementary.log(nan)]
    wrong += [elementary.log(x) for x in (-5e-324, -1.0, -inf)]
    assert all(map(math.isnan, wrong))


@pytest.mark.parametrize("name", EACH)
def test_same_bits_in_a_loop_alone_and_as_plain_python(name: str) -> None:
    rng = np.random.default_rng(3)
    x = np.concatenate([SPECIAL, rng.normal(0.0, 1.0, 2_000), rng.uniform(-750.0, 750.0, 2_000)])
    x = np.concatenate([x, -x])
    looped = of(name, x)
    function = getattr(elementary, name)
    alone = np.array([function(v) for v in x.tolist()])
    plainly = np.array([plain(function)(v) for v in x])
    for other in (alone, plainly):
        known = ~np.isnan(looped)
        assert np.array_equal(np.isnan(other), ~known)
        assert looped[known].tobytes() == other[known].tobytes()


CODE = """
import numpy as np
from tests.indicators import test_elementary as t
for each in t.EACH.values():
    each(np.ones(4), np.ones(4))
show(*t.EACH.values())
"""


def test_loops_without_a_fused_multiply_add(tmp_path: Path) -> None:
    text = assembly(CODE, tmp_path)
    assert len(text) > 10_000
    assert FUSED.search(text) is None
    if platform.machine() in ("x86_64", "AMD64"):
        assert text.count("divpd") >= 4  # vectors


@pytest.mark.parametrize("name", EACH)
def test_of_single_precision_in_double_precision(name: str) -> None:
    function = getattr(elementary, name)
    assert function(np.float32(0.7)) == function(float(np.float32(0.7)))
    assert function(2) == function(2.0)
