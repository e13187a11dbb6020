"""Predictions of a file, for the strategies of a run.

A row is used from the close of the bar on which it was made. `prediction_place` tells which bar
that is; here its values become columns that strategies read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from intrabar.data.chances import chance_above_nothing
from intrabar.data.heard import Heard
from intrabar.data.prediction_bars import BarsOf
from intrabar.data.prediction_file import PredictionFile, read_predictions
from intrabar.data.prediction_place import Placement, place
from intrabar.errors import ConfigError, UnknownKeyError
from intrabar.indicators import Indicator
from intrabar.indicators.given import Request
from intrabar.indicators.indicator import predicted
from intrabar.model.bars import Floats


class Predictions(Mapping[str, Indicator]):
    """The columns of a file of predictions, as indicators by name.

    Parameters
    ----------
    file : path
        Parquet or CSV with Time and predicted_return, and mostly predicted_price.
    horizon : bars, >= 1, optional
        The shortest of the file where it is not given.
    time_is : {"made", "start", "target"}, optional
        Which bar `Time` names, where the prices do not tell: the end or the start of the one on
        which the prediction was made, or the end of the one that is predicted.
    zone : str, optional
        Of times without one; the exchange's where it is not given.

    Raises
    ------
    FileError
        The file cannot be used.
    ConfigError
        It has no such horizon, or a parameter is wrong.

    Examples
    --------
    >>> def indicators(self):
    ...     return {"rsi": ib.rsi(14), **ib.Predictions("predictions/nvda.csv")}

    Notes
    -----
    Phase: CLOSE. `predicted_price` is the close of the bar by 1 + `predicted_return`.
    """

    def __init__(
        self,
        file: Path | str,
        horizon: int | None = None,
        time_is: str | None = None,
        zone: str | None = None,
    ) -> None:
        self.request = Request(file, horizon, time_is, zone)  # type: ignore[arg-type]
        read = read_predictions(self.request.file)
        horizon_of(read, self.request)
        self.names = names_of(read)

    def __repr__(self) -> str:
        return f"Predictions({self.request.file!r})"

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, name: str) -> Indicator:
        if name not in self.names:
            raise UnknownKeyError(f"column of {self.request.file}", name, self.names)
        return predicted(name, self.request)


def names_of(file: PredictionFile) -> tuple[str, ...]:
    """The columns of a file that strategies read by name."""
    confidence = () if file.confidence is None else ("confidence",)
    return ("predicted_return", "predicted_price", *file.quantiles, *confidence)


def horizon_of(file: PredictionFile, request: Request) -> int:
    """The horizon that is read: the one asked for, else the shortest.

    Raises
    ------
    ConfigError
        The file does not have it.
    """
    known = file.horizons
    if request.horizon is not None and request.horizon not in known:
        raise ConfigError(
            f"horizon: is {request.horizon}, and {file.name} has {', '.join(map(str, known))}"
        )
    return known[0] if request.horizon is None else request.horizon


def placement(request: Request, bars: Mapping[str, BarsOf]) -> Placement:
    """The rows of a file on the bars on which they were made.

    Raises
    ------
    FileError
        The file cannot be used, is of other bars, or does not tell on which it was made.
    ConfigError
        It has no such horizon.
    """
    file = read_predictions(request.file)
    return place(file, horizon_of(file, request), request.time_is, request.zone, bars)


def placed(indicator: Indicator, placements: Mapping[Request, Placement | Heard]) -> Indicator:
    """An indicator with the predictions in it on the bars of a run; others as they are.

    Raises
    ------
    ConfigError
        Nothing in the file tells how likely a side is, and it is asked.
    """
    if indicator.operands:
        operands = tuple(placed(x, placements) for x in indicator.operands)
        return replace(indicator, operands=operands)
    given = indicator.given
    if given is None or given.series is not None:
        return indicator
    found = placements[given.request]
    if isinstance(found, Heard):
        series = found.series(given.column)
        return replace(
            indicator, given=replace(given, key=f"{given.key} {found.key}", series=series)
        )
    values = column_of(found.file, given.column)
    series = {
        symbol: (found.close_time[symbol], values[rows]) for symbol, rows in found.rows.items()
    }
    return replace(indicator, given=replace(given, key=f"{given.key} {found.key}", series=series))


def requests_in(indicator: Indicator) -> list[Request]:
    """The predictions that an indicator reads and that are on no bars yet."""
    if indicator.operands:
        return [x for operand in indicator.operands for x in requests_in(operand)]
    given = indicator.given
    return [] if given is None or given.series is not None else [given.request]


def column_of(file: PredictionFile, name: str) -> Floats:
    """The values of a column, by row of the file; raises as `placed`."""
    if name in ("predicted_return", "predicted_price"):
        return file.predicted_return
    if name in file.quantiles:
        return file.quantiles[name]
    if file.confidence is not None:
        return file.confidence
    if len(file.quantiles) < 2:
        raise ConfigError(
            f"min_confidence: {file.name} has neither a column confidence nor two quantiles, so "
            "that none is to be had; leave it out"
        )
    up = chance_above_nothing(file.quantiles)
    return up if name == "chance_up" else 1.0 - up
