"""Campaigns apart: each in an account of its own, played on as the rows of a session come.

There is one machine for all of them. It is flat between two rows; for each campaign it is put to
where that one stands, plays the row, and is read again. As with lanes, nothing here fills, stops
or costs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.data.pieces import Piece
from intrabar.engine.chunks.laid import LaidRun
from intrabar.engine.session.bandits import States
from intrabar.engine.session.plan import Plan
from intrabar.engine.waking import allowed
from intrabar.model.bars import Market
from intrabar.model.enums import RunStatus
from intrabar.risk.limits import Limits
from intrabar.sim.state import STEP_ON_CLOSE, Book
from intrabar.strategy.bot import Bot
from intrabar.strategy.given_side import SIDE, told_side
from intrabar.strategy.learner_record import DECISION
from intrabar.strategy.running_bot import RunningBot


class Moment(NamedTuple):
    """Where a campaign stands: the market's memory, and the bot's."""

    book: Book
    counts: NDArray[np.int64]
    held: NDArray[np.int64]
    own: tuple[NDArray[Any], ...]


@dataclass
class Campaign:
    """A campaign by itself.

    Parameters
    ----------
    column : int
        Of its instrument.
    budget : float, account currency
        NaN where nothing was ordered.
    moment : Moment or None
        None: it is over.
    net : float, account currency
        NaN where there was no campaign, as after an order that was refused.
    closed : bar
        -1 while it is open.
    """

    column: int
    budget: float
    moment: Moment | None
    net: float = float("nan")
    closed: int = -1

    @property
    def score(self) -> float:
        """Net profit / budget."""
        return self.net / self.budget


class Apart:
    """A bot that is told its side, on the rows of a session.

    Parameters
    ----------
    plan : Plan
    name : str
    bot : Bot
    trade_from : int, ns UTC
    states : States

    Attributes
    ----------
    decided : (k,) DECISION and (k, K + d) float64
        What a learned exit has decided in the row that was played last, in the campaign that
        was: lines of its log, and the scores and contexts beside them.
    """

    def __init__(self, plan: Plan, name: str, bot: Bot, trade_from: int, states: States) -> None:
        gates = replace(bot.gates, min_atr=0.0, daily_loss=0.0)
        told = replace(bot, entry=told_side(bot.entry), warm_up=0, gates=gates)
        self._name, self._cash, self._trade_from = name, plan.account.cash, trade_from
        self._bots = {name: told}
        own = replace(plan, strategies=self._bots, shadowed={}, limits=Limits())
        self._laid = LaidRun(own, True, states=states)
        self.decided = np.zeros(0, DECISION), np.zeros((0, 0))

    @property
    def running(self) -> RunningBot:
        """The bot in its run."""
        found = self._laid.running[self._name]
        assert isinstance(found, RunningBot)
        return found

    @property
    def is_laid(self) -> bool:
        """Whether there has been a row."""
        return hasattr(self._laid, "machine")

    def lay(self, market: Market, wakes: NDArray[np.uint8]) -> None:
        """Lay rows before it."""
        bits = allowed(self._bots, market.time, self._trade_from, wakes)
        self._laid.lay(Piece(market, False, ()), bits)

    def forget(self) -> None:
        """Let go of the rows that nobody reads any more."""
        self._laid.window.forget()

    def wait(self, end: int) -> None:
        """Stay flat up to a bar."""
        self._laid.machine.advance(end)

    def play(self, campaign: Campaign, bar: int) -> None:
        """Play a row in a campaign that is open."""
        assert campaign.moment is not None
        flat = self._moment()
        self._put(campaign.moment)
        before = self._decisions()
        self._laid.machine.advance(bar + 1)
        self._read(campaign, bar, before)
        self._put(flat)

    def begin(self, bar: int, column: int, side: int) -> Campaign:
        """Begin a campaign at the close of a bar before whose end the machine stands, flat."""
        machine, running = self._laid.machine, self.running
        machine.advance(bar, STEP_ON_CLOSE)
        flat = self._moment()
        account = machine.book.account
        for name in ("cash", "equity", "carried_cash"):
            account[name] = self._cash
        for name in ("fills", "ledger"):
            account[name] = 0
        sides = running.columns[running.names.index(SIDE)]
        draw, before = sides[bar, column], self._decisions()
        sides[bar, column] = side
        machine.advance(bar + 1)
        sides[bar, column] = draw
        campaign = Campaign(column, self._budget(bar, column), None)
        self._read(campaign, bar, before)
        self._put(flat)
        return campaign

    def _budget(self, bar: int, column: int) -> float:
        machine, running = self._laid.machine, self.running
        if int(machine.book.account["orders"][0]) == 0:
            return float("nan")
        risk = float(running.record["risk_fraction"][0])
        if risk > 0.0:
            return risk * self._cash
        atr = float(running.columns[running.names.index("exit_atr")][bar, column])
        order, x = machine.book.orders[0], machine.book.instruments[column]
        return float(order["qty"]) * float(x["point_value"]) * atr

    def _decisions(self) -> int:
        learner = self.running.learner
        return 0 if learner is None else int(learner.record["decisions"][0])

    def _read(self, campaign: Campaign, bar: int, before: int) -> None:
        """Note where a campaign stands, or how it has ended; and what was decided in its row."""
        machine, learner = self._laid.machine, self.running.learner
        if learner is not None:
            # The lines before are of whichever campaign was played last.
            log = learner.logged()
            self.decided = log.decisions[before:].copy(), log.values[before:].copy()
        ruined = machine.status is RunStatus.RUINED
        sleeve = machine.book.sleeves[campaign.column]
        if not ruined and (sleeve["qty"] != 0.0 or int(machine.book.account["working"][0]) > 0):
            campaign.moment = self._moment()
            return
        campaign.moment, campaign.closed = None, bar
        fills = machine.fills()
        if len(fills):
            campaign.net = float(fills["realized"].cumsum()[-1] - fills["cost"].cumsum()[-1])
            if sleeve["qty"] != 0.0:  # its liquidation waits: marked, as the account is
                x = machine.book.instruments[campaign.column]
                open_profit = sleeve["qty"] * (x["mark"] - sleeve["avg"]) * x["point_value"]
                campaign.net += float(open_profit)

    def _moment(self) -> Moment:
        running = self.running
        own = () if running.learner is None else running.learner.checkpoint()
        return Moment(self._laid.machine.copied(), running.counts.copy(), running.held.copy(), own)

    def _put(self, moment: Moment) -> None:
        running = self.running
        self._laid.machine.put_back(moment.book)
        running.counts[:], running.held[:] = moment.counts, moment.held
        if running.learner is not None:
            running.learner.return_to(moment.own)
