"""The market as an object: its arrays, and the calls that move it on, save it and compare it."""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.model.bars import Market
from intrabar.model.enums import MarginCall, MarginCheck, PathPolicy, RunStatus
from intrabar.model.instrument import Instrument
from intrabar.sim import state
from intrabar.sim.access import table_of
from intrabar.sim.hook import FAILED, GO_ON
from intrabar.sim.loop import BROKEN, FULL, run
from intrabar.sim.state import Book, Tape

LOGS = ("fills", "log", "notices", "levels")
HOOK = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)


@dataclass(frozen=True, slots=True)
class Account:
    """The money of a run and the rules that it lives by (fill model, section 5).

    Parameters
    ----------
    cash : account currency, > 0
    margin_call : MarginCall
    margin_check : MarginCheck
    path_policy : PathPolicy
    cash_account : bool
        Margin rate 1, shorts refused.
    close_at_end : bool
        Close positions at the last close instead of leaving them marked.
    seed : int
        Of the `random` and the `calibrated` path.
    path_trust : probability, 0 to 1
        That the shortest path is right, for the `calibrated` path.
    """

    cash: float = 100_000.0
    margin_call: MarginCall = MarginCall.ALL
    margin_check: MarginCheck = MarginCheck.REJECT
    path_policy: PathPolicy = PathPolicy.WORST
    cash_account: bool = False
    close_at_end: bool = False
    seed: int = 0
    path_trust: float = 1.0


