"""What is asked of a broker again: orders in doubt, orders that may fill now, stuck cancels."""

from __future__ import annotations

from collections.abc import Iterator

from intrabar.brokers.door import Door
from intrabar.brokers.sending import Sending
from intrabar.brokers.tickets import APART, OPEN, Asked, State, Ticket
from intrabar.engine.session.clocks import SECOND_NS
from intrabar.engine.session.moment import Moment

POLLS = tuple(s * SECOND_NS for s in (2, 4, 8))
POLL_EVERY = 10 * SECOND_NS
CANCELS = tuple(s * SECOND_NS for s in (5, 15, 45))
"""How long after the first a cancel is asked for again; then it is looked up."""
CANCEL_LOOKS = 30 * SECOND_NS
UNANSWERED = 30 * SECOND_NS
"""After so long a look-up counts as forgotten by whoever was to carry it out."""


class Waits:
    """Who is waited for.

    Parameters
    ----------
    door : Door

    Attributes
    ----------
    looked : dict of ticket to ns
        When a look-up has last answered.
    """

    def __init__(self, door: Door) -> None:
        self._door = door
        self.looked: dict[str, int] = {}
        self._asking: dict[str, int] = {}  # look-ups that were not answered
        self._polls: dict[str, int] = {}  # how often one was looked up that may fill now
        self._cancels: dict[str, tuple[int, int]] = {}  # since when, and how often again

    def answered(self, name: str, now: int) -> None:
        """A look-up has been answered."""
        self.looked[name] = now
        self._asking.pop(name, None)

    def forget(self) -> None:
        """The link is another one: what was asked over the old one is asked anew."""
        self._asking.clear()

    def look_ups(self, moment: Moment) -> list[str]:
        """The tickets that are to be looked up now; they count as asked."""
        now = moment.now
        polls = {t.name: None for t in self._filling(moment) if self._next_poll(t) <= now}
        names = [
            name
            for name in {**self._door.doubts, **polls}
            if now - self._asking.get(name, -UNANSWERED) >= UNANSWERED
            and now - self.looked.get(name, -APART) >= APART
        ]
        for name in names:
            self._asking[name] = now
            if name in polls:
                self._polls[name] = self._polls.get(name, 0) + 1
        return names

    def cancels(self, moment: Moment) -> tuple[list[Sending], list[str]]:
        """The cancels that are asked for again, and the tickets whose cancel is stuck."""
        door, now = self._door, moment.now
        asked = [t for t in door.blotter.open if t.asked is Asked.CANCEL]
        self._cancels = {t.name: self._cancels.get(t.name, (now, 0)) for t in asked}
        sendings, stuck = [], []
        for ticket in asked:
            since, times = self._cancels[ticket.name]
            if now < _next_cancel(since, times) or not moment.trades(ticket.symbol):
                continue
            self._cancels[ticket.name] = since, times + 1
            if times < len(CANCELS):
                sendings.append(door.cancel(ticket.name))
            else:
                door.doubts[ticket.name] = None
                stuck.append(ticket.name)
        return sendings, stuck

    def next_timer(self, moment: Moment) -> Iterator[int]:
        """When something is to be asked again."""
        for name in self._door.doubts:
            if name in self._asking:
                yield self._asking[name] + UNANSWERED
            else:
                yield self.looked.get(name, 0) + APART
        for ticket in self._filling(moment):
            yield self._next_poll(ticket)
        for name, (since, times) in self._cancels.items():
            ticket = self._door.tickets[name]
            if ticket.state in OPEN and moment.trades(ticket.symbol):
                yield _next_cancel(since, times)

    def _filling(self, moment: Moment) -> Iterator[Ticket]:
        """Tickets that may fill now, and of which something would have been heard."""
        for ticket in self._door.blotter.open:
            answered = ticket.state not in (State.SENT, State.UNKNOWN)
            if ticket.type == "market" and answered and moment.trades(ticket.symbol):
                yield ticket

    def _next_poll(self, ticket: Ticket) -> int:
        times = self._polls.get(ticket.name, 0)
        if times < len(POLLS):
            return ticket.sent + POLLS[times]
        return self.looked.get(ticket.name, ticket.sent) + POLL_EVERY


def _next_cancel(since: int, times: int) -> int:
    if times < len(CANCELS):
        return since + CANCELS[times]
    return since + CANCELS[-1] + (times - len(CANCELS) + 1) * CANCEL_LOOKS
