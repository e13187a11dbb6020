"""Which columns of a file are what, and what its stamps mean.

A format is told by its header, in any case; a mapping given by the user goes before all of
them. Where a format does not say which edge of a bar its stamp marks, the start is assumed:
a wrong start makes a bar known late, a wrong end would let a strategy see the future.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from intrabar.errors import ConfigError, DataError

PRICES = ("open", "high", "low", "close")
SIDES = ("bid", "ask", "mid")


@dataclass(frozen=True, slots=True)
class Format:
    """Where the fields of a bar stand in a file.

    Parameters
    ----------
    name : str
        "tradestation", "tradestation-export", "yahoo", "hourly", "quotes", "intrabar",
        "mapping".
    time : str
        Column of the stamp, or of its date.
    clock : str
        Column of the time of day where date and time are apart, else "".
    prices : tuple of tuple of str
        Columns of open, high, low, close; two each (bid and ask) for mid prices.
    volume : tuple of str
        Columns that add up to the volume; none where the source has no volume.
    label : {"start", "end"}
        Edge of the bar that its stamp marks.
    """

    name: str
    time: str
    clock: str
    prices: tuple[tuple[str, ...], ...]
    volume: tuple[str, ...]
    label: str

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that are read."""
        clock = (self.clock,) if self.clock else ()
        return (self.time, *clock, *(c for pair in self.prices for c in pair), *self.volume)


FORMATS = {
    "tradestation": "TimeStamp,Open,High,Low,Close,TotalVolume; stamps mark the end",
    "tradestation-export": 'Date,Time,Open,High,Low,Close,Vol (or Up,Down); stamps mark the end"',
    "yahoo": "Date or Datetime,Open,High,Low,Close[,Adj Close],Volume; stamps mark the start",
    "hourly": "Time or Timestamp[,Date],Open,High,Low,Close[,Volume]; stamps mark the start",
    "quotes": "TimeStamp,BidOpen,...,BidClose,AskOpen,...,AskClose; stamps mark the start",
    "intrabar": "close_time,open,high,low,close,volume, as this program writes them",
}


def find_format(columns: Sequence[str], wanted: str | None = None, side: str = "mid") -> Format:
    """Tell the format by the header.

    Parameters
    ----------
    columns : sequence of str
        Header of the file.
    wanted : str, optional
        Name of the format that it must be; None: the first that fits.
    side : {"mid", "bid", "ask"}
        Which prices to take from a file of quotes.

    Raises
    ------
    ConfigError
        No format or side has that name.
    DataError
        Nothing fits; the message lists the columns found.
    """
    if side not in SIDES:
        raise ConfigError(f"side is {side!r}, must be one of {', '.join(SIDES)}")
    if wanted is not None and wanted not in FORMATS:
        raise ConfigError(f"format is {wanted!r}, must be one of {', '.join(FORMATS)}")
    by_name = {c.strip().lower(): c for c in reversed(columns)}
    for name in FORMATS if wanted is None else (wanted,):
        found = _match(name, by_name, side)
        if found is not None:
            return found
    found_columns = ", ".join(repr(c) for c in columns) or "none"
    forms = "\n".join(f"  {n}: {FORMATS[n]}" for n in (FORMATS if wanted is None else (wanted,)))
    raise DataError(
        f"the columns fit no known format; found: {found_columns}.\nKnown:\n{forms}\n"
        "For any other header name the columns: --map time=...,open=...,high=...,low=...,"
        "close=...,volume=..."
    )


def mapped_format(columns: Sequence[str], mapping: Mapping[str, str]) -> Format:
    """Format of a header by a mapping of fields to columns.

    Parameters
    ----------
    columns : sequence of str
    mapping : mapping
        Fields `time` (or `date`, and `clock` for a time of day apart), `open`, `high`, `low`,
        `close`, `volume` to column names. Fields that are left out are looked for under their
        own name.

    Raises
    ------
    ConfigError
        An unknown field.
    DataError
        A column that the file does not have; the message lists those it has.
    """
    fields = {"time", "clock", *PRICES, "volume"}
    given = {"time" if k == "date" else k: v for k, v in mapping.items()}
    if unknown := sorted(set(given) - fields):
        raise ConfigError(
            f"the mapping names the field {unknown[0]!r}; the fields are time, clock, open, high, "
            "low, close, volume"
        )
    by_name = {c.strip().lower(): c for c in reversed(columns)}
    chosen: dict[str, str] = {}
    for field in ("time", "clock", *PRICES, "volume"):
        wish = given.get(field, "" if field == "clock" else field)
        column = wish if wish in columns else by_name.get(wish.lower(), "")
        if not column and (field in given or field not in ("clock", "volume")):
            raise DataError(
                f"no column {wish!r} for {field}; the columns are "
                + ", ".join(repr(c) for c in columns)
            )
        chosen[field] = column
    prices = tuple((chosen[p],) for p in PRICES)
    volume = (chosen["volume"],) if chosen["volume"] else ()
    return Format("mapping", chosen["time"], chosen["clock"], prices, volume, "start")


def _match(name: str, has: Mapping[str, str], side: str) -> Format | None:
    if name == "quotes":
        return _quotes(has, side)
    if not all(p in has for p in PRICES):
        return None
    prices = tuple((has[p],) for p in PRICES)
    volume = tuple(has[v] for v in ("volume",) if v in has)
    if name == "intrabar" and "close_time" in has:
        return Format(name, has["close_time"], "", prices, volume, "end")
    if name == "tradestation" and "timestamp" in has and "totalvolume" in has:
        return Format(name, has["timestamp"], "", prices, (has["totalvolume"],), "end")
    if name == "tradestation-export" and "date" in has and "time" in has:
        volume = tuple(has[v] for v in ("vol",) if v in has)
        if not volume and "up" in has and "down" in has:
            volume = (has["up"], has["down"])
        return Format(name, has["date"], has["time"], prices, volume, "end") if volume else None
    if name == "yahoo" and "time" not in has:
        stamp = has.get("datetime", has.get("date"))
        return Format(name, stamp, "", prices, volume, "start") if stamp is not None else None
    if name == "hourly":
        if "date" in has and "time" in has:
            return Format(name, has["date"], has["time"], prices, volume, "start")
        for word in ("time", "timestamp", "datetime", "date_time", "open_time", ""):
            if word in has:
                return Format(name, has[word], "", prices, volume, "start")
    return None


def _quotes(has: Mapping[str, str], side: str) -> Format | None:
    stamp = next((has[w] for w in ("timestamp", "time", "datetime", "date") if w in has), None)
    sides = ("bid", "ask") if side == "mid" else (side,)
    if stamp is None or not all(f"{s}{p}" in has for s in sides for p in PRICES):
        return None
    prices = tuple(tuple(has[f"{s}{p}"] for s in sides) for p in PRICES)
    # The size of a quote is no volume: nothing was traded.
    return Format("quotes", stamp, "", prices, (), "start")
