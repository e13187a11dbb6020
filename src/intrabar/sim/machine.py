"""The market as an object: its arrays, and the calls that move it on, save it and compare it."""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.errors import ConfigError
from intrabar.model.bars import DAY_NS, Action, Market
from intrabar.model.enums import MarginCall, MarginCheck, PathPolicy, RunStatus, Settlement
from intrabar.model.instrument import Instrument
from intrabar.sim import state
from intrabar.sim.access import table_of
from intrabar.sim.hook import FAILED, GO_ON
from intrabar.sim.loop import BROKEN, FULL, run
from intrabar.sim.numbered import numbered
from intrabar.sim.state import Book, Tape
from intrabar.sim.tally import Tally, without_places

RECORDS = ("notices", "orders", "log", "fills", "levels", "ledger")
ONLY_GROW = ("orders", "log", "fills", "levels", "ledger")
RANGE_BARS = 20  # of the mean true range that slippage reads
OF_RUN = np.array([n not in ("stop", "wakes_at_open", *RECORDS) for n in state.ACCOUNT.names or ()])
FIRST_ROOM = 262_144  # rows
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
    currency : str
        ISO code.
    interest_rate, debit_rate : fraction a year, >= 0
        On free cash above 0, and below.
    settlement : Settlement
        Whether the profit of open futures goes to cash every day.
    """

    cash: float = 100_000.0
    margin_call: MarginCall = MarginCall.ALL
    margin_check: MarginCheck = MarginCheck.REJECT
    path_policy: PathPolicy = PathPolicy.WORST
    cash_account: bool = False
    close_at_end: bool = False
    seed: int = 0
    path_trust: float = 1.0
    currency: str = "USD"
    interest_rate: float = 0.0
    debit_rate: float = 0.0
    settlement: Settlement = Settlement.NONE


class Hooks(NamedTuple):
    """Addresses that the loop calls for one strategy, 0 for none, and what they are given.

    `reads` is the address of `reads_count` addresses of (t, n) float64 that `on_close` will read:
    a hint to the loop.
    """

    on_open: int = 0
    on_close: int = 0
    on_notice: int = 0
    context: int = 0
    reads: int = 0
    reads_count: int = 0


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
    on_growth: list[Callable[[], None]] = field(default_factory=list)
    _tally: Tally = field(default_factory=Tally)
    _callbacks: list[Any] = field(default_factory=list)
    _exception: BaseException | None = None
    _done: NDArray[Any] = field(default_factory=lambda: np.empty(0, state.ORDER))
    _done_from: int = 0

    def __post_init__(self) -> None:
        assert tuple(x.symbol for x in self.instruments) == self.market.symbols
        assert self.wake.shape[0] == len(self.market)
        self.book = empty_book(self.instruments, self.account, self.wake.shape[1])
        self.tape = tape_of(self.market, self.instruments, self.account, self.wake)
        if self.book.account["converts"][0]:
            self.book.instruments["fx"] = self.tape.fx[0]
            self.book.instruments["point_value"] *= self.tape.fx[0]
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
            # Not by `ctypes.cast`, which leaves a cycle of references behind.
            return ctypes.c_void_p.from_buffer(callback).value or 0

        return Hooks(wrapped(on_open), wrapped(on_close), wrapped(on_notice))

    def disconnect(self) -> None:
        """Let go of all strategies: the run is over.

        They and the machine name each other; without this the arrays of a run would wait for
        the cycle collector, which does not see how large they are.
        """
        for name in Hooks._fields:
            self.book.strategies[name] = 0
        self.book.account["wakes_at_open"] = 0
        self.on_growth.clear()
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

    def ledger(self) -> NDArray[Any]:
        """Everything that moved cash without a fill so far, LEDGER records."""
        return self.book.ledger[: self.book.account["ledger"][0]]

    def done(self) -> NDArray[Any]:
        """All orders that are done so far, in the order in which that came, ORDER records."""
        return self.book.orders[self.book.log[: self.book.account["log"][0]]]

    def orders(self) -> NDArray[Any]:
        """All orders so far in order of their numbers, ORDER records, working ones included."""
        every = self.book.orders[: self.book.account["orders"][0]]
        return every[np.argsort(every["id"], kind="stable")]

    def working(self) -> NDArray[np.int64]:
        """Rows of the working orders, by instrument and in order of acceptance."""
        rows = []
        for row in self.book.instruments["head"]:
            while row >= 0:
                rows.append(int(row))
                row = self.book.orders["next"][row]
        return np.array(rows, np.int64)

    def done_since(self, count: int) -> NDArray[Any]:
        """The orders that were done after the first `count`, in that order, ORDER records."""
        done: NDArray[Any] = self.book.orders[self.book.log[count : self.book.account["log"][0]]]
        return done

    def cash(self) -> NDArray[np.float64]:
        """Cash at the close of every bar so far, (bars_done,) account currency."""
        fills, ledger = self.fills(), self.ledger()
        bars = np.concatenate([fills["bar"], ledger["bar"]])
        # In the order in which they happened: a line of the ledger knows the fills before it.
        place = np.concatenate([np.arange(1, len(fills) + 1) * 2.0, ledger["fills"] * 2.0 + 1.0])
        order = np.argsort(place, kind="stable")
        after = np.concatenate(
            [[self.account.cash], np.concatenate([fills["cash"], ledger["cash"]])[order]]
        )
        seen = np.searchsorted(bars[order], np.arange(self.bars_done), "right")
        cash: NDArray[np.float64] = after[seen]
        return cash

    def snapshot(self) -> Snapshot:
        """Copy everything that changes."""
        used = {name: getattr(self.book, name)[: self.book.account[name][0]] for name in RECORDS}
        return Snapshot(
            Book(*(part.copy() for part in self.book._replace(**used))),
            self.tape.equity[: self.bars_done].copy(),
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Go back (or forward) to a snapshot of the same run."""
        hooks = {n: self.book.strategies[n].copy() for n in Hooks._fields}
        book = Book(*(part.copy() for part in snapshot.book))
        roomy = {n: with_room(getattr(book, n), getattr(self.book, n)) for n in RECORDS}
        self.book = book._replace(**roomy)
        self._done, self._done_from = self._done[:0], 0
        for name, addresses in hooks.items():
            self.book.strategies[name] = addresses
        self.tape.equity[: snapshot.equity.shape[0]] = snapshot.equity
        self._tell_growth()

    def checkpoint(self) -> Checkpoint:
        """What must be put back to go on from here, without the records that only ever grow.

        Small, however long the run. It is good for this machine alone, and only as long as the
        bars before it are not run again differently (a branch); `snapshot` stands by itself.
        """
        b, rows = self.book, self.working()
        used = {name: getattr(b, name)[: b.account[name][0]] for name in ("inbox", "notices")}
        kept = b._replace(**used, **{name: getattr(b, name)[:0] for name in ONLY_GROW})
        return Checkpoint(Book(*(part.copy() for part in kept)), rows, b.orders[rows])

    def return_to(self, checkpoint: Checkpoint) -> None:
        """Go back, or forward again, to a checkpoint of this machine."""
        hooks = {n: self.book.strategies[n].copy() for n in Hooks._fields}
        now, then = (int(b.account["log"][0]) for b in (self.book, checkpoint.book))
        self._keep_done(now, then)
        for name, kept in checkpoint.book._asdict().items():
            getattr(self.book, name)[: kept.shape[0]] = kept
        self.book.orders[checkpoint.rows] = checkpoint.orders
        if then > now:
            done = self._done[: then - now]
            self.book.orders[self.book.log[now : now + len(done)]] = done
        for name, addresses in hooks.items():
            self.book.strategies[name] = addresses

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
        account = self.book.account[0]
        digest = hashlib.sha256()
        digest.update(self.book.account.view(np.uint64)[OF_RUN].tobytes())
        digest.update(self.book.sleeves.tobytes())
        digest.update(without_places(self.book.orders[self.working()]).tobytes())
        tally = self._tally.copy()
        equity = self.tape.equity[tally.bars : self.bars_done]
        done = self.book.log[: account["log"]]
        tally.take(self.book.orders, done, self.fills(), self.ledger(), equity)
        digest.update(tally.digest())
        return digest.hexdigest()

    def hand_over(self) -> Records:
        """Give away the records of what is over, and forget them: room for the next bars.

        They count in the digest as before. What a strategy still waits to be told of stays.
        """
        book, account = self.book, self.book.account[0]
        waiting = book.notices[: account["notices"]]
        told = waiting["fill"][waiting["fill"] >= 0]
        fills = int(told.min()) if len(told) else int(account["fills"])
        rows = book.log[: account["log"]].copy()
        kept = np.flatnonzero(np.isin(rows, waiting["order"]))
        done = int(kept[0]) if len(kept) else len(rows)
        given = Records(
            book.orders[rows[:done]],
            self.fills()[:fills].copy(),
            self.levels().copy(),
            self.ledger().copy(),
        )
        equity = self.tape.equity[self._tally.bars : self.bars_done]
        self._tally.take(book.orders, rows[:done], given.fills, given.ledger, equity)
        left = self.fills()[fills:].copy()
        book.fills[: len(left)] = left
        book.notices["fill"][: len(waiting)] -= np.where(waiting["fill"] >= 0, fills, 0)
        account["fills"] = len(left)
        account["levels"] = account["ledger"] = 0
        self._keep_orders(rows[done:])
        self._tell_growth()
        return given

    def _keep_orders(self, over: NDArray[np.int64]) -> None:
        """Move the orders that work, and those of these rows, to the front; the rest goes."""
        book, account = self.book, self.book.account[0]
        rows = np.unique(np.concatenate([self.working(), over]))
        place = np.full(int(account["orders"]) + 1, -1, np.int64)  # the last is for -1
        place[rows] = np.arange(len(rows))
        kept = book.orders[rows]
        for name in ("next", "prev", "oco"):
            kept[name] = place[kept[name]]
        book.orders[: len(rows)] = kept
        for name in ("head", "tail"):
            book.instruments[name] = place[book.instruments[name]]
        waiting = book.notices[: account["notices"]]
        waiting["order"] = place[waiting["order"]]
        book.log[: len(over)] = place[over]
        account["orders"], account["log"] = len(rows), len(over)

    def show(self, market: Market, wake: NDArray[np.uint8], first: int) -> None:
        """Lay the next piece of a history before the loop, under its bar numbers (`numbered`).

        Parameters
        ----------
        market : Market
        wake : (t, strategies) uint8
        first : bar
            From which on they are in memory; at most the present one.
        """
        recorded = self.tape.equity
        self.market, self.wake, self.first = market, wake, first
        equity = numbered(np.empty(len(market) - first), first)
        equity[first : self.bar] = recorded[first : self.bar]
        tape = tape_of(market, self.instruments, self.account, wake)
        self.tape = tape._replace(equity=equity)
        self._tape_table[:] = table_of(self.tape)

    def _grow(self) -> None:
        """Enlarge the arrays that a step found too full."""
        account, book = self.book.account[0], self.book
        sleeves = book.sleeves.shape[0]
        need = 2 * (3 * int(account["working"] + account["inbox"]) + 6 * sleeves + 1)
        grown = {}
        for name in RECORDS:
            array, used = getattr(book, name), int(account[name])
            if array.shape[0] < used + need:
                grown[name] = np.zeros(2 * array.shape[0] + need, array.dtype)
                # All of it: after a rewind, what lies ahead may be gone to again.
                grown[name][: array.shape[0]] = array
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


