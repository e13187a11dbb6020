"""Feature expressions: read, written, worked out, and refused with what is wrong."""

from __future__ import annotations

import hashlib
import math
import os
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intrabar import plugins
from intrabar.errors import ConfigError, DataError, IntrabarError, NotFoundError, UsageError
from intrabar.exits.network import FARTHEST
from intrabar.indicators import Columns, Indicator, compute, parse, sma
from intrabar.indicators.elementwise import known_rows
from intrabar.indicators.expressions import CarriedTerm, Leaf, parse_expression
from intrabar.indicators.features import (
    NORMALISED,
    SETS,
    CarriedFeatures,
    Features,
    features_from_text,
    features_of,
)
from intrabar.indicators.normalisation import normalisation_of
from intrabar.indicators.turns import CLOCK, turn
from tests.indicators.bars import walk
from tests.own_process import python

# Interpreted (NUMBA_DISABLE_JIT=1), NumPy warns of what is divided by nothing or overflows.
pytestmark = pytest.mark.filterwarnings(
    "ignore:(divide by zero|invalid value|overflow) encountered:RuntimeWarning"
)

COLUMNS = ("open", "high", "low", "close", "volume")


def later(x: np.ndarray, bars: int) -> np.ndarray:
    return np.append(np.full(min(bars, len(x)), np.nan), x[: len(x) - bars])


def least(a: Any, b: Any) -> Any:
    return np.where((a < b) | np.isnan(a), a, b)


def largest(a: Any, b: Any) -> Any:
    return np.where((a > b) | np.isnan(a), a, b)


SLOW = {"lag": later, "min": least, "max": largest, "abs": np.abs, "sqrt": np.sqrt, "log": np.log}


def read_of(leaves: Any, bars: Columns) -> dict[Leaf, np.ndarray]:
    n = len(bars.close)
    return {
        x: np.require(
            compute(x, bars) if isinstance(x, Indicator) else turn(7)[0][np.arange(n) % 7],
            requirements=["C", "W"],
        )
        for x in leaves
    }


def values(text: str, bars: Columns) -> np.ndarray:
    term = parse_expression(text)
    return CarriedTerm(term).advance(read_of(term.leaves(), bars), len(bars.close))


def joined(pair: tuple[str, tuple[str, str]]) -> str:
    how, (a, b) = pair
    return f"({a}) {how} ({b})" if how in "+-*/" else f"{how}({a}, {b})"


numbers = st.sampled_from(["0", "1", "2.5", "1e-3", "-3"])
expressions = st.recursive(
    st.sampled_from(COLUMNS) | numbers,
    lambda inner: (
        st.tuples(st.sampled_from(["+", "-", "*", "/", "min", "max"]), st.tuples(inner, inner)).map(
            joined
        )
        | st.tuples(st.sampled_from(["-", "abs", "sqrt"]), inner).map(lambda p: f"{p[0]}({p[1]})")
        | st.tuples(inner, st.integers(0, 9)).map(lambda p: f"lag({p[0]}, {p[1]})")
    ),
    max_leaves=8,
)


@settings(max_examples=150)
@given(expressions)
def test_values_are_those_of_numpy(text: str) -> None:
    bars = walk(40)
    columns = {name: getattr(bars, name) for name in COLUMNS}
    # A number is a series too: its lag is not known on the first bars.
    slow = parse_expression(text)
    with np.errstate(all="ignore"):
        want = eval(_as_numpy(text), {"one": np.ones(40), **SLOW, **columns})
    np.testing.assert_array_equal(values(text, bars), want)
    assert parse_expression(str(slow)) == slow


def _as_numpy(text: str) -> str:
    import ast

    class Series(ast.NodeTransformer):
        def visit_Call(self, node: ast.Call) -> ast.AST:
            node.args[0] = self.visit(node.args[0])
            if node.func.id != "lag":  # type: ignore[attr-defined]
                node.args[1:] = [self.visit(x) for x in node.args[1:]]
            return node

        def visit_Constant(self, node: ast.Constant) -> ast.AST:
            return ast.BinOp(ast.Constant(node.value), ast.Mult(), ast.Name("one", ast.Load()))

    return ast.unparse(ast.fix_missing_locations(Series().visit(ast.parse(text, mode="eval"))))


def test_log_is_that_of_math_and_has_no_value_below_zero() -> None:
    bars = walk(200)
    got = values("log(close / lag(close, 5))", bars)
    want = [math.log(bars.close[i] / bars.close[i - 5]) for i in range(5, 200)]
    assert np.isnan(got[:5]).all()
    np.testing.assert_allclose(got[5:], want, rtol=1e-13, atol=1e-17)
    assert values("log(close - close)", bars)[0] == -math.inf
    assert np.isnan(values("log(-close)", bars)).all()


