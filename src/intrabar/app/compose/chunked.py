"""Runs in chunks: feeds in the place of bars, and tables that are written as they come."""

from __future__ import annotations

import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from intrabar.app.compose.feeds import (
    fed_instruments,
    is_stored,
    rates_for,
    read_feeds,
    sources_of,
    stored,
)
from intrabar.app.compose.market import require_detail
from intrabar.app.compose.run import is_open, make_account, make_strategies
from intrabar.app.compose.series import Origin
from intrabar.app.compose.strategies import in_zone
from intrabar.app.config.model import Config
from intrabar.app.folders.run_folder import Outcome, manifest_of, write_manifest
from intrabar.app.pages.chunked_report import report_in_chunks, without_detail
from intrabar.engine.chunks.run import ChunkedResult, ChunkedRun
from intrabar.engine.chunks.setup import ChunkedSetup
from intrabar.engine.run import Progress
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
    sources = sources_of(config)
    if config.chunk is not None or not all(is_stored(source) for source in sources):
        return config.chunk
    try:
        bars = sum(stored(source, config).manifest.rows for source in sources)
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
    if config.calibrated:
        raise ConfigError(
            "calibrated: the expected result needs the run many times over; run without chunk"
        )
    strategies = make_strategies(config.strategies)
    found = read_feeds(config)
    traded = [one.feed.symbol for one in found]
    for symbol in config.instruments:
        if symbol not in traded:
            raise NotFoundError("symbol in instruments", symbol, traded)
    instruments, config, told = fed_instruments(found, config.instruments, config)
    if config.account.path_policy == "detail":
        require_detail([one.alongside.detail is not None for one in found], traded)
    pairs, more = rates_for(found, instruments, config)
    setup = ChunkedSetup(
        tuple(one.feed for one in found),
        instruments,
        in_zone(strategies, config.zone),
        make_account(config.account),
        config.chunk or COMFORTABLE,
        is_open,
        tuple(one.alongside for one in found),
        pairs,
        told,
    )
    origins = [*(one.origin for one in found), *more]
    return ComposedChunks(setup, origins, list(remarks or []))


def store_chunks(
    composed: ComposedChunks, config: Config, progress: Progress | None = None
) -> tuple[Path, ChunkedResult]:
    """Run to the end and keep the tables, written as they come, with manifest and report.

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
        if config.report:
            _ = result.band  # what hangs on the path is told in the manifest too
        remarks = [*composed.remarks, *without_detail(result)]
        outcome = Outcome(result.status.word, result.digest, result.metrics.values)
        given = composed.setup
        manifest = manifest_of(
            config,
            given.strategies,
            given.instruments,
            composed.origins,
            [*dict.fromkeys([*result.warnings, *remarks])],
            outcome,
        )
        write_manifest(part, manifest)
        if config.report:
            path = part / "report.html"
            report_in_chunks(result, path, name=config.name, remarks=remarks, manifest=manifest)
        whole = home / str(manifest["id"])
        os.rename(part, whole)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise RunError(f"the run was not stored in {home}: {error}; nothing is left there") from (
            error
        )
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return whole, result.moved_to(whole)
