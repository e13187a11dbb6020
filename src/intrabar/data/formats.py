"""Which columns of a file are what, and what its stamps mean.

A format is told by the names of the columns, in any case and many languages; what a mapping of
the user names goes before that. Where the names do not say which edge of a bar its stamp marks,
the start is assumed: a wrong start makes a bar known late, a wrong end would let a strategy see
the future.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from intrabar.data.reading.offered import READERS
from intrabar.data.reading.words import (
    CLOCKS,
    DAYS,
    PRICES,
    STAMPS,
    TICK_VOLUMES,
    VOLUMES,
    bare,
    plain,
)
from intrabar.errors import ConfigError, DataError

SIDES = ("bid", "ask", "mid")

_OPENINGS = STAMPS[:12]
_ENDS = ("close time", "closetime", "time close", "timeclose", "end time", "end", "period end")
_UNNAMED = ("", "unnamed: 0", "index", "index level 0", "column 0")
_STARTS = ("ts event", "window start", "gmt time", "local time", "candle time", "begins at")


@dataclass(frozen=True, slots=True)
class Format:
    """Where the fields of a bar stand in a file.

    Parameters
    ----------
    name : str
        "tradestation", "tradestation-export", "yahoo", "hourly", "quotes", "intrabar",
        "mapping".
    times : tuple of str
        Columns that may be the stamp, or its date; the likeliest first.
    clocks : tuple of str
        Columns that may be the time of day beside a date.
    prices : tuple of tuple of str
        Columns of open, high, low, close; two each (bid and ask) for mid prices.
    volume : tuple of str
        Columns that add up to the volume; none where the source has no volume.
    label : {"start", "end"}
        Edge of the bar that its stamp marks.
    label_known : bool
        The names of the columns tell the label; else it is assumed.
    other_volumes : tuple of str
        Columns of other volumes, which are not read.
    other_closes : tuple of str
        Columns that may be the close as well, which are not read.
    """

    name: str
    times: tuple[str, ...]
    clocks: tuple[str, ...]
    prices: tuple[tuple[str, ...], ...]
    volume: tuple[str, ...]
    label: str
    label_known: bool = False
    other_volumes: tuple[str, ...] = ()
    other_closes: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that may be read."""
        volumes = (*self.volume, *self.other_volumes)
        return (*self.times, *self.clocks, *self.price_columns, *volumes)

    @property
    def price_columns(self) -> tuple[str, ...]:
        """Open, high, low, close; twice where they are of bid and ask."""
        return tuple(c for pair in self.prices for c in pair)


FORMATS = {
    "tradestation": "TimeStamp or DateTime,Open,High,Low,Close,TotalVolume; stamps mark the end",
    "tradestation-export": "Date,Time,Open,High,Low,Close,Vol (or Up,Down, or TotalVolume); stamps "
    "mark the end",
    "yahoo": "Date or Datetime,Open,High,Low,Close[,Adj Close],Volume; stamps mark the start",
    "hourly": "Time or Timestamp[,Date],Open,High,Low,Close[,Volume]; stamps mark the start",
    "quotes": "TimeStamp,BidOpen,...,BidClose,AskOpen,...,AskClose; stamps mark the start",
    "intrabar": "close_time,open,high,low,close,volume, as this program writes them",
}


def find_format(
    columns: Sequence[str],
    wanted: str | None = None,
    side: str = "mid",
    mapping: Mapping[str, str] | None = None,
    quote: str = "",
) -> Format:
    """Tell the format by the names of the columns.

    Parameters
    ----------
    columns : sequence of str
        Header of the file.
    wanted : str, optional
        Name of the format that it must be; None: the one that fits.
    side : {"mid", "bid", "ask"}
        Which prices to take from a file of quotes.
    mapping : mapping, optional
        Fields `time` (or `date`, and `clock` for a time of day apart), `open`, `high`, `low`,
        `close`, `volume` to column names, which go before what is known; "" for a volume is none.
    quote : str
        Currency that the instrument is quoted in: "Volume USD" is no volume of BTCUSD.

    Raises
    ------
    ConfigError
        No format, side or field has that name.
    DataError
        Nothing fits; the message lists the columns found.
    """
    if side not in SIDES:
        raise ConfigError(f"side is {side!r}, must be one of {', '.join(SIDES)}")
    if wanted is not None and wanted not in FORMATS:
        known = ", ".join([*FORMATS, *READERS.names()])
        raise ConfigError(f"format is {wanted!r}, must be one of {known}")
    given = _mapped(columns, mapping or {})
    has: dict[str, str] = {}
    for column in columns:
        has.setdefault(plain(column), column)
    has = {**{bare(c): c for c in reversed(columns)}, **has}
    found = _quotes(has, side) if not given else None
    if found is None:
        found = _bars(has, columns, given, quote)
    if found is None or (wanted is not None and not _is(found, wanted)):
        raise DataError(_nothing_fits(columns, wanted, found is None and bool(mapping)))
    _refuse_twice(columns, found, given)
    return found


