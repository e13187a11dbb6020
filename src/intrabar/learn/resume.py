"""What an interrupted training goes on with: a file beside the policy that is to be."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from intrabar.durable import write_durably
from intrabar.errors import FileError, UsageError

S = TypeVar("S")
ARRAY, BYTES = "an array", "bytes"
"""Keys that say what a tensor was: tensors alone are read again without a pickle."""


def resume_file(folder: Path, window: int = 0) -> Path:
    """Where the state of a training is kept; of a walk-forward, that of one of its windows."""
    return folder.with_name(f".{folder.name}.w{window:03d}.resume")


def keep_seeds(file: Path, key: str, seeds: Sequence[Any]) -> None:
    """Keep how far each seed is.

    Parameters
    ----------
    file : Path
    key : str
        Hash of data, settings, versions and seed.
    seeds : sequence of a trainer's `Seed`
    """
    import torch

    content = io.BytesIO()
    torch.save({"key": key, "seeds": [_plain(torch, asdict(x)) for x in seeds]}, content)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_durably(file, content.getvalue())


def kept_seeds(file: Path, key: str, seed: Callable[..., S]) -> list[S] | None:
    """The seeds as they were kept; None where nothing is.

    Parameters
    ----------
    file : Path
    key : str
        As they were kept under.
    seed : callable
        A trainer's `Seed`.

    Raises
    ------
    UsageError
        They are of other data or settings.
    FileError
        The file cannot be read.
    """
    import torch

    if not file.exists():
        return None
    try:
        told = torch.load(io.BytesIO(file.read_bytes()), weights_only=True)
        same = told["key"] == key
        seeds = [seed(**_again(one)) for one in told["seeds"]] if same else []
    except Exception as error:  # whatever torch comes upon in wrong bytes
        raise FileError(f"{file} cannot be read ({error}): remove it, and train anew") from None
    if not same:
        raise UsageError(
            f"{file} is of a training on other data, settings, versions or seed: ask for the same, "
            "or remove it and train anew"
        )
    return seeds


def _plain(torch: Any, value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return {ARRAY: torch.from_numpy(value.copy())}
    if isinstance(value, bytes):
        return {BYTES: torch.from_numpy(np.frombuffer(value, np.uint8).copy())}
    if isinstance(value, dict):
        return {k: _plain(torch, v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_plain(torch, v) for v in value)
    return value


def _again(value: Any) -> Any:
    if isinstance(value, dict):
        if ARRAY in value:
            return value[ARRAY].numpy()
        if BYTES in value:
            return value[BYTES].numpy().tobytes()
        return {k: _again(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_again(v) for v in value)
    return value
