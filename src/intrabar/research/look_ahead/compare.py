"""Two runs that know the same up to a bar: what one of them did or held otherwise up to there."""

from __future__ import annotations

import traceback

import numpy as np
from numpy.typing import NDArray

from intrabar.engine.run import Setup
from intrabar.research.look_ahead.difference import orders_differ
from intrabar.research.look_ahead.futures import first_difference
from intrabar.research.look_ahead.lines import is_own, parting
from intrabar.research.look_ahead.report import Leak, Trial
from intrabar.research.look_ahead.watch import Command, Watched, watch
from intrabar.sim import state
from intrabar.strategy.running_bot import RunningBot
from intrabar.strategy.signals import RunningSignals
from intrabar.strategy.strategy import RunningStrategy
from intrabar.strategy.weights import RunningWeights


def leaks_between(base: Watched, other: Watched, trial: Trial) -> list[Leak]:
    """What knew the future, from the cause to the consequence: the first kind found tells.

    Parameters
    ----------
    base, other : Watched
        The run as it is, at many bars, and one over another future, at the trial's bar.
    trial : Trial
    """
    if other.error is not None:
        return [_failure(other)]
    rows = trial.row + (0 if trial.at_open else 1)
    found = _indicators(base, other, rows) + _signals(base, other, rows)
    if found:
        return found
    leak = _command(base, other, trial) or _consequence(base, other, trial)
    return [] if leak is None else [leak]


def locate(base: Setup, other: Setup, leak: Leak) -> str:
    """The line that read the future, where it can be told; else the one that asked for the order.

    Parameters
    ----------
    base, other : Setup
        Both are run once more, to the bar of the leak.
    leak : Leak
    """
    if leak.kind != "hook" or not leak.decides:
        return leak.place
    one, two = (watch(setup, [leak.bar]).moments[leak.bar] for setup in (base, other))
    part = parting(one.lines, two.lines)
    return part.place if part is not None and part.strategy == leak.strategy else leak.place


def _failure(other: Watched) -> Leak:
    """A strategy that fails where it went on: it ran into the end of what it should not see."""
    error = other.error
    assert error is not None
    cause = error.__cause__ or error
    frames = list(traceback.extract_tb(cause.__traceback__))
    last = ([f for f in frames if is_own(f.filename)] or frames)[-1]
    python = {
        label: one.strategy.name
        for label, one in other.run.running.items()
        if isinstance(one, RunningStrategy)
    }
    blamed = [label for label, name in python.items() if str(error).startswith(name)]
    label = (blamed or list(other.run.running))[0]
    told = f"{type(cause).__name__}: {cause}"
    place = f"{last.filename}:{last.lineno}"
    return Leak("hook", label, last.name, place, "", other.run.machine.bar, "", "no error", told)


def _indicators(base: Watched, other: Watched, rows: int) -> list[Leak]:
    found = []
    for name, strategy in base.run.setup.strategies.items():
        one, two = _columns(base, name), _columns(other, name)
        for key, indicator in strategy.indicators().items():
            if key not in two:  # another strategy was made; its decisions tell
                continue
            leak = _column("indicator", name, key, base, one[key], two[key], rows)
            if leak is not None:
                leak.place = str(indicator)
                found.append(leak)
    return found


def _signals(base: Watched, other: Watched, rows: int) -> list[Leak]:
    found: list[Leak | None] = []
    for name in base.run.setup.strategies:
        one, two = _arrays(base, name), _arrays(other, name)
        found += [
            _column("signals", name, what, base, one[what], two[what], rows)
            for what in one
            if what in two
        ]
    return [leak for leak in found if leak is not None]


def _arrays(watched: Watched, name: str) -> dict[str, NDArray[np.float64]]:
    """The arrays that a running strategy is made of, (t, n) each, or (1, n) constants."""
    running = watched.run.running[name]
    if isinstance(running, RunningSignals):
        return running.arrays
    return {"weight": running.grid} if isinstance(running, RunningWeights) else {}


def _column(
    kind: str,
    strategy: str,
    name: str,
    base: Watched,
    one: NDArray[np.float64],
    two: NDArray[np.float64],
    rows: int,
) -> Leak | None:
    """The first row of a (t, n) series that is another one."""
    row = first_difference(one, two, rows)
    if row is None:
        return None
    a, b = one[row], two[row]
    j = int(np.argmax((a != b) & ~(np.isnan(a) & np.isnan(b))))
    symbol = base.run.setup.market.symbols[j]
    return Leak(kind, strategy, name, "", symbol, row, "", f"{a[j]:.10g}", f"{b[j]:.10g}")


def _columns(watched: Watched, name: str) -> dict[str, NDArray[np.float64]]:
    """The indicators of a running strategy, (t, n) each."""
    running = watched.run.running[name]
    if isinstance(running, RunningBot):
        return dict(zip(running.names, running.columns, strict=True))
    if isinstance(running, RunningStrategy):
        names = running.desks[0].indicator_views
        return {n: np.stack([d.arrays[n] for d in running.desks], axis=1) for n in names}
    return {}


def _command(base: Watched, other: Watched, trial: Trial) -> Leak | None:
    """The first command of a Python strategy that is not the same."""
    end = (trial.row, state.STEP_INTRABAR) if trial.at_open else (trial.row + 1, 0)
    found: list[tuple[tuple[int, int], Leak]] = []
    for name, commands in base.commands.items():
        old = [c for c in commands if c.when < end]
        pair = _first_pair(old, other.commands[name])
        if pair is None:
            continue
        first = min((c for c in pair if c is not None), key=lambda c: c.when)
        told = [str(c) if c is not None and c.when == first.when else "no order" for c in pair]
        leak = Leak("hook", name, first.hook, first.place, first.symbol, first.bar)
        leak.before, leak.after = told
        found.append((first.when, leak))
    return min(found, key=lambda x: x[0])[1] if found else None


def _first_pair(
    old: list[Command], new: list[Command]
) -> tuple[Command | None, Command | None] | None:
    for k in range(max(len(old), len(new))):
        a = old[k] if k < len(old) else None
        b = new[k] if k < len(new) else None
        if a is None or b is None or a.decision != b.decision:
            return a, b
    return None


def _consequence(base: Watched, other: Watched, trial: Trial) -> Leak | None:
    """A rule or a fill that is not the same; else a value that a hook read."""
    one, two = base.moments[trial.row], other.moments[trial.row]
    if (one.after_open, one.after_close if not trial.at_open else "") != (
        two.after_open,
        two.after_close,
    ):
        setup = base.run.setup
        leak = orders_differ(watch(setup, [trial.row], at_open=trial.at_open).run, other.run)
        if leak is not None:
            return leak
        if trial.at_open and one.before_open != two.before_open:
            return None  # the market itself reads the volume at the open; no strategy did
        return Leak("market", next(iter(setup.strategies)), "fills", "", "", trial.row)
    if trial.kind == "end":
        return None  # how long the data are may be read, as long as nothing hangs on it
    lines = [(m.open_lines if trial.at_open else m.lines) for m in (one, two)]
    part = parting(*lines)
    if part is None:
        return None
    return Leak(
        "hook",
        part.strategy,
        part.hook,
        part.place,
        "",
        trial.row,
        after=part.what,
        decides=False,
    )
