"""Draw the pictures of the documentation: `python docs/pictures/draw.py`.

One picture per file of `docs/scenarios`, one panel per scenario in it. Paths, order levels and
fills are what the market did when the scenario was run, so a picture cannot claim anything else.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from panel import Panel
from phases import phases
from play import Play
from sheet import LINE, PLOT, TOP, WIDTH, wrapped
from skill import skill

HERE = Path(__file__).parent
SCENARIOS = HERE.parent / "scenarios"


def picture(scenarios: list[dict[str, Any]]) -> str:
    """All scenarios of a file as one SVG: one in full width, more in two columns."""
    columns = 1 if len(scenarios) == 1 else 2
    space = 10
    width = (WIDTH - space * (columns - 1)) / columns
    panels = [Panel(Play(s), width) for s in scenarios]
    height = TOP + PLOT + 34 + LINE * max(len(p.events()) for p in panels)
    body = []
    for n, panel in enumerate(panels):
        x, y = (n % columns) * (width + space), (n // columns) * (height + space)
        body.append(f'<g transform="translate({x:.0f} {y:.0f})">\n{panel.draw(height)}\n</g>')
    rows = -(-len(panels) // columns)
    return wrapped(WIDTH, rows * (height + space) - space, "\n".join(body))


def pictures() -> dict[str, str]:
    """Every picture by the name of its file."""
    drawn = {"phases.svg": phases(), "skill.svg": skill()}
    for file in sorted(SCENARIOS.glob("*.jsonl")):
        lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        drawn[f"{file.stem}.svg"] = picture(lines)
    return drawn


def main() -> None:
    """Write all pictures beside this script."""
    for name, svg in pictures().items():
        (HERE / name).write_text(svg, encoding="utf-8", newline="\n")
        print(HERE / name)


if __name__ == "__main__":
    main()
