"""From a run with a learned exit to the evidence of its scorecard: lanes, rivals, accounts.

Nothing here fills or costs: campaigns are those of lanes, accounts those of runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import polars as pl

from intrabar.analysis.returns import days_of, last_of_day
from intrabar.engine.lanes.lanes import Lanes, bot_of
from intrabar.engine.outcome.result import Result, finish
from intrabar.engine.run import Run, Setup
from intrabar.errors import UsageError
from intrabar.exits import FixedRatio, TrailingATR
from intrabar.exits.static import static_exit
from intrabar.model.bars import Floats
from intrabar.model.enums import PathPolicy
from intrabar.model.instant import instant_text
from intrabar.research.scorecard.evidence import (
    Entries,
    Evidence,
    Ints,
    Returns,
    Scores,
    Span,
    Training,
    Window,
)
from intrabar.research.scorecard.rival import FEWEST_ENTRIES, rivals_of

Rule = TrailingATR | FixedRatio


class Spans(NamedTuple):
    """A train and its test, ns UTC, both ends included."""

    name: str
    train: Span
    test: Span


@dataclass(frozen=True, eq=False)
class LearnedExit:
    """A bot whose exit chooses among arms, and when it learned.

    Parameters
    ----------
    setup : Setup
        The bot alone, over the bars of trains and tests, traded from the first test on.
    strategy : str
    rule : TrailingATR or FixedRatio
        Whose rules place the levels.
    max_bars : bars
    arms : tuple of ATR multiples
    static : int
        Index of the arm that the bot has while its own entries of the trains are sought.
    windows : tuple of Spans
    decides_held : bool
        At each held close as well: it has no arm for a whole campaign.
    """

    setup: Setup
    strategy: str
    rule: Rule
    max_bars: int
    arms: tuple[float, ...]
    static: int
    windows: tuple[Spans, ...]
    decides_held: bool = False


def evidence_of(
    learned: LearnedExit,
    result: Result,
    decisions: pl.DataFrame,
    training: Training,
    *,
    own: float | None = None,
    data: str = "",
    threads: int = 1,
    remarks: Sequence[str] = (),
) -> Evidence:
    """What a scorecard follows from.

    Parameters
    ----------
    learned : LearnedExit
    result : Result
        Of its setup.
    decisions : DataFrame
        `result.decisions`.
    training : Training
    own : ATR multiple, optional
        The arm that the user would trade without learning.
    data : str
        Hash of the bars.
    threads : int
        How many share the work; the figures are the same.
    remarks : sequence of str

    Raises
    ------
    UsageError
        A train has no bar, or no campaign.
    """
    arms, at_own = _with_own(learned.arms, own)
    kept = _entries(decisions, learned)
    told = [*remarks]
    here = learned.setup.account.path_policy
    other = PathPolicy.WORST if here is PathPolicy.BEST else PathPolicy.BEST
    played = [_scores(learned, kept, arms, path, threads) for path in (here, other)]
    own_learned = [_learned(learned, kept, scores) for scores in played]
    if learned.decides_held:
        own_learned = [kept["reward"].to_numpy().astype(np.float64), _rewards(learned, kept, other)]
        told.append(
            "its arm changes while held, so its side of a pair is the score of its campaign in the "
            "account, not in a lane"
        )
    windows = _windows(learned, arms, threads)
    time = kept["time"].cast(pl.Int64).to_numpy()
    symbols = learned.setup.market.symbols
    entries = Entries(
        symbols=symbols,
        time=time,
        symbol=np.array([symbols.index(x) for x in kept["symbol"]], np.int64),
        window=_window_of(learned.windows, time),
        side=kept["side"].to_numpy().astype(np.int64),
        arm=np.full(len(time), -1) if learned.decides_held else kept["arm"].to_numpy(),
        here=Scores(own_learned[0], played[0]),
        other=Scores(own_learned[1], played[1]),
    )
    evidence = Evidence(
        bot=bot_of(learned.setup, learned.strategy).name,
        arms=arms,
        learnable=len(learned.arms),
        own=at_own,
        paths=(here.word, other.word),
        entries=entries,
        windows=windows,
        returns=_none(),
        training=training,
        data=data,
        remarks=tuple(told),
    )
    chosen = [one.arm for one in rivals_of(evidence)]
    return replace(evidence, returns=_returns(learned, result, arms[chosen]))


def static_result(learned: LearnedExit, arm: float) -> Result:
    """The run of the same bot with one arm."""
    bot = bot_of(learned.setup, learned.strategy)
    told = replace(bot, exit=static_exit(learned.rule, arm, learned.max_bars))
    return finish(Run(replace(learned.setup, strategies={learned.strategy: told}, given=None)))


def entries_in(result: Result) -> pl.DataFrame:
    """Where a run entered: `bar` of the decision, `symbol`, `side`, in order."""
    entered = result.fills.filter(pl.col("reason").cast(pl.String) == "entry")
    orders = result.orders.select("order", bar="submitted_bar")
    return (
        entered.drop("bar")
        .unique("order", keep="first", maintain_order=True)
        .join(orders, on="order", how="inner")
        .select(
            "bar",
            symbol=pl.col("symbol").cast(pl.String),
            side=pl.when(pl.col("side").cast(pl.String) == "buy").then(1).otherwise(-1),
        )
        .sort("bar", maintain_order=True)
    )


def daily_returns(result: Result) -> tuple[Ints, Floats]:
    """Trade dates and the return of each; the first is over the cash."""
    market, equity = result.market, result.equity["equity"].to_numpy()
    day = days_of(market.time) if market.day is None else market.day
    days, daily = last_of_day(day[: len(equity)], equity)
    before = np.concatenate(([result.setup.account.cash], daily[:-1]))
    return days, np.divide(daily, before, out=np.ones(len(daily)), where=before > 0.0) - 1.0


def _with_own(arms: tuple[float, ...], own: float | None) -> tuple[Floats, int | None]:
    if own is None:
        return np.array(arms), None
    if own in arms:
        return np.array(arms), arms.index(own)
    return np.array([*arms, own]), len(arms)


def _entries(decisions: pl.DataFrame, learned: LearnedExit) -> pl.DataFrame:
    """The first decision of each campaign of a test, in the order of their times."""
    first, last = learned.windows[0].test[0], learned.windows[-1].test[1]
    time = pl.col("time").cast(pl.Int64)
    made = decisions.filter(
        (pl.col("strategy") == learned.strategy)
        & pl.col("campaign").is_not_null()
        & ~pl.col("simulated")
        & time.is_between(first, last)
    )
    return made.unique(["symbol", "campaign"], keep="first", maintain_order=True).sort(
        "bar", maintain_order=True
    )


def _scores(
    learned: LearnedExit, kept: pl.DataFrame, arms: Floats, path: PathPolicy, threads: int
) -> Floats:
    """What each arm makes of each entry, in lanes: (n, K)."""
    scores = np.full((kept.height, len(arms)), np.nan)
    setup = learned.setup.under(path)
    for (symbol,), part in kept.with_row_index("k").group_by("symbol", maintain_order=True):
        lanes = _lanes(replace(learned, setup=setup), str(symbol), threads)
        side = part["side"].to_numpy().astype(np.int8)
        scores[part["k"]] = lanes.play(part["bar"].to_numpy(), side, arms.tolist()).score
    return scores


def _lanes(learned: LearnedExit, symbol: str, threads: int) -> Lanes:
    return Lanes(
        learned.setup, learned.strategy, symbol, learned.rule, learned.max_bars, threads=threads
    )


def _learned(learned: LearnedExit, kept: pl.DataFrame, scores: Floats) -> Floats:
    """The score of the arm that was taken at each entry."""
    return np.asarray(scores[np.arange(kept.height), kept["arm"].to_numpy()])


def _rewards(learned: LearnedExit, kept: pl.DataFrame, path: PathPolicy) -> Floats:
    """Rewards of the same entries where the bot runs under another path; NaN where it has none."""
    result = finish(Run(replace(learned.setup.under(path), given=None)))
    there = _entries(result.decisions, learned).select("bar", "symbol", other="reward")
    found = kept.select("bar", "symbol").join(there, on=["bar", "symbol"], how="left")
    return found["other"].to_numpy().astype(np.float64)


def _windows(learned: LearnedExit, arms: Floats, threads: int) -> tuple[Window, ...]:
    """Scores of all arms over the trains: at the bot's own entries, else at every bar."""
    # Trains lie before `trade_from`, where the learned exit itself is refused.
    plain = replace(bot_of(learned.setup, learned.strategy), exit=learned.rule)
    setup = replace(
        learned.setup, strategies={learned.strategy: plain}, trade_from=None, given=None
    )
    learned = replace(learned, setup=setup)
    market = learned.setup.market
    entered = entries_in(static_result(learned, learned.arms[learned.static]))
    rows: list[list[Floats]] = [[] for _ in learned.windows]
    counts = [0] * len(learned.windows)
    sides = sorted(set(entered["side"].to_list()))
    for symbol in market.symbols:
        own = entered.filter(pl.col("symbol") == symbol)
        lanes = _lanes(learned, symbol, threads)
        found = _before(lanes, own["bar"].to_numpy(), own["side"].to_numpy(), arms, learned)
        for k, scores in enumerate(found):
            rows[k].append(scores)
            counts[k] += len(scores)
    if any(count < FEWEST_ENTRIES for count in counts) and sides:
        every: list[list[Floats]] = [[] for _ in learned.windows]
        for symbol in market.symbols:
            lanes = _lanes(learned, symbol, threads)
            starts = lanes.starts()
            starts = starts[lanes.allowed(starts)]
            row, side = np.repeat(starts, len(sides)), np.tile(sides, len(starts))
            for k, scores in enumerate(_before(lanes, row, side, arms, learned)):
                every[k].append(scores)
        rows = [e if n < FEWEST_ENTRIES else r for e, r, n in zip(every, rows, counts, strict=True)]
    made = []
    for spans, parts, count in zip(learned.windows, rows, counts, strict=True):
        scores = np.concatenate(parts)
        if not len(scores):
            first, last = (instant_text(int(x)) for x in spans.train)
            raise UsageError(
                f"{spans.name}: the bot has no entry between {first} and {last}, so there is no "
                "static exit to hold it against; begin the data earlier"
            )
        made.append(Window(spans.name, spans.train, spans.test, scores, count))
    return tuple(made)


