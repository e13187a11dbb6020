"""Going to any place of a run: checkpoints, and lines that commands by hand have led to.

A place is a bar and the step of it that comes next. The track keeps a checkpoint every so many
bars; to go to a place it puts the nearest one before it back and runs on from there. Only one
line is in the machine's arrays at a time: to go over to another, the checkpoints behind the place
where the two part are dropped, and the bars from there on run again.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count, zip_longest
from typing import Any, NamedTuple

from numpy.typing import NDArray

from intrabar.engine.run import Run, Setup, tell
from intrabar.errors import NotFoundError, UsageError
from intrabar.model.enums import RunStatus
from intrabar.sim.book import Checkpoint as MachineCheckpoint
from intrabar.sim.inbox import leave_again
from intrabar.sim.state import STEP_END, STEP_ON_OPEN, STEP_OPEN

MAIN = "main"
CHECKPOINTS = 512  # of a run, at most
COPYING = 0.1  # share of the time of running that checkpoints may take


class Place(NamedTuple):
    """Before a step of a bar."""

    bar: int
    step: int = STEP_OPEN


@dataclass(frozen=True, eq=False)
class ByHand:
    """Commands that a person gave at a place, as records of the inbox."""

    place: Place
    commands: NDArray[Any]


@dataclass(frozen=True, eq=False)
class Line:
    """One course of a run: the main line, or a branch with what was commanded on it.

    Parameters
    ----------
    name, parent : str
        "" for the parent of the main line.
    by_hand : tuple of ByHand
        From the first bar on, those taken over from the parent included.
    """

    name: str
    parent: str
    by_hand: tuple[ByHand, ...] = ()

    def parts_from(self, other: Line) -> Place | None:
        """Where two lines begin to differ; None where they do not."""
        for one, two in zip_longest(self.by_hand, other.by_hand):
            if one is not two:
                return min(x.place for x in (one, two) if x is not None)
        return None


class Checkpoint(NamedTuple):
    """Everything that goes on from the first step of a bar, but for the records that only grow."""

    bar: int
    machine: MachineCheckpoint
    strategies: tuple[Any, ...]


class Track:
    """A run that can be brought to any place of any of its lines.

    Parameters
    ----------
    setup : Setup
    """

    def __init__(self, setup: Setup) -> None:
        self.run = Run(setup)
        self.machine = self.run.machine
        self.end = Place(len(setup.market))
        self.spacing = max(64, self.end.bar // CHECKPOINTS)
        self.line = Line(MAIN, "")
        self.lines = {MAIN: self.line}
        self._given = 0  # how many of the line's commands by hand are carried out
        self._is_stopped = False
        self._seconds_run = 0.0  # since the last checkpoint
        self._seconds_copied = 0.0  # for the last checkpoint
        tell(self.run.running, "on_start")
        self.checkpoints: list[Checkpoint] = []
        self._keep()

    @property
    def place(self) -> Place:
        """Where the run stands."""
        account = self.machine.book.account[0]
        return Place(int(account["bar"]), int(account["step"]))

    @property
    def is_over(self) -> bool:
        """Whether the bars have ended, or the account is ruined."""
        return self.machine.status is RunStatus.RUINED or self.machine.bar >= self.end.bar

    def go_to(self, place: Place) -> None:
        """Stand before a step of a bar on this line, or at the ruin that comes before it.

        Raises
        ------
        BaseException
            What a strategy has raised; the run stands before the step in which it did.
        """
        nearest = self._nearest(place)
        if place < self.place or nearest.bar > self.place.bar:
            self._return_to(nearest)
        try:
            self._run_to(place)
        except BaseException:
            failed = self.place
            self._return_to(self._nearest(failed))
            self._run_to(failed)
            raise

    def take_by_hand(self, put: Callable[[], int]) -> int:
        """Let a command into the inbox where the run stands, and let the line remember it.

        Before the first step of a bar it goes back to the end of the bar before: there the
        commands of `on_close` are carried out. Where the line is the main one, or has commands
        further on, a branch begins.

        Parameters
        ----------
        put : callable
            Puts the command into the inbox; returns the order's number.
        """
        if self.is_over:
            raise UsageError("the run is over: go back to a bar before its end to give orders")
        stood = self.place
        if stood.step == STEP_OPEN and stood.bar > 0:
            self.go_to(Place(stood.bar - 1, STEP_END))
        account = self.machine.book.account[0]
        waiting = int(account["inbox"])
        try:
            self.machine.make_room(1)
            number = put()
            commands = self.machine.book.inbox[waiting : account["inbox"]].copy()
            if self.line.name == MAIN or self._given < len(self.line.by_hand):
                self.branch()
            self._enter(ByHand(self.place, commands))
        finally:
            self._run_to(stood)
        return number

    def branch(self, name: str = "") -> Line:
        """Begin a branch where the run stands; without a name it is given one.

        Raises
        ------
        UsageError
            There is a line of that name.
        """
        if not name:
            name = next(x for k in count(1) if (x := f"branch {k}") not in self.lines)
        if name in self.lines:
            raise UsageError(f"there is a line {name!r} already: give the branch another name")
        self._drop_after(self.place)
        self.line = Line(name, self.line.name, self.line.by_hand[: self._given])
        self.lines[name] = self.line
        return self.line

    def go_over(self, name: str) -> None:
        """Go to the same place of another line; an earlier one where that line ends before it.

        Raises
        ------
        NotFoundError
        """
        if name not in self.lines:
            raise NotFoundError("line", name, self.lines)
        place, other = self.place, self.lines[name]
        parting = self.line.parts_from(other)
        self.line = other
        if parting is not None:
            self._drop_after(parting)
            self._return_to(self._nearest(place))
            self.go_to(place)

    def _enter(self, given: ByHand) -> None:
        """Let the line remember what was just put into the inbox."""
        self._drop_after(given.place)
        self.line = Line(self.line.name, self.line.parent, (*self.line.by_hand, given))
        self.lines[self.line.name] = self.line
        self._given += 1

    def _drop_after(self, place: Place) -> None:
        self.checkpoints = [c for c in self.checkpoints if Place(c.bar) <= place]

    def _nearest(self, place: Place) -> Checkpoint:
        """The last checkpoint at or before a place."""
        return self.checkpoints[bisect_right(self.checkpoints, place.bar, key=lambda c: c.bar) - 1]

    def _return_to(self, checkpoint: Checkpoint) -> None:
        self.machine.return_to(checkpoint.machine)
        for running, kept in zip(self.run.running.values(), checkpoint.strategies, strict=True):
            running.return_to(kept)
        # A checkpoint is taken before what is commanded at its own place.
        self._given = sum(x.place < Place(checkpoint.bar) for x in self.line.by_hand)
        self._is_stopped = False

    def _run_to(self, place: Place) -> None:
        self._give_by_hand()
        while self.place < place and not self.is_over:
            boundary = Place((self.place.bar // self.spacing + 1) * self.spacing)
            ahead = [x.place for x in self.line.by_hand[self._given : self._given + 1]]
            self._advance(min(place, boundary, self.end, *ahead))
            if self.place == boundary and not self.is_over:
                self._keep_if_due()
            self._give_by_hand()
        if self.is_over and not self._is_stopped:
            self._is_stopped = True
            tell(self.run.running, "on_stop")

    def _advance(self, place: Place) -> None:
        began = time.perf_counter()
        if self.place.step == STEP_OPEN and self.machine.book.account[0]["inbox"] > 0:
            # What waits in the inbox keeps the bar from being passed quietly.
            self.machine.advance(self.place.bar, STEP_ON_OPEN)
        self.machine.advance(*place)
        self._seconds_run += time.perf_counter() - began

    def _give_by_hand(self) -> None:
        """Put what the line has been commanded at this place into the inbox once more."""
        for given in self.line.by_hand[self._given :]:
            if given.place != self.place:
                break
            self.machine.make_room(len(given.commands))
            leave_again(self.machine.book, given.commands)
            self._given += 1

    def _keep_if_due(self) -> None:
        """Keep a checkpoint beyond the last one, unless copying would take too long a share."""
        is_new = self.place.bar > self.checkpoints[-1].bar
        if is_new and self._seconds_copied <= COPYING * self._seconds_run:
            self._keep()

    def _keep(self) -> None:
        began = time.thread_time()  # of this thread: a busy machine must not make copies look dear
        machine = self.machine.checkpoint()
        strategies = tuple(running.checkpoint() for running in self.run.running.values())
        self.checkpoints.append(Checkpoint(self.place.bar, machine, strategies))
        self._seconds_copied, self._seconds_run = time.thread_time() - began, 0.0
