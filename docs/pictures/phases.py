"""The picture of one timestamp: its phases, from left to right."""

from __future__ import annotations

from sheet import WIDTH, wrapped

PHASES = (
    ("OPEN", "waiting orders", "meet the open", ""),
    ("on_open", "strategy sees", "the open of T", "hook"),
    ("OPEN", "its new orders", "meet the open", ""),
    ("INTRABAR", "the price walks", "O, X1, X2, C", ""),
    ("on_notice", "fills and", "done orders", "hook"),
    ("CLOSE", "MOC, expiry,", "margin, equity", ""),
    ("on_close", "strategy sees", "all of T", "hook"),
)


def phases() -> str:
    """The order of things at one timestamp."""
    space, high = 8, 74
    wide = (WIDTH - 24 - space * (len(PHASES) - 1)) / len(PHASES)
    lines = [f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="138" rx="6" class="card"/>']
    lines.append('<text x="12" y="22" class="title">One timestamp T, from left to right</text>')
    for n, (name, first, second, kind) in enumerate(PHASES):
        x = 12 + n * (wide + space)
        frame = "level plain" if kind else "grid"
        lines.append(
            f'<rect x="{x:.1f}" y="34" width="{wide:.1f}" height="{high}" rx="4" class="range"/>'
            f'<rect x="{x:.1f}" y="34" width="{wide:.1f}" height="{high}" rx="4" class="{frame}" '
            'fill="none" style="fill:none"/>'
        )
        middle = x + wide / 2
        for y, words, style in ((58, name, "title"), (78, first, "soft"), (93, second, "soft")):
            lines.append(
                f'<text x="{middle:.1f}" y="{y}" class="{style}" text-anchor="middle"'
                f' style="font-size:{12 if style == "title" else 9.6}px">{words}</text>'
            )
    lines.append(
        '<text x="12" y="127" class="soft">Dashed: a strategy acts. '
        "In on_open there is no high, low, close or volume of T to name.</text>"
    )
    return wrapped(WIDTH, 139, "\n".join(lines))
