"""A stored run made again from its manifest, as a result that can be asked."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import NamedTuple

from intrabar.app.compose.recipe import Recipe
from intrabar.app.folders.runs import StoredRun, changed_data, config_of
from intrabar.app.progress import bar
from intrabar.engine.outcome.result import Result, finish
from intrabar.engine.run import Run
from intrabar.errors import RunError


class Remade(NamedTuple):
    """A run once more.

    Parameters
    ----------
    result : Result
    notes : list of str
        How it is not the run that was stored; empty where every bit is the same.
    """

    result: Result
    notes: list[str]


def remade(stored: StoredRun, *, quiet: bool = True) -> Remade:
    """Make a stored run again, in memory and at one go.

    Raises
    ------
    RunError
        The run was one in chunks, whose history may not fit into memory.
    UsageError, DataError
        What it was made from is gone.
    """
    config = config_of(stored)
    if config.chunk is not None:
        raise RunError(
            f"{stored.id} was run in chunks, and this needs it at one go; run a shorter part of "
            "its history without chunk, and ask that"
        )
    composed = Recipe.of_config(config).whole()
    notes = changed_data(stored, composed.origins)
    with nullcontext() if quiet else bar(sys.stderr) as shown:
        result = finish(Run(composed.setup), shown)
    if result.digest != stored.manifest["digest"]:
        notes.append("the result is not that of the stored run; intrabar runs rerun says why")
    return Remade(result, notes)
