"""`intrabar.sweep`: many variants of a run, in one call."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intrabar.app import api
from intrabar.app.bars_in import Series, given_series
from intrabar.app.config import AccountConfig, Config, SweepConfig
from intrabar.app.config_file import validated
from intrabar.app.makers import Maker, maker_of
from intrabar.app.progress import bar
from intrabar.app.sweep_folder import store_sweep
from intrabar.app.variants import Variants
from intrabar.engine.backtest import Run
from intrabar.errors import ConfigError, NotFoundError
from intrabar.model.bars import Bars
from intrabar.model.instrument import Instrument
from intrabar.research.lean import LeanRuns
from intrabar.research.ledger import Ledger
from intrabar.research.processes import Processes, can_be_sent
from intrabar.research.space import Space, space
from intrabar.research.sweep import SweepResult, carry_out, require_metric
from intrabar.research.threads import Threads
from intrabar.research.trial import Pool
from intrabar.sim.machine import Account

LEDGER = "trials.sqlite"
WORTH = 2_000_000  # bars that a Python strategy is called on, before processes are worth starting
POOLS = ("threads", "processes")


@dataclass(frozen=True, eq=False)
class Planned:
    """A sweep that can begin."""

    config: Config
    work: LeanRuns
    space: Space
    metric: str
    strategy: str


def sweep(
    strategy: Any = None,
    data: Any = None,
    *,
    parameters: Mapping[str, Any] | None = None,
    constraints: Sequence[str | Callable[[Mapping[str, Any]], bool]] | None = None,
    sample: str | None = None,
    count: int | None = None,
    seed: int | None = None,
    metric: str | None = None,
    workers: int | None = None,
    on: str | None = None,
    keep: bool = True,
    out: Path | str | None = None,
    progress: bool = False,
    **how: Any,
) -> SweepResult:
    """Run every variant of a strategy that a space of parameters holds.

    Parameters
    ----------
    strategy : as in `backtest`, or a class, or a function that makes one from its parameters
        The function may also ask for `market`, and for `indicator`: a function of an indicator
        that gives its values and works them out once for all trials. {label: any of these}.
    data : as in `backtest`
    parameters : {place: values}
        A place is a parameter of the strategy (`fast`, `exit.multiple`), or any other place of
        the configuration (`account.path_policy`, `instruments.ES.slippage_ticks`, `symbols`).
        Values are a list, or a mapping with `from`, `to` and `step` or `count` (and `log`).
    constraints : sequence of str or callable
        `"fast < slow"`, or a function of the point.
    sample : {"grid", "random", "latin"}
    count : int
        Points of a random or latin sample.
    seed : int
    metric : str
        Of the metric sheet: what the best is by.
    workers : int, optional
        Threads or processes; as many as there are processors.
    on : {"threads", "processes"}, optional
        Where trials run; by default processes for strategies in Python, else threads.
    keep : bool
        Keep the trials in the ledger of `out`, and the sweep in a folder of its own. A trial
        that the ledger has is not run again.
    out : path
        Folder of runs; that of the configuration, else `runs`.
    progress : bool
        Show a progress bar on stderr.
    **how
        `config`, `symbols`, `start`, `end`, `period`, `cash`, `account`, `instruments`, `params`,
        `path_policy`, `zone`, `actions`, `margins`, `detail`, `rates` as in `backtest`. What
        `config` says under `sweep` holds where the arguments above say nothing.

    Returns
    -------
    SweepResult

    Raises
    ------
    UsageError
        An argument or the configuration is wrong, or no trial is left.
    DataError, RunError
    """
    said = {
        "parameters": parameters,
        "constraints": constraints,
        "sample": sample,
        "count": count,
        "seed": seed,
        "metric": metric,
    }
    made = planned(strategy, data, said, out=out, **how)
    with bar(sys.stderr, "trials") if progress else nullcontext() as shown:
        return carried_out(made, workers=workers, on=on, keep=keep, progress=shown)


def planned(
    strategy: Any,
    data: Any,
    said: Mapping[str, Any],
    *,
    config: Path | str | Mapping[str, Any] | Config | None = None,
    symbols: str | Sequence[str] | None = None,
    start: Any = None,
    end: Any = None,
    period: str | None = None,
    cash: float | None = None,
    account: Account | Mapping[str, Any] | None = None,
    instruments: Mapping[str, Instrument | Mapping[str, Any]] | None = None,
    params: Mapping[str, Any] | None = None,
    path_policy: str | None = None,
    zone: str | None = None,
    actions: Mapping[str, Any] | None = None,
    margins: Mapping[str, Path | str] | None = None,
    detail: Mapping[str, Any] | None = None,
    rates: Mapping[str, Any] | None = None,
    out: Path | str | None = None,
) -> Planned:
    """A sweep from arguments over a configuration; `said` is what its section would say.

    Raises
    ------
    UsageError, DataError
    """
    given = {"symbols": symbols, "start": start, "end": end, "period": period, "out": out}
    base = config if isinstance(config, Config) else api.configured(config)
    made = api.overridden(base, given)
    money = api.account_of(base.account, account, cash, path_policy)
    made = made.model_copy(update={"account": account_config(money)})
    how = section_of(made, said)
    around = {"actions": actions, "margins": margins, "detail": detail, "rates": rates}
    given_by_hand = {s: x for s, x in (instruments or {}).items() if isinstance(x, Instrument)}
    plain = {s: dict(x) for s, x in (instruments or {}).items() if not isinstance(x, Instrument)}
    made = made.model_copy(update={"instruments": {**made.instruments, **plain}})
    series = None if data is None else api.series_of(data, made, around, zone)
    known = [x.symbol for x in made.data] if series is None else [s.bars.symbol for s in series]
    known = list(dict.fromkeys([*made.symbols, *known]))
    for symbol in {**made.instruments, **given_by_hand}:
        if symbol not in known:
            raise NotFoundError("symbol in instruments", symbol, known)
    points = space(
        how.parameters, how.constraints, sample=how.sample, count=how.count, seed=how.seed
    )
    makers = makers_of(strategy, params, made)
    pairs = [api.bars_of(x, pair, made, zone) for pair, x in (rates or {}).items()]
    variants = Variants(
        made, makers, list(how.parameters), known, series, pairs, given_by_hand
    )
    labels = ", ".join(maker.label for maker in makers)
    return Planned(made, LeanRuns(variants), points, how, labels)
