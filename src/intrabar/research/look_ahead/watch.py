"""Watching a run at some bars: what it decided, with the line that asked for it, and what it read.

Commands are noted as a Python strategy gives them. At the bars of interest the strategy's own
lines are followed, with the plain values that they leave: two runs that know the same must go
through the same lines with the same values.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, NamedTuple

from intrabar.engine.run import Run, Setup
from intrabar.model.enums import OrderType, Side
from intrabar.research.look_ahead.lines import HOOKS, Line, followed, is_ours
from intrabar.sim import state
from intrabar.strategy.desk import Desk
from intrabar.strategy.strategy import RunningStrategy

WORDS = {
    state.SUBMIT: "order",
    state.CANCEL: "cancel",
    state.MODIFY: "modify",
    state.MOVE_STOP: "move stop",
    state.MOVE_TARGET: "move target",
    state.REFUSE: "refused order",
}


class Command(NamedTuple):
    """What a Python strategy asked for; `place` and `hook` do not make two commands differ."""

    bar: int
    step: int
    symbol: str
    kind: str
    values: str
    hook: str
    place: str

    @property
    def decision(self) -> tuple[Any, ...]:
        """All that must not depend on the future."""
        return self[:5]

    @property
    def when(self) -> tuple[int, int]:
        """Bar and step."""
        return self.bar, self.step

    def __str__(self) -> str:
        return f"{self.kind} {self.symbol} {self.values}".rstrip()


@dataclass
class Moment:
    """How a run stood at one bar, and what was read there."""

    before_open: str = ""
    after_open: str = ""
    after_close: str = ""
    open_lines: list[Line] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


@dataclass
class Watched:
    """A run, and what was seen of it."""

    run: Run
    commands: dict[str, list[Command]] = field(default_factory=dict)
    moments: dict[int, Moment] = field(default_factory=dict)
    error: Exception | None = None


def watch(setup: Setup, rows: Sequence[int], *, at_open: bool = False) -> Watched:
    """Run to the last of some bars, and look closely at each of them.

    Parameters
    ----------
    setup : Setup
    rows : sequence of int, rising
    at_open : bool
        Stop before INTRABAR of the last one.

    Notes
    -----
    What a strategy raises is kept, not raised: the run ends there.
    """
    run = Run(setup)
    watched = Watched(run)
    for name, running in run.running.items():
        if isinstance(running, RunningStrategy):
            watched.commands[name] = []
            for desk in running.desks:
                _note_commands(desk, watched.commands[name])
            running.strategy.on_start()
    try:
        for row in rows:
            watched.moments[row] = moment = Moment()
            _pass(run, row, moment, stop_at_open=at_open and row == rows[-1])
    except Exception as error:  # whatever a strategy raises tells something
        watched.error = error
    return watched


def _pass(run: Run, row: int, moment: Moment, *, stop_at_open: bool) -> None:
    machine = run.machine
    machine.advance(row)
    with followed(run, moment.open_lines):
        machine.advance(row, state.STEP_ON_OPEN)
        moment.before_open = machine.digest()
        machine.advance(row, state.STEP_INTRABAR)
        moment.after_open = machine.digest()
    if stop_at_open:
        return
    moment.lines += moment.open_lines
    with followed(run, moment.lines):
        machine.advance(row + 1)
        moment.after_close = machine.digest()


def _note_commands(desk: Desk, notes: list[Command]) -> None:
    put = desk.put

    def noted(kind: int, **values: Any) -> int:
        place, hook = _asked_at(sys._getframe(1))
        step = int(desk.account["step"])
        notes.append(
            Command(
                desk.bar, step, desk.symbol, WORDS.get(kind, str(kind)), _told(values), hook, place
            )
        )
        return put(kind, **values)

    vars(desk)["put"] = noted


def _asked_at(frame: FrameType | None) -> tuple[str, str]:
    """The line of the strategy that asked, and the hook it is in."""
    place, hook = "", ""
    while frame is not None and not hook:
        ours = is_ours(frame.f_code.co_filename)
        if not ours and not place:
            place = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        if not ours and frame.f_code.co_name in HOOKS:
            hook = frame.f_code.co_name
        frame = frame.f_back
    return place, hook


def _told(values: dict[str, Any]) -> str:
    """The values of a command as words; equal words, equal bits."""
    told = []
    for name, value in values.items():
        if value is None or value is False or name == "role":
            continue
        if name == "side":
            told.append(Side(value).word)
        elif name == "type":
            told.append(OrderType(value).word)
        elif name == "tif":
            told.append(value.word)
        else:
            told.append(f"{name}={repr(value).removesuffix('.0')}" if value is not True else name)
    return " ".join(told)
