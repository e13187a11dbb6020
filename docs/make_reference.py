"""Writes docs/reference.md from the registries and the docstrings: `python docs/make_reference.py`.

A test holds the page against what this makes.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import intrabar as ib
from intrabar.app.compose.options import RunOptions
from intrabar.indicators import constructors
from intrabar.indicators.catalog import OWN
from intrabar.model.session import CLOCK_FIELDS
from intrabar.strategy.registry import ENTRIES, EXITS
from intrabar.strategy.rules import BAR_FIELDS, SHAPES

PAGE = Path(__file__).parent / "reference.md"

RULES = {
    "decide_side": "entry: +1 long, -1 short, 0 neither",
    "stop_entry": "entry: price of a stop order to enter by, NaN for a market order",
    "limit_entry": "entry: price of a limit order to enter by, NaN for a market order",
    "wants_out": "entry and exit: whether to leave the position",
    "initial_levels": "exit: first stop and target, NaN for no target",
    "update_stop": "exit with `trails = True`: where the stop should be; it is only ever tightened",
}
CLOCK = {
    "minutes_since_open": "minutes since the session opened, breaks included",
    "minutes_to_close": "minutes until it closes, on a half day early",
    "hour": "of the exchange's clock at the close of the bar",
    "minute": "of the same",
    "weekday": "of the trade date, Monday is 0",
}


def page() -> str:
    """The whole page."""
    parts = [
        "# What there is\n\nMade by `docs/make_reference.py` from the docstrings, which `help()` "
        "shows too, with examples: `help(ib.Bot)`, `help(ib.Strategy)`.\n",
        "## Strategies by name\n\n"
        'For `ib.backtest("CoinFlip", bars, params={...})`, a configuration and the command line. '
        "Each is an entry: `ib.Bot(ib.CoinFlip(...))` is the same. `params` takes those of the "
        "entry and of the bot (`exit`, a size, `gates`, `warm_up`). `module:Name` names a class of "
        "your own.\n",
        *(section(3, name, made) for name, made in ENTRIES.items()),
        "## Exits\n\nFor the `exit` of a bot.\n",
        *(section(3, name, made) for name, made in EXITS.items() if name == made.__name__),
        section(2, "Gates", ib.Gates),
        section(2, "Bot", ib.Bot),
        section(2, "Signals", ib.Signals),
        section(2, "Weights", ib.Weights),
        "## Indicators\n\nIn `indicators()` of a class or an entry; in configurations as text, "
        '`"ema(20).on(\'1h\')"`. `.on("1h")` reads longer bars.\n',
        table(("call", "what"), map(own_indicator, sorted({*OWN, "cross"}))),
        '\n`ib.talib("NAME", ...)` has TA-Lib\'s functions over prices, some two hundred; '
        "`sorted(intrabar.indicators.names())` lists them all.\n",
        "## What a class sees\n\n`now` in the hooks of a `Strategy`; at OPEN only what is known "
        "then.\n",
        table(("of `now`", "on_close", "on_open, on_fill, on_order", "what"), of_now()),
        "\n### What an order says\n\nOf `buy` and `sell`, and of `order` with the side in front.\n",
        table(("argument", "what"), parameters(ib.AtClose.order)),
        "\n## What a compiled rule sees\n\n"
        "`now` in the static functions of an entry or an exit; `p` has its own parameters.\n",
        table(
            ("of `now`", "what"),
            [
                *((f"`{name}`", "of the bar that closes") for name in BAR_FIELDS),
                *((f"`{name}`", CLOCK[name]) for name in CLOCK_FIELDS),
                ("by its name", "each of its indicators"),
            ],
        ),
        "\nThe functions, asked at CLOSE:\n",
        table(
            ("static function", "answers"),
            ((f"`{call(name)}`", RULES[name]) for name in SHAPES),
        ),
        "\nAn exit may have `max_bars`, a whole number in the class or a parameter: after so many "
        "held bars the position leaves at the next open (0: never).\n",
        "\n## What a run is given\n\n" + table(("argument", "what"), parameters(RunOptions)) + "\n",
    ]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts)).rstrip() + "\n"


def section(level: int, name: str, made: Any) -> str:
    """A class: what it says of itself, and its parameters."""
    own = inspect.signature(made).parameters
    rows = []
    for names, what in parameters(made):
        kept = [x for x in re.findall(r"\w+", names) if x in own]
        rows.append((names, ", ".join(default(made, x, own[x].default) for x in kept), what))
    summary = (inspect.getdoc(made) or "").split("\n\nParameters")[0]
    return f"{'#' * level} {name}\n\n{summary}\n\n" + table(("parameter", "default", "what"), rows)


def default(made: Any, name: str, value: Any) -> str:
    """A default as Python writes it; "" where there is none."""
    if value is inspect.Parameter.empty:
        return ""
    factories = {f.name: f.default_factory for f in fields(made)}
    if callable(factories[name]):
        return f"`{factories[name].__name__}()`"
    return f"`{value!r}`"


def parameters(made: Any) -> list[tuple[str, str]]:
    """Names of parameters and what is said of them, from a docstring of NumPy's style."""
    text = inspect.getdoc(made) or ""
    body = text.partition("Parameters\n----------\n")[2]
    body = re.split(r"\n\n[A-Z]\w+\n-{3,}", body)[0]
    found: list[list[str]] = []
    for line in body.splitlines():
        if line.startswith(" "):
            joint = " " if found[-1][2] else ". "
            found[-1][1] += joint + line.strip()
            found[-1][2] = "more"
        elif line.strip():
            names, _, kind = line.partition(" : ")
            found.append([", ".join(f"`{x.strip()}`" for x in names.split(",")), kind.strip(), ""])
    return [(names, said.removeprefix(". ")) for names, said, _ in found]


