"""What a reader of a result must be told before believing it, most serious first."""

from __future__ import annotations

import numpy as np

from intrabar.engine.result import Result
from intrabar.model.bars import Bars
from intrabar.model.enums import RunStatus
from intrabar.strategy.bot import Bot

FEW = 30
"""Closed campaigns below this say next to nothing."""


def notes(result: Result) -> list[str]:
    """Warnings that follow from the run itself."""
    told = [
        *_ruin(result),
        *_ambiguity(result),
        *_sample_size(result),
        *_costs(result),
        *_rejections(result),
    ]
    for bars in bars_of(result):
        told += _broken(bars)
    slow = [n for n, s in result.setup.strategies.items() if isinstance(s, Bot) and s.interpreted]
    if slow:
        told.append(f"{', '.join(slow)} ran interpreted: equal results, many times slower")
    return told


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


def _ruin(result: Result) -> list[str]:
    if result.status is not RunStatus.RUINED:
        return []
    at = result.equity["time"][-1]
    return [f"The account was ruined on {at:%Y-%m-%d}: nothing after that day was traded"]


def _ambiguity(result: Result) -> list[str]:
    count = int(result.campaigns["ambiguous"].sum())
    settled = int(result.campaigns["settled"].sum())
    told = []
    if settled:
        told.append(f"Detail bars told for {settled} campaigns whether stop or target came first")
    if result.without_detail:
        told.append(
            f"{result.without_detail} bars have no detail bars: their path was taken to be the "
            "shortest"
        )
    ends = [run.total_return for run in result.band]
    width = max(ends) - min(ends)
    if not count and width == 0.0:
        return told
    policy = result.setup.account.path_policy.word.replace("_", " ")
    least, most = min(ends), max(ends)
    if settled and not count:
        return [
            *told,
            f"Without them the total return would lie between {least:.2%} and {most:.2%}, a band "
            f"of {100 * width:.2f} percentage points",
        ]
    return [
        f"{count} of {result.campaigns.height} campaigns had stop and target inside one bar. Which "
        f"came first is not in the bars; this run took {policy}. Total return lies between "
        f"{least:.2%} and {most:.2%}, a band of {100 * width:.2f} percentage points",
        *told,
    ]


def _sample_size(result: Result) -> list[str]:
    closed = result.campaigns["end_bar"].drop_nulls().len()
    if closed == 0:
        return ["No campaign was closed: there is nothing to judge; see why under gates and orders"]
    if closed < FEW:
        return [f"Only {closed} campaigns were closed: averages over fewer than {FEW} say little"]
    return []


def _costs(result: Result) -> list[str]:
    free = [
        x.symbol
        for x in result.setup.instruments
        if not (x.commission_per_contract or x.fee_per_trade or x.commission_rate)
        and not (x.commission_min or x.tiers)
    ]
    exact = [
        x.symbol
        for x in result.setup.instruments
        if not (x.slippage_ticks or x.slippage_pct or x.slippage_volatility or x.slippage_impact)
    ]
    told = []
    if free:
        told.append(f"No commission and no fee on {', '.join(free)}: the result is too good")
    if exact:
        told.append(f"Slippage is 0 on {', '.join(exact)}: the result is too good")
    return told


def _rejections(result: Result) -> list[str]:
    counts = result.orders.filter(result.orders["status"] == "rejected")["reject"].value_counts()
    return [
        f"{row['count']} orders were refused: {row['reject'].replace('_', ' ')}"
        for row in counts.sort("count", descending=True).to_dicts()
    ]


def _broken(bars: Bars) -> list[str]:
    outside = (np.maximum(bars.open, bars.close) > bars.high) | (
        np.minimum(bars.open, bars.close) < bars.low
    )
    if not outside.any():
        return []
    first = str(np.datetime64(int(bars.close_time[np.argmax(outside)]), "ns"))[:16]
    return [f"{bars.symbol}: open or close outside high and low in {outside.sum()} bars ({first}Z)"]
