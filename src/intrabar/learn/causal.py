"""The canary `causal`: what is read of a bar does not change with the bars after it.

It asks the very tables that are trained on. The market is changed from a random row on, the
features are worked out anew, and what they were up to that row must be the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from intrabar.engine.prepared import Prepared
from intrabar.engine.tables.feature_table import FeatureTables
from intrabar.learn.canaries import Verdict
from intrabar.model.bars import Market, Times
from intrabar.model.instant import instant_text

NAME = "causal"
PLACES = 4  # each works out all features again


def causal(
    tables: FeatureTables,
    market: Market,
    calendars: Sequence[str],
    bars: Times,
    seed: int = 0,
    places: int = PLACES,
) -> Verdict:
    """Whether later bars leave what is trained on as it is.

    Parameters
    ----------
    tables : FeatureTables
        What is trained on.
    market : Market
        Of which they are.
    calendars : sequence of str
        Of its instruments.
    bars : (k,) int64
        Rows of the timeline on which decisions are made.
    seed : int
        Of the rows that are drawn and of what comes after them.
    places : int
        How many rows are drawn.
    """
    draw = np.random.default_rng(seed)
    known = np.unique(bars[bars < len(market) - 1])
    for row in np.sort(draw.choice(known, min(places, len(known)), replace=False)).tolist():
        other = Prepared(_changed(market, row, draw), calendars).feature_tables(tables.features)
        if told := _first_other(tables, other, row, market):
            return Verdict(NAME, False, told)
    return Verdict(NAME, True, f"{min(places, len(known))} places: later bars change no feature")


def _changed(market: Market, row: int, draw: np.random.Generator) -> Market:
    """The market with other prices and volumes after a row."""
    after, shape = slice(row + 1, None), market.close[row + 1 :].shape
    factor = np.exp(draw.normal(0.0, 0.1, shape))
    changed = {}
    for name in ("open", "high", "low", "close"):
        changed[name] = getattr(market, name).copy()
        changed[name][after] *= factor
    changed["volume"] = market.volume.copy()
    changed["volume"][after] *= np.exp(draw.normal(0.0, 1.0, shape))
    return replace(market, **changed)


def _first_other(tables: FeatureTables, other: FeatureTables, row: int, market: Market) -> str:
    """The first feature up to a row that is another; "" where none is."""
    for j, symbol in enumerate(market.symbols):
        until = int(tables.row_of[row, j]) + 1
        if not np.array_equal(tables.row_of[: row + 1, j], other.row_of[: row + 1, j]):
            return f"{symbol}: its bars up to {_at(market, row)} are others where later ones change"
        one, two = tables.tables[j][:until], other.tables[j][:until]
        same = (one == two) | (np.isnan(one) & np.isnan(two))
        if not same.all():
            place, column = np.argwhere(~same)[-1]
            bar = int(np.searchsorted(tables.row_of[:, j], place))
            return (
                f"feature {tables.features.names[column]} of {symbol} at {_at(market, bar)} "
                f"changes with bars after {_at(market, row)}: it knows them"
            )
    return ""


def _at(market: Market, row: int) -> str:
    return instant_text(int(market.time[row]))