class Records(NamedTuple):
    """What a run leaves behind, in the order of happening: ORDER, FILL, LEVEL, LEDGER."""

    orders: NDArray[Any]
    fills: NDArray[Any]
    levels: NDArray[Any]
    ledger: NDArray[Any]


class Snapshot(NamedTuple):
    """All that changes in a run, copied."""

    book: Book
    equity: NDArray[np.float64]


class Checkpoint(NamedTuple):
    """What changes in a run but for the records that only grow, and the orders that work."""

    book: Book
    rows: NDArray[np.int64]
    orders: NDArray[Any]


def empty_book(instruments: Sequence[Instrument], account: Account, strategies: int) -> Book:
    """Allocate the arrays of a run before its first bar."""
    n = len(instruments)
    tiers = [tier for x in instruments for tier in x.tiers]
    book = Book(
        account=np.zeros(1, state.ACCOUNT),
        instruments=np.zeros(n, state.INSTRUMENT),
        sleeves=np.zeros(n * strategies, state.SLEEVE),
        strategies=np.zeros(strategies, state.STRATEGY),
        # Compiled hooks do not look whether there is room: each may cancel, reduce and enter.
        inbox=np.zeros(max(1024, 4 * n * strategies), state.COMMAND),
        notices=np.empty(1024, state.NOTICE),
        watched=np.zeros(2 * n, np.int64),
        # A record is written whole; pages that are never touched cost nothing.
        orders=np.empty(FIRST_ROOM, state.ORDER),
        log=np.empty(FIRST_ROOM, np.int64),
        fills=np.empty(FIRST_ROOM, state.FILL),
        levels=np.empty(4096, state.LEVEL),
        ledger=np.empty(4096 + 6 * n * strategies, state.LEDGER),
        tiers=np.array(tiers, state.TIER),
    )
    _open_account(book.account[0], account, instruments)
    first_tier = 0
    for row, instrument in zip(book.instruments, instruments, strict=True):
        for name in set(state.INSTRUMENT.names or ()) - {"point_value", "tiers"}:
            if getattr(instrument, name, None) is not None:
                row[name] = getattr(instrument, name)
        if instrument.maker_rate is None:
            row["maker_rate"] = np.nan
        row["unit_value"] = row["point_value"] = instrument.point_value
        row["fx"] = 1.0
        row["first_tier"], row["tiers"] = first_tier, len(instrument.tiers)
        first_tier += len(instrument.tiers)
        row["month"] = -1
        row["mark"] = row["high"] = row["low"] = np.nan
        row["head"] = row["tail"] = -1
    book.sleeves["stop"] = book.sleeves["target"] = np.nan
    return book


