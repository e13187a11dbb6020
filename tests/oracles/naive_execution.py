"""What happens when the price is at an order: the fill, and what it creates and cancels.

Part of the slow second market; the numbers in brackets are sections of the fill model.
"""

from __future__ import annotations

from collections import Counter
from math import ceil

from tests.oracles.naive_account import Account
from tests.oracles.naive_instrument import Instrument
from tests.oracles.naive_orders import Order, limit_price, stop_price
from tests.oracles.naive_prices import Bar, at_or_above, at_or_below, same


class Execution:
    """The books of a run, and the execution of one order at one price."""

    def __init__(self, scenario: dict) -> None:
        self.name = scenario.get("name", "")
        self.policy = scenario.get("path_policy", "worst")
        self.trust = scenario.get("path_trust", 1)
        self.seed = scenario.get("seed", 0)
        self.commands = scenario.get("orders", [])
        self.actions = scenario.get("actions", [])
        self.instruments = [
            Instrument(n, configured, scenario)
            for n, configured in enumerate(scenario["instruments"])
        ]
        self.by_symbol = {i.symbol: i for i in self.instruments}
        self.length = len(self.instruments[0].bars)
        self.days = scenario.get("days", list(range(self.length)))
        settings = scenario.get("account", {})
        self.account = Account(settings.get("cash", 100_000), self.instruments)
        self.margin_call_closes = settings.get("margin_call", "all")
        self.margin_check = settings.get("margin_check", "reject")
        self.close_at_end = settings.get("close_at_end", False)
        self.close_delisted = settings.get("close_delisted", False)
        self.interest_rate = settings.get("interest_rate", 0)
        self.debit_rate = settings.get("debit_rate", 0)
        self.settles_daily = settings.get("settlement", "none") == "daily"
        self.orders: list[Order] = []
        self.fills: list[dict] = []
        self.ledger: list[dict] = []
        self.equity: list[float] = []
        self.certainty: list[str] = []  # of each fill: "", "ambiguous" or "settled" (2)
        self.lower: Bar | None = None  # the lower bar that is walked
        self.status = "finished"
        self.at = 0
        self.phase = "open"
        self.notes: Counter = Counter()

    def working(self, instrument: Instrument | None = None) -> list[Order]:
        """Working orders in order of acceptance; a copy, so that they may end meanwhile."""
        return [o for o in self.orders if o.works and instrument in (None, o.instrument)]

    def enter(self, kind: str, instrument: Instrument, amount: float) -> None:
        """Money that is no fill, in the currency of the account, with its line (5)."""
        self.account.cash += amount
        if amount != 0:
            self.notes[f"ledger: {kind} {'got' if amount > 0 else 'paid'}"] += 1
            symbol = instrument.symbol if instrument else ""
            self.ledger.append({"at": self.at, "kind": kind, "symbol": symbol, "amount": amount})

    # --- the price is at an order (4) ----------------------------------------------------

    def test(self, order: Order, price: float, *, market_orders: bool = True) -> None:
        """Column "at the open"; also a new child at the price where the market stands (2.5)."""
        if not order.works:
            return
        tick = order.instrument.tick_size
        reached = at_or_above if order.side > 0 else at_or_below
        cheap_enough = at_or_below if order.side > 0 else at_or_above
        rested = not order.fresh  # a limit that has been passed by the market once
        order.fresh = False
        if order.acts_as == "stop_limit" and reached(price, order.stop, tick):
            order.triggered, rested = True, False
            if not cheap_enough(price, order.limit, tick):
                self.notes["stop limit gapped through its limit"] += 1
        if order.acts_as in ("market", "liquidation"):
            if market_orders:
                self.execute(order, price, standing=price, slips=True)
            else:
                self.notes["market order waits between lower bars"] += 1
        elif order.acts_as == "stop" and reached(price, order.stop, tick):
            self.note_gap(order, price, order.stop)
            order.triggered = True
            self.execute(order, price, standing=price, slips=True)
        elif order.acts_as == "limit" and cheap_enough(price, order.limit, tick):
            self.note_gap(order, price, order.limit)
            self.execute(order, price, standing=price, slips=False, maker=rested)

    def note_gap(self, order: Order, price: float, asked: float) -> None:
        place = "at the open" if self.phase == "open" else "at once on the path"
        through = "" if same(price, asked, order.instrument.tick_size) else " beyond its price"
        self.notes[f"{order.type} {place}{through}"] += 1

    # --- an order is executed ------------------------------------------------------------

    def execute(
        self,
        order: Order,
        price: float,
        standing: float | None,
        slips: bool,
        maker: bool = False,
    ) -> None:
        """Fill what may be filled. `standing` is where the market is; None at the close.

        Position, volume and margin cut in this order; only what volume cuts goes on working.
        """
        i = order.instrument
        asked = lots = order.remaining
        if order.reduce_only:  # at most the position, never the other way (4)
            lots = i.position.closes(order.side, lots)
            if lots == 0:
                self.notes["reduce only without a position"] += 1
                order.end("cancelled")
                return
            if lots < asked:
                self.notes["reduce only cut to the position"] += 1
        offered = lots if order.role == "end_of_data" else min(lots, i.volume_left(self.at))
        if order.tif == "fok" and offered < asked:
            self.notes["fok that could not get all"] += 1
            order.end("cancelled")
            return
        if offered < lots:
            self.notes[f"volume cut: {order.role} {order.type}"] += 1
        if offered == 0:
            return
        if slips:
            price = i.slipped(price, order.side, offered, self.at)
        allowed, refusal = self.affordable(order, offered, price, maker)
        if allowed == 0:
            self.notes[f"rejected: {refusal}"] += 1
            order.end("rejected", refusal)
        elif order.tif == "fok" and allowed < asked:
            self.notes["fok that could not get all"] += 1
            order.end("cancelled")
        else:
            done = offered == lots or allowed < offered
            self.fill(order, allowed, price, standing, maker, done)

    def affordable(self, order: Order, lots: int, price: float, maker: bool) -> tuple[int, str]:
        """The lots that the account allows (5): all, or none, or the most; and why not."""
        i = order.instrument
        if i.is_cash_account and i.position.lots + order.side * lots < 0 and order.side < 0:
            return 0, "short_refused"
        closing = i.position.closes(order.side, lots)
        if closing == lots or self.account.passes(i, order.side, lots, price, maker):
            return lots, ""
        if self.margin_check != "reduce":
            if closing:
                self.notes["flip refused as a whole"] += 1
            return 0, "insufficient_margin"
        for fewer in range(lots - 1, closing, -1):
            if self.account.passes(i, order.side, fewer, price, maker):
                self.notes["margin check reduced"] += 1
                return fewer, ""
        if closing:
            self.notes["margin check reduced a flip to its close"] += 1
        return closing, "insufficient_margin"

    def fill(
        self,
        order: Order,
        lots: int,
        price: float,
        standing: float | None,
        maker: bool,
        done: bool,
    ) -> None:
        i = order.instrument
        before = i.position
        closed = before.closes(order.side, lots)
        opened = lots - closed
        tier = [t for t in i.tiers if i.traded[i.month] >= t[0] - 1e-9 * i.lot]
        self.notes["cost of a tier"] += bool(tier)
        self.notes["cost of a maker"] += maker and i.maker_rate is not None
        cost = self.account.book(i, order.side, lots, price, maker)
        i.taken += lots
        order.filled += lots
        if order.filled > lots:
            self.notes["a further part of an order"] += 1
        if done or order.remaining == 0:
            order.end("filled")
        reason = order.role
        if reason in ("plain", "end_of_data"):
            reason = "exit" if closed else "entry"
        self.record(order.id, i, order.side, lots, price, cost, reason, self.how_sure(order))
        self.take_from_partner(order, lots)
        if closed and closed == abs(before.lots):  # flat now, or flipped (4)
            self.notes["flip" if opened else "flat"] += 1
            self.cancel_protection(i)
        if opened:
            self.bear_children(order, opened, standing)

    def record(
        self,
        name: str,
        i: Instrument,
        side: int,
        lots: float,
        price: float,
        cost: float,
        reason: str,
        certainty: str = "",
    ) -> None:
        self.fills.append(
            {
                "at": self.at,
                "phase": self.phase,
                "order": name,
                "symbol": i.symbol,
                "side": "buy" if side > 0 else "sell",
                "qty": lots * i.lot,
                "price": price,
                "cost": cost,
                "reason": reason,
            }
        )
        self.certainty.append(certainty)
        self.notes[f"fill: {reason} {self.phase}"] += 1
        if certainty:
            self.notes[f"{certainty} fill"] += 1

    def how_sure(self, order: Order) -> str:
        """Whether the bar, or the lower bar, held the price of the partner as well (2)."""
        other = order.partner
        if self.phase != "intrabar" or order.role not in ("stop", "target"):
            return ""
        if other is None or not other.works:
            return ""
        level = other.stop if other.role == "stop" else other.limit
        tick = order.instrument.tick_size

        def holds(bar: Bar) -> bool:
            return at_or_above(level, bar.low, tick) and at_or_below(level, bar.high, tick)

        if self.lower and holds(order.instrument.bars[self.at]) and not holds(self.lower):
            return "settled"
        return "ambiguous" if holds(self.lower or order.instrument.bars[self.at]) else ""

    def cancel_protection(self, instrument: Instrument) -> None:
        """When a position is gone, so are its stops and targets (4)."""
        for child in self.working(instrument):
            if child.role in ("stop", "target"):
                child.end("cancelled")

    def take_from_partner(self, order: Order, lots: int) -> None:
        """What one of a pair fills, the other loses (4)."""
        other = order.partner
        if other is None or not other.works:
            return
        ratio = order.instrument.lot / other.instrument.lot
        other.lots -= ceil(lots * ratio - 1e-9)  # part of a lot counts as a whole one
        kind = "oco" if order.role == "plain" else "bracket"
        if other.remaining <= 0:
            self.notes[f"{kind} cancelled the other"] += 1
            other.end("cancelled")
        else:
            self.notes[f"{kind} made the other smaller"] += 1

    # --- the stop and the target of a bracket (4, 2.5) -------------------------------------

    def bear_children(self, parent: Order, lots: int, standing: float | None) -> None:
        """For what the fill opened or added: children grow, or new ones are made."""
        growing = [child for child in parent.children if child.works]
        for child in growing:
            self.notes["a child grows"] += 1
            child.lots += lots
        if growing:
            return
        if parent.children:
            self.notes["a later part makes new children"] += 1
        i, side, children = parent.instrument, -parent.side, []
        stop = stop_price(parent.stop_loss, side, i.tick_size)
        target = limit_price(parent.take_profit, side, i.tick_size)
        for role, level in (("stop", stop), ("target", target)):
            if level is None:
                continue
            child = Order(
                id=f"{parent.id}.{role}",
                number=len(self.orders),
                instrument=i,
                side=side,
                lots=lots,
                type="stop" if role == "stop" else "limit",
                reduce_only=True,
                role=role,
            )
            if role == "stop":
                child.stop = level
            else:
                child.limit = level
            self.orders.append(child)
            children.append(child)
        if len(children) == 2:
            children[0].partner, children[1].partner = children[1], children[0]
        parent.children = children
        for child in children if standing is not None else []:
            self.test(child, standing)
