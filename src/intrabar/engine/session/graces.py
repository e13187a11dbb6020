"""How long a row waits for its bars, and how long after its close its entries are still made."""

from __future__ import annotations

from math import isfinite

import msgspec

from intrabar.engine.session.clocks import SECOND_NS
from intrabar.errors import ConfigError
from intrabar.model.bars import DAY_NS
from intrabar.model.facts import SourceCan


def close_grace(can: SourceCan, period: int) -> int:
    """How long (ns) a row waits for bars that are not there: by the source, half a bar at most."""
    lag = max(can.lag, can.lag_daily) if period >= DAY_NS else can.lag
    seconds = lag + 2.0 + (0.0 if can.streams else 7.0)
    if period >= DAY_NS:
        seconds = max(seconds, 900.0)
    return min(round(seconds * SECOND_NS), period // 2)


def act_within(grace: int, period: int) -> int:
    """How long (ns) after its close a row may be sealed, and its entries still be made."""
    return grace + min(max(period // 4, 10 * SECOND_NS), 6 * 3600 * SECOND_NS)


class Graces(msgspec.Struct, frozen=True):
    """How long is waited, in seconds; None: by the source and the period.

    Parameters
    ----------
    close_grace, act_within : seconds, above 0
        For bars that are missing, at most half a period; for entries of a row.
    """

    close_grace: float | None = None
    act_within: float | None = None

    def in_ns(self, can: SourceCan, period: int) -> tuple[int, int]:
        """`close_grace` and `act_within`.

        Raises
        ------
        ConfigError
        """
        for name in ("close_grace", "act_within"):
            value = getattr(self, name)
            if value is not None and not (isfinite(value) and value > 0.0):
                raise ConfigError(f"live.{name}: is {value}, must be seconds above 0")
        grace = close_grace(can, period)
        if self.close_grace is not None:
            grace = round(self.close_grace * SECOND_NS)
            if grace > period // 2:
                raise ConfigError(
                    f"live.close_grace: is {self.close_grace:g} s, must be at most half a bar, "
                    f"{period / 2 / SECOND_NS:g} s"
                )
        if self.act_within is None:
            return grace, act_within(grace, period)
        return grace, round(self.act_within * SECOND_NS)
