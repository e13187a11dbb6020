"""Optuna: its proposals, and the journal from which a search goes on. The only place that knows it.

Proposals are those of the tree of Parzen estimators (Bergstra, Bardenet, Bengio and Kégl 2011).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from intrabar.errors import MissingExtra, RunError

STUDY = "intrabar"


def require_optuna(what: str) -> Any:
    """Optuna, quiet.

    Parameters
    ----------
    what : str
        What needs it: "a guided search".

    Raises
    ------
    MissingExtra
    """
    try:
        import optuna
        import optuna.storages.journal
    except ImportError:
        raise MissingExtra(what, "research") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def study_of(optuna: Any, journal: Path, goal: str, advice: str) -> Any:
    """The study of a journal; a line that a killed process left unfinished is taken off.

    Parameters
    ----------
    optuna : module
    journal : Path
        Its folder is made.
    goal : {"minimize", "maximize"}
    advice : str
        What to do where it is damaged.

    Raises
    ------
    RunError
    """
    try:
        journal.parent.mkdir(parents=True, exist_ok=True)
        if journal.exists():
            content = journal.read_bytes()
            whole = content[: content.rfind(b"\n") + 1]
            if whole != content:
                journal.write_bytes(whole)
        backend = optuna.storages.journal.JournalFileBackend(str(journal))
        storage = optuna.storages.JournalStorage(backend)
        return optuna.create_study(
            study_name=STUDY, storage=storage, direction=goal, load_if_exists=True
        )
    except Exception as error:  # a damaged journal raises whatever its line leads to
        why = f"{type(error).__name__}: {error}"
        raise RunError(f"{journal}: cannot go on with this search ({why}); {advice}") from error


def seed_after(seed: int, count: int) -> int:
    """The seed of the sampler after so many trials.

    With a sampler of its own for each proposal, a search that goes on proposes as if it had not
    stopped.
    """
    return int(np.random.SeedSequence([seed, count]).generate_state(1)[0])


def choices(values: Sequence[Any]) -> tuple[Any, ...]:
    """Listed values as they are proposed, by their places: near numbers have near places."""
    return tuple(sorted(values)) if _are_numbers(values) else tuple(values)


def listed(optuna: Any, values: Sequence[Any]) -> Any:
    """The distribution of the places of listed values."""
    last = len(values) - 1
    if _are_numbers(values):
        return optuna.distributions.IntDistribution(0, last)
    return optuna.distributions.CategoricalDistribution(range(last + 1))


def between(optuna: Any, low: float, high: float, *, log: bool, whole: bool) -> Any:
    """The distribution of any number, or any whole number, from `low` to `high`."""
    kinds = optuna.distributions
    if whole:
        return kinds.IntDistribution(int(low), int(high), log=log)
    return kinds.FloatDistribution(float(low), float(high), log=log)


def _are_numbers(values: Sequence[Any]) -> bool:
    return all(isinstance(x, int | float) and not isinstance(x, bool) for x in values)
