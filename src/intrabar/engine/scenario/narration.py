"""A scenario's run told step by step: what triggered, what did not, and why.

The machine is stepped through the parts of each bar and its book compared before and after. The
story only reads: paths and margins are asked from the market's own functions, a fill is never
worked out here. Known limits: an order of one instrument cancelled by a fill in another one
within the same INTRABAR is told after the path has been chosen; the margin of a call is told
without figures where closing orders have filled in the same step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from intrabar.engine.scenario.scenario import ScriptedOrders, order_names
from intrabar.engine.story import words as words
from intrabar.engine.story.changes import Changes, View
from intrabar.engine.story.margin import equity_text, margin_figures
from intrabar.engine.story.money import action_sentences, ledger_sentences
from intrabar.engine.story.outcome import Outcome
from intrabar.engine.story.walk import Walk, is_detailed, prices_of, walk_of
from intrabar.model.enums import FillReason, OrderType, PathPolicy, Phase, RunStatus
from intrabar.sim import state
from intrabar.sim.machine import Machine
from intrabar.sim.margin import net_position
from intrabar.sim.orders import is_market
from intrabar.sim.path import adverse


class Kind(Enum):
    """What a sentence of the story is about."""

    MARK = "mark"
    ACTION = "action"
    ASKED = "asked"
    PATH = "path"
    FILL = "fill"
    ORDER = "order"
    WAIT = "wait"
    MARGIN = "margin"
    MONEY = "money"
    EQUITY = "equity"
    END = "end"


@dataclass(frozen=True, slots=True)
class Event:
    """One sentence of the story.

    Parameters
    ----------
    bar : int
        Index of the timeline.
    phase : {"open", "intrabar", "close"}
    kind : Kind
    text : str
    symbol, order : str
        What it is about, "" where that is the account or no order.
    fill : int
        Index of the fill in the run's fills, -1 for none.
    """

    bar: int
    phase: str
    kind: Kind
    text: str
    symbol: str = ""
    order: str = ""
    fill: int = -1


@dataclass
class Narration:
    """The story of one run, told while it is stepped.

    Parameters
    ----------
    machine : Machine
        At its first bar.
    script : ScriptedOrders
        The orders that are connected to it.
    """

    machine: Machine
    script: ScriptedOrders
    walks: dict[int, Walk] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)

    def events(self) -> Iterator[Event]:
        """Step to the end of the run, telling each part as it has happened."""
        machine = self.machine
        ruined = False
        while machine.bar < len(machine.market) and not ruined:
            bar = machine.bar
            self.walks = {}
            for step in range(state.STEP_OPEN, state.STEP_END + 1):
                yield from self._step(bar, step)
                ruined = machine.status is RunStatus.RUINED
                if ruined:
                    text = "the equity is not above 0: the account is ruined and the run ends here"
                    yield Event(bar, "close", Kind.END, text)
                    break

    def _step(self, bar: int, step: int) -> Iterator[Event]:
        machine = self.machine
        if step in (state.STEP_OPEN, state.STEP_CLOSE):
            yield from self._marks(bar, "open" if step == state.STEP_OPEN else "close")
        elif step == state.STEP_INTRABAR:
            yield from self._paths(bar)
        figures = margin_figures(self.machine, bar) if step == state.STEP_CLOSE else ""
        before = View.of(machine)
        if step == state.STEP_END:
            machine.advance(bar + 1, state.STEP_OPEN)
        else:
            machine.advance(bar, step + 1)
        self.names = order_names(machine, self.script)
        if step in (state.STEP_ON_OPEN, state.STEP_ON_CLOSE):
            yield from self._asked(bar, "open" if step == state.STEP_ON_OPEN else "close")
        elif step in (state.STEP_OPEN, state.STEP_NEW):
            for symbol, text in action_sentences(machine, before):
                yield Event(bar, "open", Kind.ACTION, text, symbol)
            yield from self._money(bar, "open", before)
            yield from self._outcome(bar, Phase.OPEN, before, step == state.STEP_NEW)
        elif step == state.STEP_INTRABAR:
            yield from self._outcome(bar, Phase.INTRABAR, before, False)
            yield from self._waiting(bar, before)
        elif step == state.STEP_CLOSE:
            called = int(machine.book.account[0]["margin_calls"]) > before.margin_calls
            filled = any(
                f["reason"] < FillReason.LIQUIDATION for f in machine.fills()[before.fills :]
            )  # a MOC
            if filled and not called:
                figures = margin_figures(self.machine, bar)
            yield from self._margin(bar, called, "" if called and filled else figures)
            yield from self._outcome(bar, Phase.CLOSE, before, False)
            yield from self._money(bar, "close", before)
            yield Event(bar, "close", Kind.EQUITY, equity_text(self.machine))
        elif step == state.STEP_END:
            yield from self._outcome(bar, Phase.CLOSE, before, True)

    def _tick(self, j: int) -> float:
        return float(self.machine.book.instruments[j]["tick_size"])

    def _marks(self, bar: int, phase: str) -> Iterator[Event]:
        for j, symbol in enumerate(self.machine.market.symbols):
            prices, close = prices_of(self.machine, bar, j), float(self.machine.tape.close[bar, j])
            tick = self._tick(j)
            if prices is None and phase == "close":
                continue
            if prices is not None and phase == "open":
                text = f"{symbol} opens at {words.price_text(prices[0], tick)}"
                last = float(self.machine.tape.close[bar - 1, j]) if bar else np.nan
                if not np.isnan(last):
                    text += f" (last close {words.price_text(last, tick)})"
            elif prices is not None:
                text = f"{symbol} closes at {words.price_text(close, tick)}"
            elif np.isnan(close):
                text = f"{symbol} has no bar and no price yet"
            else:
                text = f"{symbol} has no bar: marked at the last close "
                text += words.price_text(close, tick)
            yield Event(bar, phase, Kind.MARK, text, symbol)
        if phase == "close" and self.machine.book.account[0]["converts"]:
            yield from self._rates(bar)

    def _rates(self, bar: int) -> Iterator[Event]:
        """What the currencies are worth from this close on."""
        rates = {}
        for j, instrument in enumerate(self.machine.instruments):
            rates[instrument.currency] = j
        own = self.machine.account.currency
        for currency, j in rates.items():
            if currency != own:
                was = float(self.machine.book.instruments[j]["fx"])
                now = float(self.machine.tape.fx[bar, j])
                before = "" if was == now else f" (before {was:.10g})"
                text = f"1 {currency} is worth {now:.10g} {own} from here on{before}"
                yield Event(bar, "close", Kind.MARK, text)

    def _money(self, bar: int, phase: str, before: View) -> Iterator[Event]:
        symbols = self.machine.market.symbols
        for n, text in ledger_sentences(self.machine, before):
            j = int(self.machine.book.ledger[n]["instrument"])
            yield Event(bar, phase, Kind.MONEY, text, symbols[j] if j >= 0 else "")

    def _asked(self, bar: int, phase: str) -> Iterator[Event]:
        for entry in self.script.script.get((phase, bar), []):
            name = str(entry.get("id") or entry.get("cancel") or entry.get("modify"))
            text = f"on_{phase} asks {words.asked_text(entry)}"
            yield Event(bar, phase, Kind.ASKED, text, str(entry.get("symbol", "")), name)

    def _paths(self, bar: int) -> Iterator[Event]:
        book = self.machine.book
        account = book.account[0]
        for j, symbol in enumerate(self.machine.market.symbols):
            prices = prices_of(self.machine, bar, j)
            if prices is None:
                continue
            tick = self._tick(j)
            low, high = words.price_text(prices[2], tick), words.price_text(prices[1], tick)
            if book.instruments[j]["head"] < 0:
                text = f"{symbol} moves between {low} and {high}; no order works"
                yield Event(bar, "intrabar", Kind.PATH, text, symbol)
                continue
            walk = walk_of(self.machine, bar, j)
            assert walk is not None
            self.walks[j] = walk
            if account["path_policy"] == PathPolicy.DETAIL and is_detailed(self.machine, bar, j):
                text = f"{symbol} goes {walk.text()} (detail: the lower bars say so)"
                yield Event(bar, "intrabar", Kind.PATH, text, symbol)
                continue
            net, hurts = float(net_position(book, j)), int(adverse(book, j))
            why = words.path_reason(account, net, hurts, prices, walk.tick, walk.low_first)
            first = "low" if walk.low_first else "high"
            text = f"{symbol} goes {walk.text()}, {first} first ({why})"
            yield Event(bar, "intrabar", Kind.PATH, text, symbol)

    def _outcome(self, bar: int, phase: Phase, before: View, took_inbox: bool) -> Iterator[Event]:
        moment = "close" if took_inbox and phase is Phase.CLOSE else "open"
        entries = self.script.script.get((moment, bar), []) if took_inbox else []
        pairs = {frozenset(pair) for pair in self.script.waiting.items()}
        outcome = Outcome(self.machine, before, phase, bar, self.names, self.walks, pairs)
        if entries:
            changes = Changes(self.machine, before, self.names, entries)
            for name, text in changes.sentences():
                yield Event(bar, phase.word, Kind.ORDER, text, "", name)
            outcome.told |= changes.told
        for number, text, fill in outcome.sentences():
            fills = self.machine.book.fills
            j = int((outcome.orders[number] if number >= 0 else fills[fill])["instrument"])
            kind = Kind.ORDER if fill < 0 else Kind.FILL
            symbol = self.machine.market.symbols[j]
            reason = "" if fill < 0 else FillReason(int(fills[fill]["reason"])).word
            name = self.names.get(number, reason)
            yield Event(bar, phase.word, kind, text, symbol, name, fill)

    def _waiting(self, bar: int, before: View) -> Iterator[Event]:
        """Why what works has not triggered."""
        book = self.machine.book
        working = View.of(self.machine).working
        for j, symbol in enumerate(self.machine.market.symbols):
            orders = [o for o in working.values() if o["instrument"] == j]
            prices = prices_of(self.machine, bar, j)
            if prices is None:
                if orders:
                    names = words.listed([self.names[int(o["id"])] for o in orders])
                    goes = "goes" if len(orders) == 1 else "go"
                    text = f"{names} {goes} on working: {symbol} has no bar"
                    yield Event(bar, "intrabar", Kind.WAIT, text, symbol)
                continue
            for order in orders:
                number = int(order["id"])
                name = self.names[number]
                if order["type"] == OrderType.MOC:
                    text = f"{name}: waits for the close"
                elif is_market(order):
                    rest = words.quantity(order["qty"] - order["filled"])
                    text = f"{name}: {rest} to fill, waits for the next open"
                else:
                    is_new = number not in before.working
                    why = words.waits_text(order, book.instruments[j], *prices[1:3], is_new)
                    text = f"{name}: {why}"
                yield Event(bar, "intrabar", Kind.WAIT, text, symbol, name)

    def _margin(self, bar: int, called: bool, figures: str) -> Iterator[Event]:
        if called:
            why = figures or "after the orders on the close, the equity is below the maintenance"
            yield Event(bar, "close", Kind.MARGIN, f"MARGIN CALL: with {why}")
        elif figures:
            yield Event(bar, "close", Kind.MARGIN, f"margin: with {figures}")
