"""Values that are there already, as an indicator: those of a file of predictions.

They stand at the closes from which they are known, and are read at those bars alone. What a
strategy names is a `Request`; a run reads the file and puts its values on its bars.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.errors import ConfigError, NotFoundError
from intrabar.model.values import Bounds, Rule, path, shown, take, zone

Floats = NDArray[np.float64]
Times = NDArray[np.int64]

PLACES = {
    "made": "the end of the bar it was made on",
    "start": "the start of the bar it was made on",
    "target": "the end of the bar that is predicted",
}
"""What the times of a file of predictions may be."""


@dataclass(frozen=True, slots=True)
class Request:
    """A file of predictions, and what of it is read.

    Parameters
    ----------
    file : path
        Absolute from then on.
    horizon : bars, >= 1, or None
        None: the shortest of the file.
    time_is : {"made", "start", "target"} or None
        Which bar `Time` names; None: the prices tell.
    zone : str or None
        IANA zone of times without one; None: the exchange's.
    """

    file: str
    horizon: int | None = None
    time_is: str | None = None
    zone: str | None = None

    def __post_init__(self) -> None:
        # The same file from wherever it is asked for, as in a stored run.
        file = path("predictions: file", self.file).expanduser().absolute()
        object.__setattr__(self, "file", str(file))
        object.__setattr__(self, "zone", zone("predictions: zone", self.zone))
        rules: dict[str, Rule] = {"horizon": Bounds(1, 10**6, whole=True, or_none=True)}
        if self.time_is is not None:
            rules["time_is"] = tuple(PLACES)
        take(self, "predictions: ", rules)


def request_of(given: Any, horizon: int | None = None) -> Request:
    """A request from the path of a file, or from a mapping with `file` and the rest of it.

    Parameters
    ----------
    given : path, mapping, Predictions or Request
    horizon : bars, optional
        Where `given` has none.

    Raises
    ------
    ConfigError, NotFoundError
        It is none of these, or a value of it is wrong.
    """
    given = getattr(given, "request", given)
    if isinstance(given, Request):
        given = written(given)
    if isinstance(given, str | Path):
        return Request(str(given), horizon)
    if not isinstance(given, Mapping) or "file" not in given:
        raise ConfigError(
            f"predictions: is {shown(given)}, must be the path of a file, or a mapping with file"
        )
    names = [f.name for f in fields(Request)]
    for name in given:
        if name not in names:
            raise NotFoundError("parameter of predictions", name, names)
    known = given.get("horizon")
    if horizon is not None and known is not None and known != horizon:
        raise ConfigError(f"horizon: is {shown(horizon)}, and {shown(known)} in predictions")
    return Request(**{**given, "horizon": horizon if known is None else known})


def written(request: Request) -> Any:
    """A request as a configuration writes it: a path, or a mapping where more is said."""
    said = {f.name: getattr(request, f.name) for f in fields(Request)}
    said = {name: value for name, value in said.items() if value is not None}
    return said if len(said) > 1 else request.file


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """Values of a file.

    Parameters
    ----------
    key : str
        All that decides them; those with the same key are equal.
    request : Request
    column : str
        Which of its columns they are.
    series : mapping of symbol to (close times, values), or None
        (k,) int64, ns UTC, rising, and (k,) float64. None: they are on no bars yet.
    """

    key: str
    request: Request
    column: str
    series: Mapping[str, tuple[Times, Floats]] | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Given) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def is_price(self) -> bool:
        """Whether what is shown is the price that a return from the close leads to."""
        return self.column == "predicted_price"


def values_at(times: Times, values: Floats, close_time: Times) -> Floats:
    """The values that stand at these closes; NaN at the others."""
    if not len(times):
        return np.full(len(close_time), np.nan)
    place = np.minimum(np.searchsorted(times, close_time), len(times) - 1)
    return np.where(times[place] == close_time, values[place], np.nan)
