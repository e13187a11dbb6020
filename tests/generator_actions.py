"""Random splits, dividends, new margins and rolls, with bars that move as they would."""

from __future__ import annotations

from tests.choices import Source, chance, choose
from tests.generator_bars import on_grid

MARGINS = (
    "initial_margin",
    "maintenance_margin",
    "initial_margin_rate",
    "maintenance_margin_rate",
)


def actions_from(source: Source, instruments: list[dict], bars: dict[str, list]) -> list[dict]:
    """A few actions, mostly early, at bars that are there; changes the bars after them."""
    actions: list[dict] = []
    for _ in range(source.integer(1, 4)):
        instrument = choose(source, instruments)
        row = bars[instrument["symbol"]]
        real = [n for n, bar in enumerate(row) if bar]
        if not real:
            continue
        at = choose(source, real[: choose(source, (4, 8, len(real)))])
        action = {"at": at, "symbol": instrument["symbol"]}
        kind = choose(source, ("split", "roll", "dividend", "split", "roll", "margins"))
        if kind == "split":
            action["split"] = choose(source, (2, 0.5, 3, 0.2, 1.5, 0.1))
            if chance(source, 80):
                move(row, at, instrument["tick_size"], times=1 / action["split"])
        elif kind == "roll":
            tick = instrument["tick_size"]
            steps = choose(source, (2, -2, 5, -3, 0, 30, -30))
            old = max(row[at][0], tick)
            if chance(source, 80):
                move(row, at, tick, plus=steps)
                action["roll_from"] = old
            else:
                action["roll_from"] = on_grid(max(1, round(old / tick) - steps), tick)
            if chance(source, 20):
                action["roll_from"] = round(action["roll_from"] + tick / 3, 9)
        elif kind == "dividend":
            action["dividend"] = round(source.integer(1, 9) * instrument["tick_size"] / 3, 9)
        else:
            action.update(margins_from(source, instrument))
        actions.append(action)
    return actions


def move(row: list, first: int, tick: float, *, times: float = 1, plus: int = 0) -> None:
    """Bars from here on stand where the action puts them, on the grid, and above it."""
    for n in range(first, len(row)):
        if row[n]:
            ticks = [max(1, round(price / tick * times) + plus) for price in row[n][:4]]
            ticks[1], ticks[2] = max(ticks), min(ticks)
            row[n] = [*(on_grid(t, tick) for t in ticks), row[n][4]]


def margins_from(source: Source, instrument: dict) -> dict:
    worth = instrument["tick_size"] * instrument["point_value"]
    name = choose(source, MARGINS)
    if name.endswith("rate"):
        return {name: choose(source, (0.1, 0.5, 0))}
    amount = choose(source, (17, 61, 0)) * worth
    both = {name: round(amount, 8), "maintenance_margin": round(amount * 0.8, 8)}
    return both if chance(source, 40) else {name: round(amount, 8)}
