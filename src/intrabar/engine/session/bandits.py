"""What the bandits of a session began with, as its journal has it, and what they know now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from intrabar.exits.bandit_state import BanditState
from intrabar.model.entry import Entry

States = dict[str, dict[str, BanditState]]
"""By strategy, then by symbol."""


def body_of(states: Mapping[str, Mapping[str, BanditState]]) -> dict[str, Any]:
    """States as `session.started` has them; what was open when one was left is not there."""
    return {
        name: {symbol: _told(state) for symbol, state in own.items()}
        for name, own in states.items()
        if own
    }


def states_of_start(body: Mapping[str, Any]) -> States:
    """The states that a `session.started` holds; none where its bandits began anew."""
    return {
        name: {symbol: _state(told) for symbol, told in own.items()}
        for name, own in body.get("bandits", {}).items()
    }


def states_in(entries: Iterable[Entry]) -> States:
    """The states that a journal begins with."""
    return states_of_start(next(iter(entries)).body)


def _told(state: BanditState) -> dict[str, Any]:
    plain = {f.name: getattr(state, f.name) for f in fields(state)}
    lists = {name: list(plain[name]) for name in ("arms", "mean", "scale")}
    return {**plain, **lists, "bandit": state.bandit.tolist(), "slot": None}


def _state(told: Mapping[str, Any]) -> BanditState:
    tuples = {name: tuple(told[name]) for name in ("arms", "mean", "scale")}
    return BanditState(**{**told, **tuples, "bandit": np.array(told["bandit"], np.float64)})
