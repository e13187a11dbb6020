"""The rows of a dataset as a network reads them: windows, what to learn of each, and its part.

A dataset stores the last row of each window. Windows are cut from the feature table of the same
bars, and each must end in the row that was stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.analysis.splits.by_time import TRAIN, VALIDATION, Parted, part_by_time
from intrabar.engine.prepared import Prepared
from intrabar.engine.run import Setup
from intrabar.engine.tables.feature_table import FeatureTables
from intrabar.errors import RunError, UsageError
from intrabar.exits.network import FARTHEST
from intrabar.exits.policy import Course
from intrabar.indicators.features import Features, features_from_text
from intrabar.learn.dataset_folder import Dataset
from intrabar.learn.normal import Normal, normal_of
from intrabar.model.bars import Floats, Market, Times

LEAST_ROWS = 1_000
FARTHEST_SCORE = 5.0
Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Decisions:
    """Rows of a dataset in order of time, symbol, long before short.

    Parameters
    ----------
    tables : FeatureTables
        Of the bars that they were decided on.
    market : Market
    calendars : tuple of str
        Of its instruments.
    arms : (K,) float64
    bar, end : (n,) int64
        Row of the timeline; row of its symbol's table.
    symbol : (n,) int64
        Its place in the market.
    side : (n,) int8
    time, end_time : (n,) int64, ns UTC
    scores : (n, K) float64
        NaN where an arm has no campaign.
    label : (n,) int64
    gap, uniqueness : (n,) float64
    course : Course
        Of its campaigns.
    """

    tables: FeatureTables
    market: Market
    calendars: tuple[str, ...]
    arms: Floats
    bar: Rows
    end: Rows
    symbol: Rows
    side: NDArray[np.int8]
    time: Times
    end_time: Times
    scores: Floats
    label: Rows
    gap: Floats
    uniqueness: Floats
    course: Course

    def __len__(self) -> int:
        return len(self.time)

    @property
    def features(self) -> Features:
        """What is read of each bar."""
        return self.tables.features

    @cached_property
    def begins(self) -> Times:
        """(n,) int64, ns UTC: when the first bar of each window closed."""
        made = np.empty(len(self), np.int64)
        for j in range(len(self.tables.tables)):
            own = self.symbol == j
            numbers, rows = np.unique(self.tables.row_of[:, j], return_index=True)
            rows = rows[numbers >= 0]
            made[own] = self.market.time[rows[self.end[own] - (self.features.window - 1)]]
        return made

    @cached_property
    def last_rows(self) -> Floats:
        """(n, F) float64: the last row of each window, after the side."""
        made = np.empty((len(self), len(self.features.names)))
        for j, table in enumerate(self.tables.tables):
            own = self.symbol == j
            made[own] = table[self.end[own]]
        signed = self.features.signs == 1
        made[:, signed] *= self.side[:, None]
        return made

    def part(self, kept: NDArray[Any]) -> Decisions:
        """Some of them, by a mask or by their numbers."""
        names = ("bar", "end", "symbol", "side", "time", "end_time", "scores", "label", "gap")
        cut = {name: getattr(self, name)[kept] for name in (*names, "uniqueness")}
        return replace(self, **cut)


@dataclass(frozen=True, eq=False)
class Windows:
    """Decisions, parted and normalised: the arrays that are trained on.

    Parameters
    ----------
    of : Decisions
    parted : Parted
    normal : Normal
        Of the training rows alone.
    """

    of: Decisions
    parted: Parted
    normal: Normal

    @cached_property
    def train(self) -> Rows:
        """Rows to train on, in order of time."""
        return np.flatnonzero(self.parted.part == TRAIN)

    @cached_property
    def validation(self) -> Rows:
        """Rows to validate on, in order of time."""
        return np.flatnonzero(self.parted.part == VALIDATION)

    @cached_property
    def _normalised(self) -> NDArray[np.float32]:
        """All tables below each other, of longs, then of shorts."""
        whole = np.concatenate(self.of.tables.tables)
        signed = self.of.features.signs == 1
        made = [np.where(signed, side * whole, whole) for side in (1.0, -1.0)]
        normal = (np.concatenate(made) - self.normal.mean) / self.normal.scale
        return np.clip(normal, -FARTHEST, FARTHEST).astype(np.float32)

    @cached_property
    def _begin(self) -> Rows:
        """Where the window of each row begins."""
        sizes = [len(table) for table in self.of.tables.tables]
        first = np.concatenate([[0], np.cumsum(sizes)])
        short = np.where(self.of.side < 0, first[-1], 0)
        return first[self.of.symbol] + short + self.of.end - (self.of.features.window - 1)

    def cut(self, rows: Rows) -> NDArray[np.float32]:
        """The windows of some rows, normalised: (k, window, F) float32, the oldest bar first."""
        steps = np.arange(self.of.features.window)
        made: NDArray[np.float32] = self._normalised[self._begin[rows][:, None] + steps]
        return made

    @cached_property
    def targets(self) -> Floats:
        """(n, K) float64: scores within 5, less the mean of the row; NaN where there is none."""
        within = np.clip(self.of.scores, -FARTHEST_SCORE, FARTHEST_SCORE)
        made: Floats = within - np.nanmean(within, axis=1, keepdims=True)
        return made

    @cached_property
    def won(self) -> Floats:
        """(n, K) float64: scores, 0 where an arm has no campaign and so wins nothing."""
        return np.nan_to_num(self.of.scores)

    @cached_property
    def arm_means(self) -> Floats:
        """(K,) float64: the mean score of each arm over the training rows."""
        means: Floats = self.won[self.train].mean(axis=0)
        return means

    @property
    def rows(self) -> pl.DataFrame:
        """Where each window comes from: `time, symbol, side, end_time, split, weight`."""
        names = np.array(["train", "validation", "purged"])
        d = self.of
        return pl.DataFrame(
            {
                "time": pl.Series(d.time).cast(pl.Datetime("ns", "UTC")),
                "symbol": np.array(d.market.symbols)[d.symbol],
                "side": d.side,
                "end_time": pl.Series(d.end_time).cast(pl.Datetime("ns", "UTC")),
                "split": names[self.parted.part],
                "uniqueness": d.uniqueness,
            }
        )


def decisions_of(data: Dataset, setup: Setup) -> Decisions:
    """The rows of a dataset, with the feature tables of the bars that it was made of.

    Parameters
    ----------
    data : Dataset
    setup : Setup
        Of the same bars.

    Raises
    ------
    RunError
        A row is not what these bars and features give.
    """
    market, manifest = setup.market, data.manifest
    features = features_from_text(manifest["features"]["text"])
    if features.hash != manifest["features"]["hash"]:
        raise RunError(
            f"{data.folder}: its features are read otherwise now: make the dataset anew\n"
            f"{manifest['features']['text']}"
        )
    calendars = tuple(x.calendar for x in setup.instruments)
    tables = Prepared(market, calendars).feature_tables(features)
    rows = data.rows
    places = {symbol: j for j, symbol in enumerate(market.symbols)}
    symbol = rows["symbol"].replace_strict(places, default=-1, return_dtype=pl.Int64).to_numpy()
    bar, time = rows["bar"].to_numpy(), rows["time"].cast(pl.Int64).to_numpy()
    fits = (symbol >= 0) & (bar < len(market))
    fits[fits] = market.time[bar[fits]] == time[fits]
    if not fits.all():
        raise RunError(
            f"{data.folder}: {int((~fits).sum()):,} of its {len(fits):,} rows stand at no bar of "
            "these: the bars are others than it was made of; make it anew"
        )
    scores = rows.select([f"score_{arm:g}" for arm in manifest["arms"]])
    made = Decisions(
        tables,
        market,
        calendars,
        np.array(manifest["arms"], np.float64),
        bar,
        tables.row_of[bar, symbol].astype(np.int64),
        symbol,
        rows["side"].to_numpy(),
        time,
        rows["end_time"].cast(pl.Int64).to_numpy(),
        scores.fill_null(np.nan).to_numpy(),
        rows["label"].cast(pl.Int64).to_numpy(),
        rows["gap"].to_numpy(),
        rows["uniqueness"].to_numpy(),
        Course(**manifest["course"]),
    )
    _require_same(made, rows.select(features.names).to_numpy(), data)
    return made.part(np.lexsort((-made.side, symbol, time)))


def _require_same(made: Decisions, stored: Floats, data: Dataset) -> None:
    other = np.argwhere(made.last_rows != stored)
    if len(other):
        row, column = other[0]
        raise RunError(
            f"{data.folder}: feature {made.features.names[column]} of row {row} is "
            f"{stored[row, column]}, these bars give {made.last_rows[row, column]}: the bars are "
            "others than it was made of, or an indicator works otherwise; make it anew"
        )


def windows_of(decisions: Decisions) -> Windows:
    """Part decisions into train and validation, and normalise by the train.

    Raises
    ------
    UsageError
        Too few rows, one label alone, an arm without a campaign, or nothing left to train on: the
        counts, and what to change.
    """
    d = decisions
    if len(d) < LEAST_ROWS:
        raise UsageError(
            f"{len(d):,} rows to learn from, it takes {LEAST_ROWS:,}: take more bars or symbols "
            "(data, start, learn.train), or a smaller learn.max_bars"
        )
    parted = part_by_time(d.time, d.end_time, d.begins, d.symbol)
    counts = parted.counts()
    told = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    if not counts["train"]:
        raise UsageError(
            f"no row is left to train on ({told}): labels reach into the validation; take more "
            "bars, or a smaller learn.max_bars or learn.window"
        )
    train = parted.part == TRAIN
    _require_labels(d.label[train], d.arms, told)
    lacking = d.arms[np.isnan(d.scores[train]).all(axis=0)]
    if len(lacking):
        raise UsageError(
            f"no campaign of arm {lacking[0]:g} among the training rows ({told}): take it out of "
            "learn.arms, or give the account more cash"
        )
    return Windows(d, parted, normal_of(d.features, d.last_rows[train]))


def _require_labels(label: Rows, arms: Sequence[float] | Floats, told: str) -> None:
    counts = np.bincount(label, minlength=len(arms))
    if (counts > 0).sum() < 2:
        best = float(arms[int(np.argmax(counts))])
        raise UsageError(
            f"arm {best:g} is the best of all {counts.sum():,} training rows ({told}): there is "
            "nothing to choose; change learn.arms, or take other bars"
        )
