"""`intrabar.learn.bandit`: states of bandits out of the log of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from intrabar.app.compose.recipe import Recipe
from intrabar.app.folders.run_folder import BANDITS, OF_LEARNED
from intrabar.engine.tables.lessons import learned_exits
from intrabar.engine.tables.policies import hash_of, policies_of
from intrabar.engine.tables.states import file_of
from intrabar.errors import ConfigError, FileError
from intrabar.exits.bandit_file import read_state, write_state
from intrabar.exits.bandit_log import Bandit, empty_bandit
from intrabar.exits.bandit_state import BanditState, require_same
from intrabar.exits.learned import Hybrid, LinUCB
from intrabar.exits.state_lock import held_state
from intrabar.model.values import path


class Ingested(NamedTuple):
    """What one bandit has learned from a log.

    Parameters
    ----------
    state : BanditState
    learned : int
        Campaigns of the log that it has learned from.
    file : Path
        Where the state stands.
    """

    state: BanditState
    learned: int
    file: Path


def bandit(
    config: str | Path | Mapping[str, Any],
    log: str | Path,
    *,
    bot: str | None = None,
    out: str | Path = "state",
) -> list[Ingested]:
    """Let the bandits of a configuration learn from the decisions of a stored run.

    A state that stands there already goes on with what it has not seen.

    Parameters
    ----------
    config : path or mapping
        A configuration whose bot has the exit `LinUCB` or `Hybrid`.
    log : path
        Folder of a run, with its table `decisions`.
    bot : str, optional
        Which of its strategies; the only one with such an exit.
    out : folder
        Of states, relative to the configuration.

    Returns
    -------
    list of Ingested
        One per symbol of the log.

    Raises
    ------
    ConfigError
        The log has other arms, features or policies than the exit, or is of other strategies.
    FileError, RunError
        The log or a state cannot be read, or a state cannot be written.
    """
    recipe = Recipe.of_call(None, None, {"config": config})
    name, exit_ = _chosen(recipe, bot)
    run = path("log:", log)
    rows = _rows(run, name)
    home = (Path() if isinstance(config, Mapping) else Path(config).parent) / path("out:", out)
    made = []
    for symbol in rows["symbol"].unique(maintain_order=True).to_list():
        own = rows.filter(pl.col("symbol") == symbol)
        file = file_of(home, name, symbol)
        with held_state(file):
            learning = Bandit(_start(name, symbol, exit_, own, run, file))
            count = learning.ingest_trade_log(own)
            write_state(learning.state, file)
        made.append(Ingested(learning.state, count, file))
    return made


def _chosen(recipe: Recipe, bot: str | None) -> tuple[str, LinUCB | Hybrid]:
    found = {
        name: exit_
        for name, exit_ in learned_exits(recipe.strategies).items()
        if isinstance(exit_, LinUCB | Hybrid)
    }
    if bot is not None and bot not in found:
        raise ConfigError(f"bot: {bot!r} has no bandit; those that have are {list(found)}")
    if bot is None and len(found) != 1:
        told = f"{list(found)} have bandits: name one with bot" if found else "none has a bandit"
        raise ConfigError(f"of the strategies {told}; LinUCB and Hybrid are exits that have one")
    name = next(iter(found)) if bot is None else bot
    return name, found[name]


def _rows(run: Path, name: str) -> pl.DataFrame:
    """The decisions of a strategy in the folder of a run."""
    table = run / f"{OF_LEARNED[0]}.parquet"
    if not table.exists():
        raise FileError(f"{run} has no decisions.parquet: name the folder of a run that learned")
    try:
        whole = pl.read_parquet(table / "*.parquet" if table.is_dir() else table)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise FileError(f"{table} cannot be read: {error}") from None
    rows = whole.filter(pl.col("strategy") == name)
    if not rows.height:
        known = whole["strategy"].unique().to_list()
        raise ConfigError(f"the log has no decision of {name!r}; it has those of {known}")
    return rows


def _start(
    name: str, symbol: str, exit_: LinUCB | Hybrid, rows: pl.DataFrame, run: Path, file: Path
) -> BanditState:
    """What the bandit knew before: what stands in the file, else nothing."""
    policies = policies_of(exit_)
    features = exit_.context if isinstance(exit_, LinUCB) else policies[0].features
    arms = exit_.arms if isinstance(exit_, LinUCB) else tuple(policies[0].arms.tolist())
    told: dict[str, Any] = {
        **{"strategy": name, "symbol": symbol, "arms": arms, "n0": exit_.n0},
        **{"features": features.hash, "prior": hash_of(policies)},
    }
    _require_policies(rows, [x.hash for x in policies])
    if file.exists():
        state, _ = read_state(file)
        require_same(state, str(file), **told)
        return replace(state, alpha=exit_.alpha)
    there = file_of(run / BANDITS, name, symbol)
    if there.exists():
        state, _ = read_state(there)
        require_same(state, str(there), **told)
        mean, scale = state.mean, state.scale
    elif policies:
        mean = tuple(policies[0].net.mean.tolist())
        scale = tuple(policies[0].net.scale.tolist())
    else:
        raise ConfigError(
            f"the log of {symbol} has no {there.relative_to(run)}, which says how its context was "
            "normalised: give the run of a LinUCB exit with the same features"
        )
    d = len(features.features) + 1
    until = max([0, *(x.trained_until for x in policies)])
    if rows["time"].len():
        until = min(until, int(rows["time"].to_physical()[0]))
    return BanditState(
        **told,
        mean=mean,
        scale=scale,
        alpha=exit_.alpha,
        n=0,
        learned_until=until,
        last_campaign=-1,
        bandit=empty_bandit((len(arms), d + 1, d), exit_.n0),
    )


def _require_policies(rows: pl.DataFrame, hashes: list[str]) -> None:
    """Refuse decisions of policies that are not those of the exit: their prior is another."""
    found = [x for x in rows["policy"].unique().to_list() if x]
    other = sorted(set(found) - set(hashes))
    if other or (hashes and not found):
        raise ConfigError(
            f"the log: decided by {[x[:12] for x in other] or 'no policy'}, and the exit's "
            f"policies are {[x[:12] for x in hashes] or 'none'}: give a log of the same policies"
        )
