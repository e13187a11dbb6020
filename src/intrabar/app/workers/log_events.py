"""All that a session's log may say: `docs/log-events.md` is made of this table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from intrabar.model.entry import Entry

Level = Literal["debug", "info", "warning", "error"]
LEVELS: tuple[Level, ...] = ("debug", "info", "warning", "error")
Line = tuple[str, dict[str, Any]]
"""Event of the log, and its fields."""


class LogEvent(NamedTuple):
    """How grave it is, and what it says."""

    level: Level
    says: str


EVENTS: Mapping[str, LogEvent] = {
    "session.started": LogEvent("info", "the session began"),
    "session.covering": LogEvent("info", "what is held is covered, before any hook is called"),
    "session.resumed": LogEvent("info", "it was worked out again from its journal, and goes on"),
    "session.stopped": LogEvent("info", "it ended, and why"),
    "history.taken": LogEvent("debug", "rows before the start were taken in"),
    "row.closed": LogEvent("debug", "a row is final and is run"),
    "prediction.heard": LogEvent("debug", "what is expected of a row that comes next"),
    "prediction.missing": LogEvent("warning", "nothing was predicted for a row, and why"),
    "model.changed": LogEvent("info", "another model predicts from this row on"),
    "prediction.changed": LogEvent("warning", "predictions of bars that are over were changed"),
    "row.done": LogEvent("debug", "a row was run: equity and cash"),
    "day.began": LogEvent("info", "another day of the limits: where it began, and the peak"),
    "bar.late": LogEvent("warning", "a bar came after its row was sealed"),
    "bar.corrected": LogEvent("warning", "a bar was told again, otherwise, after its row"),
    "bar.bad": LogEvent("warning", "a bar that cannot be is kept aside, and counts as missing"),
    "link.up": LogEvent("info", "a link is up"),
    "link.down": LogEvent("warning", "a link is not up, and why"),
    "broker.answered": LogEvent("debug", "what a request to the broker was answered"),
    "broker.told": LogEvent("debug", "what the broker tells of an order, a fill or cash"),
    "broker.looked_at": LogEvent("debug", "what a look at the account has shown"),
    "quote.seen": LogEvent("debug", "a quote of what is held, or at the broker"),
    "clock.moved": LogEvent("warning", "the clock was set, or the machine slept"),
    "entries.blocked": LogEvent("warning", "nothing is entered now, or again, and why"),
    "command.given": LogEvent("debug", "a strategy, a person or the session commands something"),
    "command.refused": LogEvent("warning", "it was refused: rule, value, limit"),
    "person.asked": LogEvent("info", "a person asked the session for something"),
    "order.changed": LogEvent("info", "an order works, was changed, or is done"),
    "order.filled": LogEvent("info", "an order was filled"),
    "cash.moved": LogEvent("info", "cash moved without a fill"),
    "breaker.set": LogEvent("error", "the breaker has a cause: what adds risk is refused"),
    "breaker.cleared": LogEvent("info", "a cause of the breaker was taken away"),
    "shadow.decided": LogEvent("debug", "a learned exit in shadow decided at an entry"),
    "shadow.paired": LogEvent("info", "both campaigns of such a decision are over"),
    "shadow.ended": LogEvent("error", "a shadow could not be simulated on, and why"),
    "features.drifted": LogEvent(
        "warning", "the features of a learned exit have drifted, or drifted back"
    ),
    "hook.raised": LogEvent("error", "a strategy raised, and is called no more"),
    "hook.slow": LogEvent("warning", "a hook took long"),
    "hook.hung": LogEvent("error", "a strategy does not return, or was left out by a person"),
    "session.not_repeatable": LogEvent("error", "the re-run of the journal gave other records"),
    "journal.away": LogEvent("error", "the journal was away; nothing was decided meanwhile"),
    "digest": LogEvent("debug", "the digest of the machine after a row"),
    "journalled": LogEvent("debug", "a record of a kind that the log has no word for"),
    "notice.sent": LogEvent("info", "a notice to persons, and which targets took it"),
    "notice.failed": LogEvent("error", "a target did not take a notice"),
    "notice.held": LogEvent("info", "how many notices of a key nobody was told, at the end"),
    "notice.dropped": LogEvent("error", "a notice could not be sent: too many waited"),
    "heartbeat.failed": LogEvent("warning", "the outside watch was not reached"),
    "watch.left_out": LogEvent(
        "warning", "what the configuration asks for, and recorded bars lack"
    ),
    "health.opened": LogEvent("info", "where /metrics, /healthz and /readyz are"),
    "report.left_out": LogEvent("warning", "no report was written at the stop, and why"),
    "log.dropped": LogEvent("error", "lines of the log were lost: a full disk, or a slow reader"),
}

_SAME = (
    "session.started", "session.covering", "session.resumed", "session.stopped", "row.closed",
    "digest", "prediction.changed",
)  # fmt: skip
_OTHER = {
    "history": "history.taken",
    "row": "row.done",
    "limit.day": "day.began",
    "model": "model.changed",
    "bar.late": "bar.late",
    "bar.corrected": "bar.corrected",
    "bar.bad": "bar.bad",
    "outcome": "broker.answered",
    "report": "broker.told",
    "snapshot": "broker.looked_at",
    "quote": "quote.seen",
    "clock": "clock.moved",
    "block": "entries.blocked",
    "command": "command.given",
    "command.person": "person.asked",
    "refused": "command.refused",
    "order": "order.changed",
    "fill": "order.filled",
    "cash": "cash.moved",
    "decision": "shadow.decided",
    "pair": "shadow.paired",
    "shadow": "shadow.ended",
    "drift": "features.drifted",
    "hook": "hook.raised",
    "hook.hung": "hook.hung",
    "not_repeatable": "session.not_repeatable",
    "emergency": "journal.away",
}
# These stand in the journal.
_LONG = ("rows", "bars", "config", "contents", "versions", "limits", "ends")


def line_of(entry: Entry) -> Line:
    """What the log says of an entry of the journal."""
    body = {name: value for name, value in entry.body.items() if name not in _LONG}
    match entry.kind:
        case "breaker":
            event = "breaker.set" if body.get("set") else "breaker.cleared"
        case "link":
            event = "link.up" if body.get("state") == "up" else "link.down"
        case "prediction":
            event = "prediction.missing" if "why" in body else "prediction.heard"
        case kind if kind in _SAME:
            event = kind
        case kind if kind in _OTHER:
            event = _OTHER[kind]
        case kind:
            event = "journalled"
            body["kind_of_record"] = kind
    return event, body


def since_start(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Those of this process: at a resume the first that are told are the whole journal."""
    begun = len(entries)
    for place in range(len(entries) - 1, -1, -1):
        kind = entries[place].kind
        if kind == "session.covering" and begun < len(entries):
            return entries[place:]  # the first part of the same start
        if kind in ("session.started", "session.resumed", "row.closed") and begun < len(entries):
            return entries[begun:]
        if kind in ("session.started", "session.resumed"):
            begun = place
    return entries if begun == len(entries) else entries[begun:]
