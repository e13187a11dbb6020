"""What learned exits say against a run: signals without a decision, and drift."""

from __future__ import annotations

from collections.abc import Mapping

from intrabar.engine.outcome.drifted import drifted
from intrabar.model.remark import Remark
from intrabar.strategy.lessons import Decided

SEVERE_SHARE = 0.2
"""Of the signals: so many without a decision, and the bot is not the one that was meant."""


def remarks_of_learned(decided: Mapping[str, Decided]) -> list[Remark]:
    """What there is to say, by strategy."""
    return [*_undecided(decided), *drifted(decided)]


def _undecided(decided: Mapping[str, Decided]) -> list[Remark]:
    told = []
    for name, one in decided.items():
        asked, missing = int(one.memory["asked"].sum()), int(one.memory["missing"].sum())
        left_out = int(one.memory["undecided"].sum())
        if left_out:
            share = left_out / asked
            told.append(
                Remark(
                    f"{name} did not decide on {left_out:,} of {asked:,} signals ({share:.0%}): a "
                    "feature in the window was not known, or no model was there yet",
                    severe=share > SEVERE_SHARE,
                )
            )
        if missing:
            share, static = missing / asked, one.lessons.arms[one.lessons.static]
            told.append(
                Remark(
                    f"{name} took its static arm, {static:g}, on {missing:,} of {asked:,} signals "
                    f"({share:.0%}): the file of arms has no row of them",
                    severe=share > SEVERE_SHARE,
                )
            )
    return told
