"""Weaknesses that show when a run is repeated: dearer, later, larger, on another path."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from intrabar.engine.outcome.result import Result, finish
from intrabar.engine.run import Run
from intrabar.research.conditions import VOLUME_SHARE, has_costs, larger, late, with_costs
from intrabar.research.critique.fills import places, real_fills
from intrabar.research.finding import Finding, Mark

MULTIPLES = (0.0, 1.0, 2.0, 3.0)
"""Of the costs. Twice is what a wider spread on a bad day costs; a result that three times the
costs end has a margin that one wrong assumption uses up."""

DELAY_DOUBT = 0.5
"""Part of the profit that must be left when every decision comes one bar later."""

BAND_DOUBT = 0.5
"""Width of the ambiguity band over the size of the result itself."""

AMBIGUOUS_DOUBT = 0.1
"""Share of the campaigns that a bar's path decides."""

SIZE = 10.0
"""Times the size at which it is tried again."""


def profit_of(result: Result) -> float:
    """Equity at the end less the cash at the start, account currency."""
    equity = result.run.machine.tape.equity[result.bars_done - 1]
    return float(equity) - result.setup.account.cash


def cost_sensitivity(result: Result) -> list[Finding]:
    """The profit at no costs, twice and three times the costs, and the multiple that ends it."""
    profit = profit_of(result)
    fills = real_fills(result)
    traded = float((fills["qty"] * fills["price"].abs() * fills["point_value"]).sum())
    if not traded:
        return []
    break_even = profit + float(fills["cost"].sum())
    if not has_costs(result.setup):
        points = 1e4 * profit / traded
        return [
            Finding(
                "cost sensitivity",
                "fail",
                "It was traded without any cost.",
                f"{traded:,.0f} were traded; all the profit is gone at {points:.2f} basis points "
                "of that",
                "Give the instruments their commissions and slippage, and run again.",
                {"break_even_points": points, "traded": traded},
            )
        ]
    profits = [
        profit if k == 1.0 else profit_of(finish(Run(with_costs(result.setup, k))))
        for k in MULTIPLES
    ]
    ends = multiple_that_ends(MULTIPLES, profits)
    told = ", ".join(f"{p:,.0f} at {k:g} times" for k, p in zip(MULTIPLES, profits, strict=True))
    mark: Mark = "fail" if profits[2] <= 0.0 else "doubt" if profits[3] <= 0.0 else "pass"
    if profits[0] <= 0.0:
        title = "It loses even without costs."
    elif profit <= 0.0:
        title = "Costs take the whole profit."
    else:
        title = {
            "fail": "Twice the costs end the profit.",
            "doubt": "Three times the costs end the profit.",
            "pass": "It bears three times its costs.",
        }[mark]
    end = "beyond 3 times the costs" if math.isinf(ends) else f"at {ends:.2f} times the costs"
    points = 1e4 * break_even / traded
    return [
        Finding(
            "cost sensitivity",
            mark,
            title,
            f"profit {told}; it ends {end}; before commissions it is {points:.2f} basis points of "
            "what was traded",
            "" if mark == "pass" else "Check what you really pay, spread and slippage included.",
            {
                **{f"profit_at_{k:g}": p for k, p in zip(MULTIPLES, profits, strict=True)},
                "break_even_multiple": None if math.isinf(ends) else ends,
                "break_even_points": points,
            },
        )
    ]


def multiple_that_ends(multiples: Sequence[float], profits: Sequence[float]) -> float:
    """Where a profit reaches 0, on straight lines between runs; infinite where it does not."""
    for (k, a), (m, b) in pairwise(zip(multiples, profits, strict=True)):
        if a <= 0.0:
            return k
        if b <= 0.0:
            return k + (m - k) * a / (a - b)
    return math.inf


def delay_sensitivity(result: Result) -> list[Finding]:
    """The profit when every decision comes one bar later."""
    profit = profit_of(result)
    if profit <= 0.0:
        return []
    later = profit_of(late(result.setup))
    left = later / profit
    mark: Mark = "fail" if later <= 0.0 else "doubt" if left < DELAY_DOUBT else "pass"
    titles = {
        "fail": "One bar of delay ends the profit.",
        "doubt": "One bar of delay takes most of the profit.",
        "pass": "One bar of delay does not matter much.",
    }
    return [
        Finding(
            "delay sensitivity",
            mark,
            titles[mark],
            f"profit {later:,.0f} with every decision one bar later, {profit:,.0f} as it is "
            f"({left:.0%})",
            ""
            if mark == "pass"
            else "Look for data that are known later than their stamp, and for prices that only "
            "the fastest get; intrabar audit finds the first.",
            {"profit_late": later, "left": left},
        )
    ]


def path_dependence(result: Result) -> list[Finding]:
    """What hangs on the order of prices inside the bars."""
    own = profit_of(result) / result.setup.account.cash
    ends = {run.policy.word: run.total_return for run in result.band}
    low, high = min(ends.values()), max(ends.values())
    campaigns = result.campaigns
    share = float(campaigns["ambiguous"].mean() or 0.0) if campaigns.height else 0.0  # type: ignore[arg-type]
    width = (high - low) / abs(own) if own else math.inf if high > low else 0.0
    mark: Mark = "pass"
    title = "It does not hang on the path inside the bars."
    if low <= 0.0 < high:
        mark, title = "fail", "The path inside the bars decides between profit and loss."
    elif width >= BAND_DOUBT or share >= AMBIGUOUS_DOUBT:
        mark, title = "doubt", "Much of it hangs on the path inside the bars."
    policy = result.setup.account.path_policy.word
    return [
        Finding(
            "path dependence",
            mark,
            title,
            f"return {low:.2%} on the worst path, {high:.2%} on the best, {own:.2%} on the run's "
            f"own ({policy}); {share:.1%} of the campaigns had stop and target in one bar",
            "" if mark == "pass" else "Use shorter bars, or lower bars with path_policy: detail.",
            {"worst": low, "best": high, "own": own, "ambiguous": share},
        )
    ]


def larger_size(result: Result) -> list[Finding]:
    """The profit at ten times the size, with caps on the volume and market impact."""
    profit = profit_of(result)
    fills = real_fills(result)
    if profit <= 0.0 or not fills.height:
        return []
    rows, columns = places(result, fills)
    if (result.market.volume[rows, columns] > 0.0).mean() < 0.5:
        return []
    bigger = profit_of(finish(Run(larger(result.setup, SIZE))))
    left = bigger / profit
    mark: Mark = "doubt" if left < 0.5 else "pass"
    title = f"It would carry {SIZE:g} times the size."
    if mark != "pass":
        title = f"It does not carry {SIZE:g} times the size."
    return [
        Finding(
            "larger size",
            mark,
            title,
            f"at {SIZE:g} times the size, with fills of at most {VOLUME_SHARE:.0%} of a bar's "
            f"volume and the square-root impact, {left:.0%} of the profit is left for each unit",
            "" if mark == "pass" else "Count on this for today's size only.",
            {"left": left},
        )
    ]
