"""The equity of a run as a picture for notebooks: an SVG, no library, no network."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from intrabar.engine.result import Result
from intrabar.ui.shape import keep_extremes

WIDTH, HEIGHT, MARGIN = 860, 300, 46
POINTS = 1_200


@dataclass(frozen=True, slots=True)
class Plot:
    """An SVG that notebooks show by themselves.

    Parameters
    ----------
    svg : str
    """

    svg: str

    def _repr_html_(self) -> str:
        return self.svg

    def __str__(self) -> str:
        return self.svg


def plot(result: Result) -> Plot:
    """Draw the equity of a run, with the range between the best and the worst path behind it.

    Parameters
    ----------
    result : Result
    """
    equity = result.equity["equity"].to_numpy()
    ends = [run.equity for run in result.band]
    n = min(len(equity), *(len(e) for e in ends))
    low, high = np.min([e[:n] for e in ends], axis=0), np.max([e[:n] for e in ends], axis=0)
    kept = keep_extremes([equity[:n], low, high], POINTS)
    bottom, top = float(min(low.min(), equity.min())), float(max(high.max(), equity.max()))
    span = (top - bottom) or 1.0
    x = MARGIN + kept / max(n - 1, 1) * (WIDTH - 2 * MARGIN)

    def y(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return HEIGHT - 30 - (values[kept] - bottom) / span * (HEIGHT - 70)

    band = _points(x, y(high)) + " " + _points(x[::-1], y(low)[::-1])
    times = result.equity["time"]
    words = [
        _text(MARGIN, 18, result.title, "start"),
        _text(MARGIN - 4, HEIGHT - 30, f"{bottom:,.0f}", "end"),
        _text(MARGIN - 4, 44, f"{top:,.0f}", "end"),
        _text(MARGIN, HEIGHT - 10, f"{times[0]:%Y-%m-%d}", "start"),
        _text(WIDTH - MARGIN, HEIGHT - 10, f"{times[-1]:%Y-%m-%d}", "end"),
    ]
    return Plot(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="equity" style="max-width:{WIDTH}px;font:11px sans-serif">'
        f'<polygon points="{band}" fill="#888" fill-opacity=".3"/>'
        f'<polyline points="{_points(x, y(equity[:n]))}" fill="none" stroke="#2563eb" '
        f'stroke-width="1.3"/>{"".join(words)}</svg>'
    )


def _points(x: NDArray[np.float64], y: NDArray[np.float64]) -> str:
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="#777">{escape(words)}</text>'
