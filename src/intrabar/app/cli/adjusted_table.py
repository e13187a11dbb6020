"""`intrabar data show --adjusted`: raw and adjusted closes around what was taken out of them."""

from __future__ import annotations

from datetime import UTC, datetime

from intrabar.app.cli.output import print_json, print_table

NAMES = ("bar closes", "what", "raw close", "adjusted close", "factor")
KEYS = ("close_time", "what", "raw", "adjusted", "factor")


def print_adjusted(symbol: str, period: str | None, as_json: bool) -> None:
    """Print the closes of a symbol around its splits, dividends and rolls.

    Parameters
    ----------
    symbol : str
    period : str, optional
        Of the bars, where there are several.
    as_json : bool

    Raises
    ------
    NotFoundError, ConfigError, DataError
        As `Catalogue.read`.
    """
    from intrabar.data.adjust import adjusted_bars, kept_of
    from intrabar.data.catalogue import Catalogue

    bars, actions = kept_of(Catalogue(), symbol, period)
    adjusted = adjusted_bars(bars, actions)
    near = {n for action in actions for n in (action.bar - 1, action.bar)}
    words: dict[int, str] = {}
    for action in actions:
        said = [words[action.bar]] if action.bar in words else []
        words[action.bar] = ", ".join([*said, f"{action.kind.word} {action.value:g}"])
    rows = [
        (
            f"{datetime.fromtimestamp(bars.close_time[n] / 1e9, UTC):%Y-%m-%d %H:%M}",
            words.get(n, ""),
            float(bars.close[n]),
            float(adjusted.close[n]),
            float(adjusted.close[n] / bars.close[n]),
        )
        for n in sorted({0, len(bars) - 1, *near})
    ]
    if as_json:
        print_json([dict(zip(KEYS, row, strict=True)) for row in rows])
        return
    shown = [(day, what, f"{a:.6g}", f"{b:.6g}", f"{f:.6g}") for day, what, a, b, f in rows]
    print_table(NAMES, shown, right=NAMES[2:])
