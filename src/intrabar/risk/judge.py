"""The judge of a run: what is let through at a step, and what the rows do to breaker and limits.

Pure of the machine: it is given books and views, and answers with verdicts, records and duties.
Backtest, session and re-run call it at the same places, so all of them have the same answers.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from intrabar.errors import BreakerError
from intrabar.risk.adds import reduces
from intrabar.risk.breaker import ACCOUNT, FLATTENING, Breaker, Moved
from intrabar.risk.check import RATES, check, key_of
from intrabar.risk.day import Broker, Day, day_of, equity_that_counts
from intrabar.risk.exact import beyond, told_apart
from intrabar.risk.flatten import Duty, duties, is_flat, without
from intrabar.risk.limits import SECOND_NS, Limits
from intrabar.risk.records import Book, Refusal, Request, View
from intrabar.risk.windows import MINUTE_NS, Windows

Record = tuple[str, dict[str, Any]]
"""Kind and body of a record for the journal."""


class State(NamedTuple):
    """All that a judge remembers: a copy of it is a snapshot."""

    day: Day
    windows: Windows
    breaker: Breaker


@dataclass(eq=False)
class Judge:
    """Limits in force, and what has happened under them.

    Parameters
    ----------
    limits : Limits
        Filled in (`Limits.filled_in`).
    strategies : tuple of str
        Their names.
    equity : money
        With which the session begins.
    begins : str
        When a day begins (`day.day_begins`), where `limits.day` does not say it.
    on_error : "reduce" or "halt"
    flat_by_look : bool
        That nothing is left is said by a look at the account (`move("flat")`), not by the book.
    """

    limits: Limits
    strategies: tuple[str, ...]
    equity: float
    begins: str = "00:00 UTC"
    on_error: Literal["reduce", "halt"] = "reduce"
    flat_by_look: bool = False
    state: State = field(init=False)
    counts: Counter[str] = field(default_factory=Counter)
    _pending: list[Record] = field(default_factory=list)

    def __post_init__(self) -> None:
        keep = max(MINUTE_NS, int((self.limits.duplicate_seconds or 0.0) * SECOND_NS))
        day = Day.first(self.equity, self.strategies)
        self.state = State(day, Windows(keep=keep), Breaker())

    @property
    def breaker(self) -> Breaker:
        """The breaker as it stands."""
        return self.state.breaker

    def verdicts(
        self,
        book: Book,
        view: View,
        commands: Sequence[Request | None],
        now: int,
        place: tuple[int, int] = (0, 0),
        broker: Broker | None = None,
    ) -> tuple[Refusal | None, ...]:
        """What is refused of what a step's hooks have asked for, in that order.

        Each command is held against the book with those before it: an order that was let through
        works, one that was cancelled does not.

        Parameters
        ----------
        book, view
            Where the machine stands (`book.book_of`, `book.view_of`).
        commands : sequence of Request or None
            Of `book.request_of`; None has nothing to be judged. The same tuple of it is returned.
        now : int, ns UTC
            Of the event; where the market fills, the time of the row.
        place : (bar, step)
        broker : Broker, optional
            Where one fills.
        """
        self._begin(now)
        book = self._known(book, broker)
        found: list[Refusal | None] = []
        for index, asked in enumerate(commands):
            if asked is None:
                found.append(None)
                continue
            request = asked._replace(place=(*place, index))
            working, order = book, request.order
            if request.kind in ("modify", "cancel"):
                working = without(book, order)
            refusal = check(request, working, view, self.limits, now)
            found.append(refusal)
            if refusal is not None:
                self._refused(refusal, request, now)
            elif request.kind != "move":
                book = self._passed(request, working, now)
            book = replace(book, windows=self.state.windows, breaker=self.breaker)
        return tuple(found)

    def after_row(self, book: Book, now: int, broker: Broker | None = None) -> tuple[Record, ...]:
        """Take a row's equities in: the day, the limits of losses, the breaker; what changed.

        At STEP_END, before its commands are judged.

        Parameters
        ----------
        book : Book
        now : int, ns UTC
        broker : Broker, optional
        """
        self._begin(now)
        first = self.equity
        values = {name: first + book.earned.get(name, 0.0) for name in self.strategies}
        values[ACCOUNT] = equity_that_counts(book.equity, broker)
        self.state = self.state._replace(day=self.state.day.measured(values))
        for rule, scope, value, limit in self._breaches():
            self._trip(rule, scope, value, limit)
        for scope in () if self.flat_by_look else (ACCOUNT, *self.strategies):
            if self._flattens(scope) and is_flat(book, scope):
                self.move("flat", scope, text="no position and no order is left")
        return self.taken()

    def between_rows(self, equity: float, now: int, broker: Broker | None = None) -> None:
        """Hold the limits of losses against a moment; day and peak stay those of the rows.

        Parameters
        ----------
        equity : money
            E at the prices of the moment.
        now : int, ns UTC
        broker : Broker, optional
        """
        self._begin(now)
        kept = self.state
        values = {name: kept.day.last[name] for name in self.strategies}
        values[ACCOUNT] = equity_that_counts(equity, broker)
        self.state = kept._replace(day=replace(kept.day, last=values))
        found = self._breaches()
        self.state = kept
        for rule, scope, value, limit in found:
            if scope == ACCOUNT:
                self._trip(rule, scope, value, limit)

    def duties(self, book: Book) -> tuple[Duty, ...]:
        """What the breaker asks the session to do now (`flatten.duties`)."""
        return duties(self._known(book, None))

    def move(self, event: str, scope: str = ACCOUNT, **why: Any) -> tuple[Moved, ...]:
        """Move the breaker by an event of its tables; `why` is rule, value, limit, text."""
        breaker, moved = self.breaker.after(event, scope, **why)
        self.state = self.state._replace(breaker=breaker)
        self._pending += [("breaker", m.body()) for m in moved]
        return moved

    def failed(self, strategy: str, text: str) -> tuple[Moved, ...]:
        """A hook of a strategy has raised."""
        event = "error" if self.on_error == "reduce" else "error_halts"
        return self.move(event, strategy, text=text)

    def resume(self, reason: str, override: Sequence[str] = (), **known: bool) -> tuple[Moved, ...]:
        """Put the breaker back, as a person asks; see `Breaker.resume`, whose errors it raises."""
        breached = {rule for rule, *_ in self._breaches()}
        breaker, moved = self.breaker.resume(reason, breached=breached, override=override, **known)
        day = self.state.day
        for rule, scope, _, _ in self._breaches():
            day = day.anew(scope, start=rule != "max_drawdown_pct", peak=rule == "max_drawdown_pct")
        self.state = self.state._replace(breaker=breaker, day=day)
        self._pending += [("breaker", m.body()) for m in moved]
        return moved

    def transferred(self, amount: float) -> None:
        """Money came or went: no profit and no loss."""
        self.state = self.state._replace(day=self.state.day.transferred(amount))

    def taken(self) -> tuple[Record, ...]:
        """The records since the last call."""
        records = tuple(self._pending)
        self._pending.clear()
        return records

    def _begin(self, now: int) -> None:
        """Begin the day of an event, where it is another one."""
        number = day_of(now, self.limits.day or self.begins)
        day, windows, breaker = self.state
        if number == day.number:
            return
        self.state = State(day.on(number), windows.on(number), breaker)
        self._pending.append(("limit.day", self.state.day.body()))
        if self.limits.resume == "next_day" and breaker.causes:
            try:
                self.resume("risk.resume: next_day")
            except BreakerError:  # still flattening, or still breached: it stays as it is
                return

    def _known(self, book: Book, broker: Broker | None) -> Book:
        """The book with what the judge knows."""
        day = self.state.day
        return replace(
            book,
            equity=equity_that_counts(book.equity, broker),
            start=day.start[ACCOUNT],
            breaker=self.breaker,
            windows=self.state.windows,
        )

    def _passed(self, request: Request, book: Book, now: int) -> Book:
        """Take in what was let through: the book with it."""
        order = request.order
        if request.kind == "cancel":
            return book
        if request.by != "session" and not reduces(order, book):
            windows = self.state.windows.after(now, order.symbol, key_of(order), request.place)
            self.state = self.state._replace(windows=windows)
        return replace(book, working=(*book.working, order))

    def _refused(self, refusal: Refusal, request: Request, now: int) -> None:
        self.counts[refusal.rule] += 1
        if refusal.rule not in RATES:
            return
        windows = self.state.windows.refused(now, refusal.scope)
        self.state = self.state._replace(windows=windows)
        if windows.runs_away(now, refusal.scope, ACCOUNT):
            text = f"runaway of {refusal.scope}: {refusal.text}"
            self.move("runaway", rule=refusal.rule, value=refusal.value, text=text)

    def _breaches(self) -> list[tuple[str, str, float, float]]:
        """The loss limits that are reached: rule, scope, value, limit."""
        day, found = self.state.day, []
        for scope in (ACCOUNT, *self.strategies):
            start, peak, last = day.start[scope], day.peak[scope], day.last[scope]
            for rule in ("max_daily_loss_pct", "max_daily_loss", "max_drawdown_pct"):
                limit = getattr(self.limits, rule)
                if limit is None:
                    continue
                value = _loss(rule, start, peak, last, limit)
                if value is not None:
                    found.append((rule, scope, value, limit))
        return found

    def _trip(self, rule: str, scope: str, value: float, limit: float) -> None:
        event = "drawdown"
        if rule != "max_drawdown_pct":
            reduces_only = scope != ACCOUNT or self.limits.on_daily_loss == "reduce"
            event = "loss_reduces" if reduces_only else "loss"
        unit = "" if rule == "max_daily_loss" else " %"
        value_text, limit_text = told_apart(value, limit)
        since = "below its peak" if event == "drawdown" else "lost today"
        text = f"{rule} {scope}: {value_text}{unit} {since}, limit {limit_text}{unit}"
        number = value if math.isfinite(value) else None
        self.move(event, scope, rule=rule, value=number, limit=limit, text=text)

    def _flattens(self, scope: str) -> bool:
        return any(c.scope == scope and c.level is FLATTENING for c in self.breaker.causes)


def _loss(rule: str, start: float, peak: float, last: float, limit: float) -> float | None:
    """How much is lost where that reaches the limit; an equity that is not finite has lost all."""
    if not math.isfinite(last):
        return math.inf
    since = peak if rule == "max_drawdown_pct" else start
    if rule == "max_daily_loss":
        return beyond(lambda n: n(since) - n(last), limit, reached=True)
    if since <= 0.0:
        return math.inf
    return beyond(lambda n: 100 * (n(since) - n(last)) / n(since), limit, reached=True)
