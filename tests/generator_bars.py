"""Random bars on small grids, the lower bars inside them, trade dates and rates of exchange."""

from __future__ import annotations

from tests.choices import Source, chance, choose

OFF_GRID = (0.5, 1 / 3, 4e-5, -4e-5, 3e-4, -3e-4)  # of a tick; the tolerance is 1e-4


def on_grid(ticks: int, tick: float) -> float:
    """As a file would write it: 100.35, and not 10035 * 0.01."""
    return round(ticks * tick, 6)


def bars_from(
    source: Source, instruments: list[dict], length: int, squeeze: bool
) -> dict[str, list]:
    bars: dict[str, list] = {}
    for instrument in instruments:
        gaps_percent = choose(source, (0, 10, 50)) if len(instruments) > 1 else 0
        if squeeze:
            gaps_percent = 0 if instrument is instruments[0] else 50
        last = choose(source, (40, 100, 100, 333))
        wild = choose(source, (6, 15) if squeeze else (2, 4, 9))
        off_percent = choose(source, (0, 0, 25))
        row: list[list | None] = []
        for n in range(length):
            goes_on = squeeze and n > 2 and gaps_percent and row[-1] is None
            if not (squeeze and n < 2) and chance(source, 75 if goes_on else gaps_percent):
                row.append(None)
                continue
            bar, last = bar_from(source, last, wild, off_percent, instrument["tick_size"])
            row.append(bar)
        bars[instrument["symbol"]] = row
    for at in range(length):  # the timeline is the union of the bars: each index has one
        if all(row[at] is None for row in bars.values()):
            first = instruments[0]
            bars[first["symbol"]][at] = bar_from(source, 100, 2, 0, first["tick_size"])[0]
    return bars


def bar_from(
    source: Source, last: int, wild: int, off_percent: int, tick: float
) -> tuple[list, int]:
    """A bar that opens near the last close; returns it and its close in ticks."""
    gap = source.integer(-wild, wild) if chance(source, 35) else 0
    opened = max(1, last + gap)
    shape = source.integer(0, 9)
    closed = opened if shape in (7, 9) else max(1, opened + source.integer(-wild, wild))
    reach = 0 if shape >= 8 else wild
    high = max(opened, closed) + source.integer(0, reach)
    low = max(1, min(opened, closed) - source.integer(0, reach))
    if shape >= 6 and reach:  # as far to the low as to the high, which the paths tie on
        reach = max(high - opened, opened - closed)
        high, low = opened + reach, max(1, opened - reach)
    prices = [on_grid(ticks, tick) for ticks in (opened, high, low, closed)]
    if chance(source, off_percent):
        which = source.integer(0, 3)
        prices[which] += choose(source, OFF_GRID) * tick
        if chance(source, 80):  # else the open or the close may lie outside
            prices[1], prices[2] = max(prices), min(prices)
    volume = 0 if chance(source, 4) else source.integer(1, 9) * 100
    return [*prices, volume], closed


def detail_from(source: Source, bars: dict[str, list], instruments: list[dict]) -> dict:
    """Per symbol the lower bars of its bars; now and then missing, or those of another bar."""
    return {
        i["symbol"]: [
            None if bar is None or chance(source, 15) else lower_from(source, bar, i["tick_size"])
            for bar in bars[i["symbol"]]
        ]
        for i in instruments
    }


def lower_from(source: Source, bar: list, tick: float) -> list[list[float]]:
    """A walk from open to close that touches both extremes, cut into lower bars."""
    opened, high, low, closed = bar[:4]
    extremes = [low, high] if chance(source, 50) else [high, low]

    def wander() -> list[float]:
        steps = (low + source.integer(0, 9) * tick for _ in range(source.integer(0, 2)))
        return [round(min(price, high), 9) for price in steps]

    walk = [opened, *wander(), extremes[0], *wander(), extremes[1], *wander(), closed]
    lower: list[list[float]] = []
    while walk:
        size = source.integer(1, len(walk))
        part, walk = walk[:size], walk[size:]
        if lower and chance(source, 50):  # goes on where the last one stood; else it jumps
            part = [lower[-1][3], *part]
        lower.append([part[0], max(part), min(part), part[-1]])
    if chance(source, 6):
        lower[-1][source.integer(0, 3)] += tick
    return lower


def days_from(source: Source, length: int) -> list[int]:
    """Trade dates: several bars of a day, weekends, and at times most of a month."""
    day, days = source.integer(0, 40), []
    steps = choose(source, ((1, 1, 3), (0, 0, 1), (0, 1, 1, 3, 9, 25)))
    for _ in range(length):
        days.append(day)
        day += choose(source, steps)
    return days


def rates_from(source: Source, length: int) -> list[float]:
    """What one unit of a currency is worth, bar by bar."""
    rate, rates = choose(source, (1.25, 0.9, 0.007, 2)), []
    for _ in range(length):
        rates.append(rate)
        rate = round(rate * choose(source, (1, 1, 1.01, 0.97, 1.2, 0.7)), 9)
    return rates