class Hooks(NamedTuple):
    """Addresses that the loop calls for one strategy, 0 for none, and what they are given."""

    on_open: int = 0
    on_close: int = 0
    on_notice: int = 0
    context: int = 0


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
    on_growth: list[Callable[[], None]] = field(default_factory=list)
    _callbacks: list[Any] = field(default_factory=list)
    _exception: BaseException | None = None

    def __post_init__(self) -> None:
        assert tuple(x.symbol for x in self.instruments) == self.market.symbols
        assert self.wake.shape[0] == len(self.market)
        self.book = empty_book(self.instruments, self.account, self.wake.shape[1])
        m = self.market
        self.tape = Tape(
            m.time,
            m.open,
            m.high,
            m.low,
            m.close,
            m.session_end,
            self.wake,
            np.empty(len(m)),
            np.empty(len(m)),
        )
        self._tape_table = table_of(self.tape)
        self._book_table = table_of(self.book)

    @property
    def book_address(self) -> int:
        """Where kernels find the book; stays the same when its arrays grow."""
        return int(self._book_table.ctypes.data)

    def connect(self, strategy: int, hooks: Hooks) -> None:
        """Let the loop call a strategy through these addresses."""
        row = self.book.strategies[strategy]
        for name, address in hooks._asdict().items():
            row[name] = address
        self.book.account["wakes_at_open"] = self.book.strategies["on_open"].any()

    def python_hooks(
        self,
        on_open: Callable[[int], None] | None = None,
        on_close: Callable[[int], None] | None = None,
        on_notice: Callable[[int], None] | None = None,
    ) -> Hooks:
        """Addresses of Python functions that are called with a bar (or a notice's index).

        An exception is kept, the loop stops at once, and `advance` raises it again.
        """

        def wrapped(function: Callable[[int], None] | None) -> int:
            if function is None:
                return 0

            def hook(_: int, i: int) -> int:
                try:
                    function(i)
                except BaseException as e:
                    self._exception = e
                    return FAILED
                return GO_ON

            callback = HOOK(hook)
            self._callbacks.append(callback)
            return ctypes.cast(callback, ctypes.c_void_p).value or 0

        return Hooks(wrapped(on_open), wrapped(on_close), wrapped(on_notice))

    def advance(self, bar: int | None = None, step: int = state.STEP_OPEN) -> int:
        """Go on to a step of a bar, or to the end.

        Returns
        -------
        int
            ENDED or PAUSED of `sim.loop`.

        Raises
        ------
        BaseException
            What a Python hook has raised; the run cannot go on.
        """
        until = len(self.market) if bar is None else bar
        while True:
            code = run(self.book_address, self._tape_table.ctypes.data, until, step)
            if code == BROKEN and self._exception is not None:
                raise self._exception
            if code != FULL:
                return int(code)
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

    def orders(self) -> NDArray[Any]:
        """All orders so far in order of acceptance, ORDER records, working ones included."""
        done = self.book.log[: self.book.account["log"][0]]
        working = self.book.orders[self.book.orders["status"] >= 0]
        every: NDArray[Any] = np.concatenate([done, working])
        return every[np.argsort(every["id"], kind="stable")]

    def snapshot(self) -> Snapshot:
        """Copy everything that changes."""
        done = self.bars_done
        used = {name: getattr(self.book, name)[: self.book.account[name][0]] for name in LOGS}
        return Snapshot(
            Book(*(part.copy() for part in self.book._replace(**used))),
            self.tape.equity[:done].copy(),
            self.tape.cash[:done].copy(),
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Go back (or forward) to a snapshot of the same run."""
        strategies = self.book.strategies.copy()
        book = Book(*(part.copy() for part in snapshot.book))
        roomy = {name: with_room(getattr(book, name), getattr(self.book, name)) for name in LOGS}
        self.book = book._replace(**roomy)
        for name in ("on_open", "on_close", "on_notice", "context"):
            self.book.strategies[name] = strategies[name]
        for recorded, saved in (
            (self.tape.equity, snapshot.equity),
            (self.tape.cash, snapshot.cash),
        ):
            recorded[: saved.shape[0]] = saved
        self._tell_growth()

    def checkpoint(self) -> Book:
        """What must be put back to go on from here, without the records that only ever grow.

        Small, however long the run. It is good for this machine alone, and only as long as the
        bars before it are not run again differently (a branch); `snapshot` stands by itself.
        """
        b = self.book
        none = {name: getattr(b, name)[:0] for name in ("fills", "log", "levels")}
        kept = b._replace(notices=b.notices[: b.account["notices"][0]], **none)
        return Book(*(part.copy() for part in kept))

    def return_to(self, checkpoint: Book) -> None:
        """Go back, or forward again, to a checkpoint of this machine."""
        hooks = {n: self.book.strategies[n].copy() for n in Hooks._fields}
        for name, kept in checkpoint._asdict().items():
            present = getattr(self.book, name)
            present[: kept.shape[0]] = kept
        if self.book.orders.shape[0] > checkpoint.orders.shape[0]:
            # The array has grown since: its free slots start anew behind the old ones.
            self.book = self.book._replace(orders=checkpoint.orders.copy())
            self._tell_growth()
        for name, addresses in hooks.items():
            self.book.strategies[name] = addresses

    def digest(self) -> str:
        """A hash of place, account, positions, orders, fills and equity: equal runs, equal hash."""
        account = self.book.account[0]
        digest = hashlib.sha256()
        for name in state.ACCOUNT.names or ():
            if name not in ("stop", "notices"):
                digest.update(account[name].tobytes())
        digest.update(self.book.sleeves.tobytes())
        for records, left_out in (
            (self.orders(), ("next", "prev", "oco", "fresh")),
            (self.fills(), ()),
        ):
            for name in records.dtype.names or ():
                if name not in left_out:
                    digest.update(np.ascontiguousarray(records[name]).tobytes())
        done = self.bars_done
        digest.update(self.tape.equity[:done].tobytes() + self.tape.cash[:done].tobytes())
        return digest.hexdigest()

    def _grow(self) -> None:
        """Enlarge the arrays that a step found too full."""
        account = self.book.account[0]
        need = 3 * int(account["working"] + account["inbox"]) + 2 * self.book.sleeves.shape[0] + 1
        book = self.book
        used = {
            "log": account["log"],
            "fills": account["fills"],
            "levels": account["levels"],
            "notices": account["notices"],
        }
        grown = {}
        for name, n in used.items():
            array = getattr(book, name)
            if array.shape[0] < n + 2 * need:
                grown[name] = np.zeros(4 * array.shape[0] + 2 * need, array.dtype)
                grown[name][:n] = array[:n]
        if book.orders.shape[0] < account["working"] + need + 1:
            grown["orders"] = more_slots(book.orders, need)
        self.book = book._replace(**grown)
        self._tell_growth()

    def _tell_growth(self) -> None:
        self._book_table[:] = table_of(self.book)
        for listener in self.on_growth:
            listener()


def with_room(used: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
    """Records with as much room behind them as an array of the run has in all."""
    array = np.zeros(used.shape[0] + like.shape[0], used.dtype)
    array[: used.shape[0]] = used
    return array


class Snapshot(NamedTuple):
    """All that changes in a run, copied."""

    book: Book
    equity: NDArray[np.float64]
    cash: NDArray[np.float64]


def empty_book(instruments: Sequence[Instrument], account: Account, strategies: int) -> Book:
    """Allocate the arrays of a run before its first bar."""
    n = len(instruments)
    book = Book(
        account=np.zeros(1, state.ACCOUNT),
        instruments=np.zeros(n, state.INSTRUMENT),
        sleeves=np.zeros(n * strategies, state.SLEEVE),
        strategies=np.zeros(strategies, state.STRATEGY),
        orders=more_slots(np.zeros(1, state.ORDER), 63),
        inbox=np.zeros(max(1024, 8 * n), state.COMMAND),
        fills=np.zeros(262_144, state.FILL),  # pages that are never touched cost nothing
        log=np.zeros(524_288, state.ORDER),
        notices=np.zeros(1024, state.NOTICE),
        levels=np.zeros(4096, state.LEVEL),
    )
    first = book.account[0]
    for name in ("cash", "margin_call", "margin_check", "path_policy", "path_trust", "seed"):
        first[name] = getattr(account, name)
    first["equity"] = account.cash
    first["cash_account"] = account.cash_account
    first["close_at_end"] = account.close_at_end
    for row, instrument in zip(book.instruments, instruments, strict=True):
        for name in state.INSTRUMENT.names or ():
            if hasattr(instrument, name):
                row[name] = getattr(instrument, name)
        row["mark"] = np.nan
        row["touch_up"], row["touch_down"] = np.inf, -np.inf
        row["head"] = row["tail"] = -1
    book.sleeves["stop"] = book.sleeves["target"] = np.nan
    return book


def more_slots(orders: NDArray[Any], added: int) -> NDArray[Any]:
    """Orders with `added` more free slots; the last slot keeps the start of the free chain."""
    old = orders.shape[0] - 1
    size = old + max(added, old) + 1
    grown = np.zeros(size, orders.dtype)
    grown[:old] = orders[:old]
    grown["status"][old:] = -1
    grown["next"][old : size - 2] = np.arange(old + 1, size - 1)
    grown["next"][size - 2] = orders["next"][old] if old else -1
    grown["next"][size - 1] = old
    return grown