def _mapped(columns: Sequence[str], mapping: Mapping[str, str]) -> dict[str, str]:
    fields = ("time", "clock", *PRICES, "volume")
    given = {"time" if k == "date" else k: v for k, v in mapping.items()}
    if unknown := sorted(set(given) - set(fields)):
        raise ConfigError(
            f"the mapping names the field {unknown[0]!r}; the fields are time, clock, open, high, "
            "low, close, volume"
        )
    chosen: dict[str, str] = {}
    for field, wish in given.items():
        near = [c for c in columns if c == wish] or [c for c in columns if plain(c) == plain(wish)]
        if not near and not (field == "volume" and not wish):
            listed = ", ".join(repr(c) for c in columns)
            raise DataError(f"no column {wish!r} for {field}; the columns are {listed}")
        chosen[field] = near[0] if near else ""
    return chosen


def _bars(
    has: Mapping[str, str], columns: Sequence[str], given: Mapping[str, str], quote: str
) -> Format | None:
    prices: list[str] = []
    letters = all(letter in has for letter in "ohlc")
    closes: tuple[str, ...] = ()
    for field, words in PRICES.items():
        known = [has[w] for w in words if w in has and (len(w) > 1 or letters)]
        if field == "close":
            closes = tuple(dict.fromkeys(known))
        if field not in given and not known:
            return None
        prices.append(given.get(field) or known[0])
    times = _times(has, given, letters)
    if not times:
        return None
    clocks: tuple[str, ...] = (given["clock"],) if "clock" in given else ()
    if not clocks and "time" not in given:
        clocks = tuple(has[w] for w in CLOCKS if w in has and has[w] not in prices)
    volume, others = _volumes(has, columns, given, quote, prices)
    label, known_label = _label(has, columns, times, volume)
    name = "mapping" if given else _name(has, times, clocks, volume)
    rest = tuple(c for c in closes if c not in prices)
    alike = tuple(c for c in rest if plain(prices[3]) in ("last", "price", "settle"))
    return Format(
        name,
        times,
        clocks,
        tuple((p,) for p in prices),
        volume,
        label,
        known_label,
        others,
        alike,
    )


def _times(has: Mapping[str, str], given: Mapping[str, str], letters: bool) -> tuple[str, ...]:
    if "time" in given:
        return (given["time"],)
    # "data" and "day" are dates in some languages only, and "t" beside o, h, l and c.
    words = [w for w in STAMPS if w in has and (w != "t" or letters)]
    words += [w for w in _ENDS if w in has] if not words else []
    words += [w for w in _UNNAMED if w in has] if not words else []
    return tuple(dict.fromkeys(has[w] for w in words))


