"""Write a run in chunks to a folder of its own: its tables as they come, whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

import polars as pl

from intrabar.app.compose.recipe import ComposedChunks
from intrabar.app.config.model import Config
from intrabar.app.folders.run_folder import (
    OF_LIMITS,
    Outcome,
    manifest_of,
    write_bandits,
    write_manifest,
    write_tables,
)
from intrabar.app.pages.chunked_report import report_in_chunks, without_detail
from intrabar.engine.chunks.run import ChunkedResult, ChunkedRun
from intrabar.engine.run import Progress
from intrabar.errors import RunError


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
            result.risk,
        )
        write_manifest(part, manifest)
        write_bandits(part, result.bandits)
        if result.risk is not None:
            write_tables(part, result.risk, OF_LIMITS)
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
