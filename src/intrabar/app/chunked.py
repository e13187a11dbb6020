"""Runs in chunks: feeds in the place of bars, and tables that are written as they come."""

from __future__ import annotations

import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from intrabar.analysis.metrics import METRICS
from intrabar.app.bars_in import Origin, nanoseconds, read_series
from intrabar.app.compose import is_open, make_account, make_instrument, make_strategies
from intrabar.app.config import Config, Source
from intrabar.app.run_folder import Outcome, manifest_of, write_manifest
from intrabar.data.catalogue import Catalogue
from intrabar.data.pieces import Feed, WholeFeed
from intrabar.data.stored import StoredFeed
from intrabar.data.timeline import require_one_period
from intrabar.engine.backtest import Progress
from intrabar.engine.chunks import ChunkedResult, ChunkedRun, ChunkedSetup
from intrabar.errors import ConfigError, DataError, NotFoundError, RunError, UsageError

BYTES_A_BAR = 500  # of a run at one go: 240 measured with one bot and no report, and room
COMFORTABLE = 1_000_000  # bars of all instruments together in a chunk


@dataclass(frozen=True, eq=False)
class ComposedChunks:
    """A run in chunks that can begin, and what there is to say about where it came from."""

    setup: ChunkedSetup
    origins: list[Origin]
    remarks: list[str]


def chunk_for(config: Config) -> int | None:
    """How many bars a chunk should have; None where the run fits into memory as it is.

    It does where its bars need less than half of the machine's memory. Only the catalogue tells
    how many bars there are before they are read.
    """
    sources = _sources(config)
    if config.chunk is not None or any(s.file or s.sample for s in sources):
        return config.chunk
    try:
        bars = sum(_stored(source, config).manifest.rows for source in sources)
    except (UsageError, DataError):
        return None  # the run will say what is wrong
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if bars * BYTES_A_BAR <= memory // 2:
        return None
    return max(COMFORTABLE // len(sources), 1)


def compose_chunks(config: Config, remarks: list[str] | None = None) -> ComposedChunks:
    """Make everything that a configuration names but the bars, which are read as they come.

    Raises
    ------
    UsageError, DataError
        As `compose`.
    """
    strategies = make_strategies(config.strategies)
    feeds, origins, odd = read_feeds(config)
    traded = [feed.symbol for feed in feeds]
    for symbol in config.instruments:
        if symbol not in traded:
            raise NotFoundError("symbol in instruments", symbol, traded)
    instruments = tuple(make_instrument(s, config.instruments.get(s, {})) for s in traded)
    setup = ChunkedSetup(
        feeds,
        instruments,
        strategies,
        make_account(config.account),
        config.chunk or COMFORTABLE,
        is_open,
    )
    return ComposedChunks(setup, origins, [*(remarks or []), *dict.fromkeys(odd)])


def read_feeds(config: Config) -> tuple[tuple[Feed, ...], list[Origin], list[str]]:
    """The bars of every traded symbol, as `read_series`, to be read as they come.

    Only the catalogue's come piece by piece; a file is read whole.
    """
    feeds: list[Feed] = []
    origins: list[Origin] = []
    odd: list[str] = []
    for source in _sources(config):
        if source.file or source.sample:
            one = config.model_copy(update={"symbols": [source.symbol]})
            for series in read_series(one):
                feeds.append(WholeFeed(series.bars))
                origins.append(series.origin)
                odd += series.remarks
        else:
            feed = _stored(source, config)
            feeds.append(feed)
            origins.append(_origin(feed, source))
    require_one_period(feeds)
    return tuple(feeds), origins, odd


def store_chunks(
    composed: ComposedChunks, config: Config, progress: Progress | None = None
) -> tuple[Path, ChunkedResult]:
    """Run to the end and keep the tables, written as they come, with the manifest.

    Raises
    ------
    RunError
        It could not be written; nothing is left behind.
    """
    home = Path(config.out)
    part = home / f".{secrets.token_hex(6)}.part"
    try:
        part.mkdir(parents=True)
        result = ChunkedRun(composed.setup, part).to_end(progress)
        metrics = {name: result.figures.get(name) for name in METRICS}
        outcome = Outcome(result.status.word, result.digest, metrics)
        given = composed.setup
        manifest = manifest_of(
            config, given.strategies, given.instruments, composed.origins, composed.remarks, outcome
        )
        write_manifest(part, manifest)
        whole = home / str(manifest["id"])
        os.rename(part, whole)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise RunError(f"the run was not stored in {home}: {error}; nothing is left there") from (
            error
        )
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return whole, ChunkedResult(whole, result.status, result.digest, result.bars, result.figures)


def _sources(config: Config) -> list[Source]:
    if not config.traded:
        raise ConfigError("there are no bars to run on; name symbols, or data")
    known = {source.symbol: source for source in config.data}
    for symbol in config.traded:
        if config.data and symbol not in known:
            raise NotFoundError("symbol", symbol, known)
    return [known.get(symbol) or Source(symbol=symbol) for symbol in config.traded]


def _stored(source: Source, config: Config) -> StoredFeed:
    return Catalogue(source.catalogue).feed(
        source.symbol,
        source.period or config.period,
        nanoseconds(config.start),
        nanoseconds(config.end, end=True),
    )


def _origin(feed: StoredFeed, source: Source) -> Origin:
    """The record of a dataset that is read as it comes; its hash is that of all of its bars."""
    m = feed.manifest
    where = f"catalogue {Catalogue(source.catalogue).root}, {m.period}, from {m.source}"
    first = m.first if feed.start is None else max(m.first, _iso(feed.start))
    last = m.last if feed.end is None else min(m.last, _iso(feed.end))
    return Origin(m.symbol, where, m.source_sha256, m.content_sha256, len(feed), first, last)


def _iso(ns: int) -> str:
    return str(np.datetime64(ns, "ns"))[:19] + "Z"
