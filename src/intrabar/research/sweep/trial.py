"""A trial is one variant of a sweep; its outcome is what a researcher keeps of the run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from intrabar.model.bars import Floats, Times

Value = bool | int | float | str | None


class Trial(NamedTuple):
    """A point of the space that a sweep searches.

    Parameters
    ----------
    number : int
        Its place in the sweep, from 0.
    parameters : mapping of place to value
        Places as people write them: `fast`, `strategies[0].params.fast`, `account.path_policy`.
    """

    number: int
    parameters: Mapping[str, Value]


@dataclass(frozen=True, eq=False, slots=True)
class Outcome:
    """What came of a trial.

    Parameters
    ----------
    trial : Trial
    key : str
        Content hash of code, data, configuration and parameters.
    status : {"finished", "ruined", "failed"}
    metrics : mapping of name to figure
        Those of the metric sheet; None where undefined. Empty where it failed.
    digest : str
        Of the run, equal to that of the same run alone; "" where it failed.
    returns : (days,) float64
        Daily returns, fractions; empty where it failed.
    days : (days,) int64
        The days of the returns, ns since 1970 UTC.
    error : str
        Why it failed.
    seconds : float
        CPU time.
    """

    trial: Trial
    key: str
    status: str
    metrics: Mapping[str, float | None]
    digest: str
    returns: Floats
    days: Times
    error: str = ""
    seconds: float = 0.0


class Work(Protocol):
    """All that the trials of a sweep share: bars, configuration, code. It can be pickled."""

    def key(self, trial: Trial) -> str:
        """Content hash of a trial."""
        ...

    def run(self, trials: Sequence[Trial]) -> list[Outcome]:
        """Run trials, in order; one that raises comes back as failed."""
        ...


class Pool(Protocol):
    """Where trials run: threads, processes or a cluster."""

    def map(self, work: Work, batches: Iterable[Sequence[Trial]]) -> Iterator[list[Outcome]]:
        """The outcomes of each batch, in the order in which batches end."""
        ...
