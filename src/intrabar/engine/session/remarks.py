"""What a session had that a backtest has not, in sentences for its report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from intrabar.engine.session.drifting import said_of
from intrabar.engine.session.hand import ORDERS
from intrabar.model.entry import Entry
from intrabar.model.remark import Remark
from intrabar.strategy.gates import Gates
from intrabar.strategy.registry import AnyStrategy
from intrabar.strategy.strategy import Strategy

MOST = 10
"""Moves of the breaker that are told one by one."""

COUNTED = {
    "bar.late": "bars came after their rows were sealed; the rows stay as they were",
    "bar.corrected": "bars were told again, otherwise; the rows stay as they were",
    "bar.bad": "bars that cannot be were kept aside and count as missing",
    "prediction.changed": "times predictions of bars that were over were others, or came too late; "
    "what was decided stays",
    "clock": "times the clock was set, or the machine slept",
    "session.resumed": "times it was started again",
}
"""Kinds of events, and what is said of how many there were."""


def remarks_in(entries: Sequence[Entry], strategies: Mapping[str, AnyStrategy]) -> Iterator[Remark]:
    """Severe sentences first.

    Parameters
    ----------
    entries : sequence of Entry
        All of its journal.
    strategies : mapping of name to strategy
        Those of its plan.
    """
    yield from _persons(entries)
    yield from _breaker([e for e in entries if e.kind == "breaker"])
    yield from _left_out(entries)
    yield from _halts(entries)
    yield from _refused(entries)
    yield from _drifted(entries)
    counts = Counter(e.kind for e in entries)
    told = ((counts[kind], says) for kind, says in COUNTED.items() if counts[kind])
    yield from (Remark(f"{count:,} {says}") for count, says in told)
    late = sum(bool(e.body.get("late")) for e in entries if e.kind == "row.closed")
    if late:
        yield Remark(f"{late:,} rows were sealed late: nothing was entered in them")
    yield from _missing(entries)
    down = sum(e.kind == "link" and e.body["state"] == "down" for e in entries)
    if down:
        yield Remark(f"The source was down {_times(down)}: nothing was entered meanwhile")
    for name, one in strategies.items():
        if isinstance(one, Strategy) and one.gates != Gates():
            yield Remark(f"What the gates of {name} kept back is not counted here")
    yield Remark(
        "There is no ambiguity band: a session has lived one path; a backtest of its configuration "
        "has one"
    )
    last = next((e for e in reversed(entries) if e.kind.startswith("session.")), None)
    if last is not None and last.kind == "session.stopped":
        yield Remark(f"It ended on {_time(last)}: {last.body['reason']}")
    else:
        yield Remark("It has not ended in order: this is how its journal stands")


def _missing(entries: Sequence[Entry]) -> Iterator[Remark]:
    """At how many of the bars that were traded nothing was predicted."""
    began, rows = 0, list[Any]()
    for e in entries:
        began = int(e.body["trade_from"]) if e.kind == "session.started" else began
        rows += e.body["rows"] if e.kind == "prediction" else ()
    said = [values.get("predicted_return") for _, time, values in rows if time >= began]
    missing = said.count(None)
    if missing:
        text = f"{missing:,} of {len(said):,} predictions of bars are none: they decide nothing"
        yield Remark(text, severe=2 * missing > len(said))


def _persons(entries: Sequence[Entry]) -> Iterator[Remark]:
    asked = Counter(str(e.body["kind"]) for e in entries if e.kind == "command.person")
    by_hand = {kind: asked.pop(kind) for kind in ORDERS if kind in asked}
    if by_hand:
        text = f"A person traded by hand, which is in these figures: {_counted(by_hand)}"
        yield Remark(text, severe=True)
    if asked:
        yield Remark(f"A person asked for: {_counted(asked)}", severe=True)


def _breaker(moves: Sequence[Entry]) -> Iterator[Remark]:
    for move in moves[:MOST]:
        body = move.body
        of = "" if body["scope"] == "account" else f" of {body['scope']}"
        done = f"is {body['level'].upper()}" if body["set"] else f"lost its cause {body['cause']}"
        why = f": {body['text']}" if body["text"] else ""
        yield Remark(f"The breaker{of} {done} from {_time(move)} on{why}", severe=True)
    if len(moves) > MOST:
        yield Remark(f"The breaker moved {len(moves) - MOST:,} times more", severe=True)


def _left_out(entries: Sequence[Entry]) -> Iterator[Remark]:
    for e in entries:
        if e.kind == "hook":
            name, text = e.body["strategy"], e.body["text"]
            yield Remark(f"{name} is called no more from {_time(e)} on: {text}", severe=True)


def _halts(entries: Sequence[Entry]) -> Iterator[Remark]:
    for e in entries:
        if e.kind == "not_repeatable":
            yield Remark(f"Not repeatable, told on {_time(e)}: {e.body['text']}", severe=True)
        elif e.kind == "emergency":
            yield Remark(f"The journal was away until {_time(e)}: {e.body['why']}", severe=True)


def _refused(entries: Sequence[Entry]) -> Iterator[Remark]:
    """How much each rule, or block, has refused, and the first time."""
    refused = [e for e in entries if e.kind == "refused"]
    first = {str(e.body["rule"]): e for e in reversed(refused)}
    for rule, count in Counter(str(e.body["rule"]) for e in refused).most_common():
        told = first[rule]
        yield Remark(f"{rule} refused {_times(count)}, first on {_time(told)}: {told.body['text']}")


def _drifted(entries: Sequence[Entry]) -> Iterator[Remark]:
    """When the features of learned exits drifted, and drifted back."""
    found = [e for e in entries if e.kind == "drift"]
    for e in found[:MOST]:
        yield Remark(f"From {_time(e)} on, {said_of(e.body)}", severe=e.body["set"])
    if len(found) > MOST:
        yield Remark(f"Features drifted, or back, {len(found) - MOST:,} times more", severe=True)


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{kind.replace('_', ' ')} {count:,}" for kind, count in counts.items())


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _time(entry: Entry) -> str:
    return f"{str(np.datetime64(entry.at, 'ns'))[:16].replace('T', ' ')} UTC"