def _before(
    lanes: Lanes, rows: Ints, sides: Ints, arms: Floats, learned: LearnedExit
) -> list[Floats]:
    """Scores of campaigns that begin in each train and end before its test: (m, K) a window."""
    time = learned.setup.market.time
    trained = time[rows] <= max(one.train[1] for one in learned.windows)
    rows = rows[trained]
    played = lanes.play(rows, sides[trained].astype(np.int8), arms.tolist())
    end = time[np.where(played.fate == 0, played.end_bar, rows[:, None]).max(axis=1, initial=0)]
    begin = time[rows]
    found = []
    for one in learned.windows:
        inside = (begin >= one.train[0]) & (begin <= one.train[1])
        if one.train[1] < one.test[0]:  # in sample there is nothing to keep apart
            inside &= end < one.test[0]
        found.append(played.score[inside])
    return found


def _window_of(windows: Sequence[Spans], time: Ints) -> Ints:
    return np.searchsorted(np.array([w.test[0] for w in windows]), time, side="right") - 1


def _returns(learned: LearnedExit, result: Result, arms: Floats) -> Returns:
    """Daily returns of both bots; a static one has the arm of each window's rival.

    A ruined account has none on later days: they are 0.
    """
    market = learned.setup.market
    day = days_of(market.time) if market.day is None else market.day
    begins = day[np.searchsorted(market.time, [w.test[0] for w in learned.windows])]
    days = np.unique(day)
    days = days[days >= begins[0]]
    window = np.searchsorted(begins, days, side="right") - 1
    runs = {arm: _on(days, static_result(learned, arm)) for arm in set(arms.tolist())}
    static = np.zeros(len(days))
    for k, arm in enumerate(arms.tolist()):
        static[window == k] = runs[arm][window == k]
    return Returns(days, _on(days, result), static)


def _on(days: Ints, result: Result) -> Floats:
    """Returns of a run on these days."""
    own, returns = daily_returns(result)
    found = np.zeros(len(days))
    _, at, there = np.intersect1d(days, own, return_indices=True)
    found[at] = returns[there]
    return found


def _none() -> Returns:
    return Returns(np.empty(0, np.int64), np.empty(0), np.empty(0))
