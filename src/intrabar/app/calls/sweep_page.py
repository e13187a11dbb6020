"""The page of a sweep: what its folder holds, put into the page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from intrabar.analysis.metrics import METRICS
from intrabar.app.folders.sweep_folder import StoredSweep, read_sweep
from intrabar.errors import RunError
from intrabar.model import values
from intrabar.research.sweep.sweep import LOWER_IS_BETTER, SweepResult
from intrabar.ui.sweep_input import Deflation, MetricKind, Sweep
from intrabar.ui.sweep_view import sweep_view
from intrabar.web.pages import write_sweep

SHOWN = (
    "sharpe",
    "total_return",
    "annual_return",
    "max_drawdown",
    "profit_factor",
    "win_rate",
    "expectancy_r",
    "campaigns",
    "exposure",
    "costs",
)


def sweep_report(sweep: SweepResult | Path | str, path: Path | str | None = None) -> Path:
    """Write the page of a sweep: one HTML file that opens offline.

    Parameters
    ----------
    sweep : SweepResult or path
        One that was kept, or its folder.
    path : path, optional
        The HTML file; `sweep.html` in the folder of the sweep.

    Raises
    ------
    RunError
        The sweep was not kept, its folder is damaged, or the page cannot be written.
    """
    folder = sweep.folder if isinstance(sweep, SweepResult) else str(values.path("sweep:", sweep))
    target = None if path is None else values.file("path:", path)
    if not folder:
        raise RunError("the sweep was not kept, so it has no page: sweep again with keep=True")
    stored = read_sweep(Path(folder))
    return write_sweep(sweep_view(_seen(stored)), target or stored.folder / "sweep.html")


def _seen(stored: StoredSweep) -> Sweep:
    manifest = stored.manifest
    best: Mapping[str, Any] | None = manifest["best"]
    config = manifest["config"]
    data = manifest["data"]
    return Sweep(
        name=manifest["title"],
        trials=stored.table,
        parameters=manifest["parameters"],
        metrics={
            name: MetricKind(unit=METRICS[name].unit, description=METRICS[name].text)
            for name in dict.fromkeys([manifest["metric"], *SHOWN])
        },
        metric=manifest["metric"],
        best=None if best is None else best["number"],
        deflation=Deflation() if best is None else _deflation(best),
        lower_is_better=LOWER_IS_BETTER,
        is_grid=config["sweep"]["sample"] == "grid",
        tried=None if best is None else best["deflated"].get("tried"),
        strategies=[s["name"] for s in config.get("strategies", ())],
        symbols=list(dict.fromkeys(symbol for bars in data for symbol in bars["symbols"])),
        start=min((_instant(bars["first"]) for bars in data), default=None),
        end=max((_instant(bars["last"]) for bars in data), default=None),
        created=manifest["created"],
        notes=manifest["remarks"],
        manifest=manifest,
    )


def _deflation(best: Mapping[str, Any]) -> Deflation:
    sharpe, deflated = best["metrics"]["sharpe"], best["deflated"]
    if "reason" in deflated:
        return Deflation(sharpe=sharpe, reason=deflated["reason"])
    # The threshold is per day; the same factor that makes a year of the best's makes one of it.
    own = deflated["moments"]["sharpe"]
    return Deflation(
        sharpe=sharpe,
        deflated=deflated["probability"],
        by_luck=deflated["threshold"] * sharpe / own if sharpe is not None and own else None,
        effective=deflated["effective"],
    )


def _instant(text: str) -> int:
    return int(np.datetime64(text.rstrip("Z"), "ns").astype(np.int64))