def _open_account(row: Any, account: Account, instruments: Sequence[Instrument]) -> None:
    for name in state.ACCOUNT.names or ():
        if hasattr(account, name):
            row[name] = getattr(account, name)
    row["equity"] = row["carried_cash"] = account.cash
    row["converts"] = any(x.currency != account.currency for x in instruments)
    row["reads_volume"] = any(x.reads_volume for x in instruments)
    row["nights"] = has_nights(account, instruments)


def has_nights(account: Account, instruments: Sequence[Instrument]) -> bool:
    """Whether anything accrues over nights."""
    rates = account.interest_rate or account.debit_rate
    return bool(rates or any(x.borrow_rate or x.swap_long or x.swap_short for x in instruments))


def tape_of(
    market: Market, instruments: Sequence[Instrument], account: Account, wake: NDArray[np.uint8]
) -> Tape:
    """What the kernels read of a market; arrays that nothing asks for stay empty."""
    n = len(instruments)
    converts = any(x.currency != account.currency for x in instruments)
    if converts and market.fx is None:
        foreign = next(x for x in instruments if x.currency != account.currency)
        raise ConfigError(
            f"{foreign.symbol} is in {foreign.currency}, the account in {account.currency}: "
            "rates of exchange are missing"
        )
    ranges = any(x.slippage_volatility or x.slippage_impact for x in instruments)
    dated = has_nights(account, instruments)
    detail = market.detail
    none = np.zeros((0, n))
    return Tape(
        time=market.time,
        open=market.open,
        high=market.high,
        low=market.low,
        close=market.close,
        session_end=market.session_end,
        wake=wake,
        equity=np.empty(len(market)),
        day=_days(market) if dated else none[:, 0].astype(np.int64),
        volume=market.volume,
        mean_range=mean_range(market) if ranges else none,
        fx=none if market.fx is None else market.fx,
        detail_first=none.astype(np.int64) if detail is None else detail.first,
        detail_count=none.astype(np.int64) if detail is None else detail.count,
        detail=np.zeros((0, 4)) if detail is None else detail.bars,
        actions=_records_of(market.actions),
    )


