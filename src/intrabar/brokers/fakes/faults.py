"""Faults of a wire, by the message that meets them.

A point is a kind of message, and its number among those: ("submit", 0) is the first request to
submit, ("event", 3) the fourth frame of a stream. A vendor's fake names its kinds; those of
`REQUESTS` and `EVENTS` every one has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

REQUESTS = ("token", "connect", "submit", "replace", "cancel", "find", "look", "stream")
"""Kinds of requests: a login, what is asked to connect, orders, a look-up, parts of a look, the
opening of a stream."""
EVENTS = ("event",)

OF_REQUESTS = ("lose_request", "lose_answer", "drop", "mute", "slow", "429", "500", "garbage")
"""It never arrives; it is carried out and not answered; the answer is cut in the middle; no answer
and no end; an answer that takes `Faults.slow` seconds; refused as too many; as a fault of theirs;
an answer nobody can read."""
OF_EVENTS = ("lose_event", "drop", "mute", "slow", "duplicate", "reorder", "garbage")
"""It is not told; the stream is cut; from now on the stream is silent, and stays; it comes late;
twice; after the next one; as something nobody can read."""
OF_ORDERS = ("reject", "partial")
"""Of the first request to submit: the venue refuses it; of a fill: it comes in two halves."""
OF_THE_VENDOR = ("expire_token", "restart", "second_login")
"""At any request: the token is not good any more; all connections are cut; another login takes the
place of this one."""

Point = tuple[str, int]


class Faults:
    """Which message meets which fault.

    Parameters
    ----------
    schedule : iterable of (point, fault)
    slow : float
        Seconds that something slow takes.
    """

    def __init__(self, schedule: Iterable[tuple[Point, str]] = (), *, slow: float = 0.02) -> None:
        self.slow = slow
        self.seen: list[Point] = []
        self.met: list[tuple[Point, str]] = []
        self._schedule = dict(schedule)
        self._counts: Counter[str] = Counter()

    def add(self, kind: str, fault: str, times: int = 1) -> None:
        """Let the next messages of a kind meet a fault."""
        for n in range(times):
            self._schedule[kind, self._counts[kind] + n] = fault

    def clear(self) -> None:
        """Let nothing meet a fault any more."""
        self._schedule.clear()

    def at(self, kind: str) -> str:
        """The fault that a message of that kind meets now; "": none."""
        point = kind, self._counts[kind]
        self._counts[kind] += 1
        self.seen.append(point)
        fault = self._schedule.get(point, "")
        if fault:
            self.met.append((point, fault))
        return fault