def test_what_is_divided_by_nothing_is_not_known_and_no_zero() -> None:
    bars = walk(5)
    assert np.isinf(values("close / (volume - volume)", bars)).all()
    assert np.isnan(values("(close - close) / (volume - volume)", bars)).all()
    table = np.column_stack([values("1 / (volume - volume)", bars), bars.close])
    assert not known_rows(table, 1).any()


def test_rows_are_known_where_the_whole_window_is() -> None:
    table = np.ones((8, 2))
    table[0, 0], table[4, 1] = np.nan, -np.inf
    assert known_rows(table, 1).tolist() == [False, True, True, True, False, True, True, True]
    assert known_rows(table, 3).tolist() == [False, False, False, True, *[False] * 3, True]


@pytest.mark.parametrize("cut", [1, 7, 1000])
def test_pieces_have_the_bits_of_the_whole(cut: int) -> None:
    bars = walk(1500)
    features = features_of(
        [
            "a = lag(close / lag(open, 3), 30) - 1",
            "b = log(volume / sma(volume, 5)) * day_sin",
            "signed c = min(lag(rsi(5), 1), -lag(-rsi(7), 1003)) / side",
        ]
    )
    read = read_of(features.leaves, bars)
    whole = CarriedFeatures(features).advance(read, 1500)
    going = CarriedFeatures(features)
    parts = [
        going.advance({x: v[k : k + cut].copy() for x, v in read.items()}, min(cut, 1500 - k))
        for k in range(0, 1500, cut)
    ]
    assert np.concatenate(parts).tobytes() == whole.tobytes()
    assert np.isfinite(whole[-1]).all()
    assert whole.flags.c_contiguous


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("rsi( 14 )/50.0-1", "rsi(14) / 50 - 1"),
        ("close-(open-high)", "close - (open - high)"),
        ("(close-open)-high", "close - open - high"),
        ("-(close+1)*2", "-(close + 1) * 2"),
        ("+close.on(1h)/ema(5).on(1h)", "close.on('1h') / ema(5).on('1h')"),
        ("volume/sma(volume,50)", "volume / sma(50, source=volume)"),
        ("lag(lag(close,1),2)", "lag(lag(close, 1), 2)"),
        ("cross(close, ema(3))", "cross(price(), ema(3))"),
        ("bollinger(20,2).upper/close", "bollinger(20, 2.0).upper / close"),
        ("natr(5)", "NATR(5)"),
    ],
)
def test_the_text_is_one_for_each_meaning(text: str, want: str) -> None:
    term = parse_expression(text)
    assert str(term) == want
    assert parse_expression(want) == term


def test_leading_columns_of_an_indicator_are_its_source() -> None:
    assert parse("sma(volume, 50)") == sma(50, source="volume")


def test_the_hash_is_of_all_that_a_model_depends_on() -> None:
    first, second = "a = close / open", "signed b = rsi(14) / 50 - 1"
    base = features_of([first, second], 3)
    others = [
        features_of([second, first], 3),
        features_of([first, second], 4),
        features_of([first, second.removeprefix("signed ")], 3),
        features_of([first, "signed c = rsi(14) / 50 - 1"], 3),
        features_of([first, "signed b = rsi(15) / 50 - 1"], 3),
        Features("other", base.features, 3),
    ]
    assert len({base.hash, *(x.hash for x in others)}) == 7
    assert features_of(["a=close/open", "signed  b = rsi(14)/50.0-1"], 3).hash == base.hash
    assert base.hash == hashlib.sha256(base.text.encode()).hexdigest()
    assert features_of(base.text.splitlines()[3:], 3) == base


