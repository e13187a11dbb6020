"""Is it real: every test of a run or of the best of a sweep, and the verdict in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from intrabar.engine.outcome.result import Result
from intrabar.engine.run import Progress
from intrabar.engine.tables.lessons import DECLARED, IN_SAMPLE, training_of
from intrabar.model.values import Bounds, taken, whole
from intrabar.research.critique.critique import critique
from intrabar.research.finding import Finding, Mark
from intrabar.research.validate.check import DEFLATED, FORESIGHT, UNCHECKED, Check, Validation
from intrabar.research.validate.nulls import RUNS
from intrabar.research.validate.of_a_run import (
    NULLS,
    foresight_checks,
    interval_check,
    intervals_of,
    null_check,
    order_check,
    plausible_check,
    sharpe_checks,
)
from intrabar.research.validate.of_a_sweep import Trials, sweep_checks

DECISIVE = (DEFLATED, "probability of backtest overfitting", "random entry", FORESIGHT)
"""Tests that answer whether there is anything but luck; each alone can say no."""

NOT_KNOWN = (
    "whether its arrays were worked out without the future cannot be checked (intrabar.audit can, "
    "of a function of the market that makes them)"
)

FORBIDDING = ("delay sensitivity",)
"""Findings that forbid to call a result likely to be real where they leave a doubt."""

MOST_TRIED, MOST_RUNS = 10**12, 10**6

SINKING = ("profit", "ruin")
"""Findings of the critique that leave nothing to ask about."""


def validate_run(
    result: Result,
    *,
    tried: int = 1,
    spread: float | None = None,
    runs: int = RUNS,
    seed: int = 0,
    progress: Progress | None = None,
) -> Validation:
    """Ask of one run whether its result is real.

    Parameters
    ----------
    result : Result
    tried : int, >= 1
        Variants that were ever tried on its bars, this one included.
    spread : float or None
        Variance of their annual Sharpe ratios, where it is known.
    runs : int
        Of each null.
    seed : int
        Of everything that is drawn.
    progress : callable, optional
        Called with the tests done and the tests there are.

    Raises
    ------
    ConfigError
        `tried` or `runs` is below 1.
    """
    require_counts(tried, runs)
    steps: list[Callable[[], list[Check]]] = [
        lambda: sharpe_checks(result, tried, spread),
        *_own_steps(result, runs, seed, chosen=tried > 1),
    ]
    checks = _made(steps, progress)
    return _validation(checks, result, seed)


def validate_sweep(
    trials: Trials,
    best: Result | None,
    *,
    runs: int = RUNS,
    seed: int = 0,
    progress: Progress | None = None,
) -> Validation:
    """Ask of the best of a sweep whether its result is real.

    Parameters
    ----------
    trials : Trials
    best : Result or None
        Of the best trial; None where it cannot be run again: what needs it is left out, and that
        is said.
    runs, seed, progress
        As `validate_run`.
    """
    require_counts(trials.tried, runs)
    steps: list[Callable[[], list[Check]]] = [lambda: sweep_checks(trials, seed)]
    if best is None:
        found = _validation(_made(steps, progress), None, seed)
        found.notes.append(
            "the best trial cannot be run again from the folder of the sweep, so nothing was asked "
            "of the run itself"
        )
        return found
    steps += _own_steps(best, runs, seed, chosen=trials.tried > 1)
    return _validation(_made(steps, progress), best, seed)


def require_counts(tried: Any, runs: Any) -> None:
    """Refuse numbers of variants and of runs that make no sense.

    Raises
    ------
    ConfigError
    """
    taken("tried:", tried, Bounds(1, MOST_TRIED, whole=True, or_none=True))
    whole("runs:", runs, Bounds(1, MOST_RUNS, whole=True))


def _own_steps(
    result: Result, runs: int, seed: int, *, chosen: bool
) -> list[Callable[[], list[Check]]]:
    nulls = [lambda name=name: [null_check(name, result, runs, seed, chosen)] for name in NULLS]
    seen = [lambda: [plausible_check(result)], lambda: foresight_checks(result)]
    return [*nulls, lambda: [order_check(result, seed)], *seen]


def _made(steps: Sequence[Callable[[], list[Check]]], progress: Progress | None) -> list[Check]:
    checks: list[Check] = []
    for k, step in enumerate(steps):
        checks += step()
        if progress is not None:
            progress(k + 1, len(steps) + 1)
    return checks


def _validation(checks: list[Check], result: Result | None, seed: int) -> Validation:
    if result is None:
        sentence, mark = verdict(checks, [])
        return Validation(sentence, mark, checks, [], {})
    intervals = intervals_of(result, seed)
    checks.append(interval_check(intervals))
    findings = critique(result)
    sentence, mark = trained(*verdict(checks, findings), result)
    return Validation(sentence, mark, checks, findings, intervals)


TRAINED = {
    IN_SAMPLE: "In sample: a model has learned from these bars, so they prove nothing of it.",
    DECLARED: "When a model was trained is declared, not witnessed.",
}


def trained(sentence: str, mark: Mark, result: Result) -> tuple[str, Mark]:
    """A verdict, with what is to be said of how strategies were trained: doubt, at best."""
    told = dict.fromkeys(training_of(one) for one in result.setup.strategies.values())
    sentences = [TRAINED[how] for how in told if how]
    if not sentences:
        return sentence, mark
    return " ".join([*sentences, sentence]), "doubt" if mark == "pass" else mark


def verdict(checks: Sequence[Check], findings: Sequence[Finding]) -> tuple[str, Mark]:
    """The answer, from the marks alone.

    Not real where a decisive test fails or nothing was earned; doubtful where a decisive test
    could not be made or settles nothing, any other one fails, one bar of delay takes most of the
    profit, or arrays came ready made; else nothing speaks against it.
    """
    sunk = [one for one in findings if one.name in SINKING and one.mark == "fail"]
    if sunk:
        return f"There is nothing to believe: {_lower(sunk[0].title)}", "fail"
    failed = [one.name for one in checks if one.name in DECISIVE and one.mark == "fail"]
    if failed:
        return f"Not real, as far as these bars tell: {_speaks(failed)} against it.", "fail"
    open_ = [one.name for one in checks if one.name in DECISIVE and one.mark != "pass"]
    others = [one.name for one in checks if one.name not in DECISIVE and one.mark == "fail"]
    others += [
        one.name
        for one in findings
        if one.mark == "fail" or (one.mark == "doubt" and one.name in FORBIDDING)
    ]
    unchecked = [one for one in checks if one.name == UNCHECKED]
    if open_ or others or unchecked:
        told = [f"{_joined(open_)} left it open"] if open_ else []
        told += [f"{_speaks(others)} against it"] if others else []
        told += [NOT_KNOWN] if unchecked else []
        return f"It may be real, but {'; '.join(told)}.", "doubt"
    return (
        "Nothing that was asked speaks against it: it is likely to be real, "
        "as far as the past tells.",
        "pass",
    )


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def _speaks(names: Sequence[str]) -> str:
    return f"{_joined(names)} {'speaks' if len(set(names)) == 1 else 'speak'}"


def _joined(names: Sequence[str]) -> str:
    names = list(dict.fromkeys(names))
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
