"""What came of the rows of a dataset: counts, and what is to be known about them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.analysis.campaigns import EXIT_REASONS
from intrabar.engine.lanes.lane import Fate
from intrabar.engine.lanes.lanes import Lanes
from intrabar.model.bars import DAY_NS
from intrabar.model.enums import FillReason
from intrabar.strategy.lane_kernel import Campaigns

SHARE = 0.05  # of the campaigns of an arm: more than that is worth a word
UNKNOWN = 0.2  # of the rows: more without a window, and the features are not what was meant
WHOLE = 0.9  # of what the budget would buy: less has been cut
TEN_YEARS = 3_652 * DAY_NS


class Tally:
    """Counts over all symbols of a dataset.

    Parameters
    ----------
    arms : sequence of ATR multiples
    bars : int
        Rows of the timeline.
    """

    def __init__(self, arms: tuple[float, ...], bars: int) -> None:
        self.words = list(dict.fromkeys(EXIT_REASONS.values()))
        codes = range(max(EXIT_REASONS) + 1)
        self.word_of = np.array([self.words.index(EXIT_REASONS[code]) for code in codes])
        self.arms = arms
        self._fates = np.zeros((len(Fate), len(arms)), np.int64)
        self._reasons = np.zeros((len(self.words), len(arms)), np.int64)
        self._cut = np.zeros(len(arms), np.int64)
        self._sums = np.zeros(len(arms))
        self._rows = self._window = 0
        self._left_out = np.zeros(len(Fate), np.int64)
        self._alive = np.zeros(bars, np.int32)
        self._symbols: dict[str, Any] = {}
        self._change = np.zeros(bars + 1, np.int32)
        self._best = np.zeros(len(arms), np.int64)
        self._unique = 0.0
        self.last = -1

    def begin(self, symbol: str, lanes: Lanes) -> None:
        """The next symbol."""
        self._close_symbol()
        self._symbols[symbol] = {"bars": len(lanes.real), "ended": bool(lanes.has_ended)}

    def without_window(self, rows: int) -> None:
        """Rows whose window is not known."""
        self._window += rows

    def take(self, found: Campaigns, kept: NDArray[np.bool_]) -> None:
        """Campaigns, and which rows of them are kept."""
        arms = range(len(self.arms))
        played = found.fate == Fate.PLAYED
        for a in arms:
            self._fates[:, a] += np.bincount(found.fate[:, a], minlength=len(Fate))
            words = self.word_of[found.reason[played[:, a], a]]
            self._reasons[:, a] += np.bincount(words, minlength=len(self.words))
        self._cut += (played & ~(found.bought >= WHOLE)).sum(axis=0)
        self._sums += np.nansum(found.score, axis=0)
        self._rows += int(kept.sum())
        missing = found.fate[~kept]
        first = np.argmax(missing != Fate.PLAYED, axis=1)
        why = missing[np.arange(len(missing)), first]
        self._left_out += np.bincount(why, minlength=len(Fate))

    def add_labels(self, rows: NDArray[np.int64], last: NDArray[np.int64]) -> None:
        """Rows of the timeline on which labels begin and end."""
        np.add.at(self._change, rows + 1, 1)
        np.add.at(self._change, last + 1, -1)
        self.last = max(self.last, int(last.max(initial=-1)))

    def add_unique(self, uniqueness: float, best: NDArray[np.int64]) -> None:
        """The sum of the uniqueness of some rows, and how often each arm was the best of them."""
        self._unique += uniqueness
        self._best += best

    def _close_symbol(self) -> None:
        self._alive += np.cumsum(self._change[:-1]) > 0
        self._change[:] = 0

    @property
    def rows(self) -> int:
        """How many are kept."""
        return self._rows

    def counts(self) -> dict[str, Any]:
        """All of them, for the manifest."""
        self._close_symbol()
        alive = self._alive[self._alive > 0]
        together = float(alive.mean()) if len(alive) else 0.0
        played = self._fates[Fate.PLAYED]
        left_out = {f.word: int(self._left_out[f]) for f in Fate if self._left_out[f]}
        arms = {}
        for a, arm in enumerate(self.arms):
            arms[f"{arm:g}"] = {
                "campaigns": int(played[a]),
                "none": {f.word: int(n) for f in Fate if f and (n := self._fates[f, a])},
                "reasons": {
                    w: int(n) for w, n in zip(self.words, self._reasons[:, a], strict=True) if n
                },
                "mean_score": float(self._sums[a] / played[a]) if played[a] else None,
                "best": int(self._best[a]),
                "cut": int(self._cut[a]),
            }
        return {
            "rows": self._rows,
            "left_out": {"window": self._window, **left_out},
            "symbols": self._symbols,
            "ended": sum(one["ended"] for one in self._symbols.values()),
            "uniqueness": self._unique,
            "symbols_alive": together,
            "uniqueness_if_symbols_move_together": self._unique / together if together else 0.0,
            "arms": arms,
        }

    def remarks(self, span: int) -> list[str]:
        """What is to be known; `span` is the length of the data in ns."""
        told = []
        asked = self._rows + self._window + int(self._left_out.sum())
        if self._window > UNKNOWN * asked:
            told.append(
                f"{self._window / asked:.0%} of {asked:,} rows are left out: a feature in their "
                "window is not known. Nothing is learned of such bars, and nothing decided on them"
            )
        shares = {
            "were cut in size: less than nine tenths of what the budget would buy has entered": (
                self._cut
            ),
            "were ended by max_bars: a larger one would judge them better": (
                self._reasons[self.words.index(FillReason.MAX_BARS.word)]
            ),
        }
        played = self._fates[Fate.PLAYED]
        for text, count in shares.items():
            for arm, some, of in zip(self.arms, count, played, strict=True):
                if some > SHARE * of:
                    told.append(f"{some / of:.0%} of the campaigns of arm {arm:g} {text}")
        if span >= TEN_YEARS and not any(one["ended"] for one in self._symbols.values()):
            told.append("survivors only: in ten years or more no instrument has ended")
        return told
