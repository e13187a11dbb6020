"""`intrabar critique`: what speaks against a run."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from intrabar.app.cli.output import Json
from intrabar.app.folders.rerun import remade
from intrabar.app.folders.runs import find_run
from intrabar.app.progress import bar
from intrabar.research.critique.critique import critique as look_for_weaknesses
from intrabar.research.finding import Finding

LABELS = {"fail": "FAIL", "doubt": "doubt", "unknown": "unknown", "pass": "holds"}


def critique(
    run: str = "last",
    /,
    *,
    out: Path = Path("runs"),
    as_json: Json = False,
) -> int:
    """Look for what speaks against a stored run: in its tables, and by running it again.

    Parameters
    ----------
    run : str
        Its id, the beginning or the end of it, its folder, or last.
    out : path
        Folder of the run folders.
    as_json : bool
        One JSON object on stdout, nothing else.
    """
    stored = find_run(out, run)
    again = remade(stored, quiet=as_json)
    if as_json:
        findings = look_for_weaknesses(again.result)
        told = {"id": stored.id, "notes": again.notes}
        print(json.dumps({**told, "findings": [one.as_json() for one in findings]}))
        return 0
    with bar(sys.stderr, "checks") as shown:
        findings = look_for_weaknesses(again.result, shown)
    print(f"{stored.manifest['title']}: {counted(findings)}")
    for note in again.notes:
        print(f"note: {note}")
    for line in finding_lines(findings):
        print(line)
    return 0


def counted(findings: Sequence[Finding]) -> str:
    """How many checks came to what."""
    count = Counter(one.mark for one in findings)
    words = {"fail": "fail", "doubt": "in doubt", "unknown": "unknown", "pass": "hold"}
    return ", ".join(f"{count[mark]} {word}" for mark, word in words.items() if count[mark])  # type: ignore[index]


def finding_lines(findings: Sequence[Finding]) -> Iterator[str]:
    """The findings for a person: mark and sentence, evidence, what to do."""
    for one in findings:
        yield ""
        yield f"{LABELS[one.mark]:<8}{one.title}"
        yield f"        {one.evidence}"
        if one.what_to_do:
            yield f"        -> {one.what_to_do}"
