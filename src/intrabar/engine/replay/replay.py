"""Replay: a run that can be stepped, paused, rewound, commanded by hand, and watched."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.engine.replay.events import worked
from intrabar.engine.replay.hand import Hand
from intrabar.engine.replay.pace import Pace
from intrabar.engine.replay.still import Still
from intrabar.engine.replay.told import told
from intrabar.engine.replay.track import MAIN, Place, Track
from intrabar.engine.replay.views import (
    BarsSoFar,
    WorkingOrder,
    bars_so_far,
    open_positions,
    working_orders,
)
from intrabar.engine.replay.watch import Subscriber, Watch
from intrabar.engine.run import Setup
from intrabar.errors import NotFoundError, UsageError
from intrabar.model.enums import RunStatus
from intrabar.model.event import BacktestFinished, Event, Jumped, Step
from intrabar.model.values import Bounds, shown, whole, word
from intrabar.strategy.desk import Position
from intrabar.strategy.views import View


class Replay:
    """A run that can go to any bar and any step of it, forward and back, with the same results.

    Commands by hand make a branch; the main line stays what the setup alone decides.

    Parameters
    ----------
    setup : Setup
        `result.setup` of a backtest, for one.
    clock : callable
        Seconds, for the pace of `start`.
    wait : callable or None
        Waits so many seconds for the pace; None for a wait that `pause` and `speed` cut short.

    Raises
    ------
    StrategyError
        A Python strategy holds what cannot be copied, so that it could not be rewound.
    """

    def __init__(
        self,
        setup: Setup,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], Any] | None = None,
    ) -> None:
        if not isinstance(setup, Setup):
            told = "the .setup of a result" if hasattr(setup, "setup") else shown(setup)
            raise UsageError(f"setup: is {told}, must be a Setup; result.setup is one")
        if setup.risk is not None:
            raise UsageError(
                "setup: has limits (risk), which a replay does not obey: its run would differ. "
                "Leave them out: replace(setup, risk=None), of dataclasses"
            )
        for name, given in (("clock", clock), ("wait", wait)):
            if not callable(given) and (given is not None or name == "clock"):
                raise UsageError(f"{name}: is {shown(given)}, must be a function")
        self.setup = setup
        self._pace = Pace(clock, wait)
        self._track = Track(setup)
        self._machine = self._track.machine
        self._watch = Watch()
        self._is_free = threading.Lock()
        self._still = Still()
        self._desks: dict[tuple[int, int], Hand] = {}

    def __repr__(self) -> str:
        return told(self).text()

    def _repr_html_(self) -> str:
        return told(self).html()

    # --- where it stands

    @property
    def bar(self) -> int:
        """The bar that is being worked or comes next; the number of bars at the end."""
        return self._track.place.bar

    @property
    def place(self) -> Place:
        """That bar, and the `Step` of it that comes next."""
        with self._still.held():
            bar, step = self._track.place
        return Place(bar, Step(step))

    @property
    def is_over(self) -> bool:
        """Whether the bars have ended, or the account is ruined."""
        return self._track.is_over

    @property
    def status(self) -> RunStatus:
        """FINISHED unless the account is ruined."""
        return self._machine.status

    @property
    def digest(self) -> str:
        """A hash of all that has happened up to here: equal for equal runs (`Result.digest`)."""
        with self._still.held():
            return self._machine.digest()

    @property
    def line(self) -> str:
        """The line that it is on: "main", or the name of a branch."""
        return self._track.line.name

    @property
    def lines(self) -> tuple[str, ...]:
        """All lines, the main one first."""
        return tuple(self._track.lines)

    # --- going somewhere

    def step(self) -> None:
        """Go to the next bar; nothing happens at the end."""
        with self._moving():
            self._go_on(min(Place(self.bar + 1), self._track.end))

    def step_phase(self) -> None:
        """Work one step of the bar; nothing happens at the end."""
        with self._moving():
            self._go_on(self._next())

    def seek(self, bar: int, step: Step = Step.OPEN) -> None:
        """Jump to a step of a bar, forward or back; where the account is ruined before: there.

        Subscribers are told of the jump alone, and of the end where it leads there.

        Raises
        ------
        UsageError
            There is no such bar.
        """
        bar = whole("bar:", bar, Bounds(-math.inf, whole=True))
        place = Place(bar, int(word("step:", step, Step)))
        if not Place(0) <= place <= self._track.end:
            raise UsageError(f"bar {bar} is not there: seek to one from 0 to {self._track.end.bar}")
        with self._moving():
            with self._still.held():
                self._track.go_to(place)
            self._tell_jump()

    def restart(self) -> None:
        """Go back to the first bar of the main line; the branches stay."""
        with self._moving():
            with self._still.held():
                self._track.go_to(Place(0))
                self._track.go_over(MAIN)
            self._tell_jump()

    def branch(self, name: str = "") -> str:
        """Begin a branch here; orders by hand then belong to it. Returns its name."""
        with self._moving(), self._still.held():
            return self._track.branch(name).name

    def go_over(self, line: str) -> None:
        """Go to the same place of another line ("main" or a branch).

        Raises
        ------
        NotFoundError
        """
        with self._moving():
            with self._still.held():
                self._track.go_over(line)
            self._tell_jump()

    # --- by itself

    @property
    def speed(self) -> float:
        """Bars per second at most; infinite unless set. May be changed while it goes."""
        return self._pace.speed

    @speed.setter
    def speed(self, bars_per_second: float) -> None:
        self._pace.speed = bars_per_second

    @property
    def is_playing(self) -> bool:
        """Whether it goes on by itself."""
        return self._pace.is_going

    def start(self, *, own_thread: bool = False) -> None:
        """Go on bar by bar at its `speed` until it is paused or over.

        Parameters
        ----------
        own_thread : bool
            Return at once and go on in a thread of its own; subscribers are told in that thread.
            What it raises is raised by `pause` or `join`.

        Raises
        ------
        UsageError
            It goes already.
        """
        self._pace.begin(self._play_bar, own_thread)

    def pause(self) -> None:
        """Stop after the present bar; a subscriber may ask for it as well."""
        self._pace.stop()

    def resume(self) -> None:
        """Go on as it was started."""
        self._pace.begin(self._play_bar, self._pace.own_thread)

    def join(self) -> None:
        """Wait until its own thread is paused or over; raises what that has raised."""
        self._pace.join()

    # --- watching

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Be told every event of `step`, `step_phase` and `start`, in order.

        A subscriber must not move the replay; it may pause it. When one raises, the others are
        still told, and the exception comes out of the call that moved the replay, which stands
        after the step that was worked.

        Returns
        -------
        callable
            Ends it.
        """
        return self._watch.join(subscriber)

    def audit(self, bar: int) -> list[Event]:
        """Everything that happened in a bar of this line: fills, refusals, gates, and why.

        Goes there and comes back; no subscriber is told.
        """
        stood = self._track.place
        if not 0 <= bar < self._track.end.bar:
            raise UsageError(f"bar {bar} is not there: ask for 0 to {self._track.end.bar - 1}")
        with self._moving(), self._still.held():
            happened: list[Event] = []
            try:
                self._track.go_to(Place(bar))
                while self.bar == bar and not self.is_over:
                    happened += worked(self._track.run, lambda: self._track.go_to(self._next()))
            finally:
                self._track.go_to(stood)
        return happened

    # --- by hand

    def hand(self, symbol: str = "", strategy: str = "") -> View:
        """Orders by hand: what a strategy can do, for one instrument, at the present place.

        Parameters
        ----------
        symbol : str
            "" for the first one.
        strategy : str
            Whose position is traded and whose stop is moved; "" for the first one.

        Returns
        -------
        View
            `buy`, `sell`, `order`, `cancel`, `modify`, `modify_stop_loss`, `position`, ... Before
            the first step of a bar they act like `on_close` of the bar before, up to NEW like
            `on_open`, up to CLOSE like a notice, and after it like `on_close`.

        Raises
        ------
        NotFoundError
        """
        strategies = list(self.setup.strategies)
        if strategy and strategy not in strategies:
            raise NotFoundError("strategy", strategy, strategies)
        row, column = strategies.index(strategy) if strategy else 0, self._column(symbol)
        if (row, column) not in self._desks:
            self._desks[row, column] = Hand(self._track.run, row, column, self._take_by_hand)
        desk = self._desks[row, column]
        desk.bar = self.bar
        return View(desk, 1, {})

    # --- what is known here

    def bars(self, symbol: str = "", last: int | None = None) -> BarsSoFar:
        """The bars so far, the present one as far as it is known.

        Parameters
        ----------
        symbol : str
            "" for the first one.
        last : bars, >= 1
            How many; None for all.
        """
        column = self._column(symbol)
        with self._still.held():
            return bars_so_far(self._track.run, column, self._track.place.step, last)

    def equity(self, last: int | None = None) -> NDArray[np.float64]:
        """Equity at the closes so far, account currency; the `last` ones, or all."""
        with self._still.held():
            done = self._machine.bars_done
            first = 0 if last is None else max(0, done - last)
            return self._machine.tape.equity[first:done].copy()

    def orders(self) -> list[WorkingOrder]:
        """The orders that work, in order of acceptance."""
        with self._still.held():
            return working_orders(self._track.run)

    def positions(self) -> dict[tuple[str, str], Position]:
        """(strategy, symbol) -> position, of all that are not flat."""
        with self._still.held():
            return open_positions(self._track.run)

    # --- how it moves

    def _column(self, symbol: str) -> int:
        symbols = self.setup.market.symbols
        if symbol and symbol not in symbols:
            raise NotFoundError("symbol", symbol, symbols)
        return symbols.index(symbol) if symbol else 0

    @contextmanager
    def _moving(self) -> Iterator[None]:
        """One move at a time."""
        if self._pace.is_going and not self._pace.is_here:
            raise UsageError("the replay goes on by itself: pause it before you move it")
        if not self._is_free.acquire(blocking=False):
            raise UsageError(
                "the replay is moving: a subscriber may pause it, and move it when the call that "
                "told the event has returned"
            )
        try:
            yield
        finally:
            self._is_free.release()

    def _next(self) -> Place:
        """The place after the next step."""
        bar, step = self._track.place
        return Place(bar, step + 1) if step < Step.END else Place(bar + 1)

    def _go_on(self, place: Place) -> None:
        """Work on to a place ahead; step by step where somebody wants to be told."""
        if not self._watch:
            with self._still.held():
                self._track.go_to(place)
        while self._track.place < place and not self.is_over:
            with self._still.held():
                events = worked(self._track.run, lambda: self._track.go_to(self._next()))
            self._watch.tell(events)

    def _take_by_hand(self, put: Callable[[], int]) -> int:
        """Carry out one command of `hand` where the replay stands."""
        with self._moving(), self._still.held():
            return self._track.take_by_hand(put)

    def _play_bar(self) -> bool:
        """Go on by a bar; whether there is more to come."""
        self.step()
        return not self.is_over

    def _tell_jump(self) -> None:
        place = self._track.place
        over: list[Event] = [BacktestFinished(place.bar, self.status)] if self.is_over else []
        self._watch.tell([Jumped(place.bar, Step(place.step), self.line), *over])
