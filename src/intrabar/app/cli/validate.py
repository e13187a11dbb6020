"""`intrabar validate`: is it real."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

from intrabar.app.calls.validate import find_stored, validate_stored_run, validate_stored_sweep
from intrabar.app.calls.validation_page import write_page
from intrabar.app.cli.critique import LABELS, counted
from intrabar.app.cli.output import Json
from intrabar.app.folders.runs import StoredRun
from intrabar.app.progress import bar
from intrabar.research.validate.check import Validation
from intrabar.research.validate.nulls import RUNS

PAGE = "validation.html"
WIDTH = 96


def validate(
    name: str = "last",
    /,
    *,
    tried: int | None = None,
    runs: int = RUNS,
    seed: int = 0,
    out: Path = Path("runs"),
    page: Path | None = None,
    as_json: Json = False,
) -> int:
    """Ask whether a stored run, or the best of a stored sweep, is real: a verdict and its tests.

    Parameters
    ----------
    name : str
        Of the run or the sweep: its id, the beginning or the end of it, its folder, or last.
    tried : int
        Variants that were ever tried on these bars, where they are more than the ledger knows.
    runs : int
        Runs without skill that each null makes.
    seed : int
        Of everything that is drawn.
    out : path
        Folder of the run folders.
    page : path
        The HTML page; validation.html in the folder of the run where it is not given.
    as_json : bool
        One JSON object on stdout, nothing else.
    """
    stored = find_stored(out, name)
    is_run = isinstance(stored, StoredRun)
    with nullcontext() if as_json else bar(sys.stderr, "tests") as shown:
        how = {"tried": tried, "runs": runs, "seed": seed, "progress": shown}
        found, result = (
            validate_stored_run(stored, out, **how)  # type: ignore[arg-type]
            if isinstance(stored, StoredRun)
            else validate_stored_sweep(stored, out, **how)  # type: ignore[arg-type]
        )
    target = page or stored.folder / PAGE
    if as_json:
        told = {"id": stored.folder.name, "subject": "run" if is_run else "sweep"}
        print(json.dumps({**told, **found.as_json(), "page": str(target)}))
    else:
        print(f"{stored.manifest['title']}\n")
        for line in lines_of(found):
            print(line)
        print(f"\npage: {target}")
    write_page(
        found,
        result,
        target,
        name=stored.manifest["title"],
        subject="run" if is_run else "sweep",
        manifest=stored.manifest,
    )
    return 0


def lines_of(found: Validation) -> Iterator[str]:
    """The verdict, each test with what it means and takes for granted, the findings in short."""
    yield from textwrap.wrap(found.sentence, WIDTH)
    for note in found.notes:
        yield f"note: {note}"
    for one in found.checks:
        yield ""
        yield f"{LABELS[one.mark]:<8}{one.name}: {one.figure}"
        yield from _indented(one.meaning)
        yield from _indented(f"Assumes: {one.assumption}")
    if found.findings:
        yield ""
        yield f"critique: {counted(found.findings)}"
        for finding in found.findings:
            if finding.mark in ("fail", "doubt"):
                yield f"{LABELS[finding.mark]:<8}{finding.title}"


def _indented(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=" " * 8, subsequent_indent=" " * 8)
