"""The verdict of a scorecard, from its figures alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from intrabar.analysis.figure import Figure, Undefined
from intrabar.research.scorecard.evidence import Training
from intrabar.research.scorecard.pairs import Compared

Word = Literal["worth it", "not worth it", "open"]

FEWEST_PAIRS, FEWEST_DAYS = 100, 60
SURE = 0.95  # of the deflated Sharpe ratio


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the learned exit is worth it.

    Parameters
    ----------
    word : {"worth it", "not worth it", "open"}
    reasons : tuple of str
        What keeps it from being worth it; none where it is.
    pairs_needed : int or None
        Of an open one: pairs that would decide if mean and spread stay what they are. None where
        the number of pairs is not what is missing.
    """

    word: Word
    reasons: tuple[str, ...]
    pairs_needed: int | None = None

    @property
    def sentence(self) -> str:
        """The answer."""
        if self.word == "worth it":
            return "Worth it: it is better than the best static exit, as far as these bars tell."
        told = "; ".join(self.reasons)
        if self.word == "not worth it":
            return f"Not worth it: {told}."
        needed = "" if self.pairs_needed is None else f" It would take {self.pairs_needed:,} pairs."
        return f"Open: {told}.{needed}"


def verdict_of(
    pairs: Compared,
    other_path: Compared,
    windows: Sequence[Compared],
    deflated: Figure,
    training: Training,
) -> Verdict:
    """The verdict.

    Parameters
    ----------
    pairs, other_path : Compared
        Over all pairs, under the path of the configuration and under the opposite one.
    windows : sequence of Compared
        Those that have pairs.
    deflated : float or Undefined
        Probability that the Sharpe ratio of the account's difference is above 0, after its looks.
    training : Training
    """
    fallen = [
        f"canary {name}: {told}" for name, holds, told in training.canaries or () if not holds
    ]
    if fallen:
        return Verdict("not worth it", tuple(fallen))
    interval = pairs.interval
    if not isinstance(interval, Undefined) and interval.high <= 0.0:
        high = f"the upper end of the difference, {interval.high:+.4f}, is not above 0"
        return Verdict("not worth it", (high,))
    reasons = [*_too_few(pairs), *_weak(pairs, other_path, windows, deflated)]
    if training.canaries == ():
        reasons.append("none of its canaries is known")
    reasons += training.doubts
    if not reasons:
        return Verdict("worth it", ())
    return Verdict("open", tuple(reasons), pairs_needed(pairs))


def pairs_needed(pairs: Compared) -> int | None:
    """Pairs from which the interval would lie on one side of 0, mean and spread staying.

    None where it does already and there are enough, or where nothing can be said.
    """
    interval, mean = pairs.interval, pairs.mean
    if isinstance(interval, Undefined) or not mean:
        return None
    reach = mean - interval.low if mean > 0.0 else interval.high - mean
    needed = math.ceil(pairs.pairs * (reach / abs(mean)) ** 2)
    by_days = math.ceil(FEWEST_DAYS * pairs.pairs / pairs.days)
    needed = max(needed, FEWEST_PAIRS, by_days)
    return needed if needed > pairs.pairs else None


def _too_few(pairs: Compared) -> list[str]:
    told = []
    if pairs.pairs < FEWEST_PAIRS:
        told.append(f"{pairs.pairs} pairs, {FEWEST_PAIRS} are needed")
    if pairs.days < FEWEST_DAYS:
        told.append(f"entries on {pairs.days} days, {FEWEST_DAYS} are needed")
    return told


def _weak(
    pairs: Compared, other_path: Compared, windows: Sequence[Compared], deflated: Figure
) -> list[str]:
    told = []
    interval = pairs.interval
    if isinstance(interval, Undefined):
        told.append(f"the difference has no interval: {interval.reason}")
    elif interval.low <= 0.0:
        told.append(f"the lower end of the difference, {interval.low:+.4f}, is not above 0")
    above = sum(one.mean is not None and one.mean > 0.0 for one in windows)
    if 2 * above <= len(windows):
        told.append(f"above 0 in {above} of {len(windows)} windows, most are needed")
    if (pairs.mean or 0.0) * (other_path.mean or 0.0) <= 0.0:
        told.append(
            f"under the other path the difference is {other_path.text}: what it is hangs on what "
            "the bars do not tell"
        )
    if isinstance(deflated, Undefined):
        told.append(f"the account's difference has no deflated Sharpe ratio: {deflated.reason}")
    elif deflated < SURE:
        told.append(
            f"the deflated Sharpe ratio of the account's difference is {deflated:.0%}, "
            f"{SURE:.0%} are needed"
        )
    return told
