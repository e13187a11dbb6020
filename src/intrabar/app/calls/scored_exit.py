"""What is scored of a bot with a learned exit: its windows, and how it was trained."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from intrabar.engine.run import Setup
from intrabar.engine.tables.lessons import lessons_in
from intrabar.engine.tables.policies import policies_of
from intrabar.errors import UsageError
from intrabar.exits.learned import Learned, LinUCB
from intrabar.exits.policy import Policy
from intrabar.exits.policy_file import TOLD, read_told
from intrabar.model.bars import Times
from intrabar.model.instant import instant_ns, instant_text
from intrabar.research.scorecard.evidence import Span, Training
from intrabar.research.scorecard.learned_run import LearnedExit, Spans
from intrabar.strategy.bot import Bot


def learned_exit(
    setup: Setup, label: str, bot: Bot, first: int | None
) -> tuple[LearnedExit, Training]:
    """What is scored, and how it was trained.

    Parameters
    ----------
    setup : Setup
        Over the bars of trains and tests, the bot with the rule of its exit alone.
    label : str
    bot : Bot
        With its learned exit.
    first : int, ns UTC, or None
        Where the test begins, at the earliest.
    """
    time, exit_ = setup.market.time, bot.exit
    given: Any = exit_
    lessons = lessons_in({label: bot}, setup.market.symbols, setup.market.period)[label]
    trained = _trained(given)
    windows = _windows(time, lessons.ready, trained, first, given, label)
    taught = replace(
        setup, strategies={label: bot}, trade_from=windows[0].test[0], given=None, remarks=()
    )
    learned = LearnedExit(
        taught,
        label,
        given.rule,
        given.max_bars,
        lessons.arms,
        lessons.static,
        windows,
        isinstance(given, Learned) and lessons.reads_position,
    )
    return learned, _training(given, trained, lessons.source)


class Trained(NamedTuple):
    """Of one policy: since when and until when it was trained, and what its folder says."""

    policy: Policy
    since: int | None
    told: Mapping[str, Any]


def _trained(exit_: Any) -> list[Trained]:
    policies = policies_of(exit_)
    given = getattr(exit_, "policy", None)
    if not isinstance(given, str):
        return [Trained(x, None, {}) for x in policies]
    told = read_told(Path(given) / TOLD)
    each = [told]
    if len(policies) > 1:
        each = [{**told, **read_told(Path(given) / w["folder"] / TOLD)} for w in told["windows"]]
    return [Trained(x, _since(t), t) for x, t in zip(policies, each, strict=True)]


def _since(told: Mapping[str, Any]) -> int | None:
    try:
        return instant_ns(told["spans"]["train"][0])
    except (KeyError, TypeError, ValueError, IndexError):
        return None


def _windows(
    time: Times,
    ready: Sequence[int],
    trained: Sequence[Trained],
    first: int | None,
    exit_: Any,
    label: str,
) -> tuple[Spans, ...]:
    """Each train with the bars on which what it taught decides."""
    begin = int(time[0]) if first is None else first
    if not trained:
        return (_untaught(time, begin, label),)
    made = []
    for k, one in enumerate(trained):
        after = one.policy.trained_until
        # With `in_sample` the first one decides on what it knows.
        if not (exit_.in_sample and k == 0):
            after = max(after, ready[k])
        last = ready[k + 1] if k + 1 < len(trained) else int(time[-1])
        tested = time[(time > after) & (time >= begin) & (time <= last)]
        if exit_.in_sample and k == 0:
            tested = time[(time >= begin) & (time <= last)]
        if not len(tested):
            continue
        since = int(time[0]) if one.since is None else max(one.since, int(time[0]))
        train: Span = since, one.policy.trained_until
        made.append(Spans(f"w{k:03d}", train, (int(tested[0]), int(tested[-1]))))
    if not made:
        until = trained[0].policy.trained_until
        raise UsageError(
            f"{label}: there is no bar to test on: its policy is trained until "
            f"{instant_text(until)}, and the last bar closes at {instant_text(int(time[-1]))}; "
            "train on less, or add later bars"
        )
    return tuple(made)


def _untaught(time: Times, begin: int, label: str) -> Spans:
    """The one window of an exit without a policy: it is tested from the beginning of the run on."""
    at = int(np.searchsorted(time, begin))
    if at == 0:
        raise UsageError(
            f"{label}: there are no bars before the test on which a rival could be chosen; write "
            "start: where the test is to begin, after the first years of the bars"
        )
    if at == len(time):
        raise UsageError(
            f"{label}: the test begins at {instant_text(begin)}, and the last bar closes at "
            f"{instant_text(int(time[-1]))}"
        )
    return Spans("w000", (int(time[0]), int(time[at - 1])), (int(time[at]), int(time[-1])))


def _training(exit_: Any, trained: Sequence[Trained], source: str) -> Training:
    """What is known of how an exit was trained."""
    doubts = []
    if exit_.in_sample:
        doubts.append("it is in sample: it trades bars that it was trained on")
    if not trained:
        name = type(exit_).__name__
        arms = getattr(exit_, "arms", None)
        if isinstance(exit_, LinUCB):
            return Training(name, "", tuple(doubts), None)
        return Training(Path(str(arms)).stem, source, tuple(doubts), None, declared=True)
    given = exit_.policy
    name = Path(given).name if isinstance(given, str) else "given"
    hashes = [x.policy.hash for x in trained]
    mixed = hashlib.sha256("\n".join(hashes).encode()).hexdigest()
    found = [x.told.get("canaries") for x in trained]
    canaries = _canaries(found)
    seeds = sorted({seed for x in trained for seed in x.told.get("seeds", ())})
    named_by = hashes[0] if len(hashes) == 1 else mixed
    declared = any(x.policy.declared for x in trained)
    return Training(name, named_by, tuple(doubts), canaries, tuple(seeds), declared)


def _canaries(found: Sequence[Any]) -> tuple[tuple[str, bool, str], ...]:
    """Those of all policies; none where one of them tells none."""
    if not all(isinstance(one, list) and one for one in found):
        return ()
    each = [(x["name"], bool(x["holds"]), x["told"]) for one in found for x in one]
    return tuple(dict.fromkeys(each))
