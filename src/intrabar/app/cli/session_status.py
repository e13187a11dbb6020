"""How a session stands, in lines for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

SHOWN = 5
"""How many of a list are shown, the last ones."""


def status_lines(status: Mapping[str, Any]) -> Iterator[str]:
    """A line for each figure; what has parts has a line for each below its name."""
    for name, value in status.items():
        match value:
            case _ if value in (None, "", [], {}):
                yield f"{name:12} -"
            case Mapping():
                yield name
                for part, what in value.items():
                    yield from _part(part, what)
            case list():
                yield from _part(name, value, indent="")
            case _:
                yield f"{name:12} {_text(value)}"


def _part(name: str, value: Any, indent: str = "  ") -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{indent}{name:10} {_text(value)}"
        return
    more = f" {len(value)}, the last {SHOWN}:" if len(value) > SHOWN else ""
    yield f"{indent}{name}{more}" if value else f"{indent}{name:10} -"
    for one in value[-SHOWN:]:
        yield f"{indent}  {_text(one)}"


def _text(value: Any) -> str:
    match value:
        case Mapping() if "text" in value:  # a refusal, or what has set the breaker
            return f"{value.get('time', value.get('since', ''))} {value['text']}".strip()
        case Mapping():
            return ", ".join(f"{name} {_text(part)}" for name, part in value.items()) or "-"
        case None | "":
            return "-"
        case float():
            return f"{value:,.6g}" if abs(value) < 1000 else f"{value:,.2f}"
        case _:
            return str(value)
