"""Whether the features of a session's learned exits have drifted, decision by decision."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.engine.outcome.drifted import drift_at
from intrabar.engine.session.turn import Notice
from intrabar.exits.learned import STATIC
from intrabar.exits.psi import STRETCH
from intrabar.strategy.lessons import Lessons


class Drifting:
    """The last 500 decisions of a learned exit, held against what its policy was trained on.

    Parameters
    ----------
    name : str
        Of the strategy.
    lessons : Lessons
    """

    def __init__(self, name: str, lessons: Lessons) -> None:
        self._name, self._lessons = name, lessons
        self._last: deque[NDArray[np.float64]] = deque(maxlen=STRETCH)
        self._is_set = False

    def take(self, lines: NDArray[Any], values: NDArray[np.float64]) -> dict[str, Any] | None:
        """Take decisions in; the body of a record where an alarm begins, or is over.

        Parameters
        ----------
        lines : (k,) DECISION
        values : (k, K + d)
            Their scores, then their contexts.
        """
        lessons = self._lessons
        if not lessons.policies or not len(lines):
            return None
        self._last += [x.copy() for x in values[:, len(lessons.arms) + 1 :]]
        if len(self._last) < STRETCH:
            return None
        drift = drift_at(lessons, int(lines["model"][-1]), np.array(self._last))
        if drift is None or drift.alarm == self._is_set:
            return None
        self._is_set = drift.alarm
        return {
            "strategy": self._name,
            "set": drift.alarm,
            "feature": drift.feature,
            "psi": drift.psi[drift.feature],
            "limit": drift.limit,
            "on_drift": lessons.on_drift,
            "text": drift.told,
        }


class Drifts:
    """All learned exits that trade in a session."""

    def __init__(self) -> None:
        self._each: dict[str, tuple[Drifting, int]] = {}

    def take(self, running: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        """What they have decided since the last row: kind and body of records."""
        told = []
        for name, one in running.items():
            learner = getattr(one, "learner", None)
            if learner is None:
                continue
            own, seen = self._each.get(name) or (Drifting(name, learner.lessons), 0)
            log = learner.logged()
            body = own.take(log.decisions[seen:], log.values[seen:])
            self._each[name] = own, len(log.decisions)
            if body is not None:
                told.append(("drift", body))
        return told


def notices_of(told: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Notice]:
    """What persons are told of records that say drift."""
    return [_notice(body) for kind, body in told if kind == "drift"]


def _notice(body: Mapping[str, Any]) -> Notice:
    severity = "alarm" if body["set"] else "info"
    return Notice(severity, f"drift {body['strategy']}", said_of(body))


def said_of(body: Mapping[str, Any]) -> str:
    """A sentence of a record."""
    done = "have drifted" if body["set"] else "have drifted back"
    then = ""
    if body["on_drift"] == STATIC:
        then = "; its static arm is taken" if body["set"] else "; it decides again"
    return f"{body['strategy']}: the features of its last {STRETCH} decisions {done}{then}: " + str(
        body["text"]
    )
