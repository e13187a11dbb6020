"""What an interrupted training goes on with: a file beside the policy that is to be."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from intrabar.durable import write_durably
from intrabar.errors import FileError, UsageError
from intrabar.learn.ppo_net import Layers
from intrabar.learn.ppo_training import Seed

PLAIN = ("seed", "step", "score", "curve", "stopped", "last_bar", "counts")


def resume_file(folder: Path) -> Path:
    """Where the state of a training is kept."""
    return folder.with_name(f".{folder.name}.resume.npz")


def keep_seeds(file: Path, key: str, seeds: Sequence[Seed]) -> None:
    """Keep the seeds that are done, and the best of the one that is not."""
    arrays: dict[str, Any] = {}
    told = []
    for k, seed in enumerate(seeds):
        told.append({name: value for name, value in asdict(seed).items() if name in PLAIN})
        arrays[f"model_{k}"] = np.frombuffer(seed.model, np.uint8)
        for layer, pair in enumerate(seed.best or ()):
            for part, array in zip(("weight", "bias"), pair, strict=True):
                arrays[f"{part}_{k}_{layer}"] = array
    text = json.dumps({"key": key, "seeds": told})
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, told=np.array(text), **arrays)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_durably(file, content.getvalue())


def kept_seeds(file: Path, key: str) -> list[Seed] | None:
    """The seeds as they were kept; None where nothing is.

    Raises
    ------
    UsageError
        They are of other data or settings.
    FileError
        The file cannot be read.
    """
    if not file.exists():
        return None
    try:
        with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as read:
            arrays = {name: read[name] for name in read.files}
        told = json.loads(str(arrays["told"]))
        seeds = [_seed(arrays, k, one) for k, one in enumerate(told["seeds"])]
    except Exception as error:  # whatever readers come upon in wrong bytes
        raise FileError(f"{file} cannot be read ({error}): remove it, and train anew") from None
    if told["key"] != key:
        raise UsageError(
            f"{file} is of a training on other data, settings, versions or seed: ask for the same, "
            "or remove it and train anew"
        )
    return seeds


def _seed(arrays: dict[str, Any], k: int, told: dict[str, Any]) -> Seed:
    layers: Layers = []
    while f"weight_{k}_{len(layers)}" in arrays:
        at = f"{k}_{len(layers)}"
        layers.append((arrays[f"weight_{at}"], arrays[f"bias_{at}"]))
    return Seed(**told, best=layers or None, model=arrays[f"model_{k}"].tobytes())
