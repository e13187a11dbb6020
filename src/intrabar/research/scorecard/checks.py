"""A scorecard as checks: what each gate of its verdict came to, for `validate` and the page."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from intrabar.analysis.figure import Figure, Undefined
from intrabar.model.bars import DAY_NS, Floats
from intrabar.research.finding import Mark
from intrabar.research.scorecard.pairs import Compared
from intrabar.research.scorecard.scorecard import Scorecard
from intrabar.research.scorecard.verdict import FEWEST_DAYS, FEWEST_PAIRS, SURE
from intrabar.research.validate.check import Bars, Check, Lines, not_made

SCORECARD = "better than the best static exit"
IN_LANES = (
    "Both campaigns of a pair begin at the same close, each by itself, with the costs of the "
    "configuration. Days are resampled in blocks, for what is held together moves together."
)
MARKS: dict[str, Mark] = {"worth it": "pass", "not worth it": "fail", "open": "doubt"}


def scorecard_checks(card: Scorecard) -> list[Check]:
    """The gates of a scorecard in their order, then the arms that were taken."""
    checks = [
        _difference(card),
        _enough(card.figures.pairs),
        _windows(card),
        _paths(card),
        _account(card),
        _training(card),
    ]
    if not isinstance(card.figures.shares, Undefined):
        checks.append(_arms(card))
    return checks


def _difference(card: Scorecard) -> Check:
    name, pairs = SCORECARD, card.figures.pairs
    if isinstance(pairs.interval, Undefined):
        return not_made(name, pairs.interval, IN_LANES)
    low, high = pairs.interval.low, pairs.interval.high
    mark: Mark = "pass" if low > 0.0 else "fail" if high <= 0.0 else "doubt"
    said = {
        "pass": "It is above 0 with 95 % confidence.",
        "fail": "It is not above 0, with 95 % confidence.",
        "doubt": "Chance alone can make as much of it.",
    }[mark]
    rivals = ", ".join(f"{x.window} arm {card.evidence.arms[x.arm]:g}" for x in card.figures.rivals)
    return Check(
        name,
        mark,
        f"{pairs.text} a pair",
        f"The mean difference of scores, net profit by budget, to the static arm that was the best "
        f"on each train ({rivals}). {said}",
        f"{IN_LANES} Mean length of a block: {pairs.interval.block:.1f} days.",
        {"mean": pairs.mean, "low": low, "high": high},
        _cumulated(card, low, high),
    )


def _cumulated(card: Scorecard, low: float, high: float) -> Lines:
    """The differences summed over time, and what they would be at the ends of the interval."""
    d, day = card.figures.d, card.evidence.entries.day
    there = np.isfinite(d)
    days, at = np.unique(day[there], return_inverse=True)
    sums: Floats = np.cumsum(np.bincount(at, d[there]))
    count: Floats = np.cumsum(np.bincount(at)).astype(np.float64)
    lines = {"cumulated": sums, "at the lower end": low * count, "at the upper end": high * count}
    begins = {window.name: float(window.test[0]) for window in card.evidence.windows}
    return Lines(days * DAY_NS, lines, "ratio", begins)


def _enough(pairs: Compared) -> Check:
    enough = pairs.pairs >= FEWEST_PAIRS and pairs.days >= FEWEST_DAYS
    return Check(
        "pairs",
        "pass" if enough else "doubt",
        f"{pairs.pairs:,} on {pairs.days:,} days",
        f"{FEWEST_PAIRS} pairs on {FEWEST_DAYS} days are the least that is believed.",
        "Entries of one day count as one: symbols of a day move together.",
        {"pairs": float(pairs.pairs), "days": float(pairs.days)},
    )


def _windows(card: Scorecard) -> Check:
    windows = card.figures.groups["window"]
    means = {x.name: x.mean for x in windows if x.mean is not None}
    above = sum(mean > 0.0 for mean in means.values())
    return Check(
        "in most windows",
        "pass" if 2 * above > len(means) else "doubt",
        f"above 0 in {above} of {len(means)}",
        "A difference that comes from one window hangs on it.",
        "Windows without a pair are left out.",
        {"above": float(above), "windows": float(len(means))},
        Bars(means, "ratio") if means else None,
    )


def _paths(card: Scorecard) -> Check:
    here, other = card.figures.pairs, card.figures.other_path
    same = (here.mean or 0.0) * (other.mean or 0.0) > 0.0
    return Check(
        "both paths",
        "pass" if same else "doubt",
        f"{other.text} under {card.evidence.paths[1]}",
        "It has the same sign under the other path inside the bars."
        if same
        else "Under the other path inside the bars it has no such sign: what the bars do not tell "
        "decides.",
        "The truth lies between the two paths.",
        {card.evidence.paths[0]: here.mean, card.evidence.paths[1]: other.mean},
    )


def _account(card: Scorecard) -> Check:
    name = "the account, after its looks"
    account, after = card.figures.account, card.deflated
    assumption = (
        "Both bots run whole: an earlier exit frees the next entry. Looks at this bot and symbol "
        "in other ledgers are not known."
    )
    probability: Figure = after.probability
    figures = {"looks": float(after.looks), "sharpe": account.sharpe}
    if isinstance(probability, Undefined):
        return replace(not_made(name, probability, assumption), figures=figures)
    returns = card.evidence.returns
    apart = np.cumsum(returns.learned - returns.static)
    looks = "the first look" if after.looks == 1 else f"look {after.looks}"
    return Check(
        name,
        "pass" if probability >= SURE else "doubt",
        f"{probability:.1%}",
        f"How likely the Sharpe ratio of the difference of daily returns is above 0; this is "
        f"{looks} at this bot and symbol over these days. Learned {account.learned:+.1%}, static "
        f"{account.static:+.1%}.",
        assumption,
        {"deflated": probability, **figures},
        Lines(returns.day * DAY_NS, {"learned less static": apart}, "ratio"),
    )


def _training(card: Scorecard) -> Check:
    training = card.evidence.training
    assumption = "A canary finds a trainer that peeks or does not learn; not every one that errs."
    canaries = training.canaries
    fallen = [f"{name}: {told}" for name, holds, told in canaries or () if not holds]
    if fallen:
        figure, mark, said = f"{len(fallen)} canaries failed", "fail", "; ".join(fallen)
    elif canaries == ():
        figure, mark = "canaries unknown", "doubt"
        said = "; ".join(("none of its canaries is known", *training.doubts))
    elif training.doubts:
        figure, mark, said = "in doubt", "doubt", "; ".join(training.doubts)
    elif canaries is None:
        figure, mark, said = "none", "pass", "Nothing was trained before the test"
    else:
        figure, mark = f"{len(canaries)} canaries passed", "pass"
        said = ", ".join(name for name, _, _ in canaries)
    named: Mark = mark  # type: ignore[assignment]
    return Check("training", named, figure, f"{said[0].upper()}{said[1:]}.", assumption)


def _arms(card: Scorecard) -> Check:
    shares = card.figures.shares
    assert not isinstance(shares, Undefined)
    arms = card.evidence.arms
    taken = {f"arm {arm:g}": share for arm, share in zip(arms, shares.tolist(), strict=True)}
    most = max(taken, key=taken.__getitem__)
    p = card.figures.timing
    timing = (
        f"Whether the moment matters is not known: {p.reason}."
        if isinstance(p, Undefined)
        else f"Its decisions dealt to other entries do as well in {p:.1%} of the shifts."
    )
    one = taken[most] > 0.99
    said = "It is a static exit in all but name. " if one else ""
    figures = {"timing_p": None if isinstance(p, Undefined) else p}
    return Check(
        "arms taken",
        "doubt" if one else "pass",
        f"{most} in {taken[most]:.0%}",
        f"{said}{timing}",
        "Told, no gate.",
        figures,
        Bars(taken, "ratio"),
    )
