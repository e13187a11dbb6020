"""The exit chain against brokers that answer late, never, no, or with a fill."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from msgspec.structs import replace

from intrabar.brokers.chain import Chain, Deed, Stage, advance
from intrabar.brokers.tickets import Asked, State, Terms, Ticket

SECOND = 1_000_000_000
QTY = 10.0
CANCELS = ("at once", "after 7 s", "never", "refused once", "it filled")
MARKETS = ("fills", "in halves", "rejected once", "rejected always", "slow once")
HALTS = ((0, 0), (0, 20), (3, 20))


class World:
    """A long position of ten with its stop, and a broker that answers as it is told to."""

    def __init__(self, cancels: str, markets: str, halt: tuple[int, int]) -> None:
        self.cancels, self.markets, self.halt = cancels, markets, halt
        self.left, self.now, self.count = QTY, 0, Counter[str]()
        stop = Ticket("abc123-2-0", 2, "s", "A", -1, "stop", Terms(QTY), 0, state=State.WORKING)
        self.stops, self.market = [stop], None
        self.asked_at = 0
        self.chain = Chain(3)
        self.bare: list[int] = []
        self.most_offered = 0.0

    def is_open(self) -> bool:
        return not self.halt[0] <= self.now < self.halt[1]

    def fill(self, ticket: Ticket, qty: float) -> Ticket:
        qty = min(qty, self.left) if ticket.type == "stop" else qty
        self.left = round(self.left - qty, 9)
        booked = ticket.booked + qty
        state = State.FILLED if booked >= ticket.terms.qty else State.PARTIAL
        return replace(ticket, booked=booked, state=state)

    def answer(self) -> None:
        stop = self.stops[-1]
        if stop.asked is Asked.CANCEL and stop.state is State.WORKING:
            waited = self.now - self.asked_at
            if self.cancels == "it filled":
                self.stops[-1] = self.fill(stop, QTY)
            elif self.cancels == "refused once" and self.count["cancel"] == 1:
                self.stops[-1] = replace(stop, asked=Asked.NONE)
            elif self.cancels != "never" and (self.cancels != "after 7 s" or waited >= 7):
                self.stops[-1] = replace(stop, state=State.CANCELLED, asked=Asked.NONE)
        market = self.market
        if market is None or market.state not in (State.SENT, State.WORKING, State.PARTIAL):
            return
        if market.asked is Asked.CANCEL:
            self.market = replace(market, state=State.CANCELLED, asked=Asked.NONE)
        elif self.markets.startswith("rejected") and (
            self.markets == "rejected always" or self.count["market"] == 1
        ):
            self.market = replace(market, state=State.REJECTED)
        elif self.markets == "in halves":
            self.market = self.fill(market, market.terms.qty / 2)
        elif self.is_open() and not (self.markets == "slow once" and self.count["market"] == 1):
            self.market = self.fill(market, market.terms.qty)

    def carry_out(self, deed: Deed) -> None:
        self.count[deed.kind] += 1
        if deed.kind == "cancel":
            self.asked_at = self.now
            if self.market is not None and deed.ticket == self.market.name:
                self.market = replace(self.market, asked=Asked.CANCEL)
            else:
                self.stops[-1] = replace(self.stops[-1], asked=Asked.CANCEL)
        elif deed.kind == "market":
            name = f"abc123-3-{self.count['market']}"
            self.market = Ticket(name, 3, "s", "A", -1, "market", Terms(deed.qty), self.now)
        elif deed.kind == "stop":
            name = f"abc123-2-{self.count['stop']}"
            again = Ticket(name, 2, "s", "A", -1, "stop", Terms(deed.qty), self.now)
            self.stops.append(replace(again, state=State.WORKING))

    def offered(self) -> float:
        """What the broker could sell now, by all that works there."""
        return sum(t.open_qty for t in (*self.stops, *filter(None, [self.market])))

    def run(self, seconds: int) -> None:
        for self.now in range(seconds):
            moved = advance(
                self.chain, self.stops, self.market, self.left, self.is_open(), self.now * SECOND
            )
            self.chain = moved.chain
            for deed in moved.deeds:
                self.carry_out(deed)
            if self.cancels != "never":
                assert self.offered() <= max(self.left, 0.0), self.now
            self.most_offered = max(self.most_offered, self.offered())
            self.answer()
            protected = any(t.open_qty >= self.left > 0.0 for t in self.stops)
            if not protected and self.left > 0.0:
                self.bare.append(self.now)


WORLDS = list(itertools.product(CANCELS, MARKETS, HALTS))


@pytest.mark.parametrize(("cancels", "markets", "halt"), WORLDS)
def test_each_answer_to_its_cancel_and_its_market(
    cancels: str, markets: str, halt: tuple[int, int]
) -> None:
    world = World(cancels, markets, halt)
    world.run(240)
    if cancels == "never":  # it leaves all the same, and only then may both work
        assert world.count["look_up"] >= 1
    if markets == "rejected always" and cancels != "it filled":
        assert world.count["page"] == 1
        assert world.left == QTY
        assert world.count["stop"] >= (cancels != "never")  # it went back before each try
        assert (
            world.stops[-1].open_qty == QTY or world.now * SECOND - world.chain.since < 11 * SECOND
        )
    elif cancels != "never":
        assert world.left == 0.0
        assert world.chain.stage is Stage.OVER


def test_what_is_closed_keeps_its_stop() -> None:
    world = World("at once", "fills", (0, 30))
    world.run(30)
    assert world.count == Counter()
    assert world.bare == []


def test_where_nothing_protects_it_leaves_at_once() -> None:
    moved = advance(Chain(3), [], None, 4.0, True, 0)
    assert moved.deeds == (Deed("market", qty=4.0),)
    assert advance(Chain(3), [], None, 0.0, True, 0).chain.stage is Stage.OVER


def test_it_covers_for_fifteen_seconds() -> None:
    bare = Chain(3, bare_since=1)
    assert bare.covers(1 + 15 * SECOND)
    assert not bare.covers(2 + 15 * SECOND)
    assert Chain(3).covers(10**18)  # what it cancels still works
    assert not replace(bare, stage=Stage.OVER).covers(1)
