"""Predictions of registered models on the bars of a market, as rows of a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from intrabar.errors import UsageError
from intrabar.learn.model import Model, newest
from intrabar.learn.samples import Samples
from intrabar.model.bars import Floats, Times
from intrabar.model.instant import instant_text

UTC_TIME = pl.Datetime("ns", "UTC")
BLOCK = 4_096  # rows


def quantile_name(probability: float) -> str:
    """The name of a column: q05 of 0.05, q025 of 0.025, q50 of 0.5."""
    digits = f"{probability:.4f}"[2:].rstrip("0")
    return f"q{digits.ljust(2, '0')}"


def predictions(
    samples: Samples,
    models: list[Model],
    name: str,
    progress: Callable[[int, int], None] | None = None,
) -> pl.DataFrame:
    """A row per instrument, bar and horizon, by time, from the first that a model may predict.

    Parameters
    ----------
    samples : Samples
        Of these models' features and horizons.
    models : list of Model
        By rising `trained_until`.
    name : str
        Of the registry.
    progress : callable or None

    Raises
    ------
    UsageError
        No bar may be predicted.
    """
    which = newest(models, samples.time)
    rows = np.flatnonzero(which >= 0)
    if not len(rows):
        raise UsageError(
            f"no bar may be predicted: the first model is trained until "
            f"{instant_text(models[0].trained_until)}, and the last bar closes at "
            f"{instant_text(int(samples.time[-1])) if len(samples) else 'no time at all'}"
        )
    said = np.full((len(rows), len(models[0].forecaster.outputs)), np.nan)
    rival = np.full((len(rows), len(samples.horizons)), np.nan)
    drift = np.full((len(rows), len(samples.horizons)), np.nan)
    place, done = which[rows], 0
    for k in np.unique(place):
        model = models[k]
        own = np.flatnonzero(place == k)
        for at in range(0, len(own), BLOCK):
            part = own[at : at + BLOCK]
            of = rows[part]
            said[part], found = told_by(model, samples, of)
            if found is not None:
                rival[part] = found
            if model.drift is not None:
                drift[part] = model.drift * samples.units(of)[:, None]
            done += len(part)
            if progress is not None:
                progress(done, len(rows))
    return _frame(samples, models, rows, place, said, rival, drift, name)


def told_by(
    model: Model, samples: Samples, rows: Times, with_rival: bool = True
) -> tuple[Floats, Floats | None]:
    """What a model and its rival expect at some rows, (n, Q) and (n, H) returns."""
    close, unit = samples.closes(rows), samples.units(rows)
    said = model.returns(samples.windows(rows, model.forecaster.needs), close, unit)
    rival = None
    if with_rival and model.rival is not None:
        rival = model.rival_returns(samples.windows(rows), close, unit)
    return said, rival


def _frame(
    samples: Samples,
    models: list[Model],
    rows: Times,
    place: Times,
    said: Floats,
    rival: Floats,
    drift: Floats,
    name: str,
) -> pl.DataFrame:
    outputs = models[0].forecaster.outputs
    symbols = np.array([one.symbol for one in samples.series])
    time, close = samples.time[rows], samples.closes(rows)
    hashes = np.array([f"{name} {m.hash[:12]}" for m in models])
    until = np.array([m.trained_until for m in models])
    tables = []
    for h, horizon in enumerate(samples.horizons):
        columns = {x.quantile: said[:, k] for k, x in enumerate(outputs) if x.horizon == horizon}
        expected = columns.pop(None)
        told: dict[str, Any] = {
            "Time": pl.Series(time).cast(UTC_TIME),
            "symbol": symbols[samples.instrument[rows]],
            "horizon": np.full(len(rows), horizon),
            "predicted_price": close * (1.0 + expected),
            "predicted_return": expected,
        }
        told |= {quantile_name(float(q or 0)): values for q, values in columns.items()}
        if np.isfinite(rival[:, h]).any():
            told["ridge"] = rival[:, h]
        if np.isfinite(drift[:, h]).any():
            told["drift"] = drift[:, h]
        told["model"] = hashes[place]
        told["trained_until"] = pl.Series(until[place]).cast(UTC_TIME)
        told["made_at"] = pl.Series(time).cast(UTC_TIME)
        tables.append(pl.DataFrame(told, nan_to_null=True))
    return pl.concat(tables, how="diagonal").sort("Time", "symbol", "horizon", maintain_order=True)
