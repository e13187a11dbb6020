"""Which lines of a strategy run, and the plain values that they leave.

Two runs that know the same must go through the same lines with the same values. Where they part,
the line before has read what only one of them could know.
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Callable
from contextlib import contextmanager
from datetime import datetime
from enum import Enum
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

import numpy as np

from intrabar.engine.run import Run
from intrabar.errors import PACKAGE
from intrabar.strategy.running_bot import RunningBot
from intrabar.strategy.strategy import RunningStrategy

HOOKS = ("on_open", "on_close", "on_fill", "on_order")
RULES = {"decide_side": "entry", "initial_levels": "exit", "update_stop": "exit"}
FOREIGN = tuple({sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")})
MOST_LINES = 20_000


class Line(NamedTuple):
    """A line that a strategy is about to run (or a value that it returns), with its locals."""

    strategy: str
    hook: str
    frame: int
    file: str
    line: int
    values: dict[str, str]


@contextmanager
def followed(run: Run, lines: list[Line]) -> Any:
    """Note every line of the strategies' own code, with the plain values of its frame."""
    owners = {
        id(running.strategy): name
        for name, running in run.running.items()
        if isinstance(running, RunningStrategy)
    }
    rules = _rules_in_python(run)
    if not owners and not rules:
        yield
        return
    before = sys.gettrace()
    sys.settrace(_follower(owners, rules, lines))
    try:
        yield
    finally:
        sys.settrace(before)


def _rules_in_python(run: Run) -> dict[CodeType, str]:
    """The rules of bots that do not run compiled."""
    rules: dict[CodeType, str] = {}
    for name, running in run.running.items():
        if isinstance(running, RunningBot) and not running.is_compiled:
            bot: Any = run.setup.strategies[name]
            for rule, part in RULES.items():
                function = getattr(getattr(bot, part), rule, None)
                if function is not None:
                    rules[function.__code__] = name
    return rules


def _follower(
    owners: dict[int, str], rules: dict[CodeType, str], lines: list[Line]
) -> Callable[[FrameType, str, Any], Any]:
    inside: list[tuple[str, str, int]] = []  # strategy, hook, number of the frame
    count = max((line.frame for line in lines), default=0)

    def entered(frame: FrameType) -> tuple[str, str] | None:
        code = frame.f_code
        if inside:
            return inside[-1][:2] if is_own(code.co_filename) else None
        if code in rules:
            return rules[code], code.co_name
        owner = owners.get(id(frame.f_locals.get("self")))
        return (owner, code.co_name) if owner is not None and code.co_name in HOOKS else None

    def called(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        told = entered(frame) if event == "call" and len(lines) < MOST_LINES else None
        if told is None:
            return None
        count += 1
        inside.append((*told, count))
        return step

    def step(frame: FrameType, event: str, value: Any) -> Any:
        values = {n: plain for n, v in frame.f_locals.items() if (plain := as_plain(v)) is not None}
        if event == "return" and as_plain(value) is not None:
            values["what is returned"] = as_plain(value) or ""
        if event in ("line", "return") and inside:
            lines.append(Line(*inside[-1], frame.f_code.co_filename, frame.f_lineno, values))
        if event == "return" and inside:
            inside.pop()
        return step

    return called


@cache
def is_ours(file: str) -> bool:
    """Whether a file is one of Intrabar's."""
    return PACKAGE in Path(file).parents


@cache
def is_own(file: str) -> bool:
    """Whether a file is the user's: not ours, not Python's, not a library's."""
    return not file.startswith(("<frozen", *FOREIGN)) and not is_ours(file)


def as_plain(value: Any) -> str | None:
    """A number, word or time as text; None for anything that is not plain."""
    if isinstance(value, bool | int | float | str | bytes | np.generic | datetime | Enum):
        return repr(value)
    if isinstance(value, tuple) and len(value) < 16:
        parts = [as_plain(v) for v in value]
        return None if None in parts else repr(parts)
    return None


class Parting(NamedTuple):
    """Where two runs that know the same went apart."""

    strategy: str
    hook: str
    place: str
    what: str


def parting(base: list[Line], other: list[Line]) -> Parting | None:
    """The line after which two runs differ; None where they do not.

    It is the last line that the frame ran before: the one that went another way, or that left
    another value.
    """
    for k in range(max(len(base), len(other))):
        a = base[k] if k < len(base) else None
        b = other[k] if k < len(other) else None
        if a == b:
            continue
        one = a or b
        assert one is not None
        if one.strategy != (b or one).strategy:
            return None
        before = base[:k]
        frame = min(x.frame for x in (a, b) if x is not None)
        guilty = next((x for x in reversed(before) if x.frame == frame), None)
        guilty = guilty or (before[-1] if before else one)
        what = "goes another way"
        if a is not None and b is not None and a.values != b.values:
            names = [n for n in {**a.values, **b.values} if a.values.get(n) != b.values.get(n)]
            what = f"{names[0]} is another value"
        return Parting(one.strategy, one.hook, f"{guilty.file}:{guilty.line}", what)
    return None
