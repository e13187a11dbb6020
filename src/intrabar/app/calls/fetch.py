"""`intrabar.fetch` and `intrabar.quote`: bars and quotes of a vendor."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from intrabar.app.compose.sources import nanoseconds
from intrabar.app.compose.vendors import answers_of
from intrabar.app.config.fetching import Fetching
from intrabar.app.config.file import validated
from intrabar.data.catalogue import Catalogue
from intrabar.data.live import fetching
from intrabar.data.live.answers import Answers
from intrabar.data.live.fetching import Fetched
from intrabar.data.live.quotes import Quoted, quoted
from intrabar.data.periods import parse_period
from intrabar.errors import ConfigError
from intrabar.model import values

_T = TypeVar("_T")


def fetch(
    symbol: str,
    source: str,
    *,
    period: str,
    start: Any,
    end: Any = None,
    calendar: str | None = None,
    replace: bool = False,
    credentials: Mapping[str, Any] | None = None,
    cache_dir: Path | str | None = None,
    cache_enabled: bool = True,
) -> Fetched:
    """Ask a vendor for bars and put them into the catalogue, raw, with splits and dividends apart.

    Parameters
    ----------
    symbol : str
        As the vendor spells it.
    source : str
        "yfinance" or "alpha_vantage".
    period : str
        "1m", "1h", "1d".
    start, end : date, time or text
        None: up to the last bar that is over.
    calendar : str, optional
        None: that of the dataset, else of the symbol's name; "none" for days of UTC.
    replace : bool
        Bars of another source may be replaced.
    credentials : mapping, optional
        References to secrets: `{"api_key": "${ALPHAVANTAGE_API_KEY}"}`.
    cache_dir : path, optional
        Takes the vendor's answers, which are used again for an hour.
    cache_enabled : bool

    Returns
    -------
    Fetched
        The dataset's manifest, and how many bars are new or were told otherwise.

    Raises
    ------
    StaleDataError
        The vendor is down; the catalogue is as it was.
    UsageError
        An argument is wrong, the symbol or its calendar is not known.
    LinkError, DataError
    """
    given = {"symbol": symbol, "period": period, "start": start, "end": end}
    asked = validated(Fetching, {**given, "calendar": calendar, "replace": replace})
    answers = answers_of(source, credentials, cache_dir, cache_enabled)
    return _waited(fetched(asked, answers), answers)


def quote(
    symbol: str,
    source: str,
    *,
    credentials: Mapping[str, Any] | None = None,
    cache_dir: Path | str | None = None,
    cache_enabled: bool = True,
) -> Quoted:
    """Ask a vendor what a symbol is worth.

    Parameters
    ----------
    symbol, source : str
    credentials, cache_dir, cache_enabled
        As in `fetch`; a quote is used again for a minute.

    Returns
    -------
    Quoted
        With its age; `stale` says why where the vendor is down and an older one was kept.

    Raises
    ------
    UsageError
        An argument is wrong, or the symbol is not known.
    LinkError
        The vendor is down, and no quote was kept.
    """
    symbol = values.named("symbol:", symbol)
    answers = answers_of(source, credentials, cache_dir, cache_enabled)
    return _waited(quoted(answers, symbol), answers)


async def fetched(asked: Fetching, answers: Answers) -> Fetched:
    """The same as `fetch`, of a request that was read; the vendor stays open."""
    start, end = nanoseconds(asked.start), nanoseconds(asked.end, end=True)
    assert start is not None
    if end is not None and end < start:
        raise ConfigError(f"end: {asked.end} is before the start, {asked.start}")
    try:
        period = parse_period(asked.period)
    except ConfigError as error:
        raise ConfigError(f"period: {error}") from None
    return await fetching.fetch(
        answers,
        Catalogue(),
        asked.symbol,
        period,
        start,
        end,
        calendar=asked.calendar,
        replacing=asked.replace,
    )


def _waited(work: Coroutine[Any, Any, _T], answers: Answers) -> _T:
    """The outcome of a coroutine, also where a loop is running already, as in a notebook."""

    async def main() -> _T:
        try:
            return await work
        finally:
            await answers.vendor.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, main()).result()
