"""Constraints: Python's own verdict on harmless expressions, refusal of everything else."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from intrabar.errors import ConfigError, NotFoundError
from intrabar.research.sweep.constraint import Constraint

NUMBERS = st.integers(-20, 20)


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> str:
    if depth == 0:
        return draw(st.sampled_from(["fast", "slow", "3", "0.5", "True"]))
    inner = expressions(depth=depth - 1)
    shape = draw(st.sampled_from(["({} {} {})", "(not {})", "(-{})", "({} < {} <= {})"]))
    if shape == "({} {} {})":
        signs = ["+", "-", "*", "//", "%", "<", "<=", ">", ">=", "==", "!=", "and", "or"]
        return shape.format(draw(inner), draw(st.sampled_from(signs)), draw(inner))
    return shape.format(*(draw(inner) for _ in range(shape.count("{}"))))


@given(expressions(), NUMBERS, NUMBERS)
@example("(fast < 2) <= (fast and slow)", 1, -1)
def test_a_constraint_is_what_python_says(text: str, fast: int, slow: int) -> None:
    names = {"fast": fast, "slow": slow}
    constraint = Constraint(text, names)
    try:
        expected = bool(eval(text, {"__builtins__": {}}, names))
    except ZeroDivisionError:
        with pytest.raises(ConfigError, match="where fast = "):
            constraint(names)
    else:
        assert constraint(names) is expected


def test_a_place_is_named_whole_or_by_its_end() -> None:
    places = ["strategies[0].params.fast", "Other.slow"]
    values = {"strategies[0].params.fast": 3, "Other.slow": 5}
    for text in ("fast < slow", "strategies[0].params.fast < Other.slow"):
        assert Constraint(text, places)(values)


def test_an_end_that_two_places_have_names_none() -> None:
    with pytest.raises(NotFoundError, match="fast"):
        Constraint("fast < 3", ["A.fast", "B.fast"])


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "fast.__class__",
        "[fast for fast in (1, 2)]",
        "(lambda: fast)()",
        "fast if slow else 3",
        "fast ** 999999999",
        "f'{fast}'",
        "fast := 3",
        "",
        "fast <",
        "fast = 3",
        "1; 2",
    ],
)
def test_anything_else_is_refused_before_it_runs(text: str) -> None:
    with pytest.raises((ConfigError, NotFoundError), match=r"constraint|parameter"):
        Constraint(text, ["fast", "slow"])


def test_a_mistyped_name_is_told_with_the_nearest() -> None:
    with pytest.raises(NotFoundError, match="did you mean 'slow'"):
        Constraint("fast < slwo", ["fast", "slow"])


def test_a_comparison_of_text_and_number_says_where() -> None:
    with pytest.raises(ConfigError, match="where fast = 'a'"):
        Constraint("fast < 3", ["fast"])({"fast": "a"})
