"""What a call in Python is given for a run in chunks: feeds in the place of bars."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from intrabar.app.around import require_detail
from intrabar.app.bars_given import around_of, bars_of, one_of
from intrabar.app.bars_in import given_series
from intrabar.app.compose import is_open, make_strategies
from intrabar.app.fed import fed, rates_for, read_feeds
from intrabar.app.given import Given, around_given, config_and_account, instruments_given
from intrabar.app.strategies_given import in_zone, strategies_of
from intrabar.data.pieces import WholeFeed
from intrabar.engine.chunked_setup import ChunkedSetup
from intrabar.model.enums import PathPolicy


def chunks_given(strategy: Any, data: Any, chunk: int, given: Given) -> ChunkedSetup:
    """What decides a run in chunks, as `setup_given`.

    Parameters
    ----------
    strategy, data : as in `backtest`
    chunk : bars
    given : Given

    Raises
    ------
    UsageError, DataError
    """
    base, made, money = config_and_account(given)
    zone, around = given.get("zone"), around_given(given)
    found = (
        read_feeds(made)
        if data is None
        else [fed(given_series(b)) for b in bars_of(data, made, zone)]
    )
    symbols = [one.feed.symbol for one in found]
    traded = instruments_given(symbols, base, given)
    along = []
    for one in found:
        said = around_of(one.feed.symbol, made, around, zone)
        if "detail" in said:
            said["detail"] = WholeFeed(said["detail"])
        along.append(replace(one.alongside, **said))
    if money.path_policy is PathPolicy.DETAIL:
        require_detail([one.detail is not None for one in along], symbols)
    more = [WholeFeed(one_of(x, pair, made, zone)) for pair, x in around["rates"].items()]
    strategies = (
        make_strategies(made.strategies)
        if strategy is None
        else strategies_of(strategy, given.get("params"))
    )
    return ChunkedSetup(
        tuple(one.feed for one in found),
        traded,
        in_zone(strategies, zone),
        money,
        chunk,
        is_open,
        tuple(along),
        rates_for(found, traded, made, more)[0],
    )
