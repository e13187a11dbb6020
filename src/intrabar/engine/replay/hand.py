"""The desk of a replay at which a person sits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from intrabar.engine.run import Run
from intrabar.strategy.desk import Desk


class Hand(Desk):
    """Leaves commands where the replay stands, so that the line remembers them.

    Parameters
    ----------
    run : Run
    strategy, column : int
        Row of the strategy, column of the instrument.
    take : callable
        Carries out what puts one command into the inbox.
    """

    def __init__(
        self, run: Run, strategy: int, column: int, take: Callable[[Callable[[], int]], int]
    ) -> None:
        super().__init__(run.machine, strategy, column, {}, run.frames.history({}), run.clock)
        self.take = take
        run.machine.on_growth.append(self.refresh)

    def put(self, kind: int, **values: Any) -> int:
        """Leave a command in the inbox, where the replay stands."""
        return self.take(lambda: super(Hand, self).put(kind, **values))