@pytest.mark.parametrize("name", SETS)
def test_a_text_is_read_as_what_it_is_of(name: str) -> None:
    features = features_of(name, 32)
    assert features_from_text(features.text) == features
    assert (
        features_from_text(features.text.replace("rsi(14) / 50", "rsi(14)/50.0")).text
        == features.text
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is no text of features"),
        ("set own\nwindow 4\n", "is no text of features"),
        ("set own\nwindow 999\nnormalised {0}\nx = close\n", "window is 999"),
        ("set own\nwindow 4\nnormalised (x - mean)\nx = close\n", "is no text of features"),
        ("set own\nwindow 4\nnormalised {0}\n", "is no text of features"),
        ("set own\nwindow 4\nnormalised {0}\nclose\n", "write 'name = expression'"),
        ("set own\nwindow 4\nnormalised {0}\nx = hurst(close)\n", "'hurst'"),
    ],
)
def test_a_text_that_is_none_of_features(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        features_from_text(text.format(NORMALISED))


@pytest.mark.parametrize(
    ("name", "starts"),
    [("exit/1", "afa77d7c"), ("exit/raw", "63095f99"), ("predict/1", "eaa940da")],
)
def test_a_set_that_has_a_name_never_changes(name: str, starts: str) -> None:
    assert features_of(name).hash.startswith(starts)


def test_signs() -> None:
    def sign(text: str) -> int:
        return int(features_of([text]).signs[0])

    assert features_of("exit/1").signs.tolist() == [0, 1, 1, 1, 1]
    assert not features_of("predict/1").signs.any()
    assert sign("x = side * rsi(5) + side") == 1
    assert sign("signed x = side * rsi(5)") == 0
    assert sign("x = abs(side * rsi(5))") == 0
    assert sign("x = 1 / -lag(side, 2)") == 1


@pytest.mark.parametrize(
    ("given", "error", "told"),
    [
        ("exit/2", NotFoundError, "did you mean 'exit/1'"),
        (["x = clsoe / open"], NotFoundError, r"features\[0\]: .*'clsoe'.*did you mean 'close'"),
        (["x = laag(close, 1)"], NotFoundError, "did you mean 'lag'"),
        (["x = emma(20)"], NotFoundError, "did you mean 'ema'"),
        (["x = hour_sine"], NotFoundError, "did you mean 'hour_sin'"),
        (["x = ema(20, perod=3)"], NotFoundError, "did you mean 'period'"),
        (
            ["a = close", "x = lag(close, -1)"],
            ConfigError,
            r"features\[1\]: lag\(close, -1\).*come",
        ),
        (["x = lag(close, 1.5)"], ConfigError, "whole number, 0 to 100000"),
        (["x = lag(close, 100001)"], ConfigError, "whole number, 0 to 100000"),
        (["x = lag(close, volume)"], ConfigError, "whole number"),
        (["x = lag(close, True)"], ConfigError, "whole number"),
        (["x = lag(close)"], ConfigError, r"write lag\(x, bars\)"),
        (["x = log(close, 2)"], ConfigError, r"write log\(x\)"),
        (["x = min(close)"], ConfigError, r"write min\(x, y\)"),
        (["x = max(*close)"], ConfigError, r"write max\(x, y\)"),
        (["x = close ** 2"], ConfigError, r"write x \* x"),
        (["x = close % 2"], ConfigError, "only"),
        (["x = close > open"], ConfigError, "make an indicator of anything else"),
        (["x = close if 1 else 2"], ConfigError, "make an indicator"),
        (["x = 'close'"], ConfigError, "is no number"),
        (["x = 1e999"], ConfigError, "is no number"),
        (["x = True"], ConfigError, "is no number"),
        (["x = ema(rsi(3))"], ConfigError, r"ema reads columns, not rsi\(3\)"),
        (["x = bollinger(20, 2)"], ConfigError, "has the outputs upper, middle, lower"),
        (["x = close +"], ConfigError, "cannot read the feature"),
        (["x = " + "(" * 300 + "close" + ")" * 300], ConfigError, "cannot read the feature"),
        (["x = " + "+".join(["close"] * 300)], ConfigError, "over 500 parts"),
        (["close / open"], ConfigError, "write 'name = expression'"),
        (["2x = close"], ConfigError, "write 'name = expression'"),
        ([3], ConfigError, "3 is no feature"),
        (["x = close", "x = open"], ConfigError, "stands twice"),
        (["close = close"], ConfigError, "another column of a dataset"),
        (["score_1 = close"], ConfigError, "another column of a dataset"),
        (["ATR = atr(14)"], ConfigError, "another column of a dataset"),
        (["x = side + close"], ConfigError, "x: side . close: side can only be a factor"),
        (["x = max(side * close, 0)"], ConfigError, "side can only be a factor"),
        ([], ConfigError, "must be the name of a set"),
        (None, ConfigError, "must be the name of a set"),
        ({"x": "close"}, ConfigError, "must be the name of a set"),
    ],
)
def test_what_is_wrong_is_named(given: Any, error: type[IntrabarError], told: str) -> None:
    with pytest.raises(error, match=told):
        features_of(given)


@pytest.mark.parametrize("window", [0, 513, 1.5, "3", None])
def test_a_window_is_a_whole_number_of_bars(window: Any) -> None:
    with pytest.raises(ConfigError, match="window is"):
        features_of("exit/1", window)


def test_a_constant_feature_has_scale_1_and_is_told() -> None:
    features = features_of(["signed b = open", "c = high"], 2)
    rows = np.column_stack([np.arange(6.0), np.full(6, 0.1)])
    mean, scale, remarks = normalisation_of(features, rows)
    assert mean.tolist() == [2.5, 0.1]
    assert scale.tolist() == [pytest.approx(math.sqrt(35 / 12)), 1.0]
    assert [r.text for r in remarks] == [
        "The feature c = high is 0.1 in every training row: it has scale 1 and tells the model "
        "nothing."
    ]


def test_the_text_says_where_a_model_clips() -> None:
    assert features_of("exit/1").text.splitlines()[2] == (
        f"normalised clip((x - mean) / scale, -{FARTHEST:g}, {FARTHEST:g})"
    )


def test_sums_of_training_rows_run_in_their_order() -> None:
    rows = np.random.default_rng(3).normal(7.0, 2.0, (1000, 1))
    total = squares = 0.0
    for x in rows[:, 0].tolist():
        total += x - rows[0, 0]
    for x in rows[:, 0].tolist():
        squares += (x - rows[0, 0] - total / 1000) ** 2
    mean, scale, remarks = normalisation_of(features_of(["a = open"]), rows)
    assert (mean[0], scale[0]) == (rows[0, 0] + total / 1000, math.sqrt(squares / 1000))
    assert remarks == ()


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (np.empty((0, 1)), r"have the shape \(0, 1\)"),
        (np.ones((3, 2)), r"must be \(k, 1\)"),
        (np.array([[1.0], [np.nan]]), "training row 1: a is nan"),
        (np.array([[1e300], [-1e300]]), "too large"),
    ],
)
def test_rows_that_teach_nothing_are_refused(rows: np.ndarray, told: str) -> None:
    with pytest.raises(DataError, match=told):
        normalisation_of(features_of(["a = open"]), rows)


