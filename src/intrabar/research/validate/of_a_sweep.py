"""Is the best of a sweep real: how many were tried, and what choosing one is worth."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from intrabar.analysis.figure import Undefined
from intrabar.analysis.overfitting import overfitting
from intrabar.analysis.sharpe import Deflated, deflate, minimum_backtest_length, sharpes
from intrabar.analysis.snooping import snooping
from intrabar.analysis.splits.labels import label_ends
from intrabar.analysis.splits.purged import combinatorial_purged
from intrabar.analysis.splits.walk_forward import walk_forward
from intrabar.errors import UsageError
from intrabar.model.bars import DAY_NS, Floats, Times
from intrabar.research.finding import Mark
from intrabar.research.validate.check import DEFLATED, Check, Drawn, Lines, not_made
from intrabar.research.validate.of_a_run import P_DOUBT, P_PASS, by_probability

OVERFITTING_PASS, OVERFITTING_FAIL = 0.1, 0.5
"""Probability of backtest overfitting. One half is a coin; the authors reject above 0.05, which
takes more days than most histories have."""

BLOCKS = 16
GROUPS, TESTED = 6, 2
"""15 splits, 5 paths (Lopez de Prado 2018, section 12.3)."""

TRAIN, TEST = 2.0, 0.5
"""Years of the windows that choose and of those that prove; shorter where the history is."""


class Trials(NamedTuple):
    """The trials of a sweep, by days.

    Parameters
    ----------
    days : (t,) int64, ns since 1970 UTC
    returns : (t, n) float64, fraction
        NaN where a trial has none.
    best : int
        Column of the trial in question.
    tried : int
        Variants that were ever tried on these bars.
    year : float
        Days in a year.
    horizon : int, days
        How long a position may last: what is purged between a train and a test.
    """

    days: Times
    returns: Floats
    best: int
    tried: int
    year: float = 252.0
    horizon: int = 0

    @property
    def whole(self) -> Floats:
        """The trials that have a return on every day."""
        return self.returns[:, ~np.isnan(self.returns).any(axis=0)]


def sweep_checks(trials: Trials, seed: int = 0) -> list[Check]:
    """Every test that needs no more than the daily returns of the trials."""
    left = deflate(trials.returns, trials.best, trials.tried, seed)
    return [
        deflated(trials, left),
        backtest_length(trials, left),
        overfitted(trials),
        snooped(trials, seed),
        purged_paths(trials),
        walked_forward(trials),
    ]


def deflated(trials: Trials, found: Deflated | Undefined) -> Check:
    """The Sharpe ratio of the best with what is left of it."""
    name = DEFLATED
    assumption = (
        f"The {trials.tried:,} variants of the ledger are all that were tried on these bars; daily "
        "returns are independent of each other and alike over time."
    )
    if isinstance(found, Undefined):
        return not_made(name, found, assumption)
    root = math.sqrt(trials.year)
    return Check(
        name,
        by_probability(found.probability),
        f"{found.probability:.0%} likely above 0",
        f"The annual Sharpe ratio of the best is {found.moments.sharpe * root:.2f}. "
        f"{found.tried:,} variants were tried, as many chances as {found.effective:,.1f} "
        "independent ones; without any skill the best of them would show "
        f"{found.threshold * root:.2f}. The true one is above 0 with a probability of "
        f"{found.probability:.1%}.",
        assumption,
        {
            "probability": found.probability,
            "sharpe": found.moments.sharpe * root,
            "tried": float(found.tried),
            "effective": found.effective,
            "luck": found.threshold * root,
        },
        Drawn(
            sharpes(trials.whole) * root,
            "ratio",
            "trials",
            {"best": found.moments.sharpe * root, "best by luck": found.threshold * root},
        ),
    )


def backtest_length(trials: Trials, found: Deflated | Undefined) -> Check:
    """Whether the history is long enough for so many trials."""
    name = "minimum backtest length"
    assumption = "Trials without skill have Sharpe ratios that are normal and independent."
    if isinstance(found, Undefined):
        return not_made(name, found, assumption)
    sharpe = found.moments.sharpe * math.sqrt(trials.year)
    if sharpe <= 0.0 or found.effective <= 1.0:
        why = "the best has no positive Sharpe ratio" if sharpe <= 0.0 else "there is one trial"
        return not_made(name, why, assumption)
    needed = minimum_backtest_length(found.effective, sharpe)
    have = len(trials.days) / trials.year
    mark: Mark = "pass" if have > needed else "fail"
    return Check(
        name,
        mark,
        f"{needed:,.1f} years",
        f"In so short a time the best of {found.effective:,.1f} independent trials without skill "
        f"is expected to show this Sharpe ratio; there are {have:,.1f} years.",
        assumption,
        {"years_needed": needed, "years": have},
    )


def overfitted(trials: Trials) -> Check:
    """The probability of backtest overfitting."""
    name = "probability of backtest overfitting"
    assumption = (
        "The trials are all that the best was chosen from; a half of the days stands for the other."
    )
    blocks = min(BLOCKS, len(trials.days) // 4 // 2 * 2)
    if trials.whole.shape[1] < 2:
        return not_made(name, "there is one trial only, and nothing to choose from", assumption)
    found = (
        overfitting(trials.returns, blocks)
        if blocks >= 4
        else Undefined(f"{len(trials.days)} days are too few")
    )
    if isinstance(found, Undefined):
        return not_made(name, found, assumption)
    p = found.probability
    mark: Mark = "pass" if p <= OVERFITTING_PASS else "doubt" if p < OVERFITTING_FAIL else "fail"
    return Check(
        name,
        mark,
        f"{p:.1%}",
        f"In {p:.1%} of {len(found.logits):,} ways to halve the days, the trial that was best in "
        f"one half was no better than the median in the other; in {found.loss:.1%} it lost there.",
        assumption,
        {"probability": p, "loss": found.loss, "splits": float(len(found.logits))},
        Drawn(found.logits, "logit", "splits", {"median": 0.0}),
    )


def snooped(trials: Trials, seed: int) -> Check:
    """Hansen's and White's tests of the best against nothing."""
    name = "superior predictive ability"
    assumption = (
        "The trials are all that were tried; what depends on each other in time lies within a "
        "block of the bootstrap."
    )
    found = snooping(trials.returns, seed=seed)
    if isinstance(found, Undefined):
        return not_made(name, found, assumption)
    p = found.consistent
    mark: Mark = "pass" if p <= P_PASS else "doubt" if p <= P_DOUBT else "fail"
    return Check(
        name,
        mark,
        f"p {p:.3f}",
        f"If none of the {found.trials:,} trials made money, the best of them would look as good "
        f"as this with a probability of {p:.1%} (Hansen); {found.reality_check:.1%} by White's "
        "reality check.",
        assumption,
        {"p_value": p, "reality_check": found.reality_check},
    )


def purged_paths(trials: Trials) -> Check:
    """Choosing the best on some groups of days and trading it on the others, path by path."""
    name = "combinatorial cross-validation"
    assumption = (
        f"A position lasts {trials.horizon} days at most, and days next to a test tell nothing "
        "about it beyond that. The past may be chosen on the future."
    )
    whole = trials.whole
    if whole.shape[1] < 2:
        return not_made(name, "there is one trial only, and nothing to choose from", assumption)
    rows = whole.shape[0]
    try:
        made = combinatorial_purged(rows, GROUPS, TESTED, label_ends(rows, trials.horizon))
    except UsageError as error:
        return not_made(name, str(error), assumption)
    tests = [whole[s.test, np.argmax(sharpes(whole[s.train]))] for s in made.splits]
    paths = made.stitch(tests)
    ratios = sharpes(paths.T) * math.sqrt(trials.year)
    lost = float(np.mean(ratios <= 0.0))
    mark: Mark = "pass" if lost == 0.0 else "doubt" if lost < 0.5 else "fail"
    grown = np.cumprod(1.0 + paths, axis=1) - 1.0
    return Check(
        name,
        mark,
        f"{np.median(ratios):.2f}",
        f"The median Sharpe ratio of {len(ratios)} whole histories in which each day was traded by "
        f"what was best on other days; from {ratios.min():.2f} to {ratios.max():.2f}, "
        f"{lost:.0%} of them lost.",
        assumption,
        {"median": float(np.median(ratios)), "lost": lost, "worst": float(ratios.min())},
        Lines(trials.days, {f"path {k + 1}": line for k, line in enumerate(grown)}, "fraction"),
    )


def walked_forward(trials: Trials) -> Check:
    """Choosing the best of the past years and trading it for the next months."""
    name = "walk-forward"
    assumption = (
        "The best is chosen by its Sharpe ratio; a position that is open when a window begins is "
        "carried into it (intrabar walk-forward trades each window anew)."
    )
    whole = trials.whole
    if whole.shape[1] < 2:
        return not_made(name, "there is one trial only, and nothing to choose from", assumption)
    span = min(1.0, len(whole) / trials.year / (2.0 * TRAIN))
    train, test = (max(5, round(part * span * trials.year)) for part in (TRAIN, TEST))
    try:
        ends = label_ends(len(whole), trials.horizon)
        windows = walk_forward(trials.days, train, test, ends=ends)
    except UsageError as error:
        return not_made(name, str(error), assumption)
    chosen = [int(np.argmax(sharpes(whole[w.train]))) for w in windows]
    inside = np.mean([whole[w.train, c].mean() for w, c in zip(windows, chosen, strict=True)])
    outside = np.concatenate([whole[w.test, c] for w, c in zip(windows, chosen, strict=True)])
    rows = np.concatenate([w.test for w in windows])
    ratio = float(sharpes(outside[:, None])[0] * math.sqrt(trials.year))
    kept = float(outside.mean() / inside) if inside > 0.0 else math.nan
    mark: Mark = "fail" if ratio <= 0.0 else "pass" if kept >= 0.5 else "doubt"
    told = "" if math.isnan(kept) else f", {kept:.0%} of what it made a day where it was chosen"
    return Check(
        name,
        mark,
        f"{ratio:.2f}",
        f"The Sharpe ratio of {len(windows)} windows of {test} days, each traded by what was best "
        f"in the {train} days before{told}; {len(set(chosen))} different trials were chosen.",
        assumption,
        {
            "sharpe": ratio,
            "efficiency": None if math.isnan(kept) else kept,
            "windows": float(len(windows)),
            "chosen": float(len(set(chosen))),
        },
        Lines(
            trials.days[rows],
            {"out of sample": np.asarray(np.cumprod(1.0 + outside) - 1.0, np.float64)},
            "fraction",
            {f"window {k + 1}": float(trials.days[w.test[0]]) for k, w in enumerate(windows)},
        ),
    )


def longest_days(bars: Floats, period: int) -> int:
    """Days that the longest campaign lasted, from bars: the horizon of a label.

    Parameters
    ----------
    bars : (m,) float64
    period : ns
    """
    return math.ceil(float(bars.max(initial=0.0)) * period / DAY_NS)
