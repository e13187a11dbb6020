"""The figures of a run under their names, to be read, printed and put into a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from intrabar.analysis.metrics import METRICS, Sheet
from intrabar.analysis.units import lines_of
from intrabar.errors import UnknownKeyError


class Stats(Mapping[str, float | None]):
    """Every metric by its name; None where there is none.

    Parameters
    ----------
    sheet : Sheet
    currency : str
        Of the account.
    """

    def __init__(self, sheet: Sheet, currency: str) -> None:
        self._sheet, self._currency = sheet, currency

    def __getitem__(self, name: str) -> float | None:
        if name not in self._sheet.values:
            raise UnknownKeyError("metric", str(name), METRICS)
        return self._sheet.values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sheet.values)

    def __len__(self) -> int:
        return len(self._sheet.values)

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _repr_html_(self) -> str:
        rows = (line.split(maxsplit=1) for line in self._lines())
        cells = (f"<tr><th>{escape(a)}</th><td>{escape(b)}</td></tr>" for a, b in rows)
        return f"<table>{''.join(cells)}</table>"

    def _lines(self) -> list[str]:
        return lines_of(self._sheet.values, self._sheet.reasons, self._currency)
