"""The rows of a session, laid behind each other: the market of its run and of its shadows."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from intrabar.data.heard import Heard
from intrabar.data.pieces import Piece
from intrabar.engine.chunks.laid import LaidRun
from intrabar.engine.session.bandits import states_of_start
from intrabar.engine.session.lived_rows import wakes_of
from intrabar.engine.session.plan import Plan
from intrabar.engine.session.row import ClosedRow, market_of
from intrabar.engine.session.shadows import Shadows
from intrabar.engine.waking import allowed
from intrabar.indicators.given import Request
from intrabar.model.bars import Action


class Laying:
    """Rows become a market, as they come.

    Parameters
    ----------
    plan : Plan
    started : mapping
        What `session.started` says.
    predicted : mapping of Request to Heard
        What the models have said so far; it grows while rows come.
    silent : container of str
        Strategies whose hooks are not called.

    Attributes
    ----------
    run : LaidRun
        It has a machine once rows are laid.
    shadows : Shadows
    """

    def __init__(
        self,
        plan: Plan,
        started: Mapping[str, Any],
        predicted: Mapping[Request, Heard],
        silent: Container[str],
    ) -> None:
        self._plan = replace(plan, predicted=predicted)
        self._trade_from = int(started["trade_from"])
        states = states_of_start(started)
        self.run = LaidRun(self._plan, True, 1, silent, states)
        self.shadows = Shadows(self._plan, self._trade_from, states)
        self._closes = np.full(len(plan.instruments), np.nan)
        self._actions: tuple[Action, ...] = ()

    def lay(self, rows: list[ClosedRow], first: int) -> None:
        """Lay the rows that come next; `first`: the number of their first one."""
        plan = self._plan
        market = market_of(rows, plan.symbols, plan.period, self._closes.tolist(), first)
        self._closes = market.close[-1].copy()
        self._actions += market.actions  # a tape has all so far: the account counts them
        if self._actions:
            market = replace(market, actions=self._actions)
        wakes = wakes_of(rows, sees_opens=plan.broker is None)
        bits = allowed(plan.strategies, market.time, self._trade_from, wakes)
        self.run.lay(Piece(market, False, ()), bits)
        self.shadows.lay(market, wakes_of(rows))
