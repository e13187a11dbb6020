"""One lane: a machine that begins again at each decision, and how its campaigns end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.engine.prepared import Prepared
from intrabar.engine.run import Run, Setup
from intrabar.model.bars import Floats
from intrabar.model.enums import Word
from intrabar.sim.state import ACCOUNT, WAKE_FLAT, WAKE_HELD
from intrabar.sim.tables import address_of
from intrabar.strategy.bot_record import BOT
from intrabar.strategy.given_side import SIDE
from intrabar.strategy.lane_kernel import (
    NO_MARGIN,
    NOT_FILLED,
    PLAYED,
    REFUSED,
    TOO_SMALL,
    WARMS_UP,
    Bet,
    Campaigns,
    State,
    play,
    until_flat,
)
from intrabar.strategy.running_bot import RunningBot

BAR = (ACCOUNT.names or ()).index("bar")


class Fate(Word):
    """What became of a lane: a campaign, or why there is none."""

    PLAYED = PLAYED
    WARM_UP = WARMS_UP
    SIZE_ZERO = TOO_SMALL
    MARGIN = NO_MARGIN
    REFUSED = REFUSED
    NOT_FILLED = NOT_FILLED


def room_for(rows: int, arms: int) -> Campaigns:
    """Arrays to write campaigns to."""
    shape = rows, arms
    return Campaigns(
        np.empty(shape, np.int8),
        np.empty(shape),
        np.empty(shape),
        np.empty(shape, np.int64),
        np.empty(shape, np.int8),
        np.empty(shape, np.bool_),
        np.empty(shape),
    )


class Lane:
    """One machine, played again and again.

    Parameters
    ----------
    setup : Setup
        Of one bot in one instrument.
    prepared : Prepared
    max_bars : bars
    """

    def __init__(self, setup: Setup, prepared: Prepared, max_bars: int) -> None:
        name = next(iter(setup.strategies))
        side = np.zeros((len(setup.market), 1))
        setup = replace(setup, columns={name: {**setup.columns[name], SIDE: side}})
        run = Run(setup, prepared)
        running = run.running[name]
        assert isinstance(running, RunningBot)
        self.running, self.machine = running, run.machine
        machine, record = run.machine, running.record
        machine.wake |= WAKE_FLAT | WAKE_HELD
        record["max_bars"] = max_bars
        record["caller"]["blocked"] = 0  # the gates keep no campaign from beginning
        record["daily_loss"] = 0.0
        own = machine.book.strategies
        own["on_notice"] = until_flat.address
        own["context"] = address_of(record, BOT, (1,))  # an interpreted bot has none
        self.hooks = words(own).copy()
        names = running.exit_p.dtype.names or ()
        at = names.index("atr_multiple")
        by_name = dict(zip(running.names, running.columns, strict=True))
        risk = float(record["risk_fraction"][0])
        self.bet = Bet(
            side,
            running.exit_p.view(np.float64)[at : at + 1],
            by_name["exit_atr"],
            float(setup.account.cash),
            risk,
        )
        for hook in ("on_open", "on_close", "on_notice"):
            own[hook] = 0
        self.state = self._words()
        self.first = State(*(x.copy() for x in self.state))
        self._flat = State(*(x.copy() for x in self.state))

    def play(
        self, rows: NDArray[np.int64], sides: NDArray[np.int8], arms: Floats, out: Campaigns
    ) -> None:
        """As `Lanes.play`, into arrays that are given."""
        if len(rows) == 0:
            return
        if self._flat.account[BAR] > rows[0]:
            for now, then in zip(self._flat, self.first, strict=True):
                now[:] = then
        at = 0
        while True:
            at, code = play(
                self.machine.book_address,
                self.machine.tape_address,
                self.state,
                self._flat,
                self.hooks,
                self.bet,
                rows,
                sides,
                arms,
                at,
                out,
            )
            if not self.machine.goes_on(code):
                return

    def _words(self) -> State:
        book, running = self.machine.book, self.running
        parts = (book.account, book.instruments, book.sleeves, book.strategies)
        return State(*map(words, (*parts, running.record, running.counts, running.held)))


def words(records: NDArray[Any]) -> NDArray[np.int64]:
    """Records as the words of 8 bytes that they are: a view of them."""
    return records.reshape(-1).view(np.int64)
