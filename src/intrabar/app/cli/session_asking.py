"""What a person asks of a session that runs, and what came of it."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from intrabar.app.workers.control import ask
from intrabar.errors import GateError, UsageError

ACTS_LATER = ("order", "modify", "cancel", "close", "flatten", "kill")
Folder = Annotated[Path, Parameter(help="Folder of the sessions' folders.")]


def asked(folder: Path, request: dict[str, Any]) -> int:
    """Ask, and say what came of it."""
    request = {**request, "id": uuid.uuid4().hex}
    try:
        answer = ask(folder, request)
    except GateError as error:
        if not sys.stdin.isatty():
            raise
        print(error)
        answer = ask(folder, {**request, "typed": [input("account: "), input("daily loss: ")]})
    refused = answer.get("refused", [])
    if refused:
        raise UsageError("; ".join(refused))
    if "told" in answer:
        print(f"{folder.name}: {answer['told']}")
        return 0
    records = [
        f"{e['kind']} {e['body'].get('cause', '')}".strip() for e in answer.get("records", [])
    ]
    told = f" ({', '.join(records)})" if records else ""
    when = "; it acts with the next row" if request["kind"] in ACTS_LATER else ""
    print(f"{folder.name}: {request['kind']} is taken{told}{when}")
    return 0
