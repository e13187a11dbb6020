"""The tape of a run: what its kernels read of a market."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.errors import ConfigError
from intrabar.model.bars import DAY_NS, Action, Market
from intrabar.model.enums import ActionKind
from intrabar.model.instrument import Instrument
from intrabar.sim import state
from intrabar.sim.account import Account
from intrabar.sim.state import Tape

RANGE_BARS = 20  # of the mean true range that slippage reads


def tape_of(
    market: Market,
    instruments: Sequence[Instrument],
    account: Account,
    wake: NDArray[np.uint8],
    ranges: NDArray[np.float64] | None = None,
) -> Tape:
    """What the kernels read of a market; arrays that nothing asks for stay empty.

    `ranges` are its mean ranges (`mean_range`) where they are known already.
    """
    n = len(instruments)
    converts = any(x.currency != account.currency for x in instruments)
    if converts and market.fx is None:
        foreign = next(x for x in instruments if x.currency != account.currency)
        raise ConfigError(
            f"{foreign.symbol} is in {foreign.currency}, the account in {account.currency}: "
            "rates of exchange are missing"
        )
    dated = has_nights(account, instruments)
    detail = market.detail
    none = np.zeros((0, n))
    if ranges is None:
        ranges = mean_range(market) if reads_ranges(instruments) else none
    return Tape(
        time=market.time,
        open=market.open,
        high=market.high,
        low=market.low,
        close=market.close,
        session_end=market.session_end,
        wake=wake,
        equity=np.empty(len(market)),
        day=_days(market) if dated else none[:, 0].astype(np.int64),
        volume=market.volume,
        mean_range=ranges,
        fx=none if market.fx is None else market.fx,
        detail_first=none.astype(np.int64) if detail is None else detail.first,
        detail_count=none.astype(np.int64) if detail is None else detail.count,
        detail=np.zeros((0, 4)) if detail is None else detail.bars,
        actions=_records_of(
            [*market.actions, *(delistings(market) if account.close_delisted else ())]
        ),
    )


def _days(market: Market) -> NDArray[np.int64]:
    return market.time // DAY_NS if market.day is None else market.day


def _records_of(actions: Sequence[Action]) -> NDArray[Any]:
    records = np.zeros(len(actions), state.ACTION)
    for record, action in zip(records, actions, strict=True):
        for name in state.ACTION.names or ():
            record[name] = getattr(action, name)
    return records[np.argsort(records["bar"], kind="stable")]


def delistings(market: Market) -> list[Action]:
    """A delisting for each instrument that has no bar up to the end of the timeline.

    Each takes effect on the timestamp after its last bar.
    """
    ends = []
    for j in range(len(market.symbols)):
        rows = np.flatnonzero(~np.isnan(market.open[:, j]))
        if len(rows) and rows[-1] + 1 < len(market):
            ends.append(Action(int(rows[-1]) + 1, j, ActionKind.DELISTING))
    return ends


def mean_range(market: Market) -> NDArray[np.float64]:
    """Mean true range of the 20 real bars of each instrument before each timestamp, (t, n) price.

    Of fewer at the start, 0 before the second bar (fill model, section 3).
    """
    out = np.zeros_like(market.open)
    for j in range(out.shape[1]):
        rows = np.flatnonzero(~np.isnan(market.open[:, j]))
        high, low, close = (x[rows, j] for x in (market.high, market.low, market.close))
        ranges, before = high - low, close[:-1]
        steps = np.maximum(np.abs(high[1:] - before), np.abs(low[1:] - before))
        ranges[1:] = np.maximum(ranges[1:], steps)
        total, count = np.zeros(len(rows) + 1), np.zeros(len(rows) + 1)
        for back in range(min(RANGE_BARS, len(rows)), 0, -1):  # oldest first
            total[back:] += ranges[: len(rows) + 1 - back]
            count[back:] += 1.0
        means = np.divide(total, count, out=np.zeros(len(rows) + 1), where=count > 0.0)
        out[:, j] = means[np.searchsorted(rows, np.arange(len(out)), "left")]
    return out


def reads_ranges(instruments: Sequence[Instrument]) -> bool:
    """Whether slippage reads mean ranges."""
    return any(x.slippage_volatility or x.slippage_impact for x in instruments)


def has_nights(account: Account, instruments: Sequence[Instrument]) -> bool:
    """Whether anything accrues over nights."""
    rates = account.interest_rate or account.debit_rate
    return bool(rates or any(x.borrow_rate or x.swap_long or x.swap_short for x in instruments))
