"""Weaknesses in what a result rests on: its campaigns and its parameters."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import polars as pl

from intrabar.engine.outcome.result import Result
from intrabar.model.bars import Floats
from intrabar.research.finding import Finding, Mark, marked
from intrabar.strategy.bot import Bot
from intrabar.strategy.strategy import Strategy

FEW, VERY_FEW = 100, 30
"""Campaigns. The standard error of a win rate near one half is 5 points at 100 of them, 9 points at
30; that of a mean is a tenth, or a fifth, of the deviation of one campaign."""

TOP_DOUBT, TOP_FAIL = 0.05, 0.01
"""Shares of the campaigns whose best ones may not hold the whole profit."""

PER_PARAMETER_DOUBT, PER_PARAMETER_FAIL = 30.0, 10.0
"""Campaigns for each number that could be chosen. Ten cases a variable is the old rule against
overfitting of regressions (Peduzzi et al. 1996); trading has more noise."""


def net_of(result: Result) -> Floats:
    """Net profit of each closed campaign, in order, account currency."""
    closed = result.campaigns.filter(pl.col("end_bar").is_not_null())
    return closed["net"].to_numpy()


def no_profit(result: Result) -> list[Finding]:
    """Whether it made anything at all."""
    profit = result.metrics.values["net_profit"]
    assert profit is not None
    told = f"net profit {profit:,.0f} {result.setup.account.currency}"
    if profit > 0.0:
        return [Finding("profit", "pass", "It made money.", told, figures={"net_profit": profit})]
    return [
        Finding(
            "profit",
            "fail",
            "It made no money.",
            told,
            "Every other question comes after this one.",
            {"net_profit": profit},
        )
    ]


def few_campaigns(result: Result) -> list[Finding]:
    """Whether there are enough campaigns to say anything."""
    count = len(net_of(result))
    mark: Mark = "fail" if count < VERY_FEW else "doubt" if count < FEW else "pass"
    error = math.sqrt(0.25 / count) if count else math.nan
    told = f"{count} closed campaigns"
    if count:
        told += f": a win rate near one half is known to within {1.96 * error:.0%} either way"
    titles = {
        "fail": "There are too few campaigns to tell skill from luck.",
        "doubt": "There are few campaigns.",
        "pass": "There are enough campaigns to say something.",
    }
    todo = "" if mark == "pass" else "Take a longer history, more instruments or shorter bars."
    return [Finding("campaigns", mark, titles[mark], told, todo, {"campaigns": float(count)})]


def few_winners(result: Result) -> list[Finding]:
    """Whether the profit comes from a few campaigns."""
    net = np.sort(net_of(result))[::-1]
    total = float(net.sum())
    if total <= 0.0 or len(net) < 2:
        return []
    share = {part: _share_of_best(net, part) for part in (0.01, 0.05, 0.10)}
    gone = holding(net)
    gone_share = gone / len(net)
    mark: Mark = "pass"
    if gone <= max(1, math.ceil(TOP_FAIL * len(net))):
        mark = "fail"
    elif gone <= math.ceil(TOP_DOUBT * len(net)):
        mark = "doubt"
    told = (
        f"without its best {gone} of {len(net)} campaigns ({gone_share:.1%}) there is no profit; "
        + ", ".join(f"the best {part:.0%} made {value:.0%} of it" for part, value in share.items())
        + f"; Gini coefficient of the wins {gini(net[net > 0.0]):.2f}"
    )
    titles = {
        "fail": "The profit is that of one campaign or next to it.",
        "doubt": "The profit comes from few campaigns.",
        "pass": "The profit does not hang on a few campaigns.",
    }
    todo = ""
    if mark != "pass":
        todo = "Look at these campaigns one by one: would they have been traded, at these prices?"
    return [
        Finding(
            "few winners",
            mark,
            titles[mark],
            told,
            todo,
            {
                "best_1_percent": share[0.01],
                "best_5_percent": share[0.05],
                "best_10_percent": share[0.10],
                "campaigns_that_hold_the_profit": float(gone),
                "gini_of_wins": gini(net[net > 0.0]),
                "without_the_best": total - float(net[0]),
            },
        )
    ]


def holding(net: Floats) -> int:
    """How many of the best campaigns must be taken away until there is no profit.

    Parameters
    ----------
    net : (m,) float64, falling
        With a sum above 0.
    """
    # What is left, added up from the worst: it is the sum of so many campaigns, not a difference.
    left = np.append(np.cumsum(net[::-1])[::-1], 0.0)
    return int(np.argmax(left <= 0.0))


def _share_of_best(net: Floats, part: float) -> float:
    count = max(1, math.ceil(part * len(net)))
    return float(net[:count].sum() / net.sum())


def gini(values: Floats) -> float:
    """Gini coefficient of values above 0: 0 where all are equal, near 1 where one has all."""
    n = len(values)
    if n == 0:
        return 0.0
    rank = np.arange(1, n + 1)
    ordered = np.sort(values)
    return float((2.0 * rank - n - 1.0) @ ordered / (n * ordered.sum()))


def parameters_per_campaign(result: Result) -> list[Finding]:
    """Whether there are enough campaigns for the numbers that could be chosen."""
    counts = {name: numbers_of(one) for name, one in result.setup.strategies.items()}
    unknown = [name for name, count in counts.items() if count is None]
    known = sum(count or 0 for count in counts.values())
    campaigns = len(net_of(result))
    if unknown:
        return [
            Finding(
                "parameters",
                "unknown",
                "It is not known how many parameters were chosen.",
                f"{', '.join(unknown)}: arrays that were worked out elsewhere",
                "Count the choices behind the arrays, and want 30 campaigns for each.",
                {"campaigns": float(campaigns), "parameters": None},
            )
        ]
    if not known:
        return []
    ratio = campaigns / known
    mark = marked(ratio, PER_PARAMETER_DOUBT, PER_PARAMETER_FAIL)
    title = "There are enough campaigns for its parameters."
    if mark != "pass":
        title = "It has many parameters for its campaigns."
    return [
        Finding(
            "parameters",
            mark,
            title,
            f"{known} numbers to choose, {campaigns} closed campaigns: {ratio:.1f} for each",
            "" if mark == "pass" else "Fix what does not matter; take a longer history.",
            {"parameters": float(known), "campaigns": float(campaigns), "ratio": ratio},
        )
    ]


def numbers_of(strategy: Any) -> int | None:
    """How many numbers of a strategy could be chosen otherwise; None where it does not tell.

    Fields of the strategy; of a bot those of its entry, its exit and its size, and every gate that
    is in use. Seeds and switches do not count.
    """
    if isinstance(strategy, Bot):
        gates = strategy.gates
        used = [gates.min_atr > 0.0, bool(gates.flatten), gates.daily_loss > 0.0, gates.session]
        return (_fields(strategy.entry) or 0) + (_fields(strategy.exit) or 0) + 1 + sum(used)
    return _fields(strategy) if isinstance(strategy, Strategy) else None


def _fields(value: Any) -> int | None:
    if not is_dataclass(value):
        return None
    names = (f.name for f in fields(value) if f.init and f.name not in ("seed", "name"))
    kept = (getattr(value, name) for name in names)
    return sum(isinstance(v, int | float) and not isinstance(v, bool) for v in kept)
