"""What is said of each symbol, in arrays, series, frames and mappings, with or without stamps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.errors import ConfigError, NotFoundError
from intrabar.model.bars import DAY_NS, DatedTimeline, Market, Timeline
from intrabar.model.values import choice, shown
from intrabar.strategy.stamped import Stamps, stamps_of

LABELS = ("start", "end")


class Column(NamedTuple):
    """What is said of one instrument; without stamps it has a row per bar, or is one for all."""

    values: Any
    stamps: Stamps | None


@dataclass(frozen=True, eq=False)
class Reading:
    """How stamps are to be read.

    Parameters
    ----------
    place : str
        Whose they are, for messages.
    time : str, stamps or None
        Name of the column of stamps in frames, or the stamps; None: the index.
    zone : str or tzinfo or None
        Of stamps that carry none.
    label : {"start", "end"} or None
        Edge of the bar that a stamp marks; None: as the stamps tell.
    zone_of : callable
        The zone of the exchange of a column, for stamps without a zone that it alone explains.
    """

    place: str
    time: Any = None
    zone: str | tzinfo | None = None
    label: str | None = None
    zone_of: Callable[[int], str] = field(default=lambda _: "UTC")

    def __post_init__(self) -> None:
        if self.label is not None:
            choice(f"{self.place}: label", self.label, LABELS)


def is_labelled(values: Any) -> bool:
    """Whether values may carry stamps or the names of symbols with them."""
    if isinstance(values, Mapping):
        return any(is_labelled(inner) for inner in values.values())
    return hasattr(values, "columns") or hasattr(values, "iloc")


def own(values: Any) -> Any:
    """A copy of values that their owner may change later; the copy of an array stays as it is."""
    if isinstance(values, Mapping):
        return {key: own(inner) for key, inner in values.items()}
    if isinstance(values, np.ndarray):
        if values.flags.writeable:
            values = values.copy()
            values.flags.writeable = False
        return values
    if isinstance(values, list):
        return [own(inner) if isinstance(inner, list) else inner for inner in values]
    if hasattr(values, "iloc"):
        return values.copy()
    return values.clone() if hasattr(values, "clone") else values


def is_constant(values: Any) -> bool:
    """Whether a value stands for every bar."""
    return (
        isinstance(values, str)
        or not hasattr(values, "__len__")
        or getattr(values, "shape", None) == ()
    )


def columns_of(values: Any, symbols: tuple[str, ...], how: Reading) -> dict[str, Column]:
    """What is said of each symbol.

    Raises
    ------
    ConfigError
        Several instruments and one series; a frame whose columns are not the symbols; stamps
        that cannot be read.
    """
    if isinstance(values, Mapping):
        return {
            str(symbol): _alone(column, how, f"{how.place} of {symbol}")
            for symbol, column in values.items()
        }
    if not hasattr(values, "columns"):
        if is_constant(values):
            return {symbol: Column(values, None) for symbol in symbols}
        if len(symbols) > 1:
            raise ConfigError(
                f"{how.place}: one series for {len(symbols)} instruments; give {{symbol: series}}, "
                f"such as {{{symbols[0]!r}: ...}}"
            )
        return {symbols[0]: _alone(values, how, how.place)}
    names, stamps = _of_frame(values, how)
    if len(symbols) == 1 and len(names) == 1:
        return {symbols[0]: Column(values[names[0]], stamps)}
    _require_symbols([str(name) for name in names], symbols, how)
    return {str(name): Column(values[name], stamps) for name in names}


def _alone(values: Any, how: Reading, place: str) -> Column:
    """A series, an array, or a frame of one column."""
    if hasattr(values, "columns"):
        names, stamps = _of_frame(values, how)
        if len(names) != 1:
            raise ConfigError(f"{place}: a frame of {len(names)} columns; choose one of them")
        return Column(values[names[0]], stamps)
    if is_constant(values):
        return Column(values, None)
    if how.time is not None and not isinstance(how.time, str):
        return Column(values, _as_long(stamps_of(how.time, f"{how.place}: time"), values, place))
    if isinstance(how.time, str) and getattr(values, "index", None) is None:
        raise ConfigError(
            f"{place}: time is {shown(how.time)}, a column of a frame, and this is no frame; give "
            "the stamps themselves"
        )
    return Column(values, _of_index(values, place))


def _of_frame(frame: Any, how: Reading) -> tuple[list[Any], Stamps | None]:
    """The columns of values of a frame, and its stamps."""
    names = list(frame.columns)
    if len(set(map(str, names))) < len(names):
        raise ConfigError(f"{how.place}: a column of the frame is there twice in {names}")
    if isinstance(how.time, str):
        index = getattr(frame, "index", None)
        if how.time in names:
            place = f"{how.place}: column {how.time!r}"
            return [n for n in names if n != how.time], stamps_of(frame[how.time], place)
        if index is None or how.time != index.name:
            raise NotFoundError(f"column of {how.place}", how.time, map(str, names))
    elif how.time is not None:
        stamps = stamps_of(how.time, f"{how.place}: time")
        return names, _as_long(stamps, frame, how.place)
    stamps_or_none = _of_index(frame, how.place)
    if stamps_or_none is None:
        for name in names:
            if is_of_stamps(frame[name].dtype):
                raise ConfigError(
                    f"{how.place}: column {str(name)!r} has stamps; write time={str(name)!r}"
                )
    return names, stamps_or_none


def is_of_stamps(dtype: Any) -> bool:
    """Whether a column of this type, of pandas or polars, holds stamps."""
    return getattr(dtype, "kind", "") == "M" or str(dtype).startswith(("Date", "datetime"))


def _as_long(stamps: Stamps, values: Any, place: str) -> Stamps:
    if len(stamps.wall) != len(values):
        raise ConfigError(f"{place}: {len(values)} rows, but time has {len(stamps.wall)} stamps")
    return stamps


def _of_index(values: Any, place: str) -> Stamps | None:
    """The stamps of a pandas index; None where it only counts the rows."""
    if not hasattr(values, "iloc"):
        return None
    index = values.index
    if index.dtype.kind == "M":
        return stamps_of(index, f"{place}: index")
    if index.dtype.kind in "iu":
        if np.array_equal(index, np.arange(len(index))):
            return None
        raise ConfigError(
            f"{place}: its index is neither stamps nor 0, 1, 2, ... in order (it begins with "
            f"{index[0]}); give it an index of stamps, or .to_numpy() to go by the order of rows"
        )
    if (
        getattr(index, "nlevels", 1) > 1
        or hasattr(index, "to_timestamp")
        or (index.dtype.kind != "O" and index.dtype != "string")
    ):
        raise ConfigError(
            f"{place}: its index is of {index.dtype}, must be stamps; with periods "
            ".to_timestamp(), with several levels .xs() or .unstack() make one"
        )
    return stamps_of(index, f"{place}: index")


def wrong_length(column: NDArray[Any], timeline: Timeline) -> str:
    """What to say of an array that has not a row per bar."""
    if column.ndim != 1:
        return f"has shape {column.shape}, must be a row per bar; give {{symbol: array}}"
    told = f"has {column.size} rows, the timeline has {len(timeline)} bars"
    if isinstance(timeline, Market):
        first, last = bar_text(timeline, 0), bar_text(timeline, -1)
        told += f", from {first} to {last} as start= and end= leave them"
    return told + "; values with an index of stamps are put where they belong"


def _require_symbols(names: list[str], symbols: tuple[str, ...], how: Reading) -> None:
    for name in names:
        if name not in symbols:
            raise ConfigError(
                f"{how.place}: column {name!r} is not traded; the columns must be the symbols "
                f"{', '.join(symbols)}, and time= names one of stamps"
            )
    for symbol in symbols:
        if symbol not in names:
            raise ConfigError(
                f"{how.place}: there is no column for {symbol}; give NaN where nothing is said, or "
                "a mapping of the symbols that it is said of"
            )


def bar_text(timeline: DatedTimeline, i: int) -> str:
    """A daily bar by its date, another by its close, UTC."""
    if timeline.period >= DAY_NS and timeline.day is not None:
        return str(np.datetime64(int(timeline.day[i]), "D"))
    return str(np.datetime64(int(timeline.time[i]), "ns"))[:16].replace("T", " ") + "Z"
