"""A finished model of others, put into the registry as it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from intrabar.errors import ConfigError
from intrabar.indicators.features import Features, features_of
from intrabar.learn.forecasters import outputs_of
from intrabar.learn.forecasters.onnx import Finished, notes_of
from intrabar.learn.registry import Registry
from intrabar.learn.settings import Settings, hash_of
from intrabar.links.forecaster import Output
from intrabar.model.instant import instant_text, utc_ns
from intrabar.model.values import shown
from intrabar.sources import versions


def notes_features(path: Path) -> tuple[Features, tuple[Output, ...]]:
    """The features and outputs that the notes of a finished model tell; raises as `notes_of`."""
    notes = notes_of(path)
    given = "predict/1" if notes["features"] == "bars" else notes["features"]
    return features_of(given, notes["window"]), outputs_of(notes["horizons"], notes["quantiles"])


def adopt(settings: Settings, registry: Registry, told: Mapping[str, Any]) -> Path | None:
    """Put a finished model into a registry; None where it stands there already.

    Raises
    ------
    ConfigError
        Its `trained_until` is no instant.
    UsageError, RunError
        Another forecaster has that name; the file is no model.
    """
    forecaster = settings.make()
    assert isinstance(forecaster, Finished)
    content = forecaster.path.read_bytes()
    forecaster.take(content, str(forecaster.path))
    settings_hash = hash_of(settings.told)
    registry.require_settings(settings_hash)
    rows = hash_of([settings.told, len(content)])
    if registry.of_rows(rows):
        return None
    until = trained_until(forecaster.meta["trained_until"], str(forecaster.path))
    manifest = {
        **told,
        "kind": "model",
        "name": registry.name,
        **settings.told,
        "trained_until": instant_text(until),
        "trained_until_is": "declared",
        "mean": None,
        "scale": None,
        "drift": None,
        "versions": versions(),
    }
    return registry.add(settings_hash, manifest, {}, forecaster, None, rows)


def trained_until(given: Any, place: str) -> int:
    """An instant that somebody has written, ns UTC: of a date the end of its day, anywhere.

    Raises
    ------
    ConfigError
    """
    try:
        stamp = datetime.fromisoformat(given)
    except (TypeError, ValueError):
        raise ConfigError(
            f"{place}: trained_until is {shown(given)}, must be such as 2024-01-31 or "
            "2024-01-31T21:00:00Z"
        ) from None
    if len(given) == 10:
        stamp += timedelta(days=1)
    if stamp.tzinfo is None:
        stamp = stamp.replace(tzinfo=UTC) + timedelta(hours=12)  # the latest that it may mean
    return utc_ns(stamp)
