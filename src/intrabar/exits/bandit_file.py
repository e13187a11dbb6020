"""The file of a bandit's state: old or new, whatever stops the writer.

It is JSON with the SHA-256 of its content and floats in the fewest digits that give them back, so
what is read has the bits of what was written. The file before it stays as `.bak`.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from intrabar.durable import sync_folder, write_synced
from intrabar.errors import ConfigError, FileError, RunError
from intrabar.exits.bandit_state import BanditState, Slot
from intrabar.exits.sealed import sealed, unsealed
from intrabar.model.instant import instant_ns, instant_text

FORMAT = "intrabar-bandit-1"
ADVICE = "start without a state, or restore the file"


def write_state(state: BanditState, path: Path) -> None:
    """Write a state; at every instant the file or its `.bak` is a whole one.

    Raises
    ------
    RunError
        It cannot be written; what stood there stands there still.
    """
    part, before = _beside(path, ".part"), _beside(path, ".bak")
    content = sealed(_told(state))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_synced(part, content)
        there = _content(path)
        if there is not None and _is_json(there):  # a torn one is not to take the good one's place
            os.replace(path, before)
        os.replace(part, path)
        sync_folder(path.parent)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise RunError(f"{path} cannot be written: {error.strerror or error}") from error


def read_state(path: Path) -> tuple[BanditState, str]:
    """Read a state; where the file is torn or gone, the one before it.

    One that is whole and was changed is refused: it was no accident of a writer.

    Returns
    -------
    state : BanditState
    told : str
        A sentence where the one before it was taken, else "".

    Raises
    ------
    FileError
        Neither is there, or one cannot be read.
    RunError
        It was changed, or is no state.
    """
    before = _beside(path, ".bak")
    try:
        content, old = _content(path), _content(before)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}") from None
    if content is None and old is None:
        raise FileError(f"{path} is not there")
    if content is not None and (old is None or _is_json(content)):
        return _read(content, path), ""
    assert old is not None
    state = _read(old, before)
    return state, (
        f"{path} is {'missing' if content is None else 'cut short'}, so {before.name} was read: it "
        f"knows {state.n:,} campaigns, until {instant_text(state.learned_until)}, and lacks what "
        "came after"
    )


def _read(content: bytes, path: Path) -> BanditState:
    told = unsealed(content, path, FORMAT, ADVICE)
    try:
        given = {
            x: told[x] for x in ("strategy", "symbol", "features", "prior", "n", "alpha", "n0")
        }
        slot = told["slot"]
        if slot is not None:
            slot = Slot(**{**slot, "context": tuple(slot["context"])})
        a, b = (np.array(told[x], np.float64) for x in ("A", "b"))
        return BanditState(
            **given,
            arms=tuple(told["arms"]),
            mean=tuple(told["mean"]),
            scale=tuple(told["scale"]),
            learned_until=instant_ns(told["learned_until"]),
            last_campaign=told["last_campaign"],
            bandit=np.concatenate([a, b[:, None, :]], axis=1),
            slot=slot,
        )
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise RunError(f"{path}: {error} is missing or wrong: {ADVICE}") from None
    except (RunError, ConfigError) as error:
        raise type(error)(f"{path}: {error}: {ADVICE}") from None


def _told(state: BanditState) -> dict[str, Any]:
    fields = ("strategy", "symbol", "features", "prior", "alpha", "n0", "n", "last_campaign")
    return {
        "format": FORMAT,
        **{x: getattr(state, x) for x in fields},
        **{x: list(getattr(state, x)) for x in ("arms", "mean", "scale")},
        "learned_until": instant_text(state.learned_until),
        "slot": None if state.slot is None else asdict(state.slot),
        "A": state.bandit[:, :-1].tolist(),
        "b": state.bandit[:, -1].tolist(),
    }


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)
