"""Refits of a forecaster, one after the other, into a registry."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from intrabar.errors import ConfigError
from intrabar.learn.refits import Fitted, Refit, fit, refits_of
from intrabar.learn.registry import Registry
from intrabar.learn.samples import Samples
from intrabar.learn.settings import Settings, hash_of
from intrabar.model.bars import Floats, Times
from intrabar.model.instant import instant_text
from intrabar.sources import versions

Progress = Callable[[int, int], None]
"""Called with the refits done and those there are."""
Note = Callable[[Mapping[str, Any], float | None, Mapping[str, Any]], None]


def train(
    samples: Samples,
    time: Times,
    settings: Settings,
    registry: Registry,
    told: Mapping[str, Any],
    note: Note = lambda params, skill, data: None,
    progress: Progress | None = None,
) -> list[str]:
    """Train every refit of a history that is not in the registry yet.

    Parameters
    ----------
    samples : Samples
    time : (t,) int64, ns UTC
        Of the market's rows.
    settings : Settings
    registry : Registry
    told : mapping
        What else a manifest says of where it comes from.
    note : callable
        Is told of each model: hyperparameters, mean skill on its validation rows, its data.
    progress : callable or None

    Returns
    -------
    list of str
        What is to be known.

    Raises
    ------
    UsageError
        A history that is too short, another forecaster of that name, or a search that has seen
        what is to be predicted.
    """
    refits = refits_of(samples, time, settings.schedule)
    if settings.search_until is not None and settings.search_until > refits[0].last:
        raise ConfigError(
            f"hyperparameters: their search has seen bars until "
            f"{instant_text(settings.search_until)}, and the first test begins after "
            f"{instant_text(refits[0].last)}: search on earlier bars, or take a longer train:"
        )
    symbols = [one.symbol for one in samples.series]
    settings_hash = hash_of([settings.told, symbols])
    registry.require_settings(settings_hash)
    remarks: dict[str, None] = {}
    for k, refit in enumerate(refits):
        rows = samples.hash_of(np.concatenate([refit.train, refit.valid]))
        if not registry.of_rows(rows):
            fitted = fit(samples, refit, settings.make(), settings.features, settings.seed)
            remarks |= dict.fromkeys(x.text for x in fitted.normalisation.remarks)
            manifest = {**told, **_manifest(samples, refit, fitted, settings, registry.name)}
            metrics = _metrics(fitted, refit)
            registry.add(settings_hash, manifest, metrics, fitted.forecaster, fitted.rival, rows)
            skill = None if fitted.skill is None else float(np.mean(fitted.skill))
            until = {"trained_until": manifest["trained_until"]}
            note({**settings.hyperparameters, **until}, skill, {"hash": rows, **manifest["data"]})
        if progress is not None:
            progress(k + 1, len(refits))
    return list(remarks)


def _manifest(
    samples: Samples, refit: Refit, fitted: Fitted, settings: Settings, name: str
) -> dict[str, Any]:
    own, until = fitted.normalisation, refit.trained_until(samples)
    if settings.search_until is not None:
        until = max(until, settings.search_until)
    return {
        "kind": "model",
        "name": name,
        **settings.told,
        "search": settings.search,
        "search_until": None
        if settings.search_until is None
        else instant_text(settings.search_until),
        "data": {
            "symbols": [one.symbol for one in samples.series],
            "span": [instant_text(refit.first), instant_text(refit.last)],
        },
        "spans": {
            "train": _span(samples, refit.train),
            "validation": _span(samples, refit.valid),
        },
        "trained_until": instant_text(until),
        "trained_until_is": "witnessed",
        "mean": own.mean.tolist(),
        "scale": own.scale.tolist(),
        "drift": fitted.drift.tolist(),
        "remarks": [x.text for x in own.remarks],
        "versions": versions(),
        "threads": 1,
        "cpu": platform.machine(),
    }


def _metrics(fitted: Fitted, refit: Refit) -> dict[str, Any]:
    return {
        "rows": {"train": len(refit.train), "validation": len(refit.valid)},
        "validation_skill": _list(fitted.skill),
        "ridge_validation_skill": _list(fitted.rival_skill),
    }


def _list(figures: Floats | None) -> list[float | None] | None:
    if figures is None:
        return None
    return [float(x) if np.isfinite(x) else None for x in figures]


def _span(samples: Samples, rows: Times) -> dict[str, Any] | None:
    if not len(rows):
        return None
    ends = int(samples.end_time[rows].max())
    return {
        "rows": len(rows),
        "from": instant_text(int(samples.time[rows].min())),
        "until": instant_text(ends),
    }
