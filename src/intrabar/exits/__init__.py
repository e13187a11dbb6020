"""When to leave: rules that place and move the stop and the target of a position.

An exit is a frozen dataclass of numbers with `indicators()`, a static `initial_levels` and, where
it `trails`, a static `update_stop`; a static `wants_out(now, p, side)` may leave at once. They are
small pure functions over (what may be seen, parameters, the position), which run compiled in the
loop and as plain Python under a debugger, with equal bits.
"""

from intrabar.exits.bandit_file import read_state, write_state
from intrabar.exits.bandit_log import Bandit
from intrabar.exits.fixed_percent import FixedPercent
from intrabar.exits.fixed_ratio import FixedRatio
from intrabar.exits.learned import Hybrid, Learned, LinUCB
from intrabar.exits.trailing_atr import TrailingATR

RLTrailingATRExit = SequenceRLATRExit = Learned
"""Names by which others know it."""

__all__ = [
    "Bandit",
    "FixedPercent",
    "FixedRatio",
    "Hybrid",
    "Learned",
    "LinUCB",
    "RLTrailingATRExit",
    "SequenceRLATRExit",
    "TrailingATR",
    "read_state",
    "write_state",
]
