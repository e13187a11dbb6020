"""Other grids under a random scenario: none, or one that is very fine."""

from __future__ import annotations

import math

from tests.choices import Source, chance, choose

LEVELS = ("limit_price", "stop_price", "stop_loss", "take_profit")
UNITS = (0, 1, -1, 3, 4, -4, 5, -5, 9)  # in the last place; the tolerance is 4


def without_grid(source: Source, scenario: dict) -> None:
    """No ticks; prices lie a few units in the last place from each other."""
    for instrument in scenario["instruments"]:
        instrument["tick_size"] = 0
    for order in scenario["orders"]:
        for name in LEVELS:
            if name in order and chance(source, 50):
                order[name] += choose(source, UNITS) * math.ulp(order[name])
    for rows in scenario["bars"].values():
        for bar in rows:
            if bar and chance(source, 20):
                which = source.integer(0, 3)
                bar[which] += choose(source, UNITS) * math.ulp(bar[which])
    hold_together(scenario)


def finer(source: Source, scenario: dict) -> None:
    """The same prices, in up to ten thousand million ticks."""
    parts = choose(source, (1e-4, 1e-6, 1e-8))
    for instrument in scenario["instruments"]:
        instrument["tick_size"] = instrument.get("tick_size", 0.01) * parts
    hold_together(scenario)


def hold_together(scenario: dict) -> None:
    """Where ticks are finer, no open or close may lie a part of an old one outside its bar."""
    for rows in scenario["bars"].values():
        for bar in rows:
            if bar:
                bar[1], bar[2] = max(bar[:4]), min(bar[:4])
