"""What the bandits of a run know at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from intrabar.engine.tables.policies import hash_of
from intrabar.exits.bandit_state import BanditState, Slot
from intrabar.strategy.lessons import Decided

Bandits = dict[tuple[str, str], BanditState]


def bandits_of(decided: Mapping[str, Decided], symbols: Sequence[str]) -> Bandits:
    """The bandit of each strategy and symbol.

    Those whose context cannot be normalised yet, for want of known bars, are none.

    Parameters
    ----------
    decided : mapping of strategy to Decided
    symbols : sequence of str
    """
    found = {
        (name, symbol): _state(name, symbol, one, j)
        for name, one in decided.items()
        for j, symbol in enumerate(symbols)
    }
    return {key: state for key, state in found.items() if state is not None}


def _state(name: str, symbol: str, one: Decided, j: int) -> BanditState | None:
    bandit, lessons = one.bandits, one.lessons
    assert lessons.features is not None or bandit is None
    if bandit is None or lessons.features is None or not bandit.known_from[j] >= 0:
        return None
    m, before = one.memory[j], lessons.states.get(symbol)
    until = [int(m["learned_time"]), int(bandit.known_from[j])]
    until += [] if before is None else [before.learned_until]
    until += [x.trained_until for x in lessons.policies[: bandit.used]]
    last = int(m["last_campaign"]) if m["learned_time"] >= 0 else -1
    return BanditState(
        strategy=name,
        symbol=symbol,
        arms=lessons.arms,
        features=lessons.features.hash,
        prior=hash_of(lessons.policies),
        mean=tuple(bandit.means[j].tolist()),
        scale=tuple(bandit.scales[j].tolist()),
        alpha=bandit.alpha,
        n0=bandit.n0,
        n=int(m["learned"]),
        learned_until=max(until),
        last_campaign=last if before is None or last >= 0 else before.last_campaign,
        bandit=bandit.sums[j],
        slot=_slot(one, j),
    )


def _slot(one: Decided, j: int) -> Slot | None:
    """The decision whose campaign is not over."""
    m, bandit = one.memory[j], one.bandits
    assert bandit is not None
    if m["order"] < 0 or m["spoilt"] == 1 or not m["budget"] > 0.0:
        return None
    is_open = bool(m["is_open"])
    return Slot(
        arm=int(m["arm"]),
        propensity=float(m["propensity"]),
        prior=float(m["prior"]),
        budget=float(m["budget"]),
        context=tuple(bandit.contexts[j].tolist()),
        gross=float(m["gross"]) if is_open else 0.0,
        costs=float(m["costs"]) if is_open else 0.0,
        is_open=is_open,
    )


def arms_table(states: Bandits, decisions: pl.DataFrame) -> pl.DataFrame:
    """Each arm of each bandit: how often it was chosen, what it is worth, how sure that is.

    Parameters
    ----------
    states : mapping of (strategy, symbol) to BanditState
    decisions : DataFrame
        Of the same run.

    Returns
    -------
    DataFrame
        `strategy, symbol, arm` (ATR multiple), `chosen` (decisions), `estimate` (`theta . x` of a
        mean context, beyond the prior), `width` (`sqrt(x' A^-1 x)` there), `mean_reward` (null
        without a campaign), `n0`, `theta` (its length).
    """
    rows = []
    for (name, symbol), state in states.items():
        own = decisions.filter((pl.col("strategy") == name) & (pl.col("symbol") == symbol))
        factors, d = state.factors(), len(state.mean) + 1
        x = np.zeros(d)  # every feature at its mean
        x[0] = 1.0
        for a, arm in enumerate(state.arms):
            mine = own.filter(pl.col("arm") == a)
            theta = factors[a, d]
            lower = factors[a, :d]
            rows.append(
                {
                    "strategy": name,
                    "symbol": symbol,
                    "arm": arm,
                    "chosen": mine.height,
                    "estimate": float(theta @ x),
                    "width": float(np.linalg.norm(np.linalg.solve(lower, x))),
                    "mean_reward": mine["reward"].mean(),
                    "n0": state.n0,
                    "theta": float(np.linalg.norm(theta)),
                }
            )
    schema = {
        **dict.fromkeys(("strategy", "symbol"), pl.String),
        **{"arm": pl.Float64, "chosen": pl.Int64},
        **dict.fromkeys(("estimate", "width", "mean_reward", "n0", "theta"), pl.Float64),
    }
    return pl.DataFrame(rows, schema=schema)
