"""What is asked of a broker again: orders in doubt, orders that may fill now, stuck cancels."""

from __future__ import annotations

from collections.abc import Iterator

from intrabar.brokers.door import Door
from intrabar.brokers.sending import Sending
from intrabar.brokers.tickets import APART, OPEN, Asked, State, Ticket
from intrabar.engine.session.clocks import SECOND_NS
from intrabar.engine.session.moment import Moment

POLLS = tuple(s * SECOND_NS for s in (2, 2, 4, 10))
"""Behind the send, then behind the last answer: 2, 4 and 8 s after the send, then each 10 s."""
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
        names = [name for name, at in self._due(moment).items() if at <= now]
        for ticket in self._filling(moment):
            if ticket.name in names and self._next_poll(ticket) <= now:
                self._polls[ticket.name] = self._polls.get(ticket.name, 0) + 1
        self._asking |= dict.fromkeys(names, now)
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
        yield from self._due(moment).values()
        for name, (since, times) in self._cancels.items():
            ticket = self._door.tickets[name]
            if ticket.state in OPEN and moment.trades(ticket.symbol):
                yield _next_cancel(since, times)

    def _due(self, moment: Moment) -> dict[str, int]:
        """When each ticket that is in doubt, or may fill now, is to be looked up."""
        due = {name: self.looked.get(name, -APART) + APART for name in self._door.doubts}
        for ticket in self._filling(moment):
            at = self._next_poll(ticket)
            due[ticket.name] = min(due.get(ticket.name, at), at)
        for name in due.keys() & self._asking.keys():
            due[name] = max(due[name], self._asking[name] + UNANSWERED)
        return due

    def _filling(self, moment: Moment) -> Iterator[Ticket]:
        """Tickets that may fill now, and of which something would have been heard."""
        for ticket in self._door.blotter.open:
            answered = ticket.state not in (State.SENT, State.UNKNOWN)
            if ticket.type == "market" and answered and moment.trades(ticket.symbol):
                yield ticket

    def _next_poll(self, ticket: Ticket) -> int:
        times = min(self._polls.get(ticket.name, 0), len(POLLS) - 1)
        return self.looked.get(ticket.name, ticket.sent) + POLLS[times]


def _next_cancel(since: int, times: int) -> int:
    if times < len(CANCELS):
        return since + CANCELS[times]
    return since + CANCELS[-1] + (times - len(CANCELS) + 1) * CANCEL_LOOKS
