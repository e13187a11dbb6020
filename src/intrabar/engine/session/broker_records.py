"""Records of a session at a broker: what is to leave, how a ticket stands, what a look asks for."""

from __future__ import annotations

from typing import Any

from intrabar.brokers.reconcile import Action, Tell
from intrabar.brokers.sending import Sending
from intrabar.brokers.tickets import Ticket
from intrabar.engine.session.bodies import in_body
from intrabar.engine.session.effects import Urgency


def ticket_body(before: Ticket | None, after: Ticket) -> dict[str, Any]:
    """How a ticket stands, and what has changed."""
    was = {} if before is None else in_body(before)
    now = in_body(after)
    changed = {name: x for name, x in now.items() if name not in was or was[name] != x}
    gone = [name for name in was if name not in now]
    return {"ticket": after.name, "state": after.state.value, **changed, "unsaid": gone}


def intent_body(sending: Sending, order: int, urgency: Urgency) -> dict[str, Any]:
    """What is to leave."""
    kind = "submit" if sending.group else "replace" if sending.change else "cancel"
    body = {"kind": kind, "ticket": sending.ticket, "order": order, "urgency": urgency.name.lower()}
    if sending.group:
        body["requests"] = in_body(list(sending.group))
    if sending.change is not None:
        body["change"] = in_body(sending.change)
    return body


def action_body(action: Action) -> dict[str, Any]:
    """What a look asks for, as a journal has it."""
    if isinstance(action, Tell):
        event = {"event": type(action.event).__name__.lower(), **in_body(action.event)}
        return {"does": "tell", "ticket": action.ticket, **event}
    body = {name: in_body(value) for name, value in action._asdict().items()}
    return {"does": type(action).__name__.lower(), **body}
