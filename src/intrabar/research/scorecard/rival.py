"""The rival: the best static arm, chosen on the train as one would without a learned exit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from intrabar.errors import UsageError
from intrabar.model.bars import Floats
from intrabar.research.scorecard.evidence import Evidence, Window

FEWEST_ENTRIES = 200  # of the bot on a train; below, rows of every bar are taken
TIED = 1e-9  # means this near are one; the smaller arm is taken


@dataclass(frozen=True, eq=False)
class Rival:
    """The static arm of a window, and what each scored on its train.

    Parameters
    ----------
    window : str
    arm : int
        Its index.
    means : (K,) float64
        NaN of an arm that had no campaign.
    rows : int
        Entries that the means are of.
    of_every_bar : bool
        Whether they are rows of every bar: the bot had too few entries of its own.
    own_entries : int
    """

    window: str
    arm: int
    means: Floats
    rows: int
    of_every_bar: bool
    own_entries: int

    def told(self, arms: Sequence[float]) -> str:
        """One sentence."""
        how = f"over {self.rows:,} entries of the bot on its train"
        if self.of_every_bar:
            how = (
                f"over {self.rows:,} rows of every bar: the bot has {self.own_entries} entries of "
                f"its own there, {FEWEST_ENTRIES} are needed"
            )
        return (
            f"{self.window}: the best static arm is {arms[self.arm]:g}, "
            f"{self.means[self.arm]:+.3f} {how}"
        )


def rivals_of(evidence: Evidence) -> tuple[Rival, ...]:
    """The rival of each window, among the arms that the learned exit has.

    Raises
    ------
    UsageError
        No arm has a campaign on a train.
    """
    return tuple(_rival(one, evidence.learnable) for one in evidence.windows)


def _rival(window: Window, learnable: int) -> Rival:
    there = np.isfinite(window.scores)
    if not there[:, :learnable].any():
        raise UsageError(
            f"{window.name}: no static arm has a campaign on its train, so there is no rival; "
            "begin the data earlier"
        )
    # An arm is compared on the rows that all have, so that none gains by the entries it misses.
    whole = there[:, :learnable].all(axis=1)
    rows = window.scores[whole] if whole.any() else window.scores
    count = np.isfinite(rows).sum(axis=0)
    means = np.where(count > 0, np.nansum(rows, axis=0) / np.maximum(count, 1), np.nan)
    known = np.where(np.isnan(means[:learnable]), -np.inf, means[:learnable])
    arm = int(np.argmax(known >= known.max() - TIED))
    every = window.own_entries < FEWEST_ENTRIES
    return Rival(window.name, arm, means, len(rows), every, window.own_entries)
