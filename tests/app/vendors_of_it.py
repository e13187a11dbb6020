"""A vendor of this machine, as a third party would register one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from intrabar.links.clock import WallClock
from intrabar.links.vendor import Answer, Row
from intrabar.model.facts import Quote
from tests.data.live.samples import MINUTE, Scripted, ns, rows

MINUTES = rows("2026-03-02", MINUTE, 390)
DAY = ns("2026-03-02") // 86_400_000_000_000


class _Told(Scripted):
    """With actions, and a quote of the second of March."""

    async def bars(self, *asked: Any, **how: Any) -> Answer:
        answer = await super().bars(*asked, **how)
        return msgspec.structs.replace(answer, splits=((DAY, 4.0),), dividends=((DAY, 0.5),))

    async def quote(self, symbol: str) -> Quote:
        found = await super().quote(symbol)
        return msgspec.structs.replace(found, time=ns("2026-03-02T20:59:00"), bid=488.5)


def scripted(
    change: Callable[[str, int, tuple[Row, ...]], Iterable[Row]] | None = None,
) -> Scripted:
    """Bars of a minute of one day."""
    return _Told(WallClock(), {"IBM": MINUTES, "MSFT": MINUTES}, change)  # type: ignore[arg-type]
