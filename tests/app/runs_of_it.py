"""Bars and configurations that the tests of the command line run on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from intrabar.app.cli.main import run


def write_bars(path: Path, days: int = 400, seed: int = 1, header: str = "") -> Path:
    """A file of daily bars that wander."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, days)))
    open_ = close * np.exp(rng.normal(0.0, 0.01, days))
    high = np.maximum(open_, close) * 1.01
    low = np.minimum(open_, close) * 0.99
    day = np.datetime64("2020-01-01") + np.arange(days)
    rows = [header or "Date,Open,High,Low,Close,Volume"]
    rows += [
        f"{d},{o:.2f},{h:.2f},{low_:.2f},{c:.2f},1000"
        for d, o, h, low_, c in zip(day, open_, high, low, close, strict=True)
    ]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def config_in(folder: Path, **changes: Any) -> Path:
    """A configuration file over a file of bars, with some of its keys changed."""
    bars = folder / "AAA.csv"
    if not bars.exists():
        write_bars(bars)
    given: dict[str, Any] = {
        "data": [{"symbol": "AAA", "file": "AAA.csv", "calendar": ""}],
        "strategies": [
            {"name": "MovingAverageCrossover", "params": {"fast": 5, "slow": 20}},
        ],
        "out": str(folder / "runs"),
        "report": False,
        **changes,
    }
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(given, sort_keys=False), encoding="utf-8")
    return path


def said(capsys: Any, *arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command line."""
    capsys.readouterr()
    code = run([str(a) for a in arguments])
    out, err = capsys.readouterr()
    return code, out, err