def test_turns_have_the_same_bits_everywhere() -> None:
    # Each value of these was compared with a series in decimals: it is the nearest number.
    for parts, digest in ((7, "bc3e214b45a6eb55"), (1440, "30f635efcc490047")):
        sin, cos = turn(parts)
        angle = 2.0 * np.pi * np.arange(parts) / parts
        np.testing.assert_allclose(sin, np.sin(angle), rtol=0, atol=2e-15)
        np.testing.assert_allclose(cos, np.cos(angle), rtol=0, atol=2e-15)
        assert hashlib.sha256(sin.tobytes() + cos.tobytes()).hexdigest()[:16] == digest
    assert sin[:360].tolist() == (-sin[720:1080]).tolist() == (-cos[360:720]).tolist()


def test_every_clock_field_stands_in_the_set_for_predictions() -> None:
    assert {x for x in features_of("predict/1").leaves if isinstance(x, str)} == set(CLOCK)
    assert set(SETS) == {"exit/1", "exit/raw", "predict/1"}


@pytest.mark.skipif("NUMBA_DISABLE_JIT" in os.environ, reason="nothing is compiled")
def test_no_kernel_multiplies_and_adds_in_one_step(tmp_path: Any) -> None:
    """Compiled in a process with a cache of its own: what comes from a cache shows no assembly."""
    said = python("-c", ASSEMBLY, str(tmp_path), folder=tmp_path).split()
    assert said == ["2", "kernels,", "control", said[-1]]
    assert said[-1] in ("fused", "without")


ASSEMBLY = """
import os, re, sys
os.environ["INTRABAR_CACHE"] = sys.argv[1]
import llvmlite.binding
import numpy as np
from intrabar.indicators import averages, elementwise as e
x = np.ones((4, 2))
e.of_each(e.ADD, x[:, 0].copy(), x[:, 0].copy(), np.empty(4))
e.moments(x, np.empty(2), np.empty(2))
averages.ema(x[:, 0].copy(), 2, 2, np.zeros(2), np.empty(4))
fused = re.compile(r"vfn?m|fn?madd|fn?msub|fml[as]")
each = [e.of_each, e.moments]
texts = [text for kernel in each for text in kernel.inspect_asm().values()]
assert all("ret" in text and not fused.search(text) for text in texts)
control = "".join(averages.ema.inspect_asm().values())
has = llvmlite.binding.get_host_cpu_features().get("fma", False)
assert "ret" in control and bool(fused.search(control)) >= has
print(len(texts), "kernels, control", "fused" if has else "without")
"""


def test_names_of_our_own_ask_no_other_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """To look through what is installed takes longer than the whole reading of a policy."""
    text = features_of("predict/1").text

    def asked(**given: Any) -> Any:
        raise AssertionError

    monkeypatch.setattr(plugins, "entry_points", asked)
    assert features_from_text(text).text == text