def _volumes(
    has: Mapping[str, str],
    columns: Sequence[str],
    given: Mapping[str, str],
    quote: str,
    prices: Sequence[str],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    named = [c for c in columns if "vol" in plain(c) and c not in prices]
    named = [c for c in named if not any(w in plain(c) for w in ("adj", "volat", "unadj"))]
    if "volume" in given:
        chosen: tuple[str, ...] = (given["volume"],) if given["volume"] else ()
        return chosen, ()
    taken = [has[w] for w in VOLUMES if w in has and (w != "v" or "o" in has)]
    if not taken and "up" in has and "down" in has:
        return (has["up"], has["down"]), ()
    ticks = [has[w] for w in TICK_VOLUMES if w in has]
    if taken:
        return (taken[0],), tuple(dict.fromkeys(c for c in (*ticks, *named) if c != taken[0]))
    if ticks:
        return (ticks[0],), ()
    # "Volume BTC" beside "Volume USD": what was traded, not what was paid.
    of = [c for c in named if plain(c).startswith(("volume", "vol "))]
    base = [c for c in of if not (quote and quote.lower() in plain(c).split())]
    base = [c for c in base if not any(w in plain(c) for w in ("currency", "quote", "usd"))] or base
    if base:
        return (base[0],), tuple(c for c in named if c != base[0])
    return (), tuple(named)


def _label(
    has: Mapping[str, str], columns: Sequence[str], times: Sequence[str], volume: Sequence[str]
) -> tuple[str, bool]:
    stamp = plain(times[0])
    if stamp in _ENDS or stamp == "time key":
        return "end", True
    if "totalvolume" in has or "total volume" in has:
        return "end", True
    dated = any(w in has for w in DAYS) and any(w in has for w in CLOCKS)
    if dated and "up" in has and "down" in has:
        return "end", True
    angles = [c.strip() for c in columns if c.strip().startswith("<")]
    if angles:
        # MetaTrader, Stooq and Forex Tester write <CLOSE>, MultiCharts <Close>.
        return ("start", True) if all(c.isupper() for c in angles) else ("end", True)
    alone = not any(w in has for w in ("ticker", "symbol", "tickvol", "tick volume", "per"))
    if dated and alone and volume and plain(volume[0]) == "vol":
        return "end", True
    return "start", stamp in (*_OPENINGS[:10], *_STARTS)


def _name(
    has: Mapping[str, str], times: Sequence[str], clocks: Sequence[str], volume: Sequence[str]
) -> str:
    stamp = plain(times[0])
    if stamp == "close time":
        return "intrabar"
    dated = any(w in has for w in DAYS) and bool(clocks)
    if volume and plain(volume[0]) in ("totalvolume", "total volume"):
        return "tradestation-export" if dated else "tradestation"
    if dated and (("up" in has and "down" in has) or (volume and plain(volume[0]) == "vol")):
        return "tradestation-export"
    if stamp in ("datetime", "date") and "time" not in has:
        return "yahoo"
    return "hourly"


def _is(found: Format, wanted: str) -> bool:
    # A column of volume tells TradeStation's files from the rest; the others differ by stamps.
    if wanted in ("yahoo", "hourly"):
        return found.name in ("yahoo", "hourly", "mapping")
    return found.name in (wanted, "mapping")


def _quotes(has: Mapping[str, str], side: str) -> Format | None:
    joined = {name.replace(" ", ""): column for name, column in has.items()}
    joined |= {
        f"{s}{p}": joined[f"{s}{p[0]}"]  # OANDA's ask.o
        for s in ("bid", "ask")
        for p in PRICES
        if f"{s}{p[0]}" in joined
    }
    sides = ("bid", "ask") if side == "mid" else (side,)
    times = _times(has, {}, False)
    if not times or not all(f"{s}{p}" in joined for s in sides for p in PRICES):
        return None
    prices = tuple(tuple(joined[f"{s}{p}"] for s in sides) for p in PRICES)
    clocks = tuple(has[w] for w in CLOCKS if w in has)
    # The size of a quote is no volume: nothing was traded.
    taken = [column for pair in prices for column in pair]
    volume, others = _volumes(has, list(has.values()), {}, "", taken)
    return Format("quotes", times, clocks, prices, volume, "start", other_volumes=others)


def _refuse_twice(columns: Sequence[str], found: Format, given: Mapping[str, str]) -> None:
    """A field whose name several columns have is the field of several things."""
    for pair in found.prices:
        for column in pair:
            if column in given.values():
                continue
            alike = [c for c in columns if plain(c.split(" #")[0]) == plain(column)]
            if len(alike) > 1:
                field = PRICE_FIELDS[found.prices.index(pair)]
                raise DataError(
                    f"several columns are called {column!r}: {', '.join(map(repr, alike))}; name "
                    f'the one that is meant: --map "{field}={alike[-1]}"'
                )


PRICE_FIELDS = tuple(PRICES)


def _nothing_fits(columns: Sequence[str], wanted: str | None, mapped: bool) -> str:
    listed = ", ".join(repr(c) for c in columns) or "none"
    names = {plain(c) for c in columns}
    if any(re.fullmatch(r"[\d.,]+", name) for name in names):
        return (
            f"the first row holds numbers, so the file has no header, and its {len(columns)} "
            "columns are too few for the time, open, high, low and close of bars: are they ticks?"
        )
    traded = names & {"price", "last"} and names & {"size", "qty", "quantity", "amount", "volume"}
    if not mapped and (traded or {"bid", "ask"} <= names) and not names & {"open", "high"}:
        return (
            f"the rows look like ticks, not like bars; found: {listed}. Make bars of them first, "
            "such as with Polars' group_by_dynamic"
        )
    forms = "\n".join(f"  {n}: {FORMATS[n]}" for n in (FORMATS if wanted is None else (wanted,)))
    have = {plain(c) for c in columns} | {bare(c) for c in columns}
    lost = [field for field, words in PRICES.items() if not have & set(words)]
    if mapped:
        return (
            f"no column for {', '.join(lost) or 'time'}; name it in --map too; the columns are "
            f"{listed}"
        )
    if not lost and wanted is None:
        return (
            f"there are prices, but no column of stamps; found: {listed}; name it: --map time=..."
        )
    return (
        f"the columns fit no known format; found: {listed}.\nKnown:\n{forms}\n"
        "For any other header name the columns: --map time=...,open=...,high=...,low=...,"
        "close=...,volume=..."
    )


def with_volume(form: Format, volume: str) -> Format:
    """The format with another column of volume."""
    return replace(form, volume=(volume,), other_volumes=())
