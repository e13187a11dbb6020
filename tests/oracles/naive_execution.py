"""What happens when the price is at an order: the fill, and what it creates and cancels.

Part of the slow second market; the numbers in brackets are sections of the fill model.
"""

from __future__ import annotations

from collections import Counter
from math import ceil

from tests.oracles.naive_account import Account, Instrument
from tests.oracles.naive_orders import Order, limit_price, stop_price
from tests.oracles.naive_prices import at_or_above, at_or_below, same, slipped


class Execution:
    """The books of a run, and the execution of one order at one price."""

    def __init__(self, scenario: dict) -> None:
        self.name = scenario.get("name", "")
        self.policy = scenario.get("path_policy", "worst")
        self.seed = scenario.get("seed", 0)
        self.commands = scenario.get("orders", [])
        bars = scenario["bars"]
        self.instruments = [
            Instrument(n, configured, bars[configured["symbol"]])
            for n, configured in enumerate(scenario["instruments"])
        ]
        self.by_symbol = {i.symbol: i for i in self.instruments}
        self.length = len(self.instruments[0].bars)
        settings = scenario.get("account", {})
        self.account = Account(settings.get("cash", 100_000), self.instruments)
        self.margin_call_closes = settings.get("margin_call", "all")
        self.margin_check = settings.get("margin_check", "reject")
        self.close_at_end = settings.get("close_at_end", False)
        self.orders: list[Order] = []
        self.fills: list[dict] = []
        self.equity: list[float] = []
        self.status = "finished"
        self.at = 0
        self.phase = "open"
        self.notes: Counter = Counter()

    def working(self, instrument: Instrument | None = None) -> list[Order]:
        """Working orders in order of acceptance; a copy, so that they may end meanwhile."""
        return [o for o in self.orders if o.works and instrument in (None, o.instrument)]

    # --- the price is at an order (4) ----------------------------------------------------

    def test(self, order: Order, price: float) -> None:
        """Column "at the open"; also a new child at the price where the market stands (2.5)."""
        if not order.works:
            return
        tick = order.instrument.tick_size
        reached = at_or_above if order.side > 0 else at_or_below
        cheap_enough = at_or_below if order.side > 0 else at_or_above
        if order.acts_as == "stop_limit" and reached(price, order.stop, tick):
            order.triggered = True
            if not cheap_enough(price, order.limit, tick):
                self.notes["stop limit gapped through its limit"] += 1
        if order.acts_as in ("market", "liquidation"):
            self.execute(order, price, standing=price, slips=True)
        elif order.acts_as == "stop" and reached(price, order.stop, tick):
            self.note_gap(order, price, order.stop)
            self.execute(order, price, standing=price, slips=True)
        elif order.acts_as == "limit" and cheap_enough(price, order.limit, tick):
            self.note_gap(order, price, order.limit)
            self.execute(order, price, standing=price, slips=False)

    def note_gap(self, order: Order, price: float, asked: float) -> None:
        place = "at the open" if self.phase == "open" else "at once on the path"
        through = "" if same(price, asked, order.instrument.tick_size) else " beyond its price"
        self.notes[f"{order.type} {place}{through}"] += 1

    # --- an order is executed ------------------------------------------------------------

    def execute(self, order: Order, price: float, standing: float | None, slips: bool) -> None:
        """Fill what may be filled. `standing` is where the market is; None at the close."""
        i = order.instrument
        if slips:
            price = slipped(price, order.side, i.slippage_ticks, i.slippage_pct, i.tick_size)
        lots = order.remaining
        if order.reduce_only:  # at most the position, never the other way (4)
            lots = i.position.closes(order.side, lots)
            if lots == 0:
                self.notes["reduce only without a position"] += 1
                order.end("cancelled")
                return
            if lots < order.remaining:
                self.notes["reduce only cut to the position"] += 1
        lots = self.affordable(order, lots, price)
        if lots == 0:
            self.notes["rejected: insufficient_margin"] += 1
            order.end("rejected", "insufficient_margin")
            return
        self.fill(order, lots, price, standing)

    def affordable(self, order: Order, lots: int, price: float) -> int:
        """The lots that the margin allows (5): all, or none, or with "reduce" the most."""
        i = order.instrument
        closing = i.position.closes(order.side, lots)
        if closing == lots or self.account.passes(i, order.side, lots, price):
            return lots
        if self.margin_check != "reduce":
            if closing:
                self.notes["flip refused as a whole"] += 1
            return 0
        for fewer in range(lots - 1, closing, -1):
            if self.account.passes(i, order.side, fewer, price):
                self.notes["margin check reduced"] += 1
                return fewer
        if closing:
            self.notes["margin check reduced a flip to its close"] += 1
        return closing

    def fill(self, order: Order, lots: int, price: float, standing: float | None) -> None:
        i = order.instrument
        before = i.position
        closed = before.closes(order.side, lots)
        opened = lots - closed
        cost = self.account.book(i, order.side, lots, price)
        order.filled += lots
        order.end("filled")
        reason = order.role
        if reason in ("plain", "end_of_data"):
            reason = "exit" if closed else "entry"
        self.fills.append(
            {
                "at": self.at,
                "phase": self.phase,
                "order": order.id,
                "symbol": i.symbol,
                "side": "buy" if order.side > 0 else "sell",
                "qty": lots * i.lot,
                "price": price,
                "cost": cost,
                "reason": reason,
            }
        )
        self.notes[f"fill: {reason} {self.phase}"] += 1
        self.take_from_partner(order, lots)
        if closed and closed == abs(before.lots):  # flat now, or flipped (4)
            self.notes["flip" if opened else "flat"] += 1
            for child in self.working(i):
                if child.role in ("stop", "target"):
                    child.end("cancelled")
        if opened:
            self.bear_children(order, opened, standing)

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

    def bear_children(self, parent: Order, lots: int, standing: float | None) -> None:
        """The stop and the target of a bracket, for what the fill opened or added (4, 2.5)."""
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
        for child in children if standing is not None else []:
            self.test(child, standing)
