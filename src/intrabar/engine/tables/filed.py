"""The arms of a file on the bars of a run, and that no row knows the bar that it is of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from intrabar.data.arms import UNKNOWN, ArmsFile, read_arms
from intrabar.errors import ConfigError
from intrabar.exits.learned import Learned
from intrabar.indicators.indicator import Times
from intrabar.model.instant import instant_text
from intrabar.model.remark import Remark
from intrabar.strategy.learner_record import FILED
from intrabar.strategy.lessons import Lessons


def filed_lessons(exit_: Learned, symbols: Sequence[str]) -> Lessons:
    """What an exit trades by that takes its arms from a file; raises as `read_arms`."""
    file = read_arms(exit_.arms)
    arms = tuple(sorted({*file.arms, exit_.static}))
    filed = {}
    for symbol in symbols:
        own = np.flatnonzero(file.symbol == symbol)
        own = own[np.lexsort((file.side[own], file.time[own]))]
        rows = np.zeros(len(own), FILED)
        rows["time"], rows["side"] = file.time[own], file.side[own]
        rows["arm"] = np.searchsorted(arms, file.arm[own])
        filed[symbol] = rows
    return Lessons(arms, filed=filed, static=arms.index(exit_.static), source=file.sha256)


def require_unseen_rows(
    name: str, exit_: Learned, symbols: Sequence[str], traded: Times
) -> list[Remark]:
    """Refuse rows that were trained on the bar that they are of; what is to be said of the others.

    Parameters
    ----------
    name : str
        Of the strategy.
    exit_ : Learned
        With a file of arms.
    symbols : sequence of str
    traded : (t,) int64, ns UTC
        Closes that are traded.

    Raises
    ------
    ConfigError
        A row's `trained_until` is not before its close, or no row is of these bars.
    FileError
        As `read_arms`.
    """
    file = read_arms(exit_.arms)
    is_own = np.isin(file.symbol, list(symbols))
    on_bars = np.isin(file.time, traded)
    read = np.flatnonzero(is_own & on_bars)
    if not len(read):
        raise ConfigError(
            f"{name}: {file.name} has no row at a close of {', '.join(symbols)} from "
            f"{instant_text(int(traded[0]))} to {instant_text(int(traded[-1]))}; its first is "
            f"{file.text(0)}. `time` is that of the close at which an arm is known, in UTC"
        )
    told = _of_training(name, file, read, exit_.in_sample)
    within = is_own & (file.time >= traded[0]) & (file.time <= traded[-1])
    lost = np.flatnonzero(within & ~on_bars)
    if len(lost):
        told.append(
            Remark(
                f"{name}: {len(lost):,} rows of {file.name} are at no close of the run, and are "
                f"not read: the first is {file.text(int(lost[0]))}",
                severe=len(lost) > len(read) // 10,
            )
        )
    return told


def _of_training(name: str, file: ArmsFile, read: Times, in_sample: bool) -> list[Remark]:
    until = file.trained_until[read]
    known = read[until >= file.time[read]]
    told = []
    if len(known):
        first = int(known[0])
        what = (
            f"{len(known):,} of {len(read):,} rows of {file.name} have a trained_until that is not "
            f"before their own close: the first is {file.text(first)}, trained until "
            f"{instant_text(int(file.trained_until[first]))}"
        )
        if not in_sample:
            raise ConfigError(
                f"{name}: {what}. Write start: after them, or in_sample: true in the exit, which "
                "the result then says"
            )
        told.append(Remark(f"{name} is in sample: {what}", severe=True))
    unknown = int((until == UNKNOWN).sum())
    how = "unknown" if unknown == len(read) else "declared, not witnessed"
    told.append(
        Remark(
            f"{name}: when the model of {file.name} was trained is {how}: judge it by what came "
            "after the file was first seen",
            severe=True,
        )
    )
    return told
