"""The path truth of an instrument: measured from its detail bars, kept in a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from intrabar.analysis.path_truth import (
    Extremes,
    LengthTruth,
    Pairs,
    Tally,
    length_truth,
)
from intrabar.data.calendars import calendar_named
from intrabar.data.detail import rows_inside
from intrabar.data.instruments import instrument
from intrabar.data.periods import parse_period, period_text
from intrabar.data.resample import resample
from intrabar.errors import ConfigError, DataError, NotFoundError
from intrabar.model.bars import Bars
from intrabar.model.values import named, shown, text


@dataclass(frozen=True, slots=True)
class PathTruth:
    """How often the path rules were right for an instrument, by bar length.

    Parameters
    ----------
    symbol : str
    detail : str
        Length of the detail bars: "1m".
    first, last : str, UTC
        Closes of the first and the last detail bar.
    lengths : tuple of LengthTruth
    """

    symbol: str
    detail: str
    first: str
    last: str
    lengths: tuple[LengthTruth, ...]

    def of(self, period: int) -> LengthTruth:
        """What was measured for bars of a length, ns.

        Raises
        ------
        NotFoundError
            That length was not measured.
        """
        for length in self.lengths:
            if length.period == period:
                return length
        measured = [period_text(length.period) for length in self.lengths]
        raise NotFoundError(
            f"bar length in the path truth of {self.symbol}", period_text(period), measured
        )

    def as_json(self) -> dict[str, Any]:
        """Plain values, shares and intervals included."""
        return {
            "symbol": self.symbol,
            "detail": self.detail,
            "first": self.first,
            "last": self.last,
            "lengths": [
                {
                    "period": period_text(length.period),
                    "trust": _plain(length.trust),
                    "extremes": _plain(length.extremes),
                    "pairs": [_plain(p) for p in length.pairs],
                }
                for length in self.lengths
            ],
        }

    @classmethod
    def read(cls, path: Path | str) -> PathTruth:
        """Read what `intrabar data path-truth --out` wrote.

        Raises
        ------
        DataError
            The file is missing or holds something else.
        """
        try:
            given = json.loads(Path(path).read_text(encoding="utf-8"))
            lengths = tuple(_length(part) for part in given["lengths"])
            return cls(
                str(given["symbol"]),
                str(given["detail"]),
                str(given["first"]),
                str(given["last"]),
                lengths,
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{path} holds no path truth ({type(error).__name__}: {error}); write one with: "
                "intrabar data path-truth SYMBOL --out FILE"
            ) from error


def path_truth(detail: Bars, lengths: Sequence[str], calendar: str = "") -> PathTruth:
    """Measure how often the path rules are right, by making longer bars of detail bars.

    Parameters
    ----------
    detail : Bars
    lengths : sequence of str
        "5m", "15m", "1h"; multiples of the detail bars' period.
    calendar : str
        Exchange calendar; "" where none is known.

    Raises
    ------
    DataError, ConfigError
        The longer bars cannot be made.
    """
    if not isinstance(detail, Bars):
        raise ConfigError(f"detail: is {shown(detail)}, must be Bars")
    several = [lengths] if isinstance(lengths, str) else lengths
    if not isinstance(several, list | tuple):
        raise ConfigError(f"lengths: is {shown(lengths)}, must be a list such as ['5m', '1h']")
    lengths = [named("lengths:", one) for one in several]
    calendar = calendar_named(text("calendar:", calendar)) or ""
    tick = instrument(detail.symbol).tick_size
    measured = []
    for period in dict.fromkeys(_length_named(one) for one in lengths):
        bars = resample(detail, period, calendar)
        first, count = rows_inside(bars.open_time, bars.close_time, detail)
        measured.append(length_truth(bars, detail, first, count, tick))
    first_close, last_close = (
        f"{np.datetime64(int(t), 's')}Z" for t in detail.close_time[[0, -1]] // 10**9
    )
    return PathTruth(
        detail.symbol, period_text(detail.period), first_close, last_close, tuple(measured)
    )


def _length_named(text: str) -> int:
    try:
        return parse_period(text)
    except ConfigError as error:
        raise ConfigError(f"lengths: {error}") from None


def _plain(part: Any) -> Any:
    if isinstance(part, Tally):
        low, high = part.interval
        share = part.share if part.told else None
        return {"right": part.right, "told": part.told, "share": share, "low": low, "high": high}
    if isinstance(part, tuple):
        return {name: _plain(value) for name, value in part._asdict().items()}  # type: ignore[attr-defined]
    return part


def _length(given: dict[str, Any]) -> LengthTruth:
    return LengthTruth(
        parse_period(given["period"]),
        _made(Extremes, given["extremes"]),
        tuple(_made(Pairs, p) for p in given["pairs"]),
    )


def _made(kind: Any, given: dict[str, Any]) -> Any:
    """A named tuple from its plain values; a mapping among them is a tally."""
    values = {
        name: Tally(int(given[name]["right"]), int(given[name]["told"]))
        if isinstance(given[name], dict)
        else given[name]
        for name in kind._fields
    }
    return kind(**values)
