"""Where a replay stands, in some lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intrabar.analysis.told import NEXT, Told
from intrabar.engine.outcome.summary import titled
from intrabar.model.enums import RunStatus
from intrabar.model.event import Step

if TYPE_CHECKING:
    from intrabar.engine.replay.replay import Replay

MOST = 5
"""Positions that are named; the others are counted."""


def told(replay: Replay) -> Told:
    """Its bar and step, the equity so far, positions and working orders."""
    market, (bar, step) = replay.setup.market, replay.place
    title = f"Replay of {titled(replay.setup.strategies, market.symbols)}"
    at = str(np.datetime64(int(market.time[min(bar, len(market) - 1)]), "ns"))[:16]
    where = f"bar {bar:,} of {len(market):,}, {at.replace('T', ' ')} UTC, before {Step(step).name}"
    if replay.is_over:
        ruined = " in ruin" if replay.status is RunStatus.RUINED else ""
        where = f"over{ruined} after {bar:,} bars"
    equity = replay.equity(last=1)
    cash = replay.setup.account.cash
    worth = float(equity[0]) if len(equity) else cash
    held = [
        f"{symbol} {position.qty:+g} at {position.entry:g} ({strategy})"
        for (strategy, symbol), position in replay.positions().items()
    ]
    more = f" and {len(held) - MOST} more" if len(held) > MOST else ""
    rows = [
        ("line", f"{replay.line} of {', '.join(replay.lines)}"),
        ("equity", f"{worth:,.2f} {replay.setup.account.currency} ({worth / cash - 1.0:+.2%})"),
        ("positions", (", ".join(held[:MOST]) or "none") + more),
        ("orders", f"{len(replay.orders()):,} working"),
    ]
    after = ".step() goes on by a bar, .seek(bar) jumps, .audit(bar) says what happened in one"
    return Told(title, where, rows, [f"{NEXT}{after}"])
