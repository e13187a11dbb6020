"""What the entry of a bot says at every bar, and bots whose entry is told what to say.

An entry is a function of the bar and its indicators alone, so all its answers can be had before a
run: they can be delayed, drawn at random or put in another order, and everything else of the bot
stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.engine.run import Run, Setup
from intrabar.model.bars import Floats
from intrabar.strategy.bot import Bot
from intrabar.strategy.given_side import SIDE, ask_everywhere, given_side
from intrabar.strategy.rules import record_of
from intrabar.strategy.running_bot import RunningBot


class EntrySides(NamedTuple):
    """The answers of one bot's entry.

    Parameters
    ----------
    sides : (t, n) float64
        1, -1 or 0; 0 where it is not asked.
    asked : (t, n) bool
        Where a flat bot would ask: there is a bar, and every indicator has a value.
    columns : mapping of name to (t, n) float64
        The indicators of the entry.
    """

    sides: Floats
    asked: NDArray[np.bool_]
    columns: Mapping[str, Floats]


def entry_sides(setup: Setup) -> dict[str, EntrySides]:
    """What the entry of each bot says at every bar, whatever its position is.

    Gates are not looked at: they keep the bot from entering in the run itself.
    """
    running = Run(setup).running
    return {
        name: _of(strategy, running[name])  # type: ignore[arg-type]
        for name, strategy in setup.strategies.items()
        if isinstance(strategy, Bot)
    }


def with_sides(setup: Setup, told: Mapping[str, EntrySides], sides: Mapping[str, Floats]) -> Setup:
    """The same run with other answers of the entries.

    Parameters
    ----------
    setup : Setup
    told : mapping of strategy to EntrySides
        What `entry_sides` found; the bots in it get new answers.
    sides : mapping of strategy to (t, n) float64
    """
    strategies = dict(setup.strategies)
    columns = dict(setup.columns)
    for name, own in sides.items():
        bot = strategies[name]
        assert isinstance(bot, Bot)
        strategies[name] = replace(bot, entry=given_side(bot.entry))
        # An exit may read an indicator of the entry.
        columns[name] = {**told[name].columns, SIDE: np.ascontiguousarray(own)}
    return replace(setup, strategies=strategies, columns=columns)


def _of(bot: Bot, running: RunningBot) -> EntrySides:
    shape = running.machine.market.open.shape
    sides, asked = np.zeros(shape), np.zeros(shape, np.bool_)
    if running.is_compiled:
        ask_everywhere(running.record[0], sides, asked)
    else:
        _ask_everywhere_in_python(bot, running, sides, asked)
    by_name = dict(zip(running.names, running.columns, strict=True))
    kept = {name: by_name[name] for name in bot.entry.indicators()}
    return EntrySides(sides, asked, kept)


def _ask_everywhere_in_python(
    bot: Bot, running: RunningBot, sides: Floats, asked: NDArray[np.bool_]
) -> None:
    values = np.stack(running.columns)
    asked[:] = ~np.isnan(values).any(axis=0) & ~np.isnan(running.machine.market.open)
    p = running.entry_p.view(np.recarray)[0]
    now = np.zeros(len(running.names))
    seen = now.view(record_of(running.names)).view(np.recarray)[0]
    for i, j in zip(*np.nonzero(asked), strict=True):
        now[:] = values[:, i, j]
        sides[i, j] = int(bot.entry.decide_side(seen, p))
