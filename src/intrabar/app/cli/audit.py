"""`intrabar audit`: whether a strategy knows the future, or hangs on where the data begin."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from intrabar.app.cli.output import Json
from intrabar.app.cli.overrides import Overrides, overridden
from intrabar.app.compose.recipe import Recipe
from intrabar.app.compose.strategies import make_strategies
from intrabar.app.progress import bar
from intrabar.model.bars import Market
from intrabar.research.look_ahead.audit import audit as look_ahead_audit
from intrabar.research.look_ahead.report import KIND_WORDS, AuditReport, Leak
from intrabar.strategy.registry import AnyStrategy


def audit(
    config: Path | None = None,
    /,
    *,
    cuts: int = 20,
    seed: int = 0,
    overrides: Annotated[Overrides, Parameter(name="*")] = Overrides(),  # noqa: B008 - frozen
    as_json: Json = False,
) -> int:
    """Change the bars after many places, and see whether anything before them changes.

    The exit code is 0 when nothing did and everything was looked at, 1 otherwise.

    Parameters
    ----------
    config : path
        A configuration file as `backtest` takes it.
    cuts : int
        Bars after which the future is replaced, eleven times each.
    seed : int
        Of the bars chosen and of the values put in.
    as_json : bool
        One JSON object on stdout, nothing else.
    """
    made, remarks = overridden(config, overrides)
    setup = Recipe.of_config(made, remarks).whole().setup

    def anew(_: Market) -> Mapping[str, AnyStrategy]:
        return make_strategies(made.strategies)

    if as_json:
        report = look_ahead_audit(setup, anew, cuts=cuts, seed=seed)
        print(json.dumps(report.as_json()))
    else:
        with bar(sys.stderr, "trials") as shown:
            report = look_ahead_audit(setup, anew, cuts=cuts, seed=seed, progress=shown)
        for line in told(report):
            print(line)
    return 0 if report.is_clean else 1


def told(report: AuditReport) -> Iterator[str]:
    """An audit for a person: the verdict, the leaks, what was tried, the warm-up."""
    yield report.verdict
    for leak in report.leaks:
        yield ""
        yield from _leak(leak)
    for remark in (*report.foretells, *report.suspects, *report.unchecked):
        yield f"note: {remark}"
    yield ""
    yield from _tried(report)
    if report.recursions:
        yield ""
        yield from _warm_up(report)


def _tried(report: AuditReport) -> Iterator[str]:
    """How often each kind of future was tried on each column, and how often it showed a leak."""
    found = {(one.kind, one.column): one for one in report.tried}
    yield "trials      " + "".join(f"{word:>18}" for word in KIND_WORDS.values())
    for column in dict.fromkeys(one.column for one in report.tried):
        cells = []
        for kind in KIND_WORDS:
            one = found.get((kind, column))
            leaks = f" ({one.changed} leak)" if one is not None and one.changed else ""
            cells.append(f"{'-' if one is None else one.trials}{leaks}")
        yield f"{column:<12}" + "".join(f"{cell:>18}" for cell in cells)


def _leak(leak: Leak) -> Iterator[str]:
    what = {"rule": "rule ", "hook": "", "indicator": "indicator ", "signals": "signals "}
    place = f", {leak.place}" if leak.place else ""
    yield f"  {leak.strategy}: {what.get(leak.kind, '')}{leak.name}{place}"
    where = f"    at bar {leak.bar} ({leak.time})"
    symbol = f"{leak.symbol}: " if leak.symbol else ""
    if leak.decides:
        yield f"{where} {symbol}{leak.before}; with another future: {leak.after}"
    else:
        yield f"{where} {symbol}with another future {leak.after}; no order changed"
    alone = f"; enough is {' or '.join(leak.columns)} alone" if leak.columns else ""
    yield f"    seen in {leak.trials} trials, first in: {leak.trial}{alone}"
    if leak.arrays:
        yield f"    arrays that know the future: {', '.join(leak.arrays)}"


def _warm_up(report: AuditReport) -> Iterator[str]:
    """How long the indicators remember where the data began."""
    names = [f"{r.strategy}.{r.name} = {r.expression}" for r in report.recursions]
    width = max(map(len, names)) + 2
    yield f"{'bars of warm-up':<{width}}{'least':>8}{'off by':>10}{'to 1e-6':>9}{'to 1e-9':>9}"
    for name, r in zip(names, report.recursions, strict=True):
        six, nine = ("never" if n is None else str(n) for n in (r.bars_1e6, r.bars_1e9))
        off = f"{r.first_difference:.1e}" if r.first_difference > 0.0 else "0"
        yield f"{name:<{width}}{r.least:>8}{off:>10}{six:>9}{nine:>9}"
    for later in report.later_starts:
        yield (
            f"data that begin later, {later.warm_up} bars before the first decision: "
            f"{later.changed} of {later.orders} orders differ"
        )
