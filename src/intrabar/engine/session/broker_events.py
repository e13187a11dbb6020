"""The events that tell a session what its broker says: their bodies, and what is read of them.

`outcome`: what a request was answered; `report`: what the stream, or a look-up, tells;
`snapshot`: a look at the account; `link`: the state of the link; `timer`: an instant that the
session has asked for (`Session.next_timer`); `quote`: what is bid and asked. Each carries `view`
(`view.view_body`), which the driver adds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from intrabar.brokers.sending import Sending
from intrabar.engine.session.bodies import body_from, in_body
from intrabar.model.broker_facts import (
    Accepted,
    CashFact,
    FillFact,
    OrderFact,
    Outcome,
    Refused,
    Snapshot,
    Unknown,
)
from intrabar.model.facts import LinkFact, Quote

Told = OrderFact | FillFact | CashFact
Asked = Literal["submit", "replace", "cancel"]

OUTCOMES: dict[str, type[Outcome]] = {
    "accepted": Accepted,
    "refused": Refused,
    "unknown": Unknown,
}
FACTS: dict[str, type[Told]] = {"order": OrderFact, "fill": FillFact, "cash": CashFact}
_WORDS = {kind: word for word, kind in (*OUTCOMES.items(), *FACTS.items())}


class Answered(NamedTuple):
    """What a request was answered, order by order.

    Parameters
    ----------
    ticket : str
        Client id of the order that the request was about; of a group the first.
    request : "submit", "replace" or "cancel"
    outcomes : list of (client id, Outcome)
    """

    ticket: str
    request: Asked
    outcomes: list[tuple[str, Outcome]]


class LookedUp(NamedTuple):
    """What a look-up says; `fact` None: the broker says that there is none."""

    name: str
    fact: OrderFact | None
    at: int


def request_of(sending: Sending) -> Asked:
    """What a sending asks for."""
    if sending.group:
        return "submit"
    return "cancel" if sending.change is None else "replace"


def outcome_body(sending: Sending, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Body of `outcome`: what a sending was answered."""
    names = [request.client_id for request in sending.group] or [sending.ticket]
    told = [
        {"client_id": name, "kind": _WORDS[type(one)], **in_body(one)}
        for name, one in zip(names, outcomes, strict=True)
    ]
    return {"ticket": sending.ticket, "request": request_of(sending), "outcomes": told}


def answered(body: Mapping[str, Any]) -> Answered:
    """What an `outcome` says."""
    outcomes: list[tuple[str, Outcome]] = []
    for one in body["outcomes"]:
        said = {name: x for name, x in one.items() if name not in ("client_id", "kind")}
        outcomes.append((one["client_id"], body_from(said, OUTCOMES[one["kind"]])))
    return Answered(body["ticket"], body["request"], outcomes)


def report_body(fact: Told) -> dict[str, Any]:
    """Body of `report`: what the stream tells."""
    return {"fact": _tagged(fact)}


def look_up_body(name: str, fact: OrderFact | None, at: int) -> dict[str, Any]:
    """Body of `report`: what a look-up by a name says, and when it was answered (ns UTC)."""
    return {"look_up": name, "fact": None if fact is None else _tagged(fact), "at": at}


def reported(body: Mapping[str, Any]) -> Told | LookedUp:
    """What a `report` says."""
    told = body["fact"]
    fact = None if told is None else _fact(told)
    if "look_up" not in body:
        assert fact is not None
        return fact
    assert fact is None or isinstance(fact, OrderFact)
    return LookedUp(body["look_up"], fact, body["at"])


def snapshot_body(look: Snapshot) -> dict[str, Any]:
    """Body of `snapshot`: a look at the account."""
    return {"look": in_body(look)}


def snapshot_of(body: Mapping[str, Any]) -> Snapshot:
    """What a `snapshot` saw."""
    return body_from(body["look"], Snapshot)


def link_body(who: Literal["broker", "source"], fact: LinkFact) -> dict[str, Any]:
    """Body of `link`: the state of the broker's link, or the source's."""
    return {"who": who, "state": fact.state, "reason": fact.reason}


def timer_body(which: str = "due") -> dict[str, Any]:
    """Body of `timer`."""
    return {"which": which}


def quote_body(quote: Quote) -> dict[str, Any]:
    """Body of `quote`; the view of the event has it too."""
    said = {"bid": quote.bid, "ask": quote.ask, "last": quote.price}
    return {"symbol": quote.symbol, **said, "at": quote.time}


def _tagged(fact: Told) -> dict[str, Any]:
    return {"tag": _WORDS[type(fact)], **in_body(fact)}


def _fact(told: Mapping[str, Any]) -> Told:
    said = {name: x for name, x in told.items() if name != "tag"}
    return body_from(said, FACTS[told["tag"]])
