"""What bandits have learned before a run, read from files."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from intrabar.engine.tables.policies import hash_of, policies_of
from intrabar.errors import ConfigError, FileError
from intrabar.exits.bandit_file import read_state
from intrabar.exits.bandit_state import BanditState, require_same
from intrabar.exits.learned import LinUCB
from intrabar.model.remark import Remark

OF_SHADOW = ".shadow.json"


def file_of(folder: Path, strategy: str, symbol: str) -> Path:
    """Where the state of a strategy's symbol stands in a folder of states."""
    return folder / quote(strategy, safe=" ") / f"{quote(symbol, safe=' ^=')}.json"


def states_of(
    name: str,
    exit_: Any,
    symbols: Sequence[str],
    must: bool = True,
    *,
    simulated: bool = False,
) -> tuple[dict[str, BanditState], list[Remark]]:
    """What the `state` of an exit names, by symbol, and what there is to say of it.

    Parameters
    ----------
    name : str
        Of the strategy.
    exit_ : exit
    symbols : sequence of str
    must : bool
        Some symbol must have one; a session writes those that are not there yet.
    simulated : bool
        Those of a shadow, which stand beside the others.

    Raises
    ------
    FileError
        There is no state of any of them, and must be.
    ConfigError
        One is of another bandit.
    RunError
        One was changed, or is none.
    """
    found: dict[str, BanditState] = {}
    told: list[Remark] = []
    given = getattr(exit_, "state", None)
    if given is None:
        return found, told
    for symbol in symbols:
        path = _path(Path(given), name, symbol, len(symbols), simulated)
        if path is None:
            continue
        state, sentence = read_state(path)
        told += [Remark(sentence, severe=True)] if sentence else []
        policies = policies_of(exit_)
        is_alone = isinstance(exit_, LinUCB)
        features = exit_.context if is_alone else policies[0].features
        arms = exit_.arms if is_alone else tuple(policies[0].arms.tolist())
        require_same(
            state,
            str(path),
            strategy=name,
            symbol=symbol,
            arms=arms,
            features=features.hash,
            prior=hash_of(policies),
            n0=exit_.n0,
        )
        found[symbol] = state
    if not found and must:
        raise FileError(
            f"{name}: state {given} holds none of {', '.join(symbols)}: name a folder of states, "
            f"such as {file_of(Path(given), name, symbols[0])}, or leave state out to begin anew"
        )
    fresh = [symbol for symbol in symbols if symbol not in found]
    if fresh and found:
        told.append(Remark(f"{name}: no state of {', '.join(fresh)}: these bandits begin anew"))
    return found, told


def _path(given: Path, name: str, symbol: str, count: int, simulated: bool) -> Path | None:
    """The file of a symbol; None where neither it is there nor the one before it."""
    path = home_of(given, name, symbol, count, simulated)
    other = given / path.name
    for place in (path, other):
        if place.is_file() or place.with_name(f"{place.name}.bak").is_file():
            return place
    return None


def home_of(given: Path, name: str, symbol: str, count: int, simulated: bool = False) -> Path:
    """Where the state of a symbol is written that an exit's `state` names; of a shadow, beside it.

    Raises
    ------
    ConfigError
        The file of a shadow is named: what was simulated never counts as traded.
    """
    is_file = count == 1 and given.suffix == ".json"
    if is_file and given.name.endswith(OF_SHADOW):
        real = given.with_name(given.name.removesuffix(OF_SHADOW) + ".json")
        raise ConfigError(
            f"{name}: state {given} is of a shadow, whose rewards are simulated; name {real}: a "
            "session in shadow finds its own beside it"
        )
    path = given if is_file else file_of(given, name, symbol)
    return path.with_name(path.name.removesuffix(".json") + OF_SHADOW) if simulated else path


def files_of_states(given: str | None) -> dict[str, str]:
    """The hash of each file that the `state` of an exit names, by path."""
    if given is None:
        return {}
    root = Path(given)
    files = sorted(root.rglob("*.json")) if root.is_dir() else [root]
    try:
        return {str(x): hashlib.sha256(x.read_bytes()).hexdigest() for x in files}
    except OSError as error:
        raise FileError(f"{given} cannot be read: {error.strerror or error}") from None
