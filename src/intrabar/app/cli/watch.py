"""`intrabar watch`: live bars and quotes of a source, as they come."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import msgspec

from intrabar.app.cli.output import Json
from intrabar.data.instruments import calendar_of
from intrabar.data.periods import parse_period, period_text
from intrabar.data.schedules import calendar_named
from intrabar.data.verdicts import utc_text
from intrabar.errors import ConfigError, DataError, LinkError, NotFoundError, UsageError
from intrabar.links.clock import SECOND_NS, Clock, LoopClock, WallClock
from intrabar.links.source import BarSource
from intrabar.model.facts import BarClosed, BarOpened, Fact, Heartbeat, LinkFact, Quote

KINDS = {
    "Quote": "quote",
    "BarOpened": "opened",
    "BarClosed": "bar",
    "LinkFact": "link",
}
KEPT = 12  # bars that are shown


def watch(
    *symbols: str,
    source: str | None = None,
    period: str = "1m",
    calendar: str | None = None,
    recorded: Path | None = None,
    zone: str | None = None,
    speed: float = 1.0,
    as_json: Json = False,
) -> int:
    """Show bars and quotes as they come, until Ctrl-C.

    On a terminal a table that stands; else a line for each thing that is told.

    Parameters
    ----------
    symbols : str
        As the source spells them.
    source : str
        tradestation, yfinance, ...; its credentials are in the environment.
    period : str
        Of the bars: 1m, 5m, 1h, 1d, ...
    calendar : str, optional
        NYSE, XETR, 24/7, ...; "none" for none; else by the symbol's name.
    recorded : path
        Instead of a source: bars of a file, one after the other.
    zone : str
        Of a file whose times carry none.
    speed : float
        Of recorded bars: how many a second; 0 without a pause.
    as_json : bool
        A JSON object a line.
    """
    if recorded is not None:
        if source is not None:
            raise UsageError("--source and --recorded are both given, and one is watched")
        return _watched(*_of_file(recorded, symbols, calendar, zone, speed), as_json=as_json)
    if source is None:
        raise UsageError("there is no source: name one, --source tradestation, or --recorded FILE")
    if not symbols:
        raise UsageError(f"there is no symbol: intrabar watch AAPL --source {source}")
    from intrabar.data.live.vendors import source_named

    try:
        length = parse_period(period)
    except ConfigError as error:
        raise ConfigError(f"--period: {error}") from None
    if calendar is not None and calendar != "none":
        calendar_named(calendar)
    found = {s: calendar or calendar_of(s) or "" for s in symbols}
    for symbol in (s for s, known in found.items() if not known):
        raise UsageError(
            f"when the exchange of the symbol {symbol!r} is open is not known; name the calendar: "
            "--calendar NYSE, XETR, LSE, 24/7 ..., or --calendar none"
        )
    clock = WallClock()
    made = source_named(source, None, clock, calendars=found)
    if made.can.periods and length not in made.can.periods:
        known = ", ".join(map(period_text, made.can.periods))
        raise DataError(f"{source} has no bars of {period_text(length)}; it has {known}")
    return _watched(asyncio.run, made, clock, symbols, length, as_json=as_json)


def _of_file(
    file: Path, symbols: Sequence[str], calendar: str | None, zone: str | None, speed: float
) -> tuple[Callable[..., Any], BarSource, Clock, tuple[str, ...], int]:
    """The bars of a file as a source, in a loop whose time jumps from one to the next."""
    from intrabar.data.checks import check
    from intrabar.data.live.recorded import Recorded
    from intrabar.data.readers import Reading, read_file
    from intrabar.links import simulated_time

    if len(symbols) > 1:
        raise UsageError(f"--recorded has the bars of one symbol, not of {', '.join(symbols)}")
    symbol = symbols[0] if symbols else file.stem
    known = "" if calendar == "none" else calendar or calendar_of(symbol)
    how = Reading(symbol=symbol, calendar=known, suggested=calendar is None, zone=zone)
    bars = check(read_file(file, how), symbol).bars
    clock = LoopClock(int(bars.open_time[0]))
    made = Recorded([bars], clock, opens=True, speed=speed)
    return simulated_time.run, made, clock, (symbol,), bars.period


def _watched(
    run: Callable[[Coroutine[Any, Any, None]], None],
    source: BarSource,
    clock: Clock,
    symbols: tuple[str, ...],
    period: int,
    *,
    as_json: bool,
) -> int:
    """Show what a source tells until it ends, or somebody ends it: that is no failure."""

    async def main() -> None:
        board = Board(symbols, period)
        show: Callable[[Fact], None] = _print_json if as_json else _print_line
        with contextlib.ExitStack() as shown:
            if not as_json and sys.stdout.isatty():
                from rich.live import Live

                live = shown.enter_context(Live(board.table(clock.now()), auto_refresh=False))

                def show(fact: Fact) -> None:
                    live.update(board.table(clock.now()), refresh=True)

            try:
                async for fact in _told(source, symbols, period):
                    board.take(fact)
                    show(fact)
            finally:
                await source.close()

    try:
        run(main())
    except KeyboardInterrupt:
        return 0
    return 0


async def _told(source: BarSource, symbols: tuple[str, ...], period: int) -> AsyncIterator[Fact]:
    """What a source tells; of one that does not push quotes, one before the first bar."""
    if source.can.quotes and not source.can.streams:
        for symbol in symbols:
            try:
                yield await source.quote(symbol)
            except NotFoundError:
                raise
            except (LinkError, DataError) as error:
                yield LinkFact("degraded", str(error))
    async for fact in source.events(symbols, period):
        yield fact


class Board:
    """What is known of some symbols by now.

    Parameters
    ----------
    symbols : sequence of str
    period : int, ns
    """

    def __init__(self, symbols: Sequence[str], period: int) -> None:
        self._period = period
        self._quotes: dict[str, Quote | None] = dict.fromkeys(symbols)
        self._opened: dict[str, BarOpened] = {}
        self._bars: list[BarClosed] = []
        self._link = LinkFact("connecting")

    def take(self, fact: Fact) -> None:
        """Take note of what was told."""
        match fact:
            case Quote():
                self._quotes[fact.symbol] = fact
            case BarOpened():
                self._opened[fact.symbol] = fact
            case BarClosed():
                self._bars = [*self._bars, fact][-KEPT:]
            case LinkFact():
                self._link = fact

    def table(self, now: int) -> Any:
        """All of it, to be shown."""
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        quotes = Table(box=None, pad_edge=False)
        for name in ("symbol", "last", "bid", "ask", "volume", "of", "age", "bar to", "open"):
            quotes.add_column(name, justify="left" if name == "symbol" else "right")
        for symbol, quote in self._quotes.items():
            opened = self._opened.get(symbol)
            bar = ("", "") if opened is None else (utc_text(opened.time)[11:], _number(opened.open))
            quotes.add_row(symbol, *_quoted(quote, now), *bar)
        bars = Table(box=None, pad_edge=False)
        for name in ("bar to", "symbol", "open", "high", "low", "close", "volume", ""):
            bars.add_column(name, justify="left" if name in ("bar to", "symbol", "") else "right")
        for one in reversed(self._bars):
            values = (one.open, one.high, one.low, one.close, one.volume)
            told = "corrected" if one.corrected else ""
            bars.add_row(utc_text(one.time), one.symbol, *map(_number, values), told)
        why = f": {self._link.reason}" if self._link.reason else ""
        head = Text(f"{self._link.state}{why}   bars {period_text(self._period)}   Ctrl-C ends")
        return Group(head, Text(), quotes, Text(), bars)


def _quoted(quote: Quote | None, now: int) -> tuple[str, ...]:
    if quote is None:
        return ("",) * 6
    values = (quote.price, quote.bid, quote.ask, quote.volume)
    age = max((now - quote.time) / SECOND_NS, 0.0)
    return (*map(_number, values), utc_text(quote.time)[11:], f"{age:.0f} s")


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.10g}"


def _print_line(fact: Fact) -> None:
    """A line for a person or a log; a sign of life is none."""
    match fact:
        case Quote():
            named = {"last": fact.price, "bid": fact.bid, "ask": fact.ask, "volume": fact.volume}
            what = " ".join(f"{k} {_number(v)}" for k, v in named.items())
            print(f"{utc_text(fact.time)} {fact.symbol} quote {what}", flush=True)
        case BarOpened():
            text = f"{utc_text(fact.time)} {fact.symbol} begun open {_number(fact.open)}"
            print(text, flush=True)
        case BarClosed():
            values = (fact.open, fact.high, fact.low, fact.close, fact.volume)
            names = ("open", "high", "low", "close", "volume")
            what = " ".join(f"{k} {_number(v)}" for k, v in zip(names, values, strict=True))
            more = " corrected" if fact.corrected else ""
            print(f"{utc_text(fact.time)} {fact.symbol} bar {what}{more}", flush=True)
        case LinkFact():
            print(f"link {fact.state}{f': {fact.reason}' if fact.reason else ''}", flush=True)


def _print_json(fact: Fact) -> None:
    """An object a line; times are of UTC, and of a bar its close."""
    if isinstance(fact, Heartbeat):
        return
    values = msgspec.structs.asdict(fact)
    if "time" in values:
        values["time"] = utc_text(values["time"])
    values.pop("period", None)
    told = {"kind": KINDS[type(fact).__name__], **values}
    print(msgspec.json.encode(told).decode(), flush=True)
