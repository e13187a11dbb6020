"""A file of predictions for random sessions, and what of it a session is told: read apart."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from intrabar.data.heard import hash_of_rows, name_of
from intrabar.engine.session.plan import Plan
from intrabar.model.entry import Entry
from tests.engine.chunks.test_chunks import HOUR, START

HOURS = 120
COLUMNS = ("predicted_return", "q10", "q90")


def written(seed: int) -> Path:
    """The file of a seed, the same in every process: of three hours in four, some say nothing."""
    draw = np.random.default_rng(seed)
    lines = ["Time,symbol,predicted_return,q10,q90,trained_until"]
    for symbol in "AB":
        said = np.round(draw.normal(0.0, 0.004, HOURS), 4)
        for k in np.flatnonzero(draw.random(HOURS) < 0.75):
            time = np.datetime64(START + HOUR * int(k + 1), "ns")
            told = f"{said[k]},{said[k] - 0.004},{said[k] + 0.005}" if draw.random() < 0.9 else ",,"
            lines.append(f"{str(time)[:19]}Z,{symbol},{told},2023-12-30")
    path = Path(tempfile.gettempdir()) / f"intrabar-tests-{os.getuid()}-predictions-{seed}.csv"
    text = "\n".join(lines) + "\n"
    if not path.is_file() or path.read_text() != text:
        part = path.with_suffix(f".{os.getpid()}")
        part.write_text(text)
        part.replace(path)
    return path


@cache
def rows_of(path: str) -> dict[tuple[str, int], list[float]]:
    """By symbol and close time what a file says."""
    with Path(path).open(newline="") as file:
        return {
            (row["symbol"], int(np.datetime64(row["Time"][:-1], "ns").astype(np.int64))): [
                float(row[name] or "nan") for name in COLUMNS
            ]
            for row in csv.DictReader(file)
        }


def told(plan: Plan, events: Iterable[Entry]) -> Iterator[Entry]:
    """Events, and before each row what its bars are told to expect."""
    for event in events:
        rows = event.body["rows"] if event.kind == "history" else [event.body]
        for request in plan.requests if "bars" in rows[0] else ():
            said = [
                [
                    plan.symbols[bar[0]],
                    row["time"],
                    _values(request.file, plan.symbols[bar[0]], row),
                ]
                for row in rows
                for bar in row["bars"]
            ]
            body = {"request": name_of(request), "rows": said, "hash": hash_of_rows(said)}
            yield Entry(event.at, event.bar, event.step, "prediction", body)
        yield event


def _values(path: str, symbol: str, row: dict[str, Any]) -> dict[str, float | None]:
    found = rows_of(path).get((symbol, int(row["time"])), [np.nan] * len(COLUMNS))
    return {name: x if np.isfinite(x) else None for name, x in zip(COLUMNS, found, strict=True)}
