"""Every indicator that the catalog knows, with every output: what the sweeping tests run over."""

from __future__ import annotations

from intrabar.indicators import Indicator, cross, make, names, parse

# Names that the sweep leaves out. There is nothing else to add here: all of TA-Lib's functions
# over prices stream, and all of them are causal.
LEFT_OUT = {
    "MAVP": "reads a column of periods that bars do not have",
}

NEEDED = {
    "ema": (20,),
    "highest": (20,),
    "level": (30.0,),
    "lowest": (20,),
    "sma": (20,),
    "uniform": (5,),
}

EXTRA = [
    "ema(20, seed=first)",
    "atr(14, seed=first)",
    "ema(1)",
    "highest(1)",
    "lowest(1)",
    "sma(3, source=volume)",
    "cross(ema(5), ema(12, seed=first))",
    "cross(rsi(14), 50)",
    "cross(price(open), bollinger(20, 2.0).lower)",
    "cross(cross(ema(5), ema(12)), level(0.5))",
    "CORREL(10, source=[close, volume])",
    "BBANDS(10, 1.5, 2.5, 1).lowerband",
]


def every_indicator() -> list[Indicator]:
    """One of each name, each output, with default parameters where it has them."""
    found: list[Indicator] = []
    for name in sorted(names() - {"cross"}):
        made = make(name, NEEDED.get(name, ()))
        found += [getattr(made, o) for o in made.outputs] or [made]
    found.append(cross(make("ema", (5,)), make("ema", (12,))))
    return found + [parse(text) for text in EXTRA]
