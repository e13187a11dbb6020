"""The picture of a forecaster's skill: each refit against the last price."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from sheet import LEFT, PLOT, TOP, WIDTH, wrapped

import intrabar as ib
from intrabar.app.compose.recipe import Recipe
from intrabar.indicators.given import Request
from intrabar.research.honesty import RefitSkill, judge


def bars() -> pl.DataFrame:
    """The bars of docs/forecasting.md: what was, goes on a little."""
    rng = np.random.default_rng(3)
    moves = rng.normal(0.0, 0.01, 1500)
    for i in range(1, 1500):
        moves[i] += 0.15 * moves[i - 1]
    close = np.round(100.0 * np.exp(np.cumsum(moves)), 2)
    open_ = np.append(100.0, close[:-1])
    return pl.DataFrame(
        {
            "date": (np.datetime64("2020-01-01") + np.arange(1500)).astype(str),
            "open": open_,
            "high": np.maximum(open_, close) + 0.1,
            "low": np.minimum(open_, close) - 0.1,
            "close": close,
            "volume": np.full(1500, 1e6),
        }
    )


def refits() -> tuple[RefitSkill, ...]:
    """Of the ridge regression of docs/forecasting.md."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        bars().write_csv(folder / "ACME.csv")
        config = folder / "acme.yaml"
        config.write_text(
            "data: [{symbol: ACME, file: ACME.csv}]\n"
            'instruments: {ACME: {kind: share, calendar: "24/7"}}\n'
            "predict: {forecaster: ridge, window: 4, train: 2y, refit: 3m}\n"
        )
        ib.predict.train(config)
        file = ib.predict.run(config)
        base = Recipe.of_call({}, None, {"config": config}).traded_market()
        return judge(Request(str(file)), base.market, base.instruments).judged[0].refits


def skill() -> str:
    """A bar for each refit, 0 being the last price."""
    found = refits()
    most = max(abs(x.skill or 0.0) for x in found) * 1.15
    wide, middle = (WIDTH - LEFT - 20) / len(found), TOP + 10 + PLOT / 2
    frame = f'x="0.5" y="0.5" width="{WIDTH - 1}" height="{TOP + PLOT + 45}" rx="6"'
    lines = [f'<rect {frame} class="card"/>']
    lines.append(
        '<text x="12" y="22" class="title">Skill of each refit against the last price</text>'
    )
    for share in (-0.5, 0.0, 0.5):
        y = middle - share * PLOT
        kind = "path" if share == 0.0 else "grid"
        lines.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - 20}" class="{kind}"/>')
        lines.append(
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" class="soft" text-anchor="end">'
            f"{2 * share * most:.2f}</text>"
        )
    for k, one in enumerate(found):
        high = (one.skill or 0.0) / most * PLOT / 2
        x, y = LEFT + k * wide + wide * 0.2, middle - max(high, 0.0)
        kind = "target" if high > 0.0 else "stop"
        lines.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide * 0.6:.1f}" height="{abs(high):.1f}" '
            f'class="fill {kind}"/>'
            f'<text x="{x + wide * 0.3:.1f}" y="{TOP + PLOT + 24}" class="soft" '
            f'text-anchor="middle" style="font-size:9px">{one.trained_until[:7]}</text>'
        )
    note = "By the month until which each was trained. Above 0: better than the last price."
    lines.append(f'<text x="12" y="{TOP + PLOT + 39}" class="soft">{note}</text>')
    return wrapped(WIDTH, TOP + PLOT + 46, "\n".join(lines))
