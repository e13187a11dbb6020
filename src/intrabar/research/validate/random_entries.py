"""Entries at random: a coin for bots, other places for the campaigns of a Python strategy."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.engine.outcome.result import Result
from intrabar.model.bars import Floats, Market
from intrabar.research.entry_sides import EntrySides
from intrabar.strategy.bot import Bot
from intrabar.strategy.signals import Signals
from intrabar.strategy.weights import Weights


def chances(result: Result, name: str, told: EntrySides) -> tuple[Floats, Floats]:
    """How often each instrument was entered where it could be, and the share of longs; (n,)."""
    market = result.market
    campaigns = result.campaigns.filter(pl.col("strategy") == name)
    chance, longs = np.zeros(len(market.symbols)), np.zeros(len(market.symbols))
    for j, symbol in enumerate(market.symbols):
        own = campaigns.filter(pl.col("symbol") == symbol)
        free = told.asked[: result.bars_done, j].copy()
        last = result.bars_done
        for start, end in own.select("start_bar", "end_bar").iter_rows():
            free[start : last if end is None else end] = False
        if own.height and free.any():
            chance[j] = min(1.0, own.height / float(free.sum()))
            longs[j] = float(np.mean(own["side"].to_numpy() == "buy"))
    return chance, longs


def drawn(
    chances: tuple[Floats, Floats], asked: NDArray[np.bool_], rng: np.random.Generator
) -> Floats:
    """Sides at random."""
    chance, longs = chances
    enters = rng.random(asked.shape) < chance
    side = np.where(rng.random(asked.shape) < longs, 1.0, -1.0)
    return np.where(enters & asked, side, 0.0)


Placed = Mapping[str, NDArray[np.float64]]
"""Per symbol rows of (start, end, side, qty): the campaigns of one strategy, in order."""


def placed_campaigns(result: Result) -> dict[str, Placed]:
    """The campaigns of the Python strategies."""
    found: dict[str, Placed] = {}
    for name, one in result.setup.strategies.items():
        if isinstance(one, Bot | Signals | Weights):
            continue
        own = result.campaigns.filter(pl.col("strategy") == name)
        found[name] = {
            symbol: own.filter(pl.col("symbol") == symbol)
            .select(
                "start_bar",
                pl.col("end_bar").fill_null(result.bars_done - 1),
                (pl.col("side") == "buy").cast(pl.Int64) * 2 - 1,
                "qty",
            )
            .to_numpy()
            .astype(np.float64)
            for symbol in own["symbol"].unique(maintain_order=True)
        }
    return found


def as_signals(placed: Placed, market: Market) -> Signals:
    """Campaigns as signals that enter at their first bar's open and leave at their last one's."""
    side = {symbol: np.zeros(len(market)) for symbol in placed}
    qty = {symbol: np.ones(len(market)) for symbol in placed}
    for symbol, rows in placed.items():
        for start, end, way, size in rows:
            # A signal is traded at the next open; a campaign within a bar lasts for that bar.
            held = slice(max(0, int(start) - 1), max(int(end) - 1, int(start)))
            side[symbol][held], qty[symbol][held] = way, size
    return Signals(side or np.nan, qty or 1.0)


def at_random_places(placed: Placed, market: Market, rng: np.random.Generator) -> Signals:
    """The same campaigns in another order, with the time between them shared out at random."""
    moved = {}
    for symbol, rows in placed.items():
        shuffled = rows[rng.permutation(len(rows))]
        length = np.maximum(shuffled[:, 1] - shuffled[:, 0], 1.0)
        free = max(0.0, len(market) - 1.0 - length.sum())
        cuts = np.sort(rng.integers(0, int(free) + 1, len(rows)))
        start = 1.0 + cuts + np.concatenate(([0.0], np.cumsum(length)[:-1]))
        moved[symbol] = np.column_stack([start, start + length, shuffled[:, 2:]])
    return as_signals(moved, market)
