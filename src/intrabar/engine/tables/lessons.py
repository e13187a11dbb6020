"""What learned exits trade by in a run: their policies, and that these have not seen its bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from intrabar.data.arms import read_arms
from intrabar.engine.tables.filed import filed_lessons, require_unseen_rows
from intrabar.engine.tables.policies import policies_of, read_policies
from intrabar.engine.tables.states import files_of_states, states_of
from intrabar.errors import ConfigError
from intrabar.exits.bandit_state import BanditState, require_context
from intrabar.exits.known_bars import refuse_known_bars
from intrabar.exits.learned import Hybrid, Learned, Learning, LinUCB, is_filed
from intrabar.exits.policy import Course, Policy
from intrabar.indicators.indicator import Times
from intrabar.model.instant import instant_text
from intrabar.model.remark import Remark
from intrabar.strategy.bot import Bot
from intrabar.strategy.learner import ALWAYS
from intrabar.strategy.lessons import Lessons
from intrabar.strategy.parts import learns
from intrabar.strategy.registry import AnyStrategy

IN_SAMPLE, DECLARED = "in sample", "training declared"


def learned_exits(strategies: Mapping[str, AnyStrategy]) -> dict[str, Learning]:
    """The exits of bots that learn, by the name of the strategy."""
    return {
        name: one.exit  # type: ignore[misc]
        for name, one in strategies.items()
        if isinstance(one, Bot) and learns(one.exit)
    }


def hashes_of(strategy: AnyStrategy) -> dict[str, str]:
    """What a learned exit was made of: the hash of each policy and state, by where it is from."""
    given = strategy.exit if isinstance(strategy, Bot) else None
    return {**policy_hashes(strategy), **files_of_states(getattr(given, "state", None))}


def policy_hashes(strategy: AnyStrategy) -> dict[str, str]:
    """The hash of each policy of a learned exit, or of its file of arms, by where it is from."""
    if not isinstance(strategy, Bot) or not learns(strategy.exit):
        return {}
    exit_: Any = strategy.exit
    policies, given = policies_of(exit_), getattr(exit_, "policy", None)
    place = given if isinstance(given, str) else "given"
    several = len(policies) > 1
    if is_filed(exit_):
        return {exit_.arms: read_arms(exit_.arms).sha256}
    return {f"{place}/w{k:03d}" if several else place: x.hash for k, x in enumerate(policies)}


def content_of(place: str, value: Any) -> str:
    """The hashes of what a swept parameter names: policies, a state, a file of arms; else ""."""
    what = place.rpartition(".")[2]
    if not isinstance(value, str):
        return ""
    if what == "policy":
        return " ".join(x.hash for x in read_policies(value))
    if what == "state":
        return " ".join(files_of_states(value).values())
    return read_arms(value).sha256 if what == "arms" else ""


def lessons_in(
    strategies: Mapping[str, AnyStrategy],
    symbols: Sequence[str],
    period: int,
    states: Mapping[str, Mapping[str, BanditState]] | None = None,
) -> dict[str, Lessons]:
    """What each learned exit trades by.

    Parameters
    ----------
    strategies : mapping
    symbols : sequence of str
    period : int, ns
        Of the bars.
    states : mapping of strategy to mapping of symbol to BanditState, optional
        What bandits have learned before; None: what the exits' `state` names is read.

    Raises
    ------
    ConfigError
        The exit and its policy, or its state, do not fit each other.
    FileError, RunError
        As `read_policies` and `states_of`.
    """
    found = {}
    for name, exit_ in learned_exits(strategies).items():
        own = states_of(name, exit_, symbols)[0] if states is None else states.get(name, {})
        if is_filed(exit_):
            found[name] = filed_lessons(exit_, symbols)
        else:
            found[name] = _lessons(name, exit_, period)._replace(states=own)
    return found


def _lessons(name: str, exit_: Learning, period: int) -> Lessons:
    if isinstance(exit_, LinUCB):
        return Lessons(exit_.arms, exit_.context)
    policies = policies_of(exit_)
    first = policies[0]
    own = Course.of(exit_.rule, exit_.max_bars)
    if first.course not in (None, own):
        raise ConfigError(
            f"{name}: its policy was trained on campaigns with {first.course}; the exit has {own}. "
            "Write the same, or train anew"
        )
    if first.when == "bar" and not exit_.trails and isinstance(exit_, Learned):
        raise ConfigError(
            f"{name}: its policy decides at each close, and a fixed exit moves no stop: write "
            "exit: trailing, or train one with when: entry"
        )
    if isinstance(exit_, Hybrid):
        require_context(len(first.features.features) + 1)
    ready = [x.trained_until + exit_.refit_lag * period for x in policies]
    if len(policies) == 1 or exit_.in_sample:
        ready[0] = ALWAYS
    arms = tuple(first.arms.tolist())
    return Lessons(
        arms,
        first.features,
        policies,
        tuple(ready),
        static=first.static_arm,
        on_drift=exit_.on_drift,
    )


def require_unseen(
    strategies: Mapping[str, AnyStrategy],
    symbols: Sequence[str],
    time: Times,
    trade_from: int | None,
    period: int,
    states: Mapping[str, Mapping[str, BanditState]] | None = None,
) -> list[Remark]:
    """Refuse what has learned from the bars that it would trade; what is to be said of the others.

    Parameters
    ----------
    strategies : mapping
    symbols : sequence of str
    time : (t,) int64, ns UTC
        Closes of the run.
    trade_from : int, ns UTC, or None
        The first of them that are traded.
    period : int, ns
    states : mapping of strategy to mapping of symbol to BanditState, optional
        As `lessons_in`.

    Raises
    ------
    ConfigError
        A model was trained on bars of the run, and `in_sample` does not say that this is meant; or
        no policy is ready before the last of them.
    """
    told = []
    for name, exit_ in learned_exits(strategies).items():
        traded = time if trade_from is None else time[np.searchsorted(time, trade_from) :]
        if not len(traded):
            continue
        if is_filed(exit_):
            told += require_unseen_rows(name, exit_, symbols, traded)
            continue
        if states is None:
            known, remarks = states_of(name, exit_, symbols)
            told += remarks
        else:
            known = dict(states.get(name, {}))
        models = [
            (f"state of {symbol}", "learned_until", state.learned_until)
            for symbol, state in known.items()
        ]
        policies = policies_of(exit_)
        if any(x.declared for x in policies):
            told.append(
                Remark(
                    f"{name}: when its policy was trained is declared, not witnessed: judge it by "
                    "what came after its file was first seen",
                    severe=True,
                )
            )
        if len(policies) == 1 or (policies and exit_.in_sample):
            until = policies[0].trained_until
            models.append((f"policy {_place(exit_)}", "trained_until", until))
        elif policies:
            _require_ready(name, exit_, policies[0], traded, period)
        for what, field, until in models:
            told += _unseen(name, what, field, until, traded, exit_.in_sample)
    return told


def _unseen(
    name: str, what: str, field: str, until: int, traded: Times, in_sample: bool
) -> list[Remark]:
    """Refuse one model, or say that it is in sample."""
    if not in_sample:
        refuse_known_bars(f"{name}: {what}", field, until, traded)
    known = int(np.searchsorted(traded, until, side="right"))
    if not known:
        return []
    text = (
        f"{name} is in sample: {what} has {field} {instant_text(until)}, so it knows {known:,} of "
        f"the {len(traded):,} bars that it trades"
    )
    return [Remark(text, severe=True)]


def _require_ready(name: str, exit_: Any, first: Policy, traded: Times, period: int) -> None:
    """Refuse policies of which none is there before the last bar."""
    ready = first.trained_until + exit_.refit_lag * period
    if not ready < traded[-1]:
        raise ConfigError(
            f"{name}: policies {_place(exit_)}: the first decides after {instant_text(ready)}, "
            f"and the last bar closes at {instant_text(int(traded[-1]))}: name policies of "
            "earlier bars, or in_sample: true in the exit"
        )


def _place(exit_: Any) -> str:
    given = exit_.policy
    return given if isinstance(given, str) else given[0].hash[:12]


def training_of(strategy: AnyStrategy) -> str:
    """What a title says of how a strategy was trained; "" where there is nothing to say."""
    if not isinstance(strategy, Bot) or not learns(strategy.exit):
        return ""
    if strategy.exit.in_sample:  # type: ignore[union-attr]
        return IN_SAMPLE
    if is_filed(strategy.exit):
        return DECLARED
    return DECLARED if any(x.declared for x in policies_of(strategy.exit)) else ""
