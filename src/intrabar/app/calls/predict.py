"""`ib.predict`: files of predictions, written so that a run can read them."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from intrabar.data.prediction_file import PredictionFile, instants, predictions_in
from intrabar.data.reading.frames_in import table_of
from intrabar.durable import write_durably
from intrabar.errors import UsageError
from intrabar.model.values import path as path_of
from intrabar.model.values import shown
from intrabar.sources import versions

FORMATS = (".parquet", ".csv")
_HOME_OF = {
    **dict.fromkeys(("windows", "train", "run", "predict_future_prices"), "app.calls.forecast"),
    "search": "app.calls.forecast_search",
}


def __getattr__(name: str) -> Any:
    """What forecasters need is loaded when it is first used."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'intrabar.predict' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"intrabar.{_HOME_OF[name]}"), name)


def write(frame: Any, name: str, folder: Path | str = "predictions") -> Path:
    """Check predictions, and write them with the hash that a run holds them against.

    Parameters
    ----------
    frame : frame of Polars or pandas
        Columns as in a file of predictions: Time (or an index of times), predicted_return, mostly
        predicted_price, and what is known of symbol, horizon, q05 ... q95, confidence, model,
        trained_until, made_at.
    name : str
        Of the file, without a folder; Parquet, or CSV where it ends with ".csv".
    folder : path

    Returns
    -------
    path
        The file; NAME.json beside it tells its hash.

    Raises
    ------
    DataError
        What is wrong in the frame, with its first rows.
    UsageError
        The name or the folder cannot be used.
    """
    path = path_of("folder", folder) / _file_name(name)
    return write_file(frame, path)


def write_file(frame: Any, path: Path, told: Mapping[str, Any] | None = None) -> Path:
    """The same, with what else its NAME.json tells; raises as `write`."""
    others = [path.with_suffix(x) for x in FORMATS if x != path.suffix]
    if there := [x for x in others if x.exists()]:
        raise UsageError(
            f"{there[0]} is there, and its hash stands in {path.stem}.json too; take it away, or "
            "give another name"
        )
    table = table_of(frame).frame
    content = io.BytesIO()
    if path.suffix == ".csv":
        table.write_csv(content)
    else:
        table.write_parquet(content)
    read = predictions_in(content.getvalue(), path.name)
    whole = {**manifest_of(read), **(told or {}), "name": path.stem}
    try:
        write_durably(path, content.getvalue())
        write_durably(path.with_suffix(".json"), (json.dumps(whole, indent=2) + "\n").encode())
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None
    return path


def manifest_of(file: PredictionFile) -> dict[str, Any]:
    """What `NAME.json` and `intrabar predict show` say of a file."""
    order = instants(file.time)
    first, last = (str(np.datetime64(int(t), "ns"))[:19] for t in (order.min(), order.max()))
    until = None
    if file.trained_until is not None and file.trained_until.readable.any():
        known = instants(file.trained_until)[file.trained_until.readable]
        until = str(np.datetime64(int(known.max()), "ns"))[:19]
    return {
        "kind": "predictions",
        "symbols": file.symbols,
        "horizons": file.horizons,
        "rows": len(file.rows),
        "without_prediction": int(np.isnan(file.predicted_return).sum()),
        "span": [first, last],
        "columns": [
            "predicted_return",
            *(["predicted_price"] if file.predicted_price is not None else []),
            *file.quantiles,
            *(["confidence"] if file.confidence is not None else []),
        ],
        "models": list(file.model),
        "trained_until": until,
        "trained_until_is": _how_known(file) if until else "unknown",
        "files": {file.name: file.sha256},
        "versions": versions(),
    }


def _how_known(file: PredictionFile) -> str:
    return "witnessed" if file.is_witnessed else "declared"


def _file_name(name: Any) -> str:
    if path_of("name", name).name != name:
        raise UsageError(f"name is {shown(name)}, must be the name of a file, such as 'nvda'")
    return name if Path(name).suffix in FORMATS else f"{name}.parquet"


def found(name: Path | str, folder: Path | str = "predictions") -> Path:
    """The file of predictions that a name or a path means.

    Raises
    ------
    UsageError
        There is none.
    """
    given = Path(name)
    tried = [given, *(Path(folder) / f"{given.name}{suffix}" for suffix in ("", *FORMATS))]
    for path in tried:
        if path.is_file() and path.suffix != ".json":
            return path
    raise UsageError(
        f"{name}: there are no predictions of that name; looked for "
        f"{', '.join(str(path) for path in dict.fromkeys(tried))}"
    )
