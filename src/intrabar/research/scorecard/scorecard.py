"""The scorecard of a learned exit: whether it is better than the best exit that learns nothing.

Its figures follow from plain values (`Evidence`). A look is written to the ledger before they are
shown, and deflates them with all that came before it.

Sources
-------
- Politis, Romano (1994); Politis, White (2004), for the interval: see `analysis/bootstrap`.
- Bailey, Lopez de Prado: The Deflated Sharpe Ratio, Journal of Portfolio Management 40 (2014).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from intrabar.analysis.figure import Figure, Undefined
from intrabar.analysis.told import NEXT, WARNING, Told
from intrabar.model.bars import Floats
from intrabar.model.instant import instant_text
from intrabar.research.scorecard.account import (
    AccountDifference,
    DeflatedDifference,
    account_json,
    deflated,
    difference_of,
)
from intrabar.research.scorecard.evidence import Evidence, Training
from intrabar.research.scorecard.looks import Look, first_seen, looked
from intrabar.research.scorecard.pairs import (
    Compared,
    against_own_shares,
    best_of_test,
    compared,
    differences,
    groups_of,
    shares_of,
    timing,
)
from intrabar.research.scorecard.rival import Rival, rivals_of
from intrabar.research.scorecard.verdict import Verdict, verdict_of
from intrabar.research.sweep.ledger import Ledger

LEFT_OUT = 0.05  # share of entries without a pair that is worth a word


@dataclass(frozen=True, eq=False)
class Figures:
    """What a scorecard says of its evidence before any look is counted.

    Parameters
    ----------
    rivals : tuple of Rival
        One a window; the first question is about them.
    d : (n,) float64
        Learned less rival at each entry; NaN without a pair.
    pairs, other_path : Compared
    groups : mapping of "side", "symbol", "year", "window" to Compared
    against : mapping of str to Compared
        Told, no gate: the user's own arm, the best arm of the test, the exit's own arms drawn by
        their shares.
    shares : (K,) float64 or Undefined
        How often each arm was taken.
    timing : probability or Undefined
    account : AccountDifference
    """

    rivals: tuple[Rival, ...]
    d: Floats
    pairs: Compared
    other_path: Compared
    groups: Mapping[str, tuple[Compared, ...]]
    against: Mapping[str, Compared]
    shares: Floats | Undefined
    timing: Figure
    account: AccountDifference


@dataclass(frozen=True, eq=False, repr=False)
class Scorecard:
    """A learned exit against the best static one.

    Parameters
    ----------
    evidence : Evidence
    figures : Figures
    looks : tuple of Look
        All that count, this one last.
    deflated : DeflatedDifference
    verdict : Verdict
    seed : int
    """

    evidence: Evidence
    figures: Figures
    looks: tuple[Look, ...]
    deflated: DeflatedDifference
    verdict: Verdict
    seed: int

    @property
    def remarks(self) -> list[str]:
        """What to know before believing the figures."""
        evidence, figures = self.evidence, self.figures
        arms = evidence.arms.tolist()
        told = [*evidence.remarks, *(one.told(arms) for one in figures.rivals)]
        missing = len(figures.d) - figures.pairs.pairs
        if missing:
            share = missing / len(figures.d)
            warned = WARNING if share > LEFT_OUT else ""
            told.append(
                f"{warned}{missing} of {len(figures.d)} entries are no pair: one of the two has no "
                "campaign there (size, margin, no market)"
            )
        moment = figures.against.get("its own arms by their shares")
        if moment is not None and moment.mean is not None and moment.mean <= 0.0:
            told.append("it knows the arm, not the moment: its own arms at random do as well")
        seeds = evidence.training.seeds
        if seeds:
            told.append(
                f"trained with the seeds {', '.join(map(str, seeds))}, of which the train chose: "
                "they deflate nothing"
            )
        return told

    def as_json(self) -> dict[str, Any]:
        """Plain values; what has none is null, with the reason beside it."""
        evidence, figures = self.evidence, self.figures
        arms = evidence.arms.tolist()
        shares = figures.shares
        first, last = evidence.test
        return {
            "verdict": {
                "word": self.verdict.word,
                "sentence": self.verdict.sentence,
                "reasons": list(self.verdict.reasons),
                "pairs_needed": self.verdict.pairs_needed,
            },
            "bot": evidence.bot,
            "symbols": list(evidence.entries.symbols),
            "policy": {"name": evidence.training.name, "hash": evidence.training.hash},
            "test": [instant_text(first), instant_text(last)],
            "windows": [
                {
                    "name": window.name,
                    "train": [instant_text(x) for x in window.train],
                    "test": [instant_text(x) for x in window.test],
                    "rival": arms[rival.arm],
                    "means": [_or_none(x) for x in rival.means],
                    "rows": rival.rows,
                    "of_every_bar": rival.of_every_bar,
                }
                for window, rival in zip(evidence.windows, figures.rivals, strict=True)
            ],
            "arms": arms,
            "shares": None if isinstance(shares, Undefined) else shares.tolist(),
            "pairs": figures.pairs.as_json(),
            "paths": {
                evidence.paths[0]: figures.pairs.as_json(),
                evidence.paths[1]: figures.other_path.as_json(),
            },
            **{f"by_{k}": [x.as_json() for x in v] for k, v in figures.groups.items()},
            "against": {name: x.as_json() for name, x in figures.against.items()},
            "timing_p": None if isinstance(figures.timing, Undefined) else figures.timing,
            "account": account_json(figures.account, self.deflated),
            "canaries": None
            if evidence.training.canaries is None
            else [
                {"name": name, "holds": holds, "told": told}
                for name, holds, told in evidence.training.canaries
            ],
            "trained_seeds": list(evidence.training.seeds),
            "seed": self.seed,
            "remarks": self.remarks,
        }

    def __repr__(self) -> str:
        return self._told().text()

    def _repr_html_(self) -> str:
        return self._told().html()

    def rows(self) -> list[tuple[str, str]]:
        """Names and figures, the first ones first."""
        figures, evidence = self.figures, self.evidence
        pairs, account = figures.pairs, figures.account
        rows = [
            ("pairs", f"{pairs.pairs:,} on {pairs.days:,} days"),
            ("difference a pair", pairs.text),
            (f"path {evidence.paths[1]}", figures.other_path.text),
            *((f"against {name}", x.text) for name, x in figures.against.items()),
            ("timing", _told_p(figures.timing)),
            ("account", f"{account.learned:+.1%} learned, {account.static:+.1%} static"),
            ("looks", str(self.deflated.looks)),
            ("deflated Sharpe ratio", _told_share(self.deflated.probability)),
        ]
        for kind, found in figures.groups.items():
            if kind != "symbol" or len(found) > 1:
                rows += [(f"{kind} {x.name}", f"{x.text}, {x.pairs:,} pairs") for x in found]
        if not isinstance(figures.shares, Undefined):
            taken = [
                f"{arm:g} {share:.0%}"
                for arm, share in zip(evidence.arms, figures.shares, strict=True)
                if share > 0.0
            ]
            rows.append(("arms taken", ", ".join(taken)))
        return rows

    def _told(self) -> Told:
        after = f"{NEXT}card.as_json() has every figure"
        return Told(self.verdict.sentence, "", self.rows(), [*self.remarks, after])


def figures_of(evidence: Evidence, seed: int = 0) -> Figures:
    """All figures that no look changes.

    Parameters
    ----------
    evidence : Evidence
    seed : int
        Of everything that is drawn.

    Raises
    ------
    UsageError
        There is no rival on a train.
    """
    entries, day = evidence.entries, evidence.entries.day
    rivals = rivals_of(evidence)
    arm = np.array([one.arm for one in rivals], np.int64)[entries.window]
    d = differences(entries, arm)
    other = differences(entries, arm, other=True)
    against: dict[str, Compared] = {}

    def hold(name: str, difference: Floats) -> None:
        against[name] = compared(name, difference, day, seed)

    n = len(entries)
    if evidence.own is not None:
        name = f"arm {evidence.arms[evidence.own]:g}, your own"
        hold(name, differences(entries, np.full(n, evidence.own)))
    best = best_of_test(evidence)
    if best is not None:
        name = f"arm {evidence.arms[best]:g}, the best of the test"
        hold(name, differences(entries, np.full(n, best)))
    shares = shares_of(evidence)
    if not isinstance(shares, Undefined):
        hold("its own arms by their shares", against_own_shares(evidence, shares))
    return Figures(
        rivals,
        d,
        compared("all", d, day, seed),
        compared("all", other, day, seed),
        groups_of(evidence, d, seed),
        against,
        shares,
        timing(evidence, seed),
        difference_of(evidence.returns, seed),
    )


def look_of(evidence: Evidence, figures: Figures, seed: int) -> Look:
    """The line of the ledger that stands before the figures are shown."""
    first, last = evidence.test
    return Look(
        evidence.bot,
        evidence.entries.symbols,
        first,
        last,
        evidence.training.hash,
        seed,
        evidence.data,
        figures.account.sharpe,
    )


def judged(evidence: Evidence, figures: Figures, looks: Sequence[Look], seed: int = 0) -> Scorecard:
    """The scorecard, with all looks that count; the last is its own."""
    sharpes = [math.nan if one.sharpe is None else one.sharpe for one in looks]
    after = deflated(figures.account, sharpes)
    verdict = verdict_of(
        figures.pairs,
        figures.other_path,
        figures.groups["window"],
        after.probability,
        evidence.training,
    )
    return Scorecard(evidence, figures, tuple(looks), after, verdict, seed)


def scorecard(evidence: Evidence, ledger: Ledger, seed: int = 0) -> Scorecard:
    """Work out the figures, write the look, and give the scorecard.

    Raises
    ------
    UsageError
        There is no rival on a train.
    RunError
        The look cannot be written: then nothing is shown.
    """
    evidence = replace(evidence, training=_witnessed(evidence, ledger))
    figures = figures_of(evidence, seed)
    looks = looked(ledger, look_of(evidence, figures, seed))
    return judged(evidence, figures, looks, seed)


def _witnessed(evidence: Evidence, ledger: Ledger) -> Training:
    """The training, in doubt where it is declared and the test is of bars before the first look."""
    training = evidence.training
    if not training.declared:
        return training
    seen = first_seen(ledger, training.hash)
    if seen is not None and int(np.datetime64(seen[:19], "ns").astype(np.int64)) < evidence.test[0]:
        return training
    since = "now" if seen is None else seen
    doubt = (
        f"when it was trained is declared, not witnessed: it was first looked at {since}, and only "
        "later bars can prove it"
    )
    return replace(training, doubts=(*training.doubts, doubt))


def _or_none(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _told_p(value: Figure) -> str:
    if isinstance(value, Undefined):
        return f"unknown: {value.reason}"
    return f"its decisions dealt to other entries do as well in {value:.1%} of the shifts"


def _told_share(value: Figure) -> str:
    return f"unknown: {value.reason}" if isinstance(value, Undefined) else f"{value:.1%}"
