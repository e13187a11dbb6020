"""What an object says of itself: some ten lines for a person, as text and for notebooks."""

from __future__ import annotations

import textwrap
from html import escape
from typing import NamedTuple

WIDTH = 100
WARNING = "warning: "
NEXT = "next: "


class Told(NamedTuple):
    """The lines.

    Parameters
    ----------
    title : str
        What it is, or the verdict.
    facts : str
        The frame of it; "" for none.
    rows : list of (label, text)
        The figures.
    notes : list of str
        Warnings first, beginning with `WARNING`; what to do next last, beginning with `NEXT`.
    """

    title: str
    facts: str
    rows: list[tuple[str, str]]
    notes: list[str]

    def text(self) -> str:
        """For a terminal."""
        width = max((len(label) for label, _ in self.rows), default=0)
        head = [*textwrap.wrap(self.title, WIDTH), *textwrap.wrap(self.facts, WIDTH)]
        rows = [f"  {label:<{width}}  {text}".rstrip() for label, text in self.rows]
        notes = [
            line
            for note in self.notes
            for line in textwrap.wrap(note, WIDTH, subsequent_indent="  ")
        ]
        return "\n".join([*head, *([""] if rows else []), *rows, *([""] if notes else []), *notes])

    def html(self, picture: str = "") -> str:
        """For a notebook, everything escaped but the picture, which is an SVG."""
        rows = "".join(
            f"<tr><th style='text-align:left;white-space:nowrap'>{escape(label)}</th>"
            f"<td style='text-align:left'>{escape(text)}</td></tr>"
            for label, text in self.rows
        )
        notes = "".join(f"<div{_style(note)}>{escape(note)}</div>" for note in self.notes)
        return (
            f"<div><strong>{escape(self.title)}</strong><br>{escape(self.facts)}"
            f"<table style='margin:.5em 0'>{rows}</table>{notes}{picture}</div>"
        )


def _style(note: str) -> str:
    if note.startswith(WARNING):
        return " style='color:#b45309'"
    return " style='opacity:.7'" if note.startswith(NEXT) else ""
