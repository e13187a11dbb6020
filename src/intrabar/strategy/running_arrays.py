"""What signals and weights have in common in a run: arrays that a hook reads, and their gates."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.sim.machine import Machine
from intrabar.sim.tables import address_of
from intrabar.strategy.caller import GATES
from intrabar.strategy.gates import Timetable, counted


class RunningArrays:
    """Arrays over the bars of a market, to be connected to a machine.

    Parameters
    ----------
    symbols : sequence of str
        Of the market's columns.
    """

    is_compiled = True

    def __init__(self, symbols: tuple[str, ...]) -> None:
        self.symbols = symbols
        self.counts = np.zeros((len(symbols), GATES), np.int64)

    def fill(
        self, own: Any, machine: Machine, row: int, table: Timetable | None, *, at_open: bool
    ) -> None:
        """Name the market, the gates and where they count to the kernels.

        Parameters
        ----------
        own : record with `caller` and `close`
        machine : Machine
            Over the market that it shows now.
        row : int
            Of the strategy in the machine.
        table : Timetable, optional
            None: no gates.
        at_open : bool
            The hook that enters runs at OPEN, so that gates are asked about that.
        """
        close = machine.market.close
        caller = own["caller"]
        caller["strategy"] = row
        caller["book"] = machine.book_address
        caller["instruments_count"] = len(self.symbols)
        own["close"] = address_of(close, np.float64, close.shape)
        caller["counts"] = address_of(self.counts, np.int64, self.counts.shape)
        self.table = table  # kept alive: the kernels have addresses only
        if table is not None:
            blocked = table.at_open if at_open else table.blocked
            caller["blocked"] = address_of(blocked, np.uint8, close.shape)
            caller["flatten"] = address_of(table.flatten, np.uint8, close.shape)

    def gate_counts(self) -> list[tuple[str, str, int]]:
        """(symbol, gate, how often it blocked), where it did."""
        return counted(self.counts, self.symbols)

    def checkpoint(self) -> NDArray[np.int64]:
        """What the gates have counted; nothing else is remembered from bar to bar."""
        return self.counts.copy()

    def return_to(self, checkpoint: NDArray[np.int64]) -> None:
        """Put back what a checkpoint holds."""
        self.counts[:] = checkpoint
