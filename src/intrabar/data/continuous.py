"""Continuous futures: the raw bars of the contract in front, and the rolls between them.

A roll is at a bar that both contracts have. The old one's bars end before it, the new one's begin
with it; the roll itself knows where the old contract stood at that open.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from intrabar.data.catalogue import Catalogue
from intrabar.data.manifest import Manifest
from intrabar.errors import ConfigError, DataError
from intrabar.model.bars import Action, Bars, Times
from intrabar.model.enums import ActionKind

Rule = str | int | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Roll:
    """A change of the contract in front.

    Parameters
    ----------
    time : int, ns UTC
        Close time of the first bar of the new contract.
    price : float
        Open of the old contract at that bar.
    old, new : str
        The contracts.
    """

    time: int
    price: float
    old: str
    new: str


@dataclass(frozen=True, slots=True, eq=False)
class Continuous:
    """Bars of the contract in front, and where it changes."""

    bars: Bars
    rolls: tuple[Roll, ...]

    def placed(self, time: Times, column: int) -> list[Action]:
        """The rolls for a market whose timeline is `time`, ns UTC."""
        return placed(self.rolls, time, column)


def placed(rolls: Sequence[Roll], time: Times, column: int) -> list[Action]:
    """Rolls for a market; those at its first bar or outside of it are left out."""
    found = []
    for roll in rolls:
        bar = int(np.searchsorted(time, roll.time))
        if 0 < bar < len(time) and time[bar] == roll.time:
            found.append(Action(bar, column, ActionKind.ROLL, roll.price))
    return found


def rule_of(given: Any, place: str = "roll") -> Rule:
    """A rule as a configuration writes it.

    Parameters
    ----------
    given : "volume", a whole number of sessions before the last bar, or a list of dates

    Raises
    ------
    ConfigError
        None of these.
    """
    if given == "volume" or (isinstance(given, int) and not isinstance(given, bool) and given >= 0):
        return given  # type: ignore[no-any-return]
    if isinstance(given, list | tuple) and given:
        try:
            return tuple(int(np.datetime64(str(day)[:10], "D").astype(np.int64)) for day in given)
        except ValueError:
            pass
    raise ConfigError(
        f"{place}: is {given!r}, must be volume, a number of sessions before the last bar, or a "
        "list of dates, one for each roll"
    )


def continuous(symbol: str, contracts: Sequence[Bars], rule: Rule) -> Continuous:
    """Join contracts to the series of the one in front.

    Parameters
    ----------
    symbol : str
        Of the series.
    contracts : sequence of Bars
        In the order of their expiry, one period.
    rule : "volume", int or tuple of int
        The first session after one in which the next contract's volume was higher; so many
        sessions before the old contract's last bar; or days since 1970, one for each roll. The
        roll is at the first bar from there on that both contracts have.

    Raises
    ------
    ConfigError
        Too few contracts, or not as many dates as rolls.
    DataError
        Different periods, or no bar at which a roll can be.
    """
    if len(contracts) < 2:
        raise ConfigError(f"{symbol}: contracts: two at least are needed")
    if len({b.period for b in contracts}) > 1:
        raise DataError(f"{symbol}: the contracts have bars of different periods; resample them")
    if isinstance(rule, tuple) and len(rule) != len(contracts) - 1:
        raise ConfigError(f"{symbol}: roll: {len(rule)} dates for {len(contracts) - 1} rolls")
    rolls: list[Roll] = []
    for k, (old, new) in enumerate(pairwise(contracts)):
        session = _session(old, new, rule[k] if isinstance(rule, tuple) else rule, rule)
        after = rolls[-1].time if rolls else None
        rolls.append(_roll(old, new, session, after))
    bounds = [None, *(roll.time for roll in rolls), None]
    parts = [
        b.between(t, u and u - 1) for b, (t, u) in zip(contracts, pairwise(bounds), strict=True)
    ]
    joined = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("close_time", "open", "high", "low", "close", "volume", "open_time", "session")
    }
    return Continuous(Bars(symbol=symbol, period=contracts[0].period, **joined), tuple(rolls))


def _session(old: Bars, new: Bars, at: Any, rule: Rule) -> int:
    """The session from which on a roll may be, days since 1970."""
    if isinstance(rule, tuple):
        return int(at)
    sessions = np.unique(old.session)
    if isinstance(rule, int):
        if rule >= len(sessions):
            raise DataError(f"{old.symbol} has {len(sessions)} sessions, too few for roll {rule}")
        return int(sessions[-1 - rule])
    for session in np.intersect1d(sessions, new.session):
        if new.volume[new.session == session].sum() > old.volume[old.session == session].sum():
            return int(session) + 1
    raise DataError(
        f"{new.symbol} never had a higher volume than {old.symbol} in a session; give the dates of "
        "the rolls, or a number of sessions before the last bar"
    )


def _roll(old: Bars, new: Bars, session: int, after: int | None) -> Roll:
    both, a, _ = np.intersect1d(old.close_time, new.close_time, return_indices=True)
    fits = np.flatnonzero((old.session[a] >= session) & (both > (after or 0)))
    if not fits.size or (after is None and both[fits[0]] == old.close_time[0]):
        day = str(np.datetime64(session, "D"))
        raise DataError(
            f"{old.symbol} and {new.symbol} have no bar in common from {day} on at which one could "
            "be rolled into the other; give other dates, or longer bars"
        )
    at = int(fits[0])
    return Roll(int(both[at]), float(old.open[a[at]]), old.symbol, new.symbol)


def keep(catalogue: Catalogue, made: Continuous, calendar: str, rule: Rule) -> Manifest:
    """Put a continuous future into the catalogue, its rolls beside it.

    Raises
    ------
    DataError
        It cannot be written.
    """
    names = [made.rolls[0].old, *(roll.new for roll in made.rolls)]
    record = {
        "source": f"{', '.join(names)} by {rule}",
        "source_sha256": "",
        "format": "continuous",
        "zone": "UTC",
        "label": "end",
        "adjustment": "raw",
        "calendar": calendar,
    }
    manifest = catalogue.write(made.bars, record)
    path = _file(catalogue, manifest)
    given = {"bars_sha256": manifest.content_sha256, "rolls": [asdict(roll) for roll in made.rolls]}
    try:
        path.with_suffix(".part").write_text(json.dumps(given, indent=1) + "\n", encoding="utf-8")
        os.replace(path.with_suffix(".part"), path)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error}") from error
    return manifest


def kept_rolls(catalogue: Catalogue, manifest: Manifest) -> tuple[Roll, ...]:
    """The rolls of a dataset of the catalogue; none where it is no continuous future.

    Raises
    ------
    DataError
        They are damaged, or belong to other bars.
    """
    if manifest.format != "continuous":
        return ()
    path = _file(catalogue, manifest)
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
        if given["bars_sha256"] == manifest.content_sha256:
            return tuple(Roll(**row) for row in given["rolls"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise DataError(
        f"{path} does not hold the rolls of {manifest.symbol} {manifest.period}; make it again: "
        "intrabar data continuous"
    )


def _file(catalogue: Catalogue, manifest: Manifest) -> Path:
    return catalogue.folder_of(manifest.symbol) / f"rolls-{manifest.period}.json"
