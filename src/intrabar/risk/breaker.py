"""The breaker: a latched switch that holds causes; its state is the strictest of their levels.

Two tables decide all of it: which cause an event sets and at which level, and what an event makes
of the set of causes. Nothing else moves it; no day, restart or configuration takes a cause away.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from intrabar.errors import BreakerError, StateError
from intrabar.model.enums import Word

ACCOUNT = "account"


class Level(Word):
    """How much is let through: all, what reduces, a person's exits, the breaker's own."""

    TRADING = 0
    REDUCING = 1
    HALTED = 2
    FLATTENING = 3


TRADING, REDUCING, HALTED, FLATTENING = Level


class Cause(NamedTuple):
    """Why the breaker is not TRADING.

    Parameters
    ----------
    name : str
    scope : str
        "account", or the strategy that it is one for alone.
    level : Level
    rule : str
        The limit that was breached; "" for none.
    """

    name: str
    scope: str
    level: Level
    rule: str = ""


Causes = frozenset[Cause]
Move = Callable[[Causes, Cause], Causes]

# Event: the cause that it sets, and its level.
SETS: Mapping[str, tuple[str, Level]] = {
    "runaway": ("runaway", REDUCING),
    "overfill": ("overfill", REDUCING),
    "both_legs": ("both_legs", REDUCING),
    "watched": ("watched", REDUCING),  # rung 3: we watch a stop ourselves
    "anomalies": ("anomalies", REDUCING),  # three in ten minutes
    "drift": ("drift", REDUCING),  # over five minutes
    "not_flat": ("not_flat", REDUCING),  # at the close that it was to be flat by
    "error": ("error", REDUCING),  # a hook has raised; on_error: reduce
    "error_halts": ("error", HALTED),  # on_error: halt
    "loss_reduces": ("daily_loss", REDUCING),  # of a strategy; on_daily_loss: reduce
    "loss": ("daily_loss", FLATTENING),
    "drawdown": ("drawdown", FLATTENING),
    "not_repeatable": ("not_repeatable", HALTED),
    "repaints": ("repaints", HALTED),
    "journal": ("journal", HALTED),
    "halt": ("halt", HALTED),
    "kill": ("kill", FLATTENING),
    "flatten": ("flatten", FLATTENING),
}


def _set(causes: Causes, cause: Cause) -> Causes:
    """With the cause, unless it is there."""
    return causes if _same(causes, cause) else causes | {cause}


def _set_again(causes: Causes, cause: Cause) -> Causes:
    """With the cause, also where it was there at another level: a person says so."""
    return causes - _same(causes, cause) | {cause}


def _let_down(causes: Causes, cause: Cause) -> Causes:
    """What was flattening halts: of the whole account, or of one strategy."""
    return frozenset(
        c._replace(level=HALTED)
        if c.level is FLATTENING and cause.scope in (ACCOUNT, c.scope)
        else c
        for c in causes
    )


def _halt(causes: Causes, cause: Cause) -> Causes:
    return _set_again(_let_down(causes, cause), cause)


def _clear(causes: Causes, cause: Cause) -> Causes:
    return frozenset()


def _same(causes: Causes, cause: Cause) -> Causes:
    return frozenset(c for c in causes if (c.name, c.scope) == (cause.name, cause.scope))


# Event: what it makes of the set of causes.
MOVES: Mapping[str, Move] = {
    "runaway": _set,
    "overfill": _set,
    "both_legs": _set,
    "watched": _set,
    "anomalies": _set,
    "drift": _set,
    "not_flat": _set,
    "error": _set,
    "error_halts": _set,
    "loss_reduces": _set,
    "loss": _set,
    "drawdown": _set,
    "not_repeatable": _set,
    "repaints": _set,
    "journal": _set,
    "halt": _halt,
    "kill": _set_again,
    "flatten": _set_again,
    "flat": _let_down,  # a look shows no position and no order
    "resume": _clear,
}


@dataclass(frozen=True, slots=True)
class Moved:
    """A cause that was set, let down or taken away.

    Parameters
    ----------
    event : str
    cause : Cause
        As it is now, or as it was where it is gone.
    is_set : bool
    state : Level
        The account's afterwards.
    value, limit : float, optional
    text : str
    """

    event: str
    cause: Cause
    is_set: bool
    state: Level
    value: float | None = None
    limit: float | None = None
    text: str = ""

    def body(self) -> dict[str, Any]:
        """Its fields, as a journal has them."""
        name, scope, level, rule = self.cause
        of_cause = {"cause": name, "scope": scope, "level": level.word, "rule": rule}
        of_move = {"event": self.event, "set": self.is_set, "state": self.state.word}
        return {**of_move, **of_cause, "value": self.value, "limit": self.limit, "text": self.text}


@dataclass(frozen=True, slots=True)
class Breaker:
    """The causes that hold; TRADING is none."""

    causes: Causes = frozenset()

    def level(self, strategy: str = ACCOUNT) -> Level:
        """The strictest level for the account, or for one of its strategies."""
        held = (c.level for c in self.causes if c.scope in (ACCOUNT, strategy))
        return max(held, default=TRADING)

    def why(self, strategy: str = ACCOUNT) -> str:
        """The causes that hold for a strategy, strictest first: "daily_loss, runaway"."""
        held = [c for c in self.causes if c.scope in (ACCOUNT, strategy)]
        names = [c.name for c in sorted(held, key=lambda c: (-c.level, c.name))]
        return ", ".join(dict.fromkeys(names))

    def after(
        self,
        event: str,
        scope: str = ACCOUNT,
        rule: str = "",
        value: float | None = None,
        limit: float | None = None,
        text: str = "",
    ) -> tuple[Breaker, tuple[Moved, ...]]:
        """The breaker after an event, and what has changed; `rule` to `text` say why."""
        cause = Cause(*_split(event, scope), rule)
        causes = MOVES[event](self.causes, cause)
        then = Breaker(causes)
        state, known = then.level(), {(c.name, c.scope) for c in causes}
        fresh = sorted(causes - self.causes)
        gone = sorted(c for c in self.causes - causes if (c.name, c.scope) not in known)
        moved = [Moved(event, c, True, state, value, limit, text) for c in fresh]
        return then, (*moved, *(Moved(event, c, False, state, text=text) for c in gone))

    @staticmethod
    def of(bodies: Iterable[Mapping[str, Any]]) -> Breaker:
        """The breaker that a journal's records have left."""
        held: dict[tuple[str, str], Cause] = {}
        for b in bodies:
            key = (b["cause"], b["scope"])
            held.pop(key, None)
            if b["set"]:
                held[key] = Cause(*key, Level[b["level"].upper()], b["rule"])
        return Breaker(frozenset(held.values()))

    def resume(
        self,
        reason: str,
        *,
        reconciled: bool = True,
        links_up: bool = True,
        covered: bool = True,
        breached: Collection[str] = (),
        override: Collection[str] = (),
    ) -> tuple[Breaker, tuple[Moved, ...]]:
        """All causes taken away by a person, or none.

        Parameters
        ----------
        reason : str
            Of the person.
        reconciled, links_up, covered : bool
            Book and broker agree; all links are UP; every position is covered.
        breached, override : collection of str
            Rules whose limit is still breached, and those that begin anew from the present equity.

        Raises
        ------
        BreakerError, StateError
            It may not be resumed, or it is TRADING; the message says what to do first.
        """
        if not self.causes:
            raise StateError("resume: the breaker is TRADING, there is nothing to resume")
        if any(c.level is FLATTENING for c in self.causes):
            raise _stuck("it is FLATTENING", "wait until it is flat, or halt it (session halt)")
        for fine, what in (
            (reconciled, "book and broker do not agree yet"),
            (links_up, "a link is not UP"),
            (covered, "a position is not covered"),
        ):
            if not fine:
                raise _stuck(what, "resume again when that is over")
        if left := sorted(set(breached) - set(override)):
            begin = " ".join(f"--override {rule}" for rule in left)
            raise _stuck(f"still breached: {', '.join(left)}", f"begin it anew with {begin}")
        return self.after("resume", text=reason)


def _split(event: str, scope: str) -> tuple[str, str, Level]:
    name, level = SETS.get(event, (event, TRADING))
    return name, scope, level


def _stuck(what: str, remedy: str) -> BreakerError:
    return BreakerError(f"resume: {what}; {remedy}")
