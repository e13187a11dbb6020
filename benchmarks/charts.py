"""What the drawn benchmarks share: their looks, and the frame of a panel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

STYLE = """
svg { font: 11px system-ui, sans-serif } text { fill: #2b3036 } .soft { fill: #626a73 }
.card { fill: #ffffff; stroke: #d5d9de } .grid { stroke: #e8ebee } .line { stroke: #2360b8 }
.dot { fill: #2360b8 } .title { font-weight: 600 } .mark { stroke: #626a73 }
.s0 { stroke: #2360b8; fill: #2360b8 } .s1 { stroke: #c2570c; fill: #c2570c }
.s2 { stroke: #0f7b6c; fill: #0f7b6c } .s3 { stroke: #8b3fa8; fill: #8b3fa8 }
@media (prefers-color-scheme: dark) {
text { fill: #dfe3e8 } .soft { fill: #a2abb5 } .card { fill: #1c2026; stroke: #3a414a }
.grid { stroke: #2d333b } .line { stroke: #7db3ff } .dot { fill: #7db3ff }
.mark { stroke: #a2abb5 } .s0 { stroke: #7db3ff; fill: #7db3ff }
.s1 { stroke: #f5a05a; fill: #f5a05a } .s2 { stroke: #4fd1bd; fill: #4fd1bd }
.s3 { stroke: #d59bf0; fill: #d59bf0 }
}
"""


class Panel:
    """Axes with straight scales.

    Parameters
    ----------
    title : str
    left, top, width, height : pixels
        Of the plot itself.
    across, up : (from, to)
        What the axes span.
    """

    def __init__(
        self,
        title: str,
        left: float,
        top: float,
        width: float,
        height: float,
        across: tuple[float, float],
        up: tuple[float, float],
    ) -> None:
        self.left, self.top, self.width, self.height = left, top, width, height
        self.across, self.up = across, up
        self.parts = [f'<text class="title" x="{left}" y="{top - 14}">{title}</text>']

    def place(self, x: float, y: float) -> tuple[float, float]:
        (x0, x1), (y0, y1) = self.across, self.up
        return (
            self.left + (x - x0) / (x1 - x0) * self.width,
            self.top + self.height - (y - y0) / (y1 - y0) * self.height,
        )

    def ticks(self, xs: Sequence[tuple[float, str]], ys: Sequence[tuple[float, str]]) -> None:
        for x, word in xs:
            at = self.place(x, 0)[0]
            bottom = self.top + self.height
            self.parts.append(f'<path class="grid" d="M{at:.1f} {self.top}V{bottom}"/>')
            self.word(at, bottom + 16, word, "middle")
        for y, word in ys:
            at = self.place(0, y)[1]
            self.parts.append(f'<path class="grid" d="M{self.left} {at:.1f}h{self.width}"/>')
            self.word(self.left - 6, at + 4, word, "end")

    def word(self, x: float, y: float, word: str, anchor: str = "start") -> None:
        self.parts.append(
            f'<text class="soft" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{word}</text>'
        )

    def mark(self, x: float) -> None:
        """An upright dashed line."""
        at = self.place(x, 0)[0]
        self.parts.append(
            f'<path class="mark" stroke-dasharray="4 3" d="M{at:.1f} {self.top}v{self.height}"/>'
        )

    def line(self, points: Sequence[tuple[float, float]], series: int) -> None:
        places = [self.place(*point) for point in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        self.parts.append(
            f'<polyline class="s{series}" points="{path}" style="fill: none" stroke-width="1.6"/>'
        )
        for x, y in points:
            self.dot(x, y, series)

    def dot(self, x: float, y: float, series: int) -> None:
        """A circle, a square, a triangle or a diamond: shape and color say the same."""
        a, b = self.place(x, y)
        shape = (
            f'<circle class="s0" cx="{a:.1f}" cy="{b:.1f}" r="3"/>',
            f'<rect class="s1" x="{a - 3:.1f}" y="{b - 3:.1f}" width="6" height="6"/>',
            f'<path class="s2" d="M{a:.1f} {b - 4:.1f}l4 7h-8z"/>',
            f'<path class="s3" d="M{a:.1f} {b - 4:.1f}l4 4l-4 4l-4 -4z"/>',
        )
        self.parts.append(shape[series])

    def bar(self, x: float, y: float, height: float, width: float) -> None:
        """From the foot `y` of the axis upward, between x and x + width."""
        a, b = self.place(x, y + height)
        foot = self.place(x + width, y)
        self.parts.append(
            f'<rect class="dot" x="{a + 0.5:.1f}" y="{b:.1f}" width="{foot[0] - a - 1:.1f}" '
            f'height="{foot[1] - b:.1f}"/>'
        )


def write(file: Path, width: int, height: int, said: str, panels: Sequence[Panel]) -> None:
    """Put panels onto one card; `said` is what a reader that cannot see them hears."""
    body = "".join(part for panel in panels for part in panel.parts)
    file.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{said}"><style>{STYLE}</style>'
        f'<rect class="card" width="{width}" height="{height}" rx="6"/>{body}</svg>\n'
    )
