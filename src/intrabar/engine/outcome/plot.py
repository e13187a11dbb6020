"""The equity of a run as a picture for notebooks: an SVG, no library, no network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from intrabar.analysis.extremes import keep_extremes
from intrabar.errors import ConfigError
from intrabar.model.bars import Floats
from intrabar.model.values import shown

if TYPE_CHECKING:
    from intrabar.engine.outcome.result import Result

WIDTH, LEFT, RIGHT = 860, 76, 846
EQUITY, DRAWDOWN = (34.0, 250.0), (276.0, 346.0)  # from top to bottom
HEIGHT = 372
POINTS = 1_200


@dataclass(frozen=True, slots=True)
class Plot:
    """An SVG that notebooks show by themselves.

    Parameters
    ----------
    svg : str
    """

    svg: str

    def save(self, path: Path | str) -> Path:
        """Write it to a file that any browser opens."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.svg, encoding="utf-8")
        return path

    def _repr_html_(self) -> str:
        return self.svg

    def __str__(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return "<Plot: a notebook shows it; .save('equity.svg') writes it>"


def plot(result: Result) -> Plot:
    """Draw the equity of a run and its drawdown, the band behind it where it is known.

    Parameters
    ----------
    result : Result
    """
    if not hasattr(result, "knows_band"):
        raise ConfigError(f"result: is {shown(result)}, must be a Result, as backtest returns it")
    equity = result.equity["equity"].to_numpy()
    lines = [equity, *(run.equity for run in (result.band if result.knows_band else ()))]
    n = min(len(line) for line in lines)
    low, high = (f([line[:n] for line in lines], axis=0) for f in (np.min, np.max))
    drawdown = result.equity["drawdown"].to_numpy()[:n]
    kept = keep_extremes([equity[:n], low, high, drawdown], POINTS)
    x = LEFT + kept / max(n - 1, 1) * (RIGHT - LEFT)
    least, most = float(low.min()), float(high.max())
    y = _scale(EQUITY, least, most)
    deep = float(drawdown.max())
    under = _scale(DRAWDOWN, -deep, 0.0)
    times = result.equity["time"]
    band = f"{_points(x, y(high[kept]))} {_points(x[::-1], y(low[kept])[::-1])}"
    sunk = f"{LEFT},{DRAWDOWN[0]:g} {_points(x, under(-drawdown[kept]))} {RIGHT},{DRAWDOWN[0]:g}"
    parts = [
        *(_grid(float(y(tick)), text) for tick, text in _ticks(least, most)),
        f'<polygon points="{band}" fill="#888" fill-opacity=".3"/>',
        f'<polyline points="{_points(x, y(equity[:n][kept]))}" fill="none" stroke="#2563eb" '
        'stroke-width="1.3"/>',
        _grid(DRAWDOWN[0], "drawdown"),
        f'<polygon points="{sunk}" fill="#b45309" fill-opacity=".45"/>' if deep > 0.0 else "",
        _text(LEFT - 6, DRAWDOWN[1] + 4, f"-{deep:.1%}", "end") if deep > 0.0 else "",
        _text(LEFT, 18, f"{result.title}: equity in {result.setup.account.currency}", "start"),
        _text(LEFT, HEIGHT - 8, f"{times[0]:%Y-%m-%d}", "start"),
        _text(RIGHT, HEIGHT - 8, f"{times[-1]:%Y-%m-%d}", "end"),
    ]
    return Plot(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="equity and drawdown" style="max-width:{WIDTH}px;font:11px sans-serif">'
        f"{''.join(parts)}</svg>"
    )


def _scale(panel: tuple[float, float], low: float, high: float) -> Callable[[Floats], Floats]:
    """From values to heights of the picture."""
    top, bottom = panel
    low, span = (low, high - low) if high > low else (low - 0.5, 1.0)
    return lambda values: bottom - (values - low) / span * (bottom - top)


def _ticks(low: float, high: float) -> list[tuple[Floats, str]]:
    """Round numbers from the lowest to the highest value, some five; one where all are equal."""
    if not high > low:
        return [(np.array(low), f"{low:,.0f}")]
    rough = (high - low) / 5.0
    size = 10.0 ** np.floor(np.log10(rough))
    step = next(m * size for m in (1.0, 2.0, 5.0, 10.0) if m * size >= rough)
    digits = max(0, -int(np.floor(np.log10(step))))
    found = np.arange(np.ceil(low / step), np.floor(high / step) + 1.0) * step
    return [(tick, f"{tick:,.{digits}f}") for tick in found]


def _grid(y: float, words: str) -> str:
    line = f'x1="{LEFT}" x2="{RIGHT}" y1="{y:.1f}" y2="{y:.1f}"'
    drawn = f'<line {line} stroke="#888" stroke-opacity=".25"/>'
    return drawn + _text(LEFT - 6, y + 4, words, "end")


def _points(x: Floats, y: Floats) -> str:
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x}" y="{y:g}" text-anchor="{anchor}" fill="#777">{escape(words)}</text>'
