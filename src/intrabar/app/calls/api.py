"""`intrabar.backtest` and `intrabar.audit`: a strategy and bars in, an answer out, in one call."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Unpack, overload

from intrabar.app.compose.options import RunOptions, parameters_given
from intrabar.app.compose.recipe import Recipe
from intrabar.app.compose.strategies import makers_of, strategies_of
from intrabar.app.folders import saving
from intrabar.app.progress import bar
from intrabar.engine.chunks.run import ChunkedResult, ChunkedRun
from intrabar.engine.outcome.result import Result, finish
from intrabar.engine.run import Run
from intrabar.errors import ConfigError
from intrabar.model.values import Bounds, path, truth, whole
from intrabar.research.look_ahead.audit import audit as look_ahead_audit
from intrabar.research.look_ahead.report import AuditReport
from intrabar.strategy.registry import AnyStrategy


@overload
def backtest(
    strategy: Any = ...,
    data: Any = ...,
    *,
    progress: bool = ...,
    chunk: int,
    out: Path | str,
    **given: Unpack[RunOptions],
) -> ChunkedResult: ...
@overload
def backtest(
    strategy: Any = ..., data: Any = ..., *, progress: bool = ..., **given: Unpack[RunOptions]
) -> Result: ...
def backtest(
    strategy: Any = None,
    data: Any = None,
    *,
    progress: bool = False,
    chunk: int | None = None,
    out: Path | str | None = None,
    **given: Unpack[RunOptions],
) -> Result | ChunkedResult:
    """Run strategies over bars.

    Parameters
    ----------
    strategy : strategy, name, or {label: strategy or name}
        A `Bot`, a `Strategy`, `Signals`, `Weights`, or a name with `params`. None: those of
        `config`.
    data : Bars, frame, path, list or {symbol: any of these}
        None: the data of `config`, or the catalogue's bars of `symbols`. A lone frame is traded
        under the first of `symbols`, else as ASSET.
    progress : bool
        Show a progress bar on stderr.
    chunk : bars, optional
        Run in chunks of so many, for a history larger than memory: the catalogue's bars are read
        as they come, and the tables go to files.
    out : folder
        Takes the tables of a run in chunks.
    **given
        `config`, `symbols`, `start`, `end`, `period`, `cash`, `account`, `instruments`, `params`,
        `path_policy`, `calendar`, `session_end`, `zone`, `actions`, `margins`, `detail`, `rates`
        and `risk`: see `help(intrabar.app.compose.options.RunOptions)`, or "What there is" in the
        documentation.

    Returns
    -------
    Result
        Or a `ChunkedResult`, where `chunk` is given; its digest is that of the run at one go.

    Raises
    ------
    UsageError
        An argument or the configuration is wrong.
    DataError, StrategyError
    """
    progress = truth("progress:", progress)
    params = parameters_given(given)
    if chunk is None and out is not None:
        raise ConfigError("out: takes the tables of a run in chunks; give chunk too")
    if chunk is not None:
        whole("chunk:", chunk, Bounds(1, whole=True))
    strategies = None if strategy is None else strategies_of(strategy, params)
    recipe = Recipe.of_call(strategies, data, given, saving.save)
    if chunk is None:
        setup = recipe.whole().setup
        with bar(sys.stderr) if progress else nullcontext() as shown:
            return finish(Run(setup), shown)
    chunked = recipe.chunked(int(chunk)).setup
    with bar(sys.stderr) if progress else nullcontext() as shown:
        return ChunkedRun(chunked, _folder(out)).to_end(shown)


def _folder(out: Path | str | None) -> Path:
    if out is None:
        raise ConfigError("chunk: give out too, the folder that takes the tables")
    folder = path("out:", out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_empty = not any(folder.iterdir())
    except OSError as error:
        raise ConfigError(f"out: {folder} cannot be used: {error}") from None
    if not is_empty:
        raise ConfigError(f"out: {folder} is not empty; name another folder")
    return folder


def audit(
    strategy: Any = None,
    data: Any = None,
    *,
    cuts: int = 20,
    seed: int = 0,
    progress: bool = False,
    **given: Unpack[RunOptions],
) -> AuditReport:
    """Change the bars after many places, and see whether anything before them changes.

    Parameters
    ----------
    strategy : as in `backtest`, or a function of the market that makes one, or {label: either}
        Give a function where a strategy holds arrays that were worked out from the bars: only so
        can they be worked out again from other ones.
    data : as in `backtest`
    cuts : int, >= 1
        Bars after which the future is replaced.
    seed : int
        Of the bars chosen and of the values put in.
    progress : bool
        Show a progress bar on stderr.
    **given
        As in `backtest`.

    Returns
    -------
    AuditReport
        `is_clean`, `verdict`, `leaks` and what was tried.

    Raises
    ------
    UsageError
        An argument or the configuration is wrong.
    DataError, StrategyError
    """
    progress = truth("progress:", progress)
    cuts = whole("cuts:", cuts, Bounds(1, whole=True))
    seed = whole("seed:", seed, Bounds(whole=True))
    makers = makers_of(strategy, parameters_given(given)) if strategy is not None else None
    known: dict[str, AnyStrategy] | None = None if makers is None else {}
    setup = Recipe.of_call(known, data, given, saving.save).whole(makers).setup
    if not progress:
        return look_ahead_audit(setup, makers, cuts=cuts, seed=seed)
    with bar(sys.stderr, "trials") as shown:
        return look_ahead_audit(setup, makers, cuts=cuts, seed=seed, progress=shown)
