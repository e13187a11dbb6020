"""What commands print: tables for a person, JSON for a program."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from intrabar.errors import ConfigError

Json = Annotated[bool, Parameter(name="--json", negative="")]
"""The option for a program; every command that prints has it."""


WIDE = 10_000
"""Characters a line, where nobody looks."""


def examples(*lines: str) -> str:
    """What stands below the help of a command."""
    return "\n".join(["For example:", "", *(f"  {line}" for line in lines)])


def print_json(value: Any) -> None:
    """Print a value as JSON, indented."""
    print(json.dumps(value, indent=2))


def print_table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    right: Sequence[str] = (),
    whole: Sequence[str] = (),
) -> None:
    """Print a table without lines.

    The columns named in `right` stand to the right, those in `whole` are never folded.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in header:
        justify: Literal["left", "right"] = "right" if name in right else "left"
        table.add_column(name, justify=justify, overflow="fold", no_wrap=name in whole)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = WIDE  # a program reads it: a row is a line
    console.print(table)


def numbers(text: str) -> list[float]:
    """ATR multiples of an option.

    Raises
    ------
    ConfigError
        A part is no number.
    """
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise ConfigError(f"--arms: {text!r} are no ATR multiples, such as 0.5,1,2,3") from None
