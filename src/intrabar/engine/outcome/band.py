"""The ambiguity band: a run repeated under the worst, shortest and best path in its bars."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.engine.run import Run
from intrabar.model.enums import PathPolicy

if TYPE_CHECKING:
    from intrabar.engine.outcome.result import Result

BAND = (PathPolicy.WORST, PathPolicy.SHORTEST, PathPolicy.BEST)


class BandRun(NamedTuple):
    """The run repeated under one path policy."""

    policy: PathPolicy
    end_equity: float
    total_return: float
    campaigns: int
    ambiguous: int
    equity: NDArray[np.float64]

    def __repr__(self) -> str:
        campaigns = f"{self.campaigns:,} campaigns, {self.ambiguous:,} ambiguous"
        return f"<{self.policy.word}: {self.total_return:.2%}, {campaigns}>"


def band_run(result: Result, policy: PathPolicy) -> BandRun:
    """One edge of the ambiguity band; the run itself where it has that policy already."""
    other = result
    if policy is not result.setup.account.path_policy:
        run = Run(result.setup.under(policy))
        run.to_end()
        other = replace(result, run=run, pages=[])
    table, ends_with = other.campaigns, float(other.run.machine.tape.equity[other.bars_done - 1])
    return BandRun(
        policy,
        ends_with,
        ends_with / result.setup.account.cash - 1.0,
        table.height,
        int(table["ambiguous"].sum()),
        other.run.machine.tape.equity[: other.bars_done],
    )
