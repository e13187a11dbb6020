"""What a reader of a result must be told before believing it, most serious first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
import polars as pl

from intrabar.engine.result import Result
from intrabar.model.bars import Bars
from intrabar.model.enums import PathPolicy, RunStatus
from intrabar.model.instrument import Instrument
from intrabar.strategy.bot import Bot
from intrabar.strategy.registry import AnyStrategy

FEW = 30
"""Closed campaigns below this say next to nothing."""


class Known(NamedTuple):
    """What notes are made from.

    Parameters
    ----------
    status : RunStatus
    last : datetime
        Of the last bar that was lived.
    campaigns, closed, ambiguous, settled : count
    without_detail : count or None
        Bars that the path policy `detail` had to guess; None under another.
    ends : sequence of fraction
        Total returns of the band; empty where it was not run.
    policy : PathPolicy
    instruments : sequence of Instrument
    refused : table
        `reject` and `count` of the orders that were refused.
    interpreted : sequence of str
        Bots that ran so.
    """

    status: RunStatus
    last: datetime
    campaigns: int
    closed: int
    ambiguous: int
    settled: int
    without_detail: int | None
    ends: Sequence[float]
    policy: PathPolicy
    instruments: Sequence[Instrument]
    refused: pl.DataFrame
    interpreted: Sequence[str]


def notes(result: Result) -> list[str]:
    """Warnings that follow from the run itself."""
    setup, table = result.setup, result.campaigns
    known = Known(
        result.status,
        result.equity["time"][-1],
        table.height,
        table["end_bar"].drop_nulls().len(),
        int(table["ambiguous"].sum()),
        int(table["settled"].sum()),
        result.without_detail,
        [run.total_return for run in result.band],
        setup.account.path_policy,
        setup.instruments,
        refused(result.orders.lazy()),
        interpreted(setup.strategies),
    )
    broken = [told for bars in bars_of(result) for told in _broken(bars)]
    return notes_of(known, broken)


def notes_of(known: Known, broken: Sequence[str] = ()) -> list[str]:
    """The same from what is known; `broken` says what is wrong with the bars."""
    told = [
        *_ruin(known),
        *_ambiguity(known),
        *_sample_size(known.closed),
        *_costs(known.instruments),
        *_rejections(known.refused),
        *broken,
    ]
    if known.interpreted:
        slow = ", ".join(known.interpreted)
        told.append(f"{slow} ran interpreted: equal results, many times slower")
    return told


def refused(orders: pl.LazyFrame) -> pl.DataFrame:
    """How many orders were refused, by reason."""
    return orders.filter(pl.col("status") == "rejected").group_by("reject").len("count").collect()


def interpreted(strategies: Mapping[str, AnyStrategy]) -> list[str]:
    """The bots that are to run without being compiled."""
    return [n for n, s in strategies.items() if isinstance(s, Bot) and s.interpreted]


def bars_of(result: Result) -> list[Bars]:
    """The bars of each symbol, taken back out of the market."""
    market = result.market
    taken = []
    for j, symbol in enumerate(market.symbols):
        rows = np.flatnonzero(~np.isnan(market.open[:, j]))
        session = np.cumsum(market.session_end[rows, j]) - market.session_end[rows, j]
        taken.append(
            Bars(
                symbol,
                market.time[rows],
                market.open[rows, j],
                market.high[rows, j],
                market.low[rows, j],
                market.close[rows, j],
                market.volume[rows, j],
                market.period,
                market.open_time[rows, j],
                session.astype(np.int64),
            )
        )
    return taken


def _ruin(known: Known) -> list[str]:
    if known.status is not RunStatus.RUINED:
        return []
    return [f"The account was ruined on {known.last:%Y-%m-%d}: nothing after that day was traded"]


def _ambiguity(known: Known) -> list[str]:
    told = []
    if known.settled:
        told.append(
            f"Detail bars told for {known.settled} campaigns whether stop or target came first"
        )
    if known.without_detail:
        told.append(
            f"{known.without_detail} bars have no detail bars: their path was taken to be the "
            "shortest"
        )
    if not known.ends:
        return told
    least, most = min(known.ends), max(known.ends)
    if not known.ambiguous and least == most:
        return told
    policy = known.policy.word.replace("_", " ")
    if known.settled and not known.ambiguous:
        return [
            *told,
            f"Without them the total return would lie between {least:.2%} and {most:.2%}, a band "
            f"of {100 * (most - least):.2f} percentage points",
        ]
    return [
        f"{known.ambiguous} of {known.campaigns} campaigns had stop and target inside one bar. "
        f"Which came first is not in the bars; this run took {policy}. Total return lies between "
        f"{least:.2%} and {most:.2%}, a band of {100 * (most - least):.2f} percentage points",
        *told,
    ]


def _sample_size(closed: int) -> list[str]:
    if closed == 0:
        return ["No campaign was closed: there is nothing to judge; see why under gates and orders"]
    if closed < FEW:
        return [f"Only {closed} campaigns were closed: averages over fewer than {FEW} say little"]
    return []


def _costs(instruments: Sequence[Instrument]) -> list[str]:
    free = [
        x.symbol
        for x in instruments
        if not (x.commission_per_contract or x.fee_per_trade or x.commission_rate)
        and not (x.commission_min or x.tiers)
    ]
    exact = [
        x.symbol
        for x in instruments
        if not (x.slippage_ticks or x.slippage_pct or x.slippage_volatility or x.slippage_impact)
    ]
    told = []
    if free:
        told.append(f"No commission and no fee on {', '.join(free)}: the result is too good")
    if exact:
        told.append(f"Slippage is 0 on {', '.join(exact)}: the result is too good")
    return told


def _rejections(refused: pl.DataFrame) -> list[str]:
    return [
        f"{row['count']} orders were refused: {row['reject'].replace('_', ' ')}"
        for row in refused.sort("count", "reject", descending=[True, False]).to_dicts()
    ]


def _broken(bars: Bars) -> list[str]:
    outside = (np.maximum(bars.open, bars.close) > bars.high) | (
        np.minimum(bars.open, bars.close) < bars.low
    )
    if not outside.any():
        return []
    first = str(np.datetime64(int(bars.close_time[np.argmax(outside)]), "ns"))[:16]
    return [f"{bars.symbol}: open or close outside high and low in {outside.sum()} bars ({first}Z)"]
