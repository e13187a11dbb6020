"""The rows of a dataset: every bar, both sides, every arm, and what came of each campaign."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.engine.lanes.lanes import Lanes, bot_of
from intrabar.engine.prepared import Prepared
from intrabar.engine.run import Setup
from intrabar.engine.tables.feature_table import FeatureTables
from intrabar.indicators.elementwise import known_rows
from intrabar.indicators.features import features_of
from intrabar.learn.labels import Alive, best_of
from intrabar.learn.tally import Tally
from intrabar.learn.terms import Terms
from intrabar.model.bars import Floats, Times

BLOCK = 32_768  # decisions; two rows each
TIME = pl.Datetime("ns", "UTC")
RAW = features_of("exit/raw")

Progress = Callable[[int, int], None]
"""Called with the bars done and the bars there are."""


@dataclass(frozen=True, eq=False)
class Block:
    """Rows of one symbol that lie one after the other, before their uniqueness is known.

    Parameters
    ----------
    table : DataFrame
    side : (k,) int8
    first, last : (k,) int64
        Of the instrument's own bars: those on which the label lives.
    """

    table: pl.DataFrame
    side: NDArray[np.int8]
    first: NDArray[np.int64]
    last: NDArray[np.int64]

    def told(self, alive: Mapping[int, Alive]) -> pl.DataFrame:
        """The table, with the uniqueness of its rows."""
        unique = np.empty(len(self.side))
        for side, labels in alive.items():
            own = self.side == side
            unique[own] = labels.uniqueness(self.first[own], self.last[own])
        return self.table.with_columns(pl.Series("uniqueness", unique))


def tables_of(
    setup: Setup,
    strategy: str,
    terms: Terms,
    tally: Tally,
    threads: int = 1,
    progress: Progress | None = None,
) -> Iterator[pl.DataFrame]:
    """The rows of a dataset, piece by piece: by symbol, time, and long before short.

    Parameters
    ----------
    setup : Setup
    strategy : str
        A bot of it.
    terms : Terms
    tally : Tally
        Is told what comes of the rows.
    threads : int
    progress : callable or None
    """
    market = setup.market
    exit_ = terms.exit_of(bot_of(setup, strategy))
    prepared = Prepared(market, tuple(x.calendar for x in setup.instruments))
    tables = prepared.feature_tables(terms.features), prepared.feature_tables(RAW)
    for j, symbol in enumerate(market.symbols):
        lanes = Lanes(setup, strategy, symbol, exit_, terms.max_bars, threads)
        tally.begin(symbol, lanes)
        starts = lanes.starts()
        whole = known_rows(tables[0].tables[j], terms.features.window)
        known = starts[whole[tables[0].row_of[starts, j]]]
        tally.without_window(2 * (len(starts) - len(known)))
        alive = {side: Alive(len(lanes.real)) for side in (1, -1)}
        waiting: list[Block] = []
        for at in range(0, len(known), BLOCK):
            bars = known[at : at + BLOCK]
            one = _block(lanes, terms, tally, tables, j, bars)
            settled = int(np.searchsorted(lanes.real, bars[-1]))  # no later row lives on it
            for side, labels in alive.items():
                labels.add(one.first[one.side == side], one.last[one.side == side])
                labels.settle(settled + 1)
            waiting.append(one)
            while waiting and int(waiting[0].last.max(initial=-1)) <= settled:
                yield waiting.pop(0).told(alive)
            if progress is not None:
                progress(j * len(market) + int(bars[-1]), len(market) * len(market.symbols))
        for labels in alive.values():
            labels.settle(len(lanes.real))
        yield from (one.told(alive) for one in waiting)


def _block(
    lanes: Lanes,
    terms: Terms,
    tally: Tally,
    tables: tuple[FeatureTables, FeatureTables],
    j: int,
    bars: Times,
) -> Block:
    """The rows of some bars, both sides; without those of fewer than two scores."""
    rows, sides = np.repeat(bars, 2), np.tile(np.array([1, -1], np.int8), len(bars))
    found = lanes.play(rows, sides, terms.arms)
    score = found.score
    kept = np.isfinite(score).sum(axis=1) >= 2
    tally.take(found, kept)
    rows, sides, score = rows[kept], sides[kept], score[kept]
    end_bar, reason = found.end_bar[kept], found.reason[kept]
    best, market = best_of(score, np.array(terms.arms)), lanes.market
    last = end_bar.max(axis=1, initial=-1)
    columns: dict[str, Any] = {
        "time": pl.Series(market.time[rows]).cast(TIME),
        "bar": rows,
        "symbol": np.full(len(rows), market.symbols[0]),
        "side": sides,
        "close": market.close[rows, 0],
        "allowed": lanes.allowed(rows),
    }
    for one in tables:
        columns |= {k: v for k, v in features_at(one, j, rows, sides).items() if k not in columns}
    words = pl.Enum(tally.words)
    for a, arm in enumerate(terms.arms):
        there = end_bar[:, a] >= 0
        columns[f"score_{arm:g}"] = pl.Series(score[:, a], nan_to_null=True)
        columns[f"exit_bar_{arm:g}"] = _where(end_bar[:, a], there)
        codes = np.where(there, tally.word_of[reason[:, a]], 0).astype(np.uint32)
        columns[f"reason_{arm:g}"] = _where(codes, there).cat.to(words)
    columns |= {"best": best.arm, "label": best.label, "gap": best.gap}
    columns |= {"ambiguous": found.ambiguous[kept].any(axis=1), "end_bar": last}
    columns["end_time"] = pl.Series(market.time[last]).cast(TIME)
    tally.add_labels(rows, last)
    first = np.searchsorted(lanes.real, rows) + 1
    until = np.searchsorted(lanes.real, last, "right") - 1
    return Block(pl.DataFrame(columns), sides, first, until)


def _where(values: NDArray[Any], there: NDArray[np.bool_]) -> pl.Series:
    """Values, null where they are not there."""
    return pl.select(pl.when(pl.Series(there)).then(pl.Series(values))).to_series()


def features_at(
    tables: FeatureTables, j: int, rows: Times, sides: NDArray[np.int8]
) -> dict[str, Floats]:
    """The last row of each window, signed, as it is before it is normalised."""
    values = tables.tables[j][tables.row_of[rows, j]]
    signed = np.where(tables.features.signs == 1, sides[:, None], 1)
    made = values * signed
    return dict(zip(tables.features.names, made.T, strict=True))
