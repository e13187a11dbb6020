"""What a call in Python is given for a run in chunks: feeds in the place of bars."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from intrabar.app.compose.bars import around_of, series_in
from intrabar.app.compose.feeds import fed, fed_instruments, rates_for, read_feeds
from intrabar.app.compose.market import require_detail
from intrabar.app.compose.options import (
    RunOptions,
    around_given,
    config_and_account,
    parameters_given,
    rates_given,
    require_traded,
)
from intrabar.app.compose.run import is_open, make_strategies
from intrabar.app.compose.strategies import in_zone, strategies_of
from intrabar.data.pieces import WholeFeed
from intrabar.engine.chunks.setup import ChunkedSetup
from intrabar.model.enums import PathPolicy


def chunks_given(strategy: Any, data: Any, chunk: int, given: RunOptions) -> ChunkedSetup:
    """What decides a run in chunks, as `setup_given`.

    Parameters
    ----------
    strategy, data : as in `backtest`
    chunk : bars
    given : RunOptions

    Raises
    ------
    UsageError, DataError
    """
    made, money, said = config_and_account(given)
    around = around_given(given)
    found = read_feeds(made) if data is None else [fed(s) for s in series_in(data, made)]
    symbols = [one.feed.symbol for one in found]
    require_traded(symbols, said, around)
    more = [WholeFeed(bars) for bars in rates_given(around, made)]
    instruments, made, remarks = fed_instruments(found, said, made, more)
    money = replace(money, currency=made.account.currency)
    along = []
    for one in found:
        own = around_of(one.feed.symbol, made, around)
        if "detail" in own:
            own["detail"] = WholeFeed(own["detail"])
        along.append(replace(one.alongside, **own))
    if money.path_policy is PathPolicy.DETAIL:
        require_detail([one.detail is not None for one in along], symbols)
    strategies = (
        make_strategies(made.strategies)
        if strategy is None
        else strategies_of(strategy, parameters_given(given))
    )
    return ChunkedSetup(
        tuple(one.feed for one in found),
        instruments,
        in_zone(strategies, made.zone),
        money,
        chunk,
        is_open,
        tuple(along),
        rates_for(found, instruments, made, more)[0],
        remarks,
    )
