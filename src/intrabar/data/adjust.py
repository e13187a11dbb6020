"""Adjusted prices: factors that take splits, dividends and rolls out of a series.

Forward factors: 1 at the first bar, changed at each action by what was known there, so that no
later action reaches back. `price * factor` has no jump at an action. Divided by the factor of a
bar T it is the series as it is adjusted on the day of T, in prices of T.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from intrabar.data.actions import kept_actions
from intrabar.data.catalogue import Catalogue
from intrabar.data.continuous import kept_rolls, placed
from intrabar.model.bars import Action, Bars, Floats
from intrabar.model.enums import ActionKind


def factors(
    actions: Sequence[Action],
    open_: Floats,
    close: Floats,
    before: tuple[float, float] = (1.0, 1.0),
) -> tuple[Floats, Floats]:
    """Forward factors of one instrument.

    Parameters
    ----------
    actions : sequence of Action
        Of this instrument, `bar` being a row of the arrays; in the order in which they act.
    open_, close : (n,) float64, price
        The close is carried where there is no bar.
    before : two float
        The factors of the first row.

    Returns
    -------
    price : (n,) float64
        A split multiplies it by its ratio, a dividend by `1 / (1 - dividend / close before)` (the
        definition of CRSP's and Yahoo's adjusted close), a roll by old price over new.
    shares : (n,) float64
        By splits alone: volumes are divided by it.
    """
    price, shares = np.ones(close.shape), np.ones(close.shape)
    price[:1], shares[:1] = before
    for action in actions:
        bar = action.bar
        if bar == 0 or np.isnan(close[bar - 1]):
            continue
        if action.kind is ActionKind.SPLIT:
            price[bar] *= action.value
            shares[bar] *= action.value
        elif action.kind is ActionKind.DIVIDEND:
            kept = 1.0 - action.value * shares[bar] / close[bar - 1]
            price[bar] /= kept if kept > 0.0 else 1.0
        elif action.kind is ActionKind.ROLL and action.value > 0.0 and open_[bar] > 0.0:
            price[bar] *= action.value / open_[bar]
    return np.asarray(np.cumprod(price)), np.asarray(np.cumprod(shares))


def adjusted_bars(bars: Bars, actions: Sequence[Action]) -> Bars:
    """Bars adjusted as of their last one, as data vendors deliver them.

    Parameters
    ----------
    bars : Bars
        Raw.
    actions : sequence of Action
        `bar` being a row of the bars.
    """
    price, shares = factors(actions, bars.open, bars.close)
    price, shares = price / price[-1], shares / shares[-1]
    values = {name: getattr(bars, name) * price for name in ("open", "high", "low", "close")}
    return replace(bars, **values, volume=bars.volume / shares)


def kept_of(
    catalogue: Catalogue, symbol: str, period: str | None = None
) -> tuple[Bars, list[Action]]:
    """Bars of the catalogue and what it knows to have happened to them.

    Returns
    -------
    Bars
        As they were imported.
    list of Action
        Splits, dividends and rolls; `bar` is a row of the bars. Without the splits where the bars
        are adjusted for those, none where for all.

    Raises
    ------
    NotFoundError, ConfigError, DataError
        As `Catalogue.read`.
    """
    bars = catalogue.read(symbol, period)
    manifest = catalogue.show(symbol, period)[0]
    actions = kept_actions(catalogue, symbol)
    if actions is not None and manifest.adjustment == "split":
        actions = actions.without_splits
    known = actions is not None and manifest.adjustment in ("raw", "split")
    made = actions.placed(bars, bars.close_time, 0) if actions is not None and known else []
    return bars, [*made, *placed(kept_rolls(catalogue, manifest), bars.close_time, 0)]
