"""Is the result of one run real: its Sharpe ratio, its length, its entries, its luck."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from intrabar.analysis.bootstrap import Interval
from intrabar.analysis.figure import Undefined
from intrabar.analysis.intervals import campaign_intervals, return_intervals
from intrabar.analysis.lean_sheet import Calendar
from intrabar.analysis.monte_carlo import drawdown_of, shuffled_drawdowns
from intrabar.analysis.sharpe import (
    Moments,
    deflated_sharpe,
    expected_maximum,
    minimum_track_record,
    moments,
    probabilistic_sharpe,
)
from intrabar.engine.outcome.foresight import measured
from intrabar.engine.outcome.held_arrays import held_arrays
from intrabar.engine.outcome.result import Result
from intrabar.model.bars import Floats
from intrabar.research.finding import Mark
from intrabar.research.sweep.lean import figures_of
from intrabar.research.validate.check import DEFLATED, FORESIGHT, UNCHECKED, Check, Drawn, not_made
from intrabar.research.validate.nulls import Null, permuted_entry, random_entry, synthetic_bars

CONFIDENCE = 0.95
"""Of a probability that counts as shown."""

DOUBT = 0.80
"""Of a probability below which nothing speaks for the result any more."""

P_PASS, P_DOUBT = 1.0 - CONFIDENCE, 1.0 - DOUBT

SHUFFLES = 2000

INDEPENDENT = "Daily returns are independent of each other and alike over time."


def by_probability(value: float) -> Mark:
    """The mark of a probability that the result is real."""
    return "pass" if value >= CONFIDENCE else "doubt" if value >= DOUBT else "fail"


SHARPE_BELIEVED = {"a day or longer": 4.0, "shorter than a day": 9.2}
"""Annual Sharpe ratios above which none is known, by the length of the bars (docs/validate.md)."""

DAY_NS = 86_400_000_000_000


def plausible_check(result: Result) -> Check:
    """Whether the Sharpe ratio is one that somebody could have."""
    name = "plausible Sharpe ratio"
    assumption = "The bars tell what could have been traded, and nothing better than that is known."
    value = result.metrics.values["sharpe"]
    if value is None:
        return not_made(name, "the daily returns have no Sharpe ratio", assumption)
    length = "a day or longer" if result.market.period >= DAY_NS else "shorter than a day"
    most = SHARPE_BELIEVED[length]
    beyond = value > most
    told = (
        "Look for data that are known later than their stamp (intrabar audit), for prices at which "
        "nobody could trade, and for costs that are missing."
        if beyond
        else "It is not beyond belief."
    )
    return Check(
        name,
        "fail" if beyond else "pass",
        f"{value:.2f}",
        f"On bars of {length} a Sharpe ratio above {most:g} is beyond belief. {told}",
        assumption,
        {"sharpe": value, "most": most},
    )


def foresight_checks(result: Result) -> list[Check]:
    """Arrays that came ready made: whether they foretell returns as only the future could."""
    rows, market = len(result.market), result.market
    own = (market.time, market.open_time, market.session_end)
    holding = [
        name
        for name, strategy in result.setup.strategies.items()
        if any(all(a is not x for x in own) for a in held_arrays(strategy, rows).values())
    ]
    if not holding:
        return []
    names = ", ".join(holding)
    assumption = (
        "What is known of the future only a little (a scaler or a linear model that was fitted on "
        "all of the bars) does not stand out. intrabar.audit can tell, of a function of the market "
        "in the place of the arrays."
    )
    found = [one for name in holding for one in measured(result.setup.strategies[name], market)]
    worst = max(found, key=lambda one: (one.knows, abs(one.correlation)), default=None)
    figure = "none" if worst is None else f"{abs(worst.correlation):.2f}"
    figures = {"correlation": None if worst is None else worst.correlation}
    if worst is not None and worst.knows:
        return [Check(FORESIGHT, "fail", figure, f"{worst}.", assumption, figures)]
    told = "They do not foretell returns as only the future could."
    checks = [Check(FORESIGHT, "pass", figure, told, assumption, figures)] if worst else []
    why = f"the arrays of {names} came ready made, and how they were worked out is not known"
    return [*checks, not_made(UNCHECKED, why, assumption)]


def sharpe_checks(result: Result, tried: int = 1, spread: float | None = None) -> list[Check]:
    """Probabilistic and deflated Sharpe ratio, and how long a track record it takes.

    Parameters
    ----------
    result : Result
    tried : int, >= 1
        Variants that were ever tried on these bars, this one included.
    spread : float or None
        Variance of their annual Sharpe ratios; None: that of luck.
    """
    year = result.periods_per_year
    found = moments(daily_returns(result))
    return [
        _probabilistic(found, year),
        _deflated(found, tried, spread, year),
        _track_record(found, year),
    ]


def _probabilistic(found: Moments | Undefined, year: float) -> Check:
    assumption = f"{INDEPENDENT} It was the only variant that was tried."
    name = "probabilistic Sharpe ratio"
    value = found if isinstance(found, Undefined) else probabilistic_sharpe(found)
    if isinstance(found, Undefined) or isinstance(value, Undefined):
        return not_made(name, value, assumption)  # type: ignore[arg-type]
    annual = found.sharpe * math.sqrt(year)
    return Check(
        name,
        by_probability(value),
        f"{value:.0%} likely above 0",
        f"The annual Sharpe ratio is {annual:.2f} over {found.observations:,} days, with a skew of "
        f"{found.skew:.2f} and a kurtosis of {found.kurtosis:.1f}; the true one is above 0 with a "
        f"probability of {value:.1%}.",
        assumption,
        {"probability": value, "sharpe": annual, "days": float(found.observations)},
    )


def _deflated(found: Moments | Undefined, tried: int, spread: float | None, year: float) -> Check:
    name = DEFLATED
    assumption = (
        f"{INDEPENDENT} The {tried:,} variants are all that were tried on these bars, and none "
        "resembles another: where they do, it is too strict."
        if tried > 1
        else f"{INDEPENDENT} No other variant was ever tried on these bars: say how many by "
        "`tried`."
    )
    if isinstance(found, Undefined):
        return not_made(name, found, assumption)
    chance = 1.0 / (found.observations - 1)
    variance = max(chance, 0.0 if spread is None else spread / year)
    value = deflated_sharpe(found, float(tried), variance)
    if isinstance(value, Undefined):
        return not_made(name, value, assumption)
    luck = math.sqrt(variance * year) * expected_maximum(float(tried))
    return Check(
        name,
        by_probability(value),
        f"{value:.0%} likely above 0",
        f"{tried:,} {'variants were' if tried > 1 else 'variant was'} tried on these bars; without "
        f"any skill the best of them would show a Sharpe ratio of {luck:.2f}. The true one is "
        f"above 0 with a probability of {value:.1%}.",
        assumption,
        {"probability": value, "tried": float(tried), "luck": luck},
    )


def _track_record(found: Moments | Undefined, year: float) -> Check:
    name = "minimum track record"
    needed = found if isinstance(found, Undefined) else minimum_track_record(found)
    if isinstance(found, Undefined) or isinstance(needed, Undefined):
        return not_made(name, needed, INDEPENDENT)  # type: ignore[arg-type]
    have = found.observations
    mark: Mark = "pass" if have >= needed else "doubt" if have >= needed / 2.0 else "fail"
    return Check(
        name,
        mark,
        f"{needed / year:,.1f} years",
        f"So much time it takes to show a Sharpe ratio like this with {CONFIDENCE:.0%} "
        f"confidence; there are {have / year:,.1f} years.",
        INDEPENDENT,
        {"days_needed": needed, "days": float(have)},
    )


Nulling = Callable[[Result, int, int], Null | Undefined]

NULLS: dict[str, tuple[Nulling, str, str]] = {
    "random entry": (
        random_entry,
        "enter at random as often, with the same sides, exits, sizes and costs",
        "When a position is entered is all that the entry decides; what chance enters is as often "
        "blocked by gates.",
    ),
    "permuted entry": (
        permuted_entry,
        "give the answers of the entry rule to other bars",
        "Blocks of bars can change places: nothing beyond a block decides when the rule speaks.",
    ),
    "synthetic bars": (
        synthetic_bars,
        "trade the same bars in another order",
        "Bars drawn in blocks are a history that could have been. Drift is kept, so a strategy "
        "that lives on drift does not stand out here.",
    ),
}


def null_check(name: str, result: Result, runs: int, seed: int, chosen: bool = False) -> Check:
    """A run held against runs without skill.

    Parameters
    ----------
    name : str
        Of `NULLS`.
    result : Result
    runs : int
    seed : int
    chosen : bool
        It was chosen among others, and is better than chance for that alone.
    """
    make, doing, assumption = NULLS[name]
    if chosen:
        assumption += " It can only say no: the best of many beats chance by being chosen."
    found = make(result, runs, seed)
    if isinstance(found, Undefined):
        return not_made(name, found, assumption)
    p = found.p_value
    mark: Mark = "pass" if p <= P_PASS else "doubt" if p <= P_DOUBT else "fail"
    if name == "synthetic bars" and mark == "fail":
        mark = "doubt"  # it does not speak against a strategy that lives on drift
    return Check(
        name,
        mark,
        f"p {p:.3f}",
        f"Of {runs:,} runs that {doing}, {np.mean(found.draws >= found.observed):.1%} did as well "
        f"as its Sharpe ratio of {found.observed:.2f}; their median is "
        f"{np.median(found.draws):.2f}.",
        assumption,
        {
            "p_value": p,
            "observed": found.observed,
            "median": float(np.median(found.draws)),
            "campaigns": found.campaigns,
        },
        Drawn(found.draws, "ratio", "runs without skill", {"observed": found.observed}),
    )


def interval_check(intervals: Mapping[str, Interval | Undefined]) -> Check:
    """Whether the interval of the Sharpe ratio lies above 0."""
    name = "confidence interval"
    assumption = (
        "The past days stand for the days to come; what depends on each other lies within a block."
    )
    found = intervals.get("sharpe", Undefined("there are no returns"))
    if isinstance(found, Undefined):
        return not_made(name, found, assumption)
    mark: Mark = "pass" if found.low > 0.0 else "doubt" if found.value > 0.0 else "fail"
    return Check(
        name,
        mark,
        f"{found.low:.2f} to {found.high:.2f}",
        f"The annual Sharpe ratio of {found.value:.2f} could as well have been anything in this "
        f"range ({found.confidence:.0%}, {found.resamples:,} resamples in blocks of "
        f"{found.block:.1f} days).",
        assumption,
        {"low": found.low, "high": found.high, "value": found.value},
    )


def intervals_of(result: Result, seed: int) -> dict[str, Interval | Undefined]:
    """Intervals of every headline metric: of returns, and of campaigns."""
    closed = closed_campaigns(result)
    returns = daily_returns(result)
    return {
        **return_intervals(returns, result.periods_per_year, confidence=CONFIDENCE, seed=seed),
        **campaign_intervals(
            closed["net"].to_numpy(),
            closed["r"].cast(pl.Float64).to_numpy(),
            confidence=CONFIDENCE,
            seed=seed,
        ),
    }


def daily_returns(result: Result) -> Floats:
    """The return of each day on the one before, fractions."""
    return figures_of(result.run, Calendar(result.market)).returns


def closed_campaigns(result: Result) -> pl.DataFrame:
    """Closed campaigns in the order in which they ended."""
    closed = result.campaigns.filter(pl.col("end_bar").is_not_null())
    return closed.sort("end_bar", maintain_order=True)


def order_check(result: Result, seed: int) -> Check:
    """The drawdown of the same campaigns in other orders."""
    name = "order of campaigns"
    assumption = "Campaigns do not depend on each other, and their sizes not on what came before."
    net: Floats = closed_campaigns(result)["net"].to_numpy()
    if len(net) < 10:
        return not_made(name, f"{len(net)} closed campaigns, 10 are needed", assumption)
    cash = result.setup.account.cash
    drawn = shuffled_drawdowns(net, cash, SHUFFLES, seed)
    own = float(drawdown_of(net[None, :], cash)[0])
    deep = float(np.quantile(drawn, CONFIDENCE))
    luckier = float(np.mean(drawn <= own))
    lucky = luckier < P_PASS
    mark: Mark = "fail" if deep >= 1.0 else "doubt" if lucky else "pass"
    told = "Its own order was a lucky one." if lucky else "Its own order is an ordinary one."
    return Check(
        name,
        mark,
        f"{deep:.1%}",
        f"One order in twenty has a drawdown of this or more, its own had {own:.1%}. {told}",
        assumption,
        {"drawdown_95": deep, "own": own, "luckier": luckier},
        Drawn(drawn, "fraction", "orders of the campaigns", {"observed": own, "19 in 20": deep}),
    )
