"""A machine and its strategies before which the bars are laid piece by piece."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from intrabar.data.pieces import Piece
from intrabar.engine.chunks.setup import PieceSetup
from intrabar.engine.chunks.window import Shown, Window
from intrabar.engine.connecting import Running, arrays_of, connected, lay_tables, learning
from intrabar.engine.tables.lessons import lessons_in
from intrabar.errors import RunError
from intrabar.exits.bandit_state import BanditState
from intrabar.model.session import Clock
from intrabar.sim.callbacks import Hooks
from intrabar.sim.machine import Machine
from intrabar.strategy.running_bot import RunningBot
from intrabar.strategy.strategy import RunningStrategy


class LaidRun:
    """A run whose bars come in pieces; it is made with the first of them.

    Parameters
    ----------
    given : PieceSetup
    grows : bool
        The pieces are single rows, and it is not known when they end.
    spare : int
        Strategies behind the others that have no hooks.
    silent : container of str
        Strategies that are not connected: no hook of theirs is called.
    states : mapping of strategy to mapping of symbol to BanditState, optional
        As `Setup`.

    Attributes
    ----------
    starting : tuple of str or None
        The strategy whose `on_start` has not returned yet: another object for each.
    """

    machine: Machine
    starting: tuple[str] | None = None

    def __init__(
        self,
        given: PieceSetup,
        grows: bool = False,
        spare: int = 0,
        silent: Container[str] = (),
        states: Mapping[str, Mapping[str, BanditState]] | None = None,
    ) -> None:
        self.given = given
        self._silent = silent
        self.running: dict[str, Running] = {}
        self._spare = spare
        self._arrays = arrays_of(given.strategies, given.timeline)
        symbols, period = given.symbols, given.period
        self._lessons = lessons_in(given.strategies, symbols, period, states)
        features = [x.features for x in self._lessons.values() if x.features is not None]
        self.window = Window(given, self._arrays, grows, spare, features)
        self._shown: Shown | None = None

    def lay(self, piece: Piece, allowed: NDArray[np.uint8] | None = None) -> Shown:
        """Lay a piece before the machine and the strategies; with the first, `on_start` is called.

        Parameters
        ----------
        piece : Piece
        allowed : (t, strategies) uint8, optional
            The wake bits that count in it; None: all.
        """
        shown = self.window.move_on(piece, allowed)
        if shown is self._shown and not self._arrays:  # those look at how many rows there are
            self._lay_tables(shown)
            return shown
        self._shown = shown
        given = self.given
        is_first = not hasattr(self, "machine")
        if is_first:
            count = len(given.strategies) + self._spare
            wake = np.zeros((len(piece.market), count), np.uint8)
            self.machine = Machine(piece.market, given.instruments, given.account, wake)
        window = self.window
        ahead = len(shown.market) - window.end
        self.machine.show(shown.market, shown.wake, window.first, shown.mean_range, ahead)
        if is_first:
            self._connect(shown, self.window.clock)
            self._lay_tables(shown)
            self._start()
        else:
            self._show_strategies(shown)
            self._lay_tables(shown)
        for name, scales in shown.scales.items():
            if isinstance(running := self.running.get(name), RunningStrategy):
                running.scale(scales)
        return shown

    def leave_out(self, name: str) -> None:
        """Show a strategy no more: it has been taken off the machine."""
        self.running.pop(name, None)

    def _connect(self, shown: Shown, clock: Clock) -> None:
        for k, (name, strategy) in enumerate(self.given.strategies.items()):
            if name in self._silent:
                continue
            if name in self._arrays:
                self._arrays[name].connect(self.machine, k, shown.tables.get(name))
                self.running[name] = self._arrays[name]
                continue
            columns, table = shown.columns[name], shown.tables.get(name)
            if name in self._lessons:
                assert table is not None
                self.running[name] = learning(
                    strategy, self.machine, k, columns, table, self._lessons[name], True
                )
                continue
            self.running[name] = connected(
                strategy, self.machine, k, columns, table, no_longer_bars, clock
            )

    def _lay_tables(self, shown: Shown) -> None:
        """Let learned exits read the features of the piece."""
        for name, lessons in self._lessons.items():
            if name in self.running:
                own = None if lessons.features is None else self.window.read[lessons.features.hash]
                lay_tables(self.running[name], own, shown.market.time, self.window.begin)

    def _start(self) -> None:
        for name, running in self.running.items():
            if isinstance(running, RunningStrategy):
                self.starting = (name,)
                running.tell("on_start")
        self.starting = None

    def _show_strategies(self, shown: Shown) -> None:
        for k, name in enumerate(self.given.strategies):
            running = self.running.get(name)
            if running is None:
                continue
            if isinstance(running, RunningBot):
                running.show(shown.columns[name], shown.tables[name])
            elif isinstance(running, RunningStrategy):
                running.show(shown.columns[name], shown.tables.get(name))
            elif len(running.wake) == 1 or len(running.wake) >= self.window.end:
                running.connect(self.machine, k, shown.tables.get(name))
            else:  # its rows have ended
                self.machine.connect(k, Hooks())
                self.leave_out(name)


def no_longer_bars(column: int, name: str, timeframe: str) -> NoReturn:
    """A strategy asks for longer bars as a history, which a run in pieces does not keep."""
    raise RunError(
        f"history({name!r}, timeframe={timeframe!r}) needs a run at one go, and this one "
        f"is in chunks or a session; an indicator with .on({timeframe!r}) does not"
    )
