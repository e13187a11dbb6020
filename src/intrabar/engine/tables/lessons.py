"""What learned exits trade by in a run: their policies, and that these have not seen its bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from intrabar.engine.tables.feature_table import probe_features
from intrabar.errors import ConfigError, FileError
from intrabar.exits.bandit_state import require_context
from intrabar.exits.known_bars import refuse_known_bars
from intrabar.exits.learned import Hybrid, Learned, LinUCB
from intrabar.exits.policy import Policy
from intrabar.exits.policy_windows import load_policies
from intrabar.indicators.indicator import Times
from intrabar.model.instant import instant_text
from intrabar.model.remark import Remark
from intrabar.strategy.bot import Bot
from intrabar.strategy.learner import ALWAYS, Lessons
from intrabar.strategy.parts import learns
from intrabar.strategy.registry import AnyStrategy

IN_SAMPLE, DECLARED = "in sample", "training declared"


def read_policies(folder: Path | str) -> tuple[Policy, ...]:
    """The policies of a folder: one, or one per window of a walk-forward.

    Raises
    ------
    FileError, RunError, ConfigError
        As `load_policies`.
    """
    folder = Path(folder)
    try:
        found = sorted(x for x in folder.rglob("*") if x.is_file())
        told = tuple((x.stat().st_mtime_ns, x.stat().st_size) for x in found)
    except OSError as error:
        raise FileError(f"{folder} cannot be read: {error.strerror or error}") from None
    return _read(folder.absolute(), told)


@lru_cache(maxsize=64)  # the runs of a sweep read the same folder
def _read(folder: Path, _: Any) -> tuple[Policy, ...]:
    return load_policies(folder, probe_features)


def policies_of(exit_: Any) -> tuple[Policy, ...]:
    """The policies of a learned exit; none of one that has no policy. Raises as `read_policies`."""
    given = getattr(exit_, "policy", None)
    return read_policies(given) if isinstance(given, str) else given or ()


def learned_exits(strategies: Mapping[str, AnyStrategy]) -> dict[str, Learned | LinUCB | Hybrid]:
    """The exits of bots that learn, by the name of the strategy."""
    return {
        name: one.exit  # type: ignore[misc]
        for name, one in strategies.items()
        if isinstance(one, Bot) and learns(one.exit)
    }


def hashes_of(strategy: AnyStrategy) -> dict[str, str]:
    """What a learned exit was made of: the hash of each policy, by where it is from."""
    if not isinstance(strategy, Bot) or not learns(strategy.exit):
        return {}
    policies, given = policies_of(strategy.exit), getattr(strategy.exit, "policy", None)
    place = given if isinstance(given, str) else "given"
    several = len(policies) > 1
    return {f"{place}/w{k:03d}" if several else place: x.hash for k, x in enumerate(policies)}


def lessons_in(
    strategies: Mapping[str, AnyStrategy], symbols: Sequence[str], period: int
) -> dict[str, Lessons]:
    """What each learned exit trades by.

    Parameters
    ----------
    strategies : mapping
    symbols : sequence of str
    period : int, ns
        Of the bars.

    Raises
    ------
    ConfigError
        The exit and its policy do not fit each other.
    FileError, RunError
        As `read_policies`.
    """
    return {
        name: _lessons(name, exit_, period) for name, exit_ in learned_exits(strategies).items()
    }


def _lessons(name: str, exit_: Learned | LinUCB | Hybrid, period: int) -> Lessons:
    policies = policies_of(exit_)
    assert not isinstance(exit_, LinUCB)
    first = policies[0]
    if first.when == "bar" and not exit_.trails:
        raise ConfigError(
            f"{name}: its policy decides at each close, and a fixed exit moves no stop: write "
            "exit: trailing, or train one with when: entry"
        )
    if not isinstance(exit_, Learned):
        require_context(len(first.features.features) + 1)
    ready = [x.trained_until + exit_.refit_lag * period for x in policies]
    if len(policies) == 1 or exit_.in_sample:
        ready[0] = ALWAYS
    arms = tuple(first.arms.tolist())
    return Lessons(arms, first.features, policies, tuple(ready), static=first.static_arm)


def require_unseen(
    strategies: Mapping[str, AnyStrategy], time: Times, trade_from: int | None, period: int
) -> list[Remark]:
    """Refuse what has learned from the bars that it would trade; what is to be said of the others.

    Parameters
    ----------
    strategies : mapping
    time : (t,) int64, ns UTC
        Closes of the run.
    trade_from : int, ns UTC, or None
        The first of them that are traded.
    period : int, ns

    Raises
    ------
    ConfigError
        A model was trained on bars of the run, and `in_sample` does not say that this is meant; or
        no policy is ready before the last of them.
    """
    told = []
    for name, exit_ in learned_exits(strategies).items():
        policies = policies_of(exit_)
        traded = time if trade_from is None else time[np.searchsorted(time, trade_from) :]
        if not policies or not len(traded):
            continue
        first, place = policies[0], _place(exit_)
        if any(x.declared for x in policies):
            told.append(
                Remark(
                    f"{name}: when its policy was trained is declared, not witnessed: judge it by "
                    "what came after its file was first seen",
                    severe=True,
                )
            )
        if exit_.in_sample:
            known = int(np.searchsorted(traded, first.trained_until, side="right"))
            if known:
                told.append(
                    Remark(
                        f"{name} is in sample: its policy was trained until "
                        f"{instant_text(first.trained_until)}, on {known:,} of the "
                        f"{len(traded):,} bars that it trades",
                        severe=True,
                    )
                )
        elif len(policies) == 1:
            refuse_known_bars(
                f"{name}: policy {place}", "trained_until", first.trained_until, traded
            )
        else:
            ready = first.trained_until + exit_.refit_lag * period  # type: ignore[union-attr]
            if not ready < traded[-1]:
                raise ConfigError(
                    f"{name}: policies {place}: the first decides after {instant_text(ready)}, "
                    f"and the last bar closes at {instant_text(int(traded[-1]))}: name policies "
                    "of earlier bars, or in_sample: true in the exit"
                )
    return told


def _place(exit_: Any) -> str:
    given = exit_.policy
    return given if isinstance(given, str) else given[0].hash[:12]


def training_of(strategy: AnyStrategy) -> str:
    """What a title says of how a strategy was trained; "" where there is nothing to say."""
    if not isinstance(strategy, Bot) or not learns(strategy.exit):
        return ""
    if strategy.exit.in_sample:  # type: ignore[attr-defined]
        return IN_SAMPLE
    return DECLARED if any(x.declared for x in policies_of(strategy.exit)) else ""
