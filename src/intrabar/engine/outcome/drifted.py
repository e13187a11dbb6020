"""What learned exits read in a run, held against what they were trained on."""

from __future__ import annotations

from collections.abc import Mapping

from intrabar.analysis.drift import drift_of
from intrabar.model.remark import Remark
from intrabar.strategy.lessons import Decided


def drifted(decided: Mapping[str, Decided]) -> list[Remark]:
    """Drift of the last 500 decisions, by strategy: an alarm, or that there can be none.

    Contexts are normalised by the first policy and within 3 deviations; the deciles are those of
    the last one.
    """
    told = []
    for name, one in decided.items():
        policies = one.lessons.policies
        # Of a network that others trained no deciles are known.
        if not policies or not policies[-1].deciles.any():
            continue
        net, last = policies[0].net, policies[-1]
        context = one.log.values[:, len(one.lessons.arms) + 1 :]
        found = drift_of(
            context * net.scale + net.mean, last.features.names, last.deciles, last.psi_limit
        )
        if found is None:
            continue
        if found.alarm:
            said = f"{name}: the features of its last 500 decisions have drifted: {found.told}"
            told.append(Remark(said, severe=True))
        elif found.limit is None:
            told.append(Remark(f"{name}: {found.told}"))
    return told
