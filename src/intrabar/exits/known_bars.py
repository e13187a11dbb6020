"""A run never trades, unasked, what its model or its bandit has learned from."""

from __future__ import annotations

import numpy as np

from intrabar.errors import ConfigError
from intrabar.indicators.indicator import Times
from intrabar.model.instant import instant_text


def refuse_known_bars(what: str, field: str, until: int, time: Times) -> None:
    """Refuse bars at an instant, or before it.

    Parameters
    ----------
    what : str
        What has learned from them: "policy policies/trend", "state state/trend/ES.json".
    field : str
        What the instant is called: "trained_until", "learned_until".
    until : int, ns UTC
        The last instant that anything was learned from.
    time : (n,) int64, ns UTC
        Closes of the bars that may be traded, rising.

    Raises
    ------
    ConfigError
        With the instant, the first bar, and how many there are.
    """
    known = int(np.searchsorted(time, until, side="right"))
    if known == 0:
        return
    after = f"'{instant_text(int(time[known]))}'" if known < len(time) else "a later time"
    raise ConfigError(
        f"{what}: {field} is {instant_text(until)}, and the first bar traded is "
        f"{instant_text(int(time[0]))}: it knows {known:,} of {len(time):,} bars. Write "
        f"start: {after}, or in_sample: true in the exit, which the result then says"
    )
