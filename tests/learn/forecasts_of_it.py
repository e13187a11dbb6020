"""Bars and configurations that forecasters are tried with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl


def write_bars(path: Path, bars: int = 500, seed: int = 3, until: int | None = None) -> None:
    """Daily bars whose returns depend a little on the one before."""
    rng = np.random.default_rng(seed)
    moves = rng.normal(0.0, 0.01, bars)
    for i in range(1, bars):
        moves[i] += 0.15 * moves[i - 1]
    close = np.round(100.0 * np.exp(np.cumsum(moves)), 2)
    open_ = np.append(100.0, close[:-1])
    days = (np.datetime64("2020-01-01") + np.arange(bars)).astype(str)
    frame = pl.DataFrame(
        {
            "date": days,
            "open": open_,
            "high": np.maximum(open_, close) + 0.1,
            "low": np.minimum(open_, close) - 0.1,
            "close": close,
            "volume": rng.integers(1_000, 9_000, bars).astype(float),
        }
    )
    frame.head(until or bars).write_csv(path)


def write_config(folder: Path, name: str = "acme", **predict: object) -> Path:
    """A configuration beside its bars: a train of 250 bars, a refit each 100."""
    import yaml

    if not (folder / "ACME.csv").exists():
        write_bars(folder / "ACME.csv")
    section = {"forecaster": "ridge", "window": 3, "train": 250, "refit": 100, **predict}
    told = {
        "data": [{"symbol": "ACME", "file": "ACME.csv"}],
        "instruments": {"ACME": {"kind": "share", "calendar": "24/7"}},
        "predict": section,
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(told))
    return path
