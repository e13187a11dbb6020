"""A bandit that learns from what was logged, by the same kernels as one that trades."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from intrabar.errors import ConfigError, RunError
from intrabar.exits.bandit import learn, start
from intrabar.exits.bandit_state import BanditState
from intrabar.model.values import shown

READ = ("time", "arm", "multiple", "prior", "closed_bar", "closed_time", "reward", "campaign")
CONTEXT = "x_"


class Bandit:
    """A bandit of one strategy and symbol, outside of a run.

    Parameters
    ----------
    state : BanditState
        What it knows: of a run (`result.bandits`), of a file (`ib.exits.read_state`).

    Raises
    ------
    ConfigError
        It is none.

    Examples
    --------
    >>> bandit = ib.exits.Bandit(state)
    >>> bandit.ingest_trade_log(result.decisions)
    """

    def __init__(self, state: BanditState) -> None:
        if not isinstance(state, BanditState):
            raise ConfigError(
                f"state: is {shown(state)}, must be one of result.bandits, or what "
                "ib.exits.read_state gives of a file"
            )
        self.state = state

    def ingest_trade_log(self, rows: Any) -> int:
        """Learn from the decisions of a run, as having traded them would.

        Parameters
        ----------
        rows : frame, or sequence of mappings
            Rows of the table `decisions`, of this strategy and symbol alone. Those that are open,
            have no reward, or were decided before `state.learned_until` are left out; the others
            are taken in the order in which they closed.

        Returns
        -------
        int
            How many it has learned from.

        Raises
        ------
        ConfigError
            A row is of another strategy or symbol, or has an arm or a context that the bandit has
            not.
        RunError
            A column is missing, or no number.
        """
        state = self.state
        read = [self._read(row) for row in _rows(rows)]
        closed = [x for x in read if x is not None and x["time"] >= state.learned_until]
        # Of several decisions of a campaign, the first is the one of its entry.
        firsts = {x["campaign"]: x for x in sorted(closed, key=lambda x: -x["time"])}
        bandit, factors = np.array(state.bandit), state.factors()
        n, until, last = state.n, state.learned_until, state.last_campaign
        for row in sorted(firsts.values(), key=lambda x: (x["closed_bar"], x["campaign"])):
            x = np.array(row["x"])
            if learn(bandit, factors, row["arm"], x, row["prior"], row["reward"]):
                n, last = n + 1, row["campaign"]
                until = max(until, row["closed_time"])
        learned = n - state.n
        self.state = replace(
            state, bandit=bandit, n=n, learned_until=until, last_campaign=last, slot=None
        )
        return learned

    def _read(self, row: Mapping[str, Any]) -> dict[str, Any] | None:
        """The numbers of a row; None where there is nothing to learn from."""
        state = self.state
        for name in READ:
            if name not in row:
                raise RunError(f"a row of the log has no {name}; give those of result.decisions")
        for name in ("strategy", "symbol"):
            if row.get(name, getattr(state, name)) != getattr(state, name):
                raise ConfigError(
                    f"the log: a row's {name} is {row[name]!r}, and the bandit's "
                    f"{getattr(state, name)!r}: give it its own rows alone"
                )
        if row.get("simulated"):
            raise ConfigError(
                "the log: a row of it is simulated, decided in shadow: the session has learned "
                "from it, in a state of its own; leave such rows out"
            )
        reward, arm = row["reward"], int(row["arm"])
        if not 0 <= arm < len(state.arms) or state.arms[arm] != row["multiple"]:
            raise ConfigError(
                f"the log: arm {arm} is {row['multiple']}, and the bandit's arms are "
                f"{list(state.arms)}: give it a log of the same arms"
            )
        x = [value for name, value in row.items() if name.startswith(CONTEXT) and value is not None]
        if len(x) != len(state.mean) + 1:
            raise ConfigError(
                f"the log: a context of {len(x)} numbers, and the bandit's of "
                f"{len(state.mean) + 1}: give it a log of the same features"
            )
        if row["closed_bar"] is None or reward is None or math.isnan(reward):
            return None
        return {
            **{name: row[name] for name in ("closed_bar", "campaign", "reward")},
            **{name: _ns(row[name]) for name in ("time", "closed_time")},
            "arm": arm,
            "prior": 0.0 if row["prior"] is None else row["prior"],
            "x": x,
        }


def empty_bandit(shape: tuple[int, ...], n0: float) -> Any:
    """The `A` and `b` of a bandit that has seen nothing, (K, d + 1, d)."""
    bandit = np.zeros(shape)
    start(bandit, np.zeros(shape), n0)
    return bandit


def _rows(given: Any) -> Iterable[Mapping[str, Any]]:
    if not hasattr(given, "iter_rows"):
        rows: Iterable[Mapping[str, Any]] = given
        return rows
    stamps = [given[x].to_physical() for x in ("time", "closed_time") if x in given.columns]
    told: Iterable[Mapping[str, Any]] = given.with_columns(*stamps).iter_rows(named=True)
    return told


def _ns(time: Any) -> int:
    """An instant as ns UTC."""
    if isinstance(time, int):
        return time
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1_000
