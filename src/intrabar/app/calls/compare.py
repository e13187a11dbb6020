"""`ib.learn.compare`: policies side by side, on the same entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from intrabar.analysis.told import Told
from intrabar.app.calls.score import evidence_in
from intrabar.errors import UsageError
from intrabar.model.instant import instant_text
from intrabar.model.values import Bounds, path, shown, whole
from intrabar.research.scorecard.evidence import Entries, Evidence, Scores
from intrabar.research.scorecard.pairs import Compared, compared
from intrabar.research.scorecard.scorecard import Scorecard, scorecard
from intrabar.research.sweep.ledger import LEDGER, Ledger


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Scorecards of several policies, on the entries that all of them have.

    Parameters
    ----------
    cards : tuple of Scorecard
    less_first : tuple of Compared or None
        Score of each less that of the first at the same entries; None of the first.
    remarks : tuple of str
    """

    cards: tuple[Scorecard, ...]
    less_first: tuple[Compared | None, ...]
    remarks: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        both = zip(self.cards, self.less_first, strict=True)
        return {
            "policies": [
                {**card.as_json(), "less_first": None if x is None else x.as_json()}
                for card, x in both
            ],
            "remarks": list(self.remarks),
        }

    def rows(self) -> list[tuple[str, ...]]:
        """A line of words for each policy."""
        made: list[tuple[str, ...]] = []
        for card, less in zip(self.cards, self.less_first, strict=True):
            evidence = card.evidence
            test = " to ".join(instant_text(x)[:10] for x in evidence.test)
            made.append(
                (
                    evidence.training.name,
                    f"{card.figures.pairs.pairs:,}",
                    card.figures.pairs.text,
                    "" if less is None else less.text,
                    card.verdict.word,
                    str(card.deflated.looks),
                    test,
                    ", ".join(map(str, evidence.training.seeds)),
                )
            )
        return made

    def __repr__(self) -> str:
        return self._told().text()

    def _repr_html_(self) -> str:
        return self._told().html()

    def _told(self) -> Told:
        rows = [(row[0], "; ".join(x for x in row[1:] if x)) for row in self.rows()]
        return Told("On the same entries, against the best static exit:", "", rows, [*self.remarks])


def compare(
    policies: Sequence[Any],
    *,
    config: str | Path | Mapping[str, Any],
    name: str | None = None,
    static: float | None = None,
    seed: int = 0,
    out: str | Path = "runs",
    threads: int | None = None,
) -> Comparison:
    """Set policies side by side, on the entries that all of them have.

    Parameters
    ----------
    policies : sequence of path or Policy
        Two or more, as `policy` of `score`.
    config, name, static, seed, out, threads
        As `score`.

    Returns
    -------
    Comparison
        `cards`, `less_first`, `as_json()`. Each is a look.

    Raises
    ------
    UsageError
        There are fewer than two policies, one is there twice, or they have no entry in common.
    """
    if not isinstance(policies, list | tuple) or len(policies) < 2:
        raise UsageError(
            f"policies: are {shown(policies)}, must be a list of two or more; of one there is "
            "learn score"
        )
    seed = whole("seed:", seed, Bounds(whole=True))
    folder = path("out:", out)
    every = [evidence_in(None, config, one, static, name, threads)[0] for one in policies]
    known: dict[str, int] = {}
    for k, one in enumerate(every):
        if known.setdefault(one.training.hash, k) != k:
            raise UsageError(
                f"policies: {one.training.name} is there twice: a policy is not set beside itself, "
                "and each is a look"
            )
    shared = _shared([one.entries for one in every])
    if not shared:
        raise UsageError(
            "compare: the policies have no entry in common: their tests share no time, or they "
            "trade other bars"
        )
    same = [_only(one, shared) for one in every]
    with Ledger(folder / LEDGER) as ledger:
        cards = tuple(scorecard(one, ledger, seed) for one in same)
    first = same[0].entries
    less = [
        compared("less the first", x.entries.here.learned - first.here.learned, first.day, seed)
        for x in same[1:]
    ]
    told = ", ".join(f"{one.training.name} {len(one.entries):,}" for one in every)
    remark = f"{len(shared):,} entries are common to all (of {told}); accounts are of all entries"
    return Comparison(cards, (None, *less), (remark,))


def _keys(entries: Entries) -> list[tuple[int, str, int]]:
    symbols = [entries.symbols[k] for k in entries.symbol.tolist()]
    return list(zip(entries.time.tolist(), symbols, entries.side.tolist(), strict=True))


def _shared(every: Sequence[Entries]) -> set[tuple[int, str, int]]:
    return set.intersection(*(set(_keys(one)) for one in every))


def _only(evidence: Evidence, keys: set[tuple[int, str, int]]) -> Evidence:
    """The evidence of some entries, in an order that is the same whatever the policy."""
    entries = evidence.entries
    own = _keys(entries)
    at = np.array(sorted((k for k, key in enumerate(own) if key in keys), key=own.__getitem__))

    def part(scores: Scores) -> Scores:
        return Scores(scores.learned[at], scores.static[at])

    kept = Entries(
        entries.symbols,
        entries.time[at],
        entries.symbol[at],
        entries.window[at],
        entries.side[at],
        entries.arm[at],
        part(entries.here),
        part(entries.other),
    )
    return replace(evidence, entries=kept)
