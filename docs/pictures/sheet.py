"""What all pictures share: measures, colors, and the file around a drawing."""

from __future__ import annotations

WIDTH, LEFT, TOP, PLOT, LINE = 760, 46, 34, 190, 17
CHAR = 6.5  # rough width of a letter at 11 px

STYLE = """
svg { font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; font-size: 11px }
.card { fill: #ffffff; stroke: #d5d9de }
text { fill: #2b3036 }
.title { font-size: 12.5px; font-weight: 600 }
.soft { fill: #626a73 }
.grid { stroke: #e8ebee }
.range { fill: #eef1f4 }
.path { stroke: #2b3036; stroke-width: 1.8; fill: none; stroke-linejoin: round }
.gap { stroke: #8a929b; stroke-dasharray: 2 3; fill: none }
.level { stroke-width: 1.5; stroke-dasharray: 6 3; fill: none }
.stop { stroke: #c0392b } .target { stroke: #1d7f46 } .plain { stroke: #2360b8 }
.margin { stroke: #a35200; stroke-dasharray: 1.5 3 }
text.stop { fill: #b03427; stroke: none } text.target { fill: #1a7340; stroke: none }
text.plain { fill: #2360b8; stroke: none } text.margin { fill: #924a00; stroke: none }
.fill { fill: #2360b8; stroke: #ffffff; stroke-width: 1.2 }
.fill.stop { fill: #c0392b; stroke: #ffffff } .fill.target { fill: #1d7f46; stroke: #ffffff }
.fill.margin { fill: #a35200; stroke: #ffffff; stroke-dasharray: none }
.fill.plain { stroke: #ffffff }
.number { font-size: 10px; font-weight: 700 }
text.number { paint-order: stroke; stroke: #ffffff; stroke-width: 3px }
.slip { stroke: #8a929b; stroke-width: 1 }
@media (prefers-color-scheme: dark) {
.card { fill: #1c2026; stroke: #3a414a }
text { fill: #dfe3e8 }
.soft { fill: #a2abb5 }
.grid { stroke: #2d333b }
.range { fill: #282e36 }
.path { stroke: #dfe3e8 }
.stop { stroke: #ff8373 } .target { stroke: #58cf8c } .plain { stroke: #7db3ff }
.margin { stroke: #f0ab5c }
text.stop { fill: #ff8d7e } text.target { fill: #62d695 } text.plain { fill: #8abaff }
text.margin { fill: #f0ab5c } text.number { stroke: #1c2026 }
.fill { fill: #7db3ff; stroke: #1c2026 } .fill.plain { stroke: #1c2026 }
.fill.stop { fill: #ff8373; stroke: #1c2026 } .fill.target { fill: #58cf8c; stroke: #1c2026 }
.fill.margin { fill: #f0ab5c; stroke: #1c2026 }
}
"""


def wrapped(width: float, height: float, body: str) -> str:
    """A whole SVG file."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img">\n<style>{STYLE}</style>\n'
        f"{body}\n</svg>\n"
    )
