"""The figures of closed campaigns, compiled: how they ended, and in multiples of their risk."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.analysis.campaign_kernel import CAMPAIGN, LIFE, trace
from intrabar.analysis.lean_sheet_figures import (
    AVERAGE_MAE,
    AVERAGE_MFE,
    CAMPAIGNS,
    COST_SHARE,
    EXPECTANCY,
    EXPECTANCY_R,
    LONGEST_LOSSES,
    LONGEST_WINS,
    PAYOFF,
    PROFIT_FACTOR,
    SQN,
    WIN_RATE,
)
from intrabar.analysis.sums_kernel import deviation_of, mean_of, sum_of
from intrabar.kernel import kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@kernel
def in_order_of_end(found: Any) -> Ints:
    """The rows of campaigns in the order in which they ended."""
    closed = found.shape[0]
    place = np.empty(closed, np.int64)
    longest = 1
    for k in range(closed):
        longest = max(longest, found[k].start_row + 1)
    for k in range(closed):
        # Of those that ended in one bar the first to start goes first.
        place[k] = found[k].end_bar * longest + found[k].start_row
    return np.argsort(place)


@kernel
def campaigns_of(
    fills: Any,
    first: Ints,
    instruments: int,
    open_: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    out: Floats,
) -> None:
    """The outcomes of the closed campaigns."""
    sleeves = first.shape[0] - 1
    column = np.arange(sleeves) % instruments
    lives, going = np.zeros(sleeves, LIFE), np.zeros(sleeves, CAMPAIGN)
    for s in range(sleeves):
        lives[s].bar = -1
    every = np.zeros(fills.shape[0] + sleeves, CAMPAIGN)
    count = trace(fills, first, column, lives, going, open_, high, low, close, every)
    found = every[:count]
    rows = in_order_of_end(found)
    closed = rows.shape[0]
    net, r = np.empty(closed), np.empty(closed)
    gross, costs = np.empty(closed), np.empty(closed)
    mae, mfe = np.empty(closed), np.empty(closed)
    risked = 0
    for k in range(closed):
        campaign = found[rows[k]]
        gross[k], costs[k] = campaign.gross, campaign.costs
        net[k] = campaign.gross - campaign.costs
        mae[k], mfe[k] = campaign.mae, campaign.mfe
        if campaign.risk > 0.0:
            r[risked] = net[k] / campaign.risk
            risked += 1
    out[CAMPAIGNS] = closed
    total = sum_of(gross, 0, closed)
    if total > 0.0:
        out[COST_SHARE] = sum_of(costs, 0, closed) / total
    out[LONGEST_WINS], out[LONGEST_LOSSES] = longest_run(net, 1.0), longest_run(net, -1.0)
    if closed:
        out[EXPECTANCY], out[AVERAGE_MAE] = mean_of(net, closed), mean_of(mae, closed)
        out[AVERAGE_MFE] = mean_of(mfe, closed)
        wins_and_losses(net, out)
    multiples(r[:risked], out)


@kernel
def wins_and_losses(net: Floats, out: Floats) -> None:
    """Win rate, profit factor and payoff, of at least one campaign."""
    won, lost = np.empty(net.shape[0]), np.empty(net.shape[0])
    wins = losses = 0
    for k in range(net.shape[0]):
        if net[k] > 0.0:
            won[wins] = net[k]
            wins += 1
        elif net[k] < 0.0:
            lost[losses] = net[k]
            losses += 1
    out[WIN_RATE] = wins / net.shape[0]
    fallen = -sum_of(lost, 0, losses)
    if fallen > 0.0:
        out[PROFIT_FACTOR] = sum_of(won, 0, wins) / fallen
    if wins and losses:
        out[PAYOFF] = mean_of(won, wins) / -mean_of(lost, losses)


@kernel
def multiples(r: Floats, out: Floats) -> None:
    """Expectancy and system quality number, of multiples of the initial risk."""
    n = r.shape[0]
    if not n:
        return
    out[EXPECTANCY_R] = mean_of(r, n)
    if n < 2:
        return
    most = 0.0
    for k in range(n):
        most = max(most, abs(r[k]))
    deviation = deviation_of(r, n, np.empty(n))
    if not deviation <= 1e-12 * most:
        out[SQN] = math.sqrt(n) * mean_of(r, n) / deviation


@kernel
def longest_run(net: Floats, sign: float) -> int:
    """Length of the longest unbroken run of profits (or losses, by the sign)."""
    longest = run = 0
    for k in range(net.shape[0]):
        run = run + 1 if sign * net[k] > 0.0 else 0
        longest = max(longest, run)
    return longest
