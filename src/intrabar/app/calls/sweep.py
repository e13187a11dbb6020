"""`intrabar.sweep`: many variants of a run, in one call."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Unpack

from intrabar.app.compose.factories import Maker, maker_of
from intrabar.app.compose.options import RunOptions, parameters_given
from intrabar.app.compose.recipe import Recipe, require_traded
from intrabar.app.compose.variants import Variants
from intrabar.app.config.file import validated
from intrabar.app.config.model import Config, SweepConfig
from intrabar.app.folders import saving
from intrabar.app.folders.sweep_folder import store_sweep
from intrabar.app.processors import processors
from intrabar.app.progress import bar
from intrabar.engine.run import Run
from intrabar.errors import ConfigError, IntrabarError
from intrabar.model.values import Bounds, choice, path, text, truth, whole
from intrabar.research.sweep.cluster import Cluster
from intrabar.research.sweep.guided import carry_out_search
from intrabar.research.sweep.lean import LeanRuns
from intrabar.research.sweep.ledger import LEDGER, Ledger
from intrabar.research.sweep.processes import Processes, can_be_sent
from intrabar.research.sweep.space import Space, space
from intrabar.research.sweep.sweep import Carried, Progress, SweepResult, carry_out, require_metric
from intrabar.research.sweep.threads import Threads
from intrabar.research.sweep.trial import Pool

WORTH = 2_000_000  # bars of strategies in Python, before processes are worth their start
MOST_WORKERS = 4096
POOLS = ("threads", "processes", "ray")
SEARCHES = "searches"

Condition = Callable[[Mapping[str, Any]], bool]


@dataclass(frozen=True, eq=False)
class Plan:
    """A sweep that can begin."""

    config: Config
    sweep: SweepConfig
    work: LeanRuns
    space: Space
    strategy: str
    variants: Variants


def sweep(
    strategy: Any = None,
    data: Any = None,
    *,
    parameters: Mapping[str, Any] | None = None,
    constraints: Sequence[str | Condition] | None = None,
    sample: str | None = None,
    count: int | None = None,
    seed: int | None = None,
    metric: str | None = None,
    workers: int | None = None,
    on: str | None = None,
    address: str = "",
    keep: bool = True,
    out: Path | str | None = None,
    progress: bool = False,
    **given: Unpack[RunOptions],
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
    sample : {"grid", "random", "latin", "optuna"}
        Every point, points that are drawn, or those that a guided search proposes.
    count : int
        Of points, unless it is a grid.
    seed : int
    metric : str
        Of the metric sheet: what the best is by.
    workers : int, optional
        Threads or processes; as many as there are processors.
    on : {"threads", "processes", "ray"}, optional
        Where trials run; else processes for strategies in Python, threads for compiled ones.
    address : str
        `host:port` of a Ray cluster; "" for one on this machine.
    keep : bool
        Keep the trials in the ledger of `out`, and the sweep in a folder of its own. A trial
        that the ledger has is not run again.
    out : path
        Folder of runs; that of the configuration, else `runs`.
    progress : bool
        Show a progress bar on stderr.
    **given
        As in `backtest`. What `config` says under `sweep` holds where the arguments above say
        nothing.

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
    progress, keep = truth("progress:", progress), truth("keep:", keep)
    plan = planned(strategy, data, said, given)
    home = path("out:", plan.config.out if out is None else out) if keep else None
    with bar(sys.stderr, "trials") if progress else nullcontext() as shown:
        return carried_out(plan, home, workers=workers, on=on, address=address, progress=shown)


def planned(strategy: Any, data: Any, said: Mapping[str, Any], given: RunOptions) -> Plan:
    """A sweep from arguments over a configuration.

    Parameters
    ----------
    strategy, data : as in `sweep`
    said : mapping
        Over the section `sweep` of the configuration; None says nothing.
    given : RunOptions

    Raises
    ------
    UsageError, DataError
    """
    recipe = Recipe.of_call({}, data, given, saving.save)
    config = recipe.config
    known = config.data if recipe.series is None else recipe.series
    symbols = list(dict.fromkeys([*config.symbols, *(one.symbol for one in known)]))
    require_traded(symbols, {"instruments": recipe.said, **recipe.around})
    over = {k: v for k, v in said.items() if v is not None}
    if isinstance(over.get("constraints"), str) or callable(over.get("constraints")):
        over["constraints"] = [over["constraints"]]
    how = section_of(config, over)
    points = space(
        how.parameters, how.constraints, sample=how.sample, count=how.count, seed=how.seed
    )
    makers = makers_of(strategy, parameters_given(given), config)
    variants = Variants(recipe, makers, list(how.parameters), symbols)
    labels = ", ".join(maker.label for maker in makers)
    return Plan(config, how, LeanRuns(variants), points, labels, variants)


def carried_out(
    plan: Plan,
    home: Path | None,
    *,
    workers: int | None = None,
    on: str | None = None,
    address: str = "",
    progress: Progress | None = None,
) -> SweepResult:
    """Run a sweep, with its trials in the ledger of a folder and the sweep in one of its own.

    Parameters
    ----------
    plan : Plan
    home : path or None
        Folder of runs; None: nothing is kept.
    workers, on, address
        As in `sweep`.
    progress : callable, optional

    Raises
    ------
    UsageError, RunError
    """
    pool, remarks = pool_for(plan, workers, on, address)
    with ExitStack() as opened:
        if isinstance(pool, Cluster):
            opened.enter_context(pool)
        ledger = None if home is None else opened.enter_context(Ledger(home / LEDGER))
        how: Carried = {
            "metric": plan.sweep.metric,
            "ledger": ledger,
            "strategy": plan.strategy,
            "total": plan.space.size,
            "progress": progress,
        }
        if plan.space.sample == "optuna":
            journal = None if home is None else home / SEARCHES / f"{name_of(plan)}.journal"
            result = carry_out_search(plan.work, plan.space, pool, journal, **how)
        else:
            result = carry_out(plan.work, plan.space, pool, **how)
    result.remarks.extend(remarks)
    if home is not None:
        result.folder = str(store_sweep(result, plan.config, plan.sweep, home))
    return result


def name_of(plan: Plan) -> str:
    """A hash of all that decides a guided search, but for how many trials it is given."""
    space = plan.space
    first = next(iter(replace(space, sample="random", count=1)))
    told: list[Any] = [plan.work.key(first), list(space.axes), plan.sweep.constraints]
    told += [space.seed, plan.sweep.metric]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def pool_for(
    plan: Plan, workers: int | None, on: str | None, address: str = ""
) -> tuple[Pool, list[str]]:
    """Where the trials of a plan run, and what there is to say about it.

    Raises
    ------
    UsageError
        There is no such pool, or no worker.
    """
    if on is not None:
        choice("on:", on, POOLS)
    if workers is not None:
        workers = whole("workers:", workers, Bounds(1, MOST_WORKERS, whole=True))
    if text("address:", address) and on != "ray":
        raise ConfigError("address: is that of a Ray cluster; give it with on: ray")
    count = workers or processors(MOST_WORKERS)
    if on == "ray":
        plan.variants.read_markets(plan.space.axes)
        return Cluster(address, count), []
    if on == "threads" or (on is None and not holds_the_interpreter(plan)):
        return Threads(count), []
    if not can_be_sent(plan.work):
        told = "the strategy cannot be sent to other processes, so the trials ran in this one; "
        return Threads(1), [told + "put its class or function into a module of its own"]
    return (Processes(count) if count > 1 or on else Threads(1)), []


def holds_the_interpreter(plan: Plan) -> bool:
    """Whether strategies run as Python for so many bars that processes are worth their start."""
    first = next(iter(plan.space))
    try:
        setup, prepared = plan.work.variants.make(first.parameters)
    except Exception:  # whatever a user's function raises: the trial will say so itself
        return False
    if plan.space.size * len(setup.market) < WORTH:
        return False
    try:
        running = Run(setup, prepared).running
    except IntrabarError:  # so will it of a strategy that cannot begin
        return False
    return not all(one.is_compiled for one in running.values())


def section_of(config: Config, said: Mapping[str, Any]) -> SweepConfig:
    """What a configuration says under `sweep`, with what is said over it.

    Raises
    ------
    ConfigError, NotFoundError
    """
    own = {} if config.sweep is None else config.sweep.model_dump(exclude_unset=True)
    how = validated(SweepConfig, {**own, **said}, "sweep.")
    require_metric(how.metric)
    return how


def makers_of(strategy: Any, params: Mapping[str, Any] | None, config: Config) -> list[Maker]:
    """A maker for each strategy, in order.

    Raises
    ------
    UsageError
    """
    if isinstance(strategy, Mapping):
        return [maker_of(one, str(label)) for label, one in strategy.items()]
    if strategy is not None:
        label = strategy.rpartition(":")[2] if isinstance(strategy, str) else None
        label = label or getattr(strategy, "name", None)
        label = label if isinstance(label, str) else getattr(strategy, "__name__", "strategy")
        return [maker_of(strategy, str(label), params)]
    if ":" in "".join(one.name for one in config.strategies) and "" not in sys.path:
        sys.path.insert(0, "")  # `my_rules:Mine` is looked for in the working folder
    made = [maker_of(s.name, s.label, s.params) for s in config.strategies if s.enabled]
    if not made:
        raise ConfigError("strategies: there is no strategy to sweep; name one")
    return made