def own_indicator(name: str) -> tuple[str, str]:
    """A call of one of our indicators, and its first line."""
    made = getattr(constructors, name)
    arguments = ", ".join(
        x.name if x.default is x.empty else f"{x.name}={x.default!r}"
        for x in inspect.signature(made).parameters.values()
    )
    home = "ib" if hasattr(ib, name) else "intrabar.indicators"
    return f"`{home}.{name}({arguments})`", first_line(made)


def first_line(made: Any) -> str:
    """The first line of a docstring."""
    return (inspect.getdoc(made) or "").split("\n")[0]


def of_now() -> list[tuple[str, str, str, str]]:
    """What `now` has, in each of its two forms."""
    rows = []
    members = {**members_of(ib.AtOpen), **members_of(ib.AtClose)}
    at_close, at_open = members_of(ib.AtClose), members_of(ib.AtOpen)
    for name, member in members.items():
        shown = f"`{name}`" if isinstance(member, property) else f"`{name}(...)`"
        marks = ("yes" if name in known else "" for known in (at_close, at_open))
        rows.append((shown, *marks, first_line(member)))
    rows.append(
        ('`now["name"]`', "yes", "yes", "An indicator by its name; at OPEN that of the bar before.")
    )
    rows.append(("`for each in now`", "yes", "yes", "The view of every instrument, in order."))
    return rows


def members_of(view: type) -> Mapping[str, Any]:
    """The public members of a view."""
    found: dict[str, Any] = {}
    for kind in reversed(view.__mro__[:-1]):
        found |= {n: x for n, x in vars(kind).items() if not n.startswith("_") and first_line(x)}
    return {n: x for n, x in found.items() if isinstance(x, property) or inspect.isfunction(x)}


def call(name: str) -> str:
    """How a rule is written."""
    more = SHAPES[name][1].removesuffix(", out_address")
    return f"{name}(now, p{more})"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table of Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    told = ["| " + " | ".join(x.replace("|", "\\|").strip() for x in line) + " |" for line in lines]
    return "\n".join(told) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
