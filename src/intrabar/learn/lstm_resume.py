"""What an interrupted training goes on with: a file beside the policy that is to be."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from intrabar.durable import write_durably
from intrabar.errors import FileError, UsageError
from intrabar.learn.lstm_loop import Seed
from intrabar.learn.settings import hash_of


def resume_file(folder: Path, window: int) -> Path:
    """Where the state of a window of a training is kept."""
    return folder.with_name(f".{folder.name}.w{window:03d}.resume")


def keep_seeds(file: Path, key: Mapping[str, Any], seeds: Sequence[Seed]) -> None:
    """Keep how far each seed is."""
    import torch

    content = io.BytesIO()
    torch.save(
        {"key": hash_of(dict(key)), "seeds": [_plain(torch, asdict(x)) for x in seeds]}, content
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    write_durably(file, content.getvalue())


def kept_seeds(file: Path, key: Mapping[str, Any]) -> list[Seed] | None:
    """The seeds as they were kept; None where nothing is.

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
        seeds = [Seed(**_arrays(torch, one)) for one in told["seeds"]]
        same = told["key"] == hash_of(dict(key))
    except Exception as error:  # whatever torch comes upon in wrong bytes
        raise FileError(f"{file} cannot be read ({error}): remove it, and train anew") from None
    if not same:
        raise UsageError(
            f"{file} is of a training on other data, settings, versions or seed: ask for the same, "
            "or remove it and train anew"
        )
    return seeds


def _plain(torch: Any, value: Any) -> Any:
    """Arrays as tensors, which are read again without a pickle."""
    import numpy as np

    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    if isinstance(value, dict):
        return {k: _plain(torch, v) for k, v in value.items()}
    return [_plain(torch, v) for v in value] if isinstance(value, list | tuple) else value


def _arrays(torch: Any, one: dict[str, Any]) -> dict[str, Any]:
    """A seed with arrays for weights; Adam's state stays tensors."""

    def weights(of: dict[str, Any] | None) -> dict[str, Any] | None:
        return None if of is None else {k: v.numpy() for k, v in of.items()}

    going = one["going"]
    if going:
        going = {**going, "weights": weights(going["weights"])}
    return {**one, "best": weights(one["best"]), "going": going}
