"""`intrabar scenario FILE`: a small run written down whole, run and explained.

For a person the run is told step by step; for a program (`--json`) it is one result a line.
"""

from __future__ import annotations

import gzip
import json
import sys
import textwrap
import zlib
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from intrabar.engine.scenario.expectation import differences
from intrabar.engine.scenario.file import parse_scenarios
from intrabar.engine.scenario.narration import Event, Kind, Narration
from intrabar.engine.scenario.scenario import run_scenario, scenario_machine, scenario_result
from intrabar.errors import ConfigError, UsageError

WIDTH = 100
STYLES = {
    Kind.MARK: "dim",
    Kind.ACTION: "magenta",
    Kind.ASKED: "cyan",
    Kind.FILL: "bold",
    Kind.WAIT: "dim",
    Kind.MARGIN: "yellow",
    Kind.MONEY: "green",
    Kind.END: "bold red",
}
GZIP = b"\x1f\x8b"


def scenario(
    file: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Run a scenario file and say what happened and why, step by step.

    A scenario holds instruments, bars and orders. Where it holds `expect` too, the result is
    compared with it, and the exit code is 1 if anything differs.

    Parameters
    ----------
    file : str
        One JSON object, or JSON Lines (one scenario a line); may be compressed (.gz), - is stdin.
    as_json : bool
        One result a line instead of the story.
    """
    if file.startswith("--"):
        raise UsageError(f"unknown option {file}; see intrabar scenario --help")
    source = "stdin" if file == "-" else file
    scenarios = parse_scenarios(read_text(file), source)
    console = Console(highlight=False, markup=False, emoji=False)
    console.width = min(WIDTH, console.width) if console.is_terminal else WIDTH
    differing = 0
    for n, (_, given) in enumerate(scenarios):
        if as_json:
            result = run_scenario(given)
            found = differences(given.get("expect") or {}, result)
            if found:
                result["differences"] = found
            print(json.dumps(result))
        else:
            if n:
                console.print()
            found = tell(given, console)
        differing += bool(found)
    if differing and not as_json and len(scenarios) > 1:
        console.print(f"\n{differing} of {len(scenarios)} scenarios differ from what they expect")
    return 1 if differing else 0


def read_text(file: str) -> str:
    """The text of a file or of stdin, uncompressed.

    Raises
    ------
    ConfigError
        It cannot be read; the message says why.
    """
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"{file}: no such file; name a scenario file, or - for stdin") from None
    except IsADirectoryError:
        raise ConfigError(f"{file}: a folder; name a scenario file in it") from None
    except PermissionError:
        raise ConfigError(f"{file}: not permitted to read it") from None
    try:
        if raw.startswith(GZIP):
            raw = gzip.decompress(raw)
        return raw.decode("utf-8-sig")
    except (EOFError, OSError, zlib.error) as error:
        raise ConfigError(f"{file}: damaged gzip ({error}); write it again") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: byte {error.start} is not UTF-8 text") from None


def tell(given: dict[str, Any], console: Console) -> list[str]:
    """Run a scenario while telling it; returns where it differs from what it expects."""
    machine, script = scenario_machine(given)
    name = str(given.get("name") or "scenario")
    console.print(Text(name, style="bold underline"))
    bar, phase = -1, ""
    for event in Narration(machine, script).events():
        starts = f"bar {event.bar}" if event.bar != bar else ""
        label = event.phase if starts or event.phase != phase else ""
        bar, phase = event.bar, event.phase
        say(event, starts, label, console)
    result = scenario_result(name, machine, script)
    equity = f"{result['equity'][-1]:,.2f}"
    fills = len(result["fills"])
    console.print(f"{result['status']}: equity {equity}, {fills} fill{'' if fills == 1 else 's'}")
    if given.get("expect") is None:
        return []
    found = differences(given["expect"], result)
    console.print(Text("differs from what the file expects:", "red") if found else "as expected")
    for line in found:
        console.print(Text(f"  {line}"))
    return found


def say(event: Event, starts: str, label: str, console: Console) -> None:
    """Print one sentence behind its bar and phase, wrapped under itself."""
    margin = f"{starts:<8}{label:<10}"
    lines = textwrap.wrap(event.text, max(20, console.width - len(margin)))
    for line in lines:
        text = Text.assemble((margin, "bold" if starts else ""), (line, STYLES.get(event.kind, "")))
        console.print(text, soft_wrap=True)
        margin = " " * len(margin)