def _days(market: Market) -> NDArray[np.int64]:
    return market.time // DAY_NS if market.day is None else market.day


def _records_of(actions: Sequence[Action]) -> NDArray[Any]:
    records = np.zeros(len(actions), state.ACTION)
    for record, action in zip(records, actions, strict=True):
        for name in state.ACTION.names or ():
            record[name] = getattr(action, name)
    return records[np.argsort(records["bar"], kind="stable")]


def mean_range(market: Market) -> NDArray[np.float64]:
    """Mean true range of the 20 real bars of each instrument before each timestamp, (t, n) price.

    Of fewer at the start, 0 before the second bar (fill model, section 3).
    """
    out = np.zeros_like(market.open)
    for j in range(out.shape[1]):
        rows = np.flatnonzero(~np.isnan(market.open[:, j]))
        high, low, close = (x[rows, j] for x in (market.high, market.low, market.close))
        before = np.concatenate([high[:1], close[:-1]])
        ranges = np.maximum(high, before) - np.minimum(low, np.concatenate([low[:1], close[:-1]]))
        total, count = np.zeros(len(rows) + 1), np.zeros(len(rows) + 1)
        for back in range(min(RANGE_BARS, len(rows)), 0, -1):  # oldest first
            total[back:] += ranges[: len(rows) + 1 - back]
            count[back:] += 1.0
        means = np.divide(total, count, out=np.zeros(len(rows) + 1), where=count > 0.0)
        out[:, j] = means[np.searchsorted(rows, np.arange(len(out)), "left")]
    return out
