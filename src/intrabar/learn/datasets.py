"""Datasets: made of a setup and a bot, in a folder with a manifest."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from intrabar.engine.lanes.lanes import bot_of
from intrabar.engine.run import Setup
from intrabar.errors import ConfigError, NotFoundError, UsageError
from intrabar.exits.policy import Course
from intrabar.learn.dataset_folder import Dataset, finish_folder, home_of, write_rows
from intrabar.learn.dataset_rows import Progress, tables_of
from intrabar.learn.tally import Tally
from intrabar.learn.terms import Terms
from intrabar.model.values import named
from intrabar.sources import versions
from intrabar.strategy.bot import Bot


def bot_named(setup: Setup, name: str | None = None) -> str:
    """The bot that campaigns are simulated of: the one that is named, else the only one.

    Raises
    ------
    NotFoundError, ConfigError
        There is none of that name, or not one alone.
    """
    if name is not None:
        if named("bot", name) not in setup.strategies:
            raise NotFoundError("bot", name, list(setup.strategies))
        bot_of(setup, name)
        return name
    bots = [name for name, one in setup.strategies.items() if isinstance(one, Bot)]
    if len(bots) != 1:
        raise ConfigError(
            f"there are {len(bots)} bots ({', '.join(bots) or 'none'}), and a dataset is of one; "
            "name it"
        )
    return bots[0]


def make_dataset(
    setup: Setup,
    strategy: str,
    terms: Terms,
    folder: Path,
    told: Mapping[str, Any],
    *,
    csv: bool = False,
    threads: int = 1,
    progress: Progress | None = None,
) -> Dataset:
    """Make a dataset in a folder of its own.

    Parameters
    ----------
    setup : Setup
    strategy : str
        A bot of it.
    terms : Terms
    folder : Path
        Must not be there yet.
    told : mapping
        What else the manifest says of where it comes from.
    csv : bool
        The rows as CSV too.
    threads : int
    progress : callable or None

    Raises
    ------
    ConfigError, UsageError, RunError
        Nothing is left behind.
    """
    tally = Tally(terms.arms, len(setup.market))
    part = home_of(folder)
    try:
        tables = tables_of(setup, strategy, terms, tally, threads, progress)
        write_rows(part, _counted(tables, tally), csv)
        if not tally.rows:
            raise UsageError(f"the dataset has no row: {_why_none(tally, terms)}")
        manifest = _manifest(setup, strategy, terms, tally)
        manifest["threads"] = threads
        manifest["remarks"] = [*told.get("remarks", ()), *manifest["remarks"]]
        return finish_folder(part, folder, {"name": folder.name, **told, **manifest})
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _counted(tables: Iterable[pl.DataFrame], tally: Tally) -> Iterator[pl.DataFrame]:
    for table in tables:
        best = np.bincount(table["label"].to_numpy(), minlength=len(tally.arms))
        tally.add_unique(float(table["uniqueness"].sum()), best)
        yield table


def _why_none(tally: Tally, terms: Terms) -> str:
    """What to change, where no row is left."""
    counts = tally.counts()
    bars = {name: one["bars"] for name, one in counts["symbols"].items()}
    return (
        f"bars {bars}, left out {counts['left_out']}; the last {terms.max_bars + 2} bars of each "
        f"symbol have none (max_bars {terms.max_bars}), nor have the first whose window of "
        f"{terms.features.window} is not known"
    )


def _manifest(setup: Setup, strategy: str, terms: Terms, tally: Tally) -> dict[str, Any]:
    """What a dataset is of, and what came of its rows."""
    market, features = setup.market, terms.features
    span = int(market.time[-1] - market.time[0])
    remarks = [r.text for r in setup.remarks] + tally.remarks(span)
    bot = bot_of(setup, strategy)
    exit_ = terms.exit_of(bot)
    if exit_ != bot.exit:
        remarks.append(f"campaigns go on by {exit_}, the bot by {bot.exit}: exit is {terms.exit!r}")
    if setup.risk is not None:
        remarks.append("limits of section risk have no part in a lane")
    return {
        "kind": "dataset",
        "strategy": strategy,
        "data": {
            "symbols": list(market.symbols),
            "span": [_utc(market.time[0]), _utc(market.time[-1])],
        },
        "features": {
            "set": features.set,
            "window": features.window,
            "names": list(features.names),
            "text": features.text,
            "hash": features.hash,
        },
        "arms": list(terms.arms),
        "exit": repr(exit_),
        "max_bars": terms.max_bars,
        "course": asdict(Course.of(exit_, terms.max_bars)),
        "known_until": _utc(market.time[tally.last]),
        "counts": tally.counts(),
        "remarks": remarks,
        "versions": versions(),
        "cpu": platform.machine(),
    }


def _utc(ns: Any) -> str:
    return f"{np.datetime64(int(ns), 'ns')}Z"
