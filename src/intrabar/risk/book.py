"""The book and the view of a check, read from the arrays of a machine."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.model.enums import LedgerKind, OrderType, Role
from intrabar.risk.limits import SECOND_NS
from intrabar.risk.records import Book, Request, Seen, Sleeve, Working
from intrabar.sim import state
from intrabar.sim.machine import Machine

WORDS = {int(kind): kind.word for kind in OrderType}
PROTECTIVE = int(Role.TARGET)
OF_AN_ORDER = (
    *("id", "strategy", "instrument", "side", "qty", "filled", "type"),
    *("limit_price", "stop_price", "stop_loss", "reduce_only", "role"),
)
OF_A_COMMAND = tuple(name for name in OF_AN_ORDER if name != "filled")

InSession = Callable[[str, int, int, int], int]
"""Time in session, ns, by a calendar, between two instants, for bars of a period."""


class Earned:
    """What each strategy has contributed to the equity, read as it is booked.

    Realised against the average price, less costs, with dividends, borrow and swaps; the open
    profit is added where it is asked for. Interest is the account's. Reads a machine's records
    once each; it must be asked before the machine hands any of them over.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._booked = np.zeros(len(machine.book.strategies))
        self._fills = self._lines = 0
        self.by_strategy()
        machine.on_growth.append(self._follow)

    def by_strategy(self) -> NDArray[np.float64]:
        """(strategies,) money, account currency, with the open profit at the present marks."""
        book, account = self._machine.book, self._machine.book.account[0]
        if account["fills"] > self._fills:
            fills = self._machine.fills()[self._fills :]
            np.add.at(self._booked, fills["strategy"], fills["realized"] - fills["cost"])
            self._fills += len(fills)
        if account["ledger"] > self._lines:
            lines = self._machine.ledger()[self._lines :]
            own = lines[(lines["strategy"] >= 0) & (lines["kind"] != LedgerKind.SETTLEMENT)]
            np.add.at(self._booked, own["strategy"], own["amount"])
            self._lines += len(lines)
        if not account["open_sleeves"]:
            return self._booked.copy()
        return np.asarray(self._booked + _open_profit(book).sum(axis=1))

    def _follow(self) -> None:
        """Records that were handed over have been read, and are there no more."""
        self._fills = min(self._fills, len(self._machine.fills()))
        self._lines = min(self._lines, len(self._machine.ledger()))


class Ages:
    """When each instrument last had a bar, read as the rows come.

    Parameters
    ----------
    machine : Machine
    in_session : InSession
        For instruments with a calendar; others age by rows, and by no more than the clock does.
    """

    def __init__(self, machine: Machine, in_session: InSession) -> None:
        self._machine, self._in_session = machine, in_session
        n = len(machine.instruments)
        self._row, self._time = np.full(n, -1), np.zeros(n, np.int64)
        self._next = machine.first

    def read(self) -> None:
        """Take the rows in up to the one that is being worked on, whose open is known."""
        machine = self._machine
        for row in range(max(self._next, machine.first), machine.bar + 1):
            real = ~np.isnan(machine.tape.open[row])
            self._row[real], self._time[real] = row, machine.tape.time[row]
        self._next = machine.bar + 1

    def of(self, column: int, now: int) -> float:
        """Seconds in session since an instrument's last bar; infinite before the first."""
        rows = self._machine.bar - int(self._row[column])
        if self._row[column] < 0:
            return math.inf
        if rows == 0:
            return 0.0
        since, period = int(self._time[column]), self._machine.market.period
        calendar = self._machine.instruments[column].calendar
        if calendar:
            return self._in_session(calendar, since, now, period) / SECOND_NS
        return min(rows * period, now - since) / SECOND_NS


