"""The market as an object: its arrays, and the calls that move it on, save it and compare it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from intrabar.errors import ConfigError, RunError
from intrabar.model.bars import Market
from intrabar.model.enums import RunStatus
from intrabar.model.instrument import Instrument
from intrabar.sim import state
from intrabar.sim.account import Account
from intrabar.sim.book import (
    Checkpoint,
    Records,
    Snapshot,
    cash_at_closes,
    empty_book,
    take_away,
)
from intrabar.sim.callbacks import Callbacks, Hooks
from intrabar.sim.loop import BROKEN, FULL, LOST, PAUSED, report, run, run_one
from intrabar.sim.room import RECORDS, grown, longer
from intrabar.sim.run_hash import Tally, digest_of
from intrabar.sim.shifted import numbered
from intrabar.sim.state import Book, Tape
from intrabar.sim.tables import address_of, table_of
from intrabar.sim.tape import tape_of

HOOKS = list(Hooks._fields)
ONLY_GROW = ("orders", "log", "fills", "levels", "ledger")
MOST_STRATEGIES = 32_767  # records number them in two bytes


@dataclass
class Machine:
    """One run: the book, the tape, and the place where it stands.

    Parameters
    ----------
    market : Market
        Bars of all instruments on the master timeline.
    instruments : sequence of Instrument
        In the order of the market's columns.
    account : Account
    wake : (t, strategies) uint8
        When each strategy wants to be called (`WAKE_*`).
    """

    market: Market
    instruments: Sequence[Instrument]
    account: Account
    wake: NDArray[np.uint8]
    book: Book = field(init=False)
    tape: Tape = field(init=False)
    first: int = field(default=0, init=False)  # bar from which on the market is in memory
    ahead: int = field(default=0, init=False)  # rows at its end that are not there yet
    book_address: int = field(init=False)
    """Where kernels find the book; stays the same when its arrays grow."""
    unused: int = field(default=0, init=False)  # strategies at the end that have done nothing yet
    on_growth: list[Callable[[], None]] = field(default_factory=list)
    on_stop: list[Callable[[], None]] = field(default_factory=list)
    """Called where a hook has asked to stop; the loop goes on behind it."""
    _tally: Tally = field(default_factory=Tally)
    _callbacks: Callbacks = field(default_factory=Callbacks)
    _failed: str = ""  # why it cannot go on
    _done: NDArray[Any] = field(default_factory=lambda: np.empty(0, state.ORDER))
    _done_from: int = 0

    def __post_init__(self) -> None:
        symbols = tuple(x.symbol for x in self.instruments)
        if symbols != self.market.symbols:
            raise ConfigError(f"instruments {symbols} for a market of {self.market.symbols}")
        if self.wake.shape[0] != len(self.market):
            raise ConfigError(f"{self.wake.shape[0]} rows of wake for {len(self.market)} bars")
        if self.wake.shape[1] > MOST_STRATEGIES:
            raise ConfigError(f"{self.wake.shape[1]} strategies in one account: {MOST_STRATEGIES}")
        strategies, bars = self.wake.shape[1], len(self.market)
        self.book = empty_book(self.instruments, self.account, strategies, bars)
        self.tape = tape_of(self.market, self.instruments, self.account, self.wake)
        if self.book.account["converts"][0]:
            self.book.instruments["fx"] = self.tape.fx[0]
            self.book.instruments["point_value"] *= self.tape.fx[0]
        self._tape_table = table_of(self.tape)
        self._book_table = table_of(self.book)
        self.tape_address = address_of(self._tape_table, np.int64, (len(self.tape), 3))
        self.book_address = address_of(self._book_table, np.int64, (len(self.book), 3))

    def connect(self, strategy: int, hooks: Hooks) -> None:
        """Let the loop call a strategy through these addresses."""
        row = self.book.strategies[strategy]
        for name, address in hooks._asdict().items():
            row[name] = address
        self.book.account["wakes_at_open"] = self.book.strategies["on_open"].any()

    @property
    def running_hook(self) -> object | None:
        """The call of a Python hook that has not returned yet: another object for each."""
        return self._callbacks.running

    def take_off(self, strategy: int) -> None:
        """Let go of a strategy that has failed, and of what its last call has asked for.

        The run may go on then: with the next strategy in line, and no hook is called twice.
        """
        self.connect(strategy, Hooks())
        account = self.book.account[0]
        if self._failed:
            account["inbox"] = account["waited"]
        self._failed = ""

    def python_hooks(
        self,
        on_open: Callable[[int], None] | None = None,
        on_close: Callable[[int], None] | None = None,
        on_notice: Callable[[int], None] | None = None,
    ) -> Hooks:
        """Addresses of Python functions that are called with a bar (or a notice's index).

        An exception is kept, the loop stops at once, and `advance` raises it again.
        """
        address = self._callbacks.address
        return Hooks(address(on_open), address(on_close), address(on_notice))

    def disconnect(self) -> None:
        """Let go of all strategies: the run is over.

        They and the machine name each other; without this the arrays of a run would wait for
        the cycle collector, which does not see how large they are.
        """
        for name in Hooks._fields:
            self.book.strategies[name] = 0
        self.book.account["wakes_at_open"] = 0
        self.on_growth.clear()
        self.on_stop.clear()
        self._callbacks.clear()

    def advance(self, bar: int | None = None, step: int = state.STEP_OPEN) -> int:
        """Go on to a step of a bar, or to the end.

        Returns
        -------
        int
            ENDED or PAUSED of `sim.loop`.

        Raises
        ------
        BaseException
            What a Python hook has raised. The run can go on only when it is put back
            (`return_to`, `restore`), or without the strategy that has failed (`take_off`).
        """
        if self._failed:
            raise RunError(f"{self._failed}: it cannot go on from there, only be put back")
        until = len(self.market) if bar is None else bar
        go = run_one if self.book.sleeves.shape[0] == 1 else run
        while True:
            code = int(go(self.book_address, self.tape_address, until, step))
            for act in self.on_stop if code == PAUSED else ():
                act()  # at the goal too: the next step may need the room
            is_there = not self.on_stop or (self.bar, self._step) >= (until, step)
            if is_there if code == PAUSED else not self.goes_on(code):
                return code

    def goes_on(self, code: int) -> bool:
        """Whether the loop came back only for room, which it has now; raises as `advance`."""
        if code == FULL:
            self._grow()
        elif code in (BROKEN, LOST):
            self._fail(code)
        return code == FULL

    def _fail(self, code: int) -> NoReturn:
        """Raise what has stopped the loop, and hold no reference to it."""
        self._failed = f"a hook has failed at bar {self.bar}"
        raised = self._callbacks.take()
        try:
            if code == LOST:
                lost = int(self.book.account["lost"][0])
                self._failed = f"{lost} commands were lost at bar {self.bar}: the inbox was full"
            if raised is None:
                raise RunError(self._failed)
            raise raised
        finally:
            del raised

    def trade_outside(self) -> None:
        """Let nothing fill here from now on: what happens to orders is reported (`report`)."""
        self.book.account["outside"] = 1

    def report(self, rows: NDArray[Any]) -> None:
        """Take facts from outside, REPORT records, in their order, between two calls of `advance`.

        Quantity, price and cost are what they are: nothing of them is judged here.
        """
        account = self.book.account[0]
        if len(self.book.reports) < len(rows):
            self.book = self.book._replace(reports=longer(self.book.reports, len(rows)))
            self._tell_growth()
        self.book.reports[: len(rows)] = rows
        account["reports"] = len(rows)
        while int(report(self.book_address, self.tape_address)) == FULL:
            self._grow()

    @property
    def bar(self) -> int:
        """The bar that is being worked on or comes next."""
        return int(self.book.account["bar"][0])

    @property
    def bars_done(self) -> int:
        """How many bars have their equity recorded."""
        ruined = self.status is RunStatus.RUINED
        return self.bar + (1 if ruined or self._step > state.STEP_CLOSE else 0)

    @property
    def _step(self) -> int:
        return int(self.book.account["step"][0])

    @property
    def status(self) -> RunStatus:
        """How the run stands; FINISHED unless it was ruined."""
        return RunStatus(int(self.book.account["status"][0]))

    def fills(self) -> NDArray[Any]:
        """All fills so far, FILL records."""
        return self.book.fills[: self.book.account["fills"][0]]

    def levels(self) -> NDArray[Any]:
        """All moves of stops and targets so far, LEVEL records."""
        return self.book.levels[: self.book.account["levels"][0]]

    def ledger(self) -> NDArray[Any]:
        """Everything that moved cash without a fill so far, LEDGER records."""
        return self.book.ledger[: self.book.account["ledger"][0]]

    def done(self) -> NDArray[Any]:
        """All orders that are done so far, in the order in which that came, ORDER records."""
        # `take` moves records whole; an index copies them field by field.
        return self.book.orders.take(self.book.log[: self.book.account["log"][0]])

    def orders(self) -> NDArray[Any]:
        """All orders so far in order of their numbers, ORDER records, working ones included."""
        every = self.book.orders[: self.book.account["orders"][0]]
        return every[np.argsort(every["id"], kind="stable")]

    def working(self) -> NDArray[np.int64]:
        """Rows of the working orders, by instrument and in order of acceptance."""
        rows, after = [], self.book.orders["next"]
        for row in self.book.instruments["head"].tolist():
            while row >= 0:
                rows.append(row)
                row = int(after[row])
        return np.array(rows, np.int64)

    def done_since(self, count: int) -> NDArray[Any]:
        """The orders that were done after the first `count`, in that order, ORDER records."""
        done: NDArray[Any] = self.book.orders[self.book.log[count : self.book.account["log"][0]]]
        return done

    def cash(self) -> NDArray[np.float64]:
        """Cash at the close of every bar so far, (bars_done,) account currency."""
        return cash_at_closes(self.account.cash, self.fills(), self.ledger(), self.bars_done)

    def snapshot(self) -> Snapshot:
        """Copy everything that changes."""
        return Snapshot(self.copied(), self.tape.equity[: self.bars_done].copy())

    def copied(self) -> Book:
        """A copy of everything that changes, but for the equity of the bars so far."""
        names = ("inbox", "reports", *RECORDS)
        used = {name: getattr(self.book, name)[: self.book.account[name][0]] for name in names}
        return Book(*(part.copy() for part in self.book._replace(**used)))

    def restore(self, snapshot: Snapshot) -> None:
        """Go back (or forward) to a snapshot of the same run."""
        self.put_back(snapshot.book)
        self.tape.equity[: snapshot.equity.shape[0]] = snapshot.equity

    def put_back(self, book: Book) -> None:
        """Go back (or forward) to what `copied` gave; the equity of bars stays as it is."""
        hooks = self.book.strategies[HOOKS].copy()
        for name, kept in book._asdict().items():
            array = getattr(self.book, name)
            if len(kept) > len(array):
                self.book = self.book._replace(**{name: longer(array[:0], len(kept))})
            getattr(self.book, name)[: len(kept)] = kept
        self._done, self._done_from = self._done[:0], 0
        self._failed = ""
        self.book.strategies[HOOKS] = hooks
        self._tell_growth()

    def checkpoint(self) -> Checkpoint:
        """What must be put back to go on from here, without the records that only ever grow.

        Small, however long the run. It is good for this machine alone, and only as long as the
        bars before it are not run again differently (a branch); `snapshot` stands by itself.
        """
        b, rows = self.book, self.working()
        waiting = ("inbox", "notices", "reports")
        used = {name: getattr(b, name)[: b.account[name][0]] for name in waiting}
        kept = b._replace(**used, **{name: getattr(b, name)[:0] for name in ONLY_GROW})
        return Checkpoint(Book(*(part.copy() for part in kept)), rows, b.orders[rows])

    def return_to(self, checkpoint: Checkpoint) -> None:
        """Go back, or forward again, to a checkpoint of this machine."""
        hooks = self.book.strategies[HOOKS].copy()
        self._failed = ""
        now, then = (int(b.account["log"][0]) for b in (self.book, checkpoint.book))
        self._keep_done(now, then)
        for name, kept in checkpoint.book._asdict().items():
            getattr(self.book, name)[: kept.shape[0]] = kept
        self.book.orders[checkpoint.rows] = checkpoint.orders
        if then > now:
            done = self._done[: then - now]
            self.book.orders[self.book.log[now : now + len(done)]] = done
        self.book.strategies[HOOKS] = hooks

    def _keep_done(self, now: int, then: int) -> None:
        """Keep the orders that are done now and not then: run again, they work again meanwhile.

        `_done` holds them in the order of the log from `_done_from` on. A jump forward needs them.
        """
        self._done = self._done[now - self._done_from :]
        self._done_from = min(now, then)
        if then < now:
            again = self.book.orders[self.book.log[then:now]]
            self._done = np.concatenate([again, self._done])

    def digest(self) -> str:
        """A hash of place, account, positions, orders, fills and equity: equal runs, equal hash."""
        tally = self._tally.copy()
        if tally.bars < self.first:
            raise RunError(f"bars {tally.bars} to {self.first - 1} have gone, not handed over")
        equity = self.tape.equity[tally.bars : self.bars_done]
        tally.take(self.done(), self.fills(), self.ledger(), equity)
        used = len(self.book.sleeves) - self.unused * len(self.instruments)
        return digest_of(self.book, self.working(), used, tally)

    def hand_over(self) -> Records:
        """Give away the records of what is over, and forget them: room for the next bars.

        They count in the digest as before. What a strategy still waits to be told of stays.
        """
        given = take_away(self.book, self.working())
        equity = self.tape.equity[self._tally.bars : self.bars_done]
        self._tally.take(given.orders, given.fills, given.ledger, equity)
        self._tell_growth()
        return given

    def show(
        self,
        market: Market,
        wake: NDArray[np.uint8],
        first: int,
        ranges: NDArray[np.float64] | None = None,
        ahead: int = 0,
    ) -> None:
        """Lay the next piece of a history before the loop, under its bar numbers (`numbered`).

        Parameters
        ----------
        market : Market
        wake : (t, strategies) uint8
        first : bar
            From which on they are in memory; at most the present one.
        ranges : (t, n) price, optional
            Mean ranges, which depend on bars that are in memory no more.
        ahead : int
            Rows at the end of the market that are not there yet.
        """
        recorded = self.tape.equity
        self.market, self.wake, self.first, self.ahead = market, wake, first, ahead
        equity = numbered(np.empty(len(market) - first), first)
        equity[first : self.bar] = recorded[first : self.bar]
        tape = tape_of(market, self.instruments, self.account, wake, ranges)
        self.tape = tape._replace(equity=equity)
        self._tape_table[:] = table_of(self.tape)

    def _grow(self) -> None:
        """Enlarge the arrays that a step found too full."""
        self.book = grown(self.book, self.tape)
        self._tell_growth()

    def make_room(self, commands: int) -> None:
        """Make room for commands that are put between two steps, by no hook."""
        account, inbox = self.book.account[0], self.book.inbox
        account["waited"] = account["inbox"]
        if len(inbox) <= account["inbox"] + commands:
            self.book = self.book._replace(inbox=longer(inbox, commands))
            self._tell_growth()

    def _tell_growth(self) -> None:
        self._book_table[:] = table_of(self.book)
        for listener in self.on_growth:
            listener()
