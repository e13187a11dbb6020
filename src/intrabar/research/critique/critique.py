"""What speaks against a run: a list of findings with their evidence and what to do about them."""

from __future__ import annotations

from collections.abc import Callable

from intrabar.engine.outcome.result import Result
from intrabar.engine.run import Progress
from intrabar.errors import ConfigError, IntrabarError
from intrabar.forks import require_threads
from intrabar.model.values import asked, shown
from intrabar.research.critique.course import flat_stretches, open_at_the_end, ruin
from intrabar.research.critique.fills import capacity, gapped_fills, stale_fills
from intrabar.research.critique.regimes import exposure, market_beta
from intrabar.research.critique.reruns import (
    cost_sensitivity,
    delay_sensitivity,
    larger_size,
    path_dependence,
)
from intrabar.research.critique.sample import (
    few_campaigns,
    few_winners,
    no_profit,
    parameters_per_campaign,
)
from intrabar.research.finding import Finding, worst_first

CHECKS: tuple[Callable[[Result], list[Finding]], ...] = (
    no_profit,
    ruin,
    few_campaigns,
    few_winners,
    parameters_per_campaign,
    cost_sensitivity,
    delay_sensitivity,
    path_dependence,
    stale_fills,
    gapped_fills,
    capacity,
    larger_size,
    flat_stretches,
    exposure,
    market_beta,
    open_at_the_end,
)


def critique(result: Result, progress: Progress | None = None) -> list[Finding]:
    """Look for what speaks against a run, by its tables and by running it again.

    Parameters
    ----------
    result : Result
        Of a run whose strategies can run again: the same ones are used.
    progress : callable, optional
        Called with the checks done and the checks there are.

    Returns
    -------
    list of Finding
        The worst first; what was looked at and held is there too, marked "pass". A check that has
        nothing to look at (no fill, no profit) is left out.
    """
    require_threads()
    if not isinstance(result, Result):
        raise ConfigError(f"result: is {shown(result)}, must be a Result, as backtest returns it")
    asked("progress:", progress)
    findings = []
    for k, check in enumerate(CHECKS):
        try:
            findings += check(result)
        except IntrabarError as error:  # a strategy may not bear to be run again otherwise
            findings.append(_not_asked(check.__name__.replace("_", " "), error))
        if progress is not None:
            progress(k + 1, len(CHECKS))
    return worst_first(findings)


def _not_asked(name: str, error: IntrabarError) -> Finding:
    return Finding(
        name,
        "unknown",
        "It could not be run again under other conditions.",
        str(error),
        "Let the strategy bear missing values and orders that are not filled.",
    )
