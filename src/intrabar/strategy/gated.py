"""The gates of a strategy in Python: its entries are kept back, its positions closed in time."""

from __future__ import annotations

from collections.abc import Sequence

from intrabar.model.enums import OrderType, Role, Side, TimeInForce
from intrabar.sim import state
from intrabar.strategy.desk import Desk
from intrabar.strategy.gates import Timetable


class Gated:
    """What the timetable lets a strategy do, told to its desks before each of its hooks.

    Where a gate is closed an order that could open or enlarge a position is cancelled at once, and
    those that rest are taken back at the close; each is counted. At the opens of the flatten the
    position is closed by a market order (reason `session`).

    Parameters
    ----------
    table : Timetable
    desks : sequence of Desk
    """

    def __init__(self, table: Timetable, desks: Sequence[Desk]) -> None:
        self.table = table
        self.desks = desks

    def at_open(self, bar: int) -> None:
        """Before `on_open`: flatten, where it is time to."""
        for desk in self.desks:
            desk.closed_gates = int(self.table.at_open[bar, desk.column])
            if not self.table.flatten[bar, desk.column]:
                continue
            desk.take_back()
            held = desk.position.qty
            if held != 0.0:
                desk.put(
                    state.SUBMIT,
                    side=int(Side.SELL if held > 0.0 else Side.BUY),
                    qty=abs(held),
                    type=OrderType.MARKET,
                    tif=TimeInForce.GTC,
                    role=Role.SESSION,
                    reduce_only=True,
                )

    def at_close(self, bar: int) -> None:
        """Before `on_close`: take back what may not go on resting."""
        for desk in self.desks:
            desk.closed_gates = int(self.table.blocked[bar, desk.column])
            if desk.closed_gates:
                desk.take_back()

    def at_notice(self, bar: int) -> None:
        """Before a notice: its orders start at the close at the earliest."""
        for desk in self.desks:
            desk.closed_gates = int(self.table.blocked[bar, desk.column])
