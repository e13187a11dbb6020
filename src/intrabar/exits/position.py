"""What an exit that decides at each close is told of its own position: four numbers.

The environment that it is trained in and the bot that trades it read them here, so they are the
same to the last bit.
"""

from __future__ import annotations

from typing import Any

from intrabar.indicators.indicator import Floats
from intrabar.kernel import kernel

PROFIT, HELD, TO_STOP, RISKED = range(4)  # places in what is told


@kernel
def marked_profit(sleeve: Any, x: Any) -> float:
    """What an open position has gained on its average price at the present mark.

    Parameters
    ----------
    sleeve : SLEEVE
    x : INSTRUMENT

    Returns
    -------
    float, account currency
        0 when flat.
    """
    return sleeve.qty * (x.mark - sleeve.avg) * x.point_value


@kernel
def tell_position(
    sleeve: Any,
    x: Any,
    profit: float,
    budget: float,
    bars: int,
    max_bars: int,
    atr: float,
    widest: float,
    out: Floats,
) -> None:
    """Write down what an exit is told of its position. Phase: CLOSE, before it decides.

    A move of one ATR is worth `1 / (out[RISKED] * widest)` scores: the budget is that of the
    decision to enter, quantity, point value and ATR are the present ones, so a split changes
    nothing.

    Parameters
    ----------
    sleeve : SLEEVE
    x : INSTRUMENT
    profit : account currency
        Realised in this campaign, plus `marked_profit`, less all costs so far.
    budget : account currency
        Of the decision to enter.
    bars : real bars
        That it has been held, the present one included.
    max_bars : bars
        After which it leaves.
    atr : price
        Of this close.
    widest : ATR multiple
        The largest arm.
    out : (4,) float64
        Written: open profit in scores; bars held / `max_bars`; distance from the close to the stop,
        and budget per unit, both in ATRs / `widest`. All 0 when flat, as at the signal's close.
        Infinite or NaN where there is no stop, or the ATR is 0: then nothing can be decided.
    """
    out[:] = 0.0
    if sleeve.qty == 0.0:
        return
    side = 1 if sleeve.qty > 0.0 else -1
    out[PROFIT] = profit / budget
    out[HELD] = bars / max_bars
    out[TO_STOP] = side * (x.mark - sleeve.stop) / atr / widest
    out[RISKED] = budget / (abs(sleeve.qty) * x.point_value) / atr / widest
