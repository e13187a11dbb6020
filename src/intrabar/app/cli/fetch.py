"""`intrabar data fetch | refresh | quote`: what vendors tell, with its age."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Collection, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from intrabar.app.cli.output import Json, print_json, print_table
from intrabar.errors import DataError, IntrabarError, StaleDataError, UsageError

if TYPE_CHECKING:
    from intrabar.data.live.answers import Answers
    from intrabar.data.live.fetching import Fetched
    from intrabar.data.manifest import Manifest


def fetch(
    symbol: str | None = None,
    /,
    *,
    period: str,
    start: str,
    source: str | None = None,
    end: str | None = None,
    calendar: str | None = None,
    replace: Annotated[bool, Parameter(negative="")] = False,
    config: Path | None = None,
    as_json: Json = False,
) -> int:
    """Ask a vendor for bars and put them into the catalogue.

    Bars are raw; splits and dividends go into the table of actions. Bars of the same vendor that
    are there stay where it was not asked.

    Parameters
    ----------
    symbol : str, optional
        As the vendor spells it; else those of the configuration.
    period : str
        1m, 5m, 1h, 1d, ...
    start, end : str
        Dates; without an end up to the last bar that is over.
    source : str, optional
        yfinance, alpha_vantage (key in ALPHAVANTAGE_API_KEY), tradestation, ...; else that of the
        configuration.
    calendar : str, optional
        NYSE, XETR, 24/7, ...; "none" for none; else the instrument's.
    replace : bool
        Bars of another source may be replaced.
    config : Path, optional
        Its section data: provider, credentials, cache_enabled, cache_dir.
    as_json : bool
        Print JSON.
    """
    from intrabar.app.calls.fetch import fetched
    from intrabar.app.config.fetching import Fetching
    from intrabar.app.config.file import validated

    answers, symbols = _vendor(source, config)
    if symbol is not None:
        symbols = [symbol]
    if not symbols:
        raise UsageError("there is no symbol: name one, or a configuration that has some")
    given = {"period": period, "start": start, "end": end, "calendar": calendar}
    asked = [validated(Fetching, {"symbol": s, "replace": replace, **given}) for s in symbols]
    work = [(one.symbol, partial(fetched, one, answers)) for one in asked]
    return _all(work, [answers], as_json)


def refresh(
    symbol: str | None = None,
    /,
    *,
    every: Annotated[bool, Parameter(name="--all", negative="")] = False,
    config: Path | None = None,
    as_json: Json = False,
) -> int:
    """Ask again for the bars that were fetched, and say which of them changed.

    Parameters
    ----------
    symbol : str, optional
    every : bool
        All datasets that were fetched.
    config : Path, optional
        Its section data: credentials, cache_enabled, cache_dir.
    as_json : bool
        Print JSON.
    """
    from intrabar.data import catalogue as catalogues
    from intrabar.data.live import fetching
    from intrabar.data.live.vendors import SOURCES

    if (symbol is None) == (not every):
        raise UsageError("name a symbol, or --all for all datasets that were fetched")
    catalogue = catalogues.Catalogue()
    found = catalogue.list() if symbol is None else catalogue.show(symbol)
    mine = [m for m in found if m.format in SOURCES]
    if not mine:
        told = ", ".join(f"{m.symbol} {m.period} of {m.source}" for m in found[:5]) or "none"
        raise DataError(
            f"no dataset was fetched, the catalogue has {told}; fetch one: intrabar data fetch "
            "SYMBOL --source yfinance --period 1d --start 2020-01-01"
        )

    answers: dict[str, Answers] = {}  # one of each vendor: it keeps to its calls a minute

    async def again(manifest: Manifest) -> Fetched:
        name = manifest.format
        if name not in answers:
            answers[name], _ = _vendor(name, config)
        return await fetching.refresh(answers[name], catalogue, manifest)

    work = [(f"{m.symbol} {m.period}", partial(again, m)) for m in mine]
    return _all(work, answers.values(), as_json)


def quote(
    symbol: str,
    /,
    *,
    source: str | None = None,
    config: Path | None = None,
    as_json: Json = False,
) -> None:
    """Ask a vendor what a symbol is worth, with the age of the answer.

    Parameters
    ----------
    symbol : str
    source : str, optional
        yfinance, alpha_vantage, tradestation, ...; else that of the configuration.
    config : Path, optional
        Its section data: provider, credentials, cache_enabled, cache_dir.
    as_json : bool
        Print JSON; null where the vendor has none.
    """
    from intrabar.data.live.fetching import age_text
    from intrabar.data.live.quotes import quoted

    answers, _ = _vendor(source, config)
    with _loop([answers]) as loop:
        found = loop.run(quoted(answers, symbol))
    if as_json:
        print_json(found.as_json())
    else:
        shown = [
            (name, "none" if value is None else f"{value:.10g}")
            for name in ("price", "bid", "ask", "volume")
            for value in (getattr(found, name),)
        ]
        when = f"{found.time:%Y-%m-%d %H:%M:%S}Z, {age_text(found.age)} ago"
        print_table((f"{symbol}, {found.source}", ""), [*shown, ("time", when)])
    if found.stale:
        raise StaleDataError(
            f"{found.source} is down ({found.stale}); the quote shown was kept and is "
            f"{age_text(found.age)} old"
        )


def _vendor(source: str | None, config: Path | None) -> tuple[Answers, list[str]]:
    """A vendor, and the symbols of the configuration if there is one."""
    from intrabar.app.compose.vendors import answers_of, vendor_in

    if config is not None:
        return vendor_in(config, source)
    if source is None:
        raise UsageError("there is no source: name one, --source yfinance, or --config FILE")
    return answers_of(source), []


@contextmanager
def _loop(answers: Collection[Answers]) -> Iterator[asyncio.Runner]:
    """The loop of a command, at whose end its vendors are closed."""
    with asyncio.Runner() as loop:
        try:
            yield loop
        finally:
            for one in answers:
                loop.run(one.vendor.close())


def _all(
    work: Sequence[tuple[str, Callable[[], Coroutine[Any, Any, Fetched]]]],
    answers: Collection[Answers],
    as_json: bool,
) -> int:
    """Do each, whatever becomes of the others; the exit code is that of the first failure."""
    outcomes, code = [], 0
    with _loop(answers) as loop:
        for name, one in work:
            try:
                done = loop.run(one())
            except IntrabarError as error:
                if len(work) == 1:
                    raise
                code = code or error.exit_code
                print(f"error: {name}: {error}", file=sys.stderr)
                outcomes.append({"dataset": name, "error": str(error)})
                continue
            if as_json:
                outcomes.append(_as_json(done))
            else:
                _print(done)
    if as_json:
        print_json(outcomes if len(work) > 1 else outcomes[0])
    return code


def _as_json(done: Fetched) -> dict[str, Any]:
    from dataclasses import asdict

    values = {**asdict(done), "changes": list(done.changes), "notes": list(done.notes)}
    rejected = None if done.rejected is None else str(done.rejected)
    return {**values, "manifest": done.manifest.as_dict(), "rejected": rejected}


def _print(done: Fetched) -> None:
    from intrabar.data.live.fetching import age_text

    m = done.manifest
    told = "raw" if m.adjustment == "raw" else "adjusted for splits"
    what = f"{done.added:,} new, {done.changed:,} changed" if done.is_new else "nothing new"
    print(
        f"{m.symbol} {m.period}: {m.rows:,} bars of {m.format}, {m.first} to {m.last}: {what}; "
        f"{told}, calendar {m.calendar or 'none'}, {done.splits} splits and {done.dividends} "
        "dividends"
    )
    if done.replaced:
        print(f"the bars of {done.replaced} were replaced")
    for change in done.changes:
        print(f"changed: {change}")
    if done.changed > len(done.changes):
        print(f"changed: {done.changed - len(done.changes):,} more")
    if done.gone:
        print(f"{done.gone:,} bars that the vendor no longer has stay as they were")
    for note in done.notes:
        print(note)
    if done.age > 60.0:
        print(f"the answer is {age_text(done.age)} old; it was kept")
    if done.is_new:
        from intrabar.app.cli.data import print_checks

        print_checks(m.checks)
    if done.rejected is not None:
        print(f"{m.rejected:,} rows were set aside: {done.rejected}")