def book_of(
    machine: Machine,
    strategies: Sequence[str],
    earned: Earned | None = None,
    blocks: Mapping[str, str] | None = None,
) -> Book:
    """What is held and what works where a machine stands; the equity is that at the marks.

    Parameters
    ----------
    machine : Machine
    strategies : sequence of str
        Their names, by their rows.
    earned : Earned, optional
    blocks : mapping of "account" or symbol to reason, optional
    """
    book, symbols = machine.book, [x.symbol for x in machine.instruments]
    n = len(symbols)
    held = np.flatnonzero(book.sleeves["qty"]).tolist()
    sleeves = tuple(
        Sleeve(strategies[k // n], symbols[k % n], float(s["qty"]), float(s["stop"]))
        for k in held
        for s in (book.sleeves[k],)
    )
    instruments = book.instruments
    return Book(
        equity=_equity(book, held),
        sleeves=sleeves,
        working=_working(machine, strategies, symbols),
        marks=dict(zip(symbols, instruments["mark"].tolist(), strict=True)),
        point_values=dict(zip(symbols, instruments["point_value"].tolist(), strict=True)),
        lots=dict(zip(symbols, instruments["lot"].tolist(), strict=True)),
        earned={}
        if earned is None
        else dict(zip(strategies, earned.by_strategy().tolist(), strict=False)),
        blocks=blocks or {},
    )


def view_of(machine: Machine, columns: Iterable[int], ages: Ages, now: int) -> dict[str, Seen]:
    """Marks, and how long no bar has come, of some instruments, where the market fills."""
    ages.read()
    marks = machine.book.instruments["mark"]
    symbols = [x.symbol for x in machine.instruments]
    return {symbols[j]: Seen(float(marks[j]), ages.of(j, now)) for j in set(columns)}


def request_of(
    command: Any, book: Book, strategies: Sequence[str], symbols: Sequence[str]
) -> Request | None:
    """What a command asks for; None where nothing is left to judge.

    That is an order that the strategy's own side has refused, and a change of one that is done.
    """
    kind = int(command["kind"])
    if kind == state.SUBMIT:
        return Request("submit", _order(command, strategies, symbols))
    if kind in (state.MOVE_STOP, state.MOVE_TARGET):
        return Request("move", _order(command, strategies, symbols))
    order = next((w for w in book.working if w.id == int(command["id"])), None)
    if kind == state.REFUSE or order is None:
        return None
    if kind == state.CANCEL:
        return Request("cancel", order)
    qty, limit_price, stop_price = (
        before if math.isnan(command[name]) else float(command[name])
        for name, before in (
            ("qty", order.qty),
            ("limit_price", order.limit_price),
            ("stop_price", order.stop_price),
        )
    )
    return Request(
        "modify", order._replace(qty=qty, limit_price=limit_price, stop_price=stop_price)
    )


def _order(command: Any, strategies: Sequence[str], symbols: Sequence[str]) -> Working:
    values = {name: command[name].item() for name in OF_A_COMMAND}
    return _record({**values, "filled": 0.0}, strategies, symbols)


def _working(
    machine: Machine, strategies: Sequence[str], symbols: Sequence[str]
) -> tuple[Working, ...]:
    if not machine.book.account["working"][0]:
        return ()
    orders = machine.book.orders[machine.working()]
    rows = zip(*(orders[name].tolist() for name in OF_AN_ORDER), strict=True)
    return tuple(
        _record(dict(zip(OF_AN_ORDER, row, strict=True)), strategies, symbols) for row in rows
    )


def _record(v: Mapping[str, Any], strategies: Sequence[str], symbols: Sequence[str]) -> Working:
    return Working(
        id=v["id"],
        strategy=strategies[v["strategy"]],
        symbol=symbols[v["instrument"]],
        side=v["side"],
        qty=v["qty"],
        filled=v["filled"],
        type=WORDS[v["type"]],
        limit_price=v["limit_price"],
        stop_price=v["stop_price"],
        stop=v["stop_loss"],
        reduce_only=bool(v["reduce_only"]),
        protective=v["role"] <= PROTECTIVE,
        role=v["role"],
    )


def _equity(book: state.Book, held: Sequence[int]) -> float:
    """Cash and open profit of the sleeves that are not flat, added up in the market's order."""
    n, equity = len(book.instruments), float(book.account["cash"][0])
    profits: dict[int, float] = {}
    for k in sorted(held, key=lambda k: (k % n, k)):
        sleeve, instrument = book.sleeves[k], book.instruments[k % n]
        moved = instrument["mark"] - sleeve["basis"]
        profit = float(sleeve["qty"] * moved * instrument["point_value"])
        profits[k % n] = profits.get(k % n, 0.0) + profit
    for profit in profits.values():
        equity += profit
    return equity


def _open_profit(book: state.Book) -> NDArray[np.float64]:
    """(strategies, n) money: of each sleeve at the marks, against its average."""
    n = len(book.instruments)
    sleeves = book.sleeves.reshape(-1, n)
    qty = sleeves["qty"]
    moved = book.instruments["mark"] - sleeves["avg"]
    return np.where(qty == 0.0, 0.0, qty * moved * book.instruments["point_value"])
