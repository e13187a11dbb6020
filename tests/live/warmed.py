"""What the server of processes has loaded before it makes one: the compiled market.

No file of predictions is read here: Polars hangs in a copy of a process that has used it.
"""

from random import Random

from tests.live import folds, kills
from tests.live.worlds import World

__all__ = ["kills"]

folds.live(World("several", 0, 50), 40, Random(0), restarts=1)
