"""Random markets with random things alongside, in chunks of random size: the bits of one go."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intrabar.data.actions import actions_of
from intrabar.data.alongside import Alongside
from intrabar.data.continuous import Roll
from intrabar.data.market import RateSources, market_of
from intrabar.data.pieces import WholeFeed
from intrabar.data.rates import pairs_of
from intrabar.data.series import given_series
from intrabar.engine.chunks.run import ChunkedRun
from intrabar.engine.chunks.setup import ChunkedSetup
from intrabar.engine.run import Run, Setup
from intrabar.errors import DataError
from intrabar.exits import FixedRatio
from intrabar.indicators import Indicator, sma
from intrabar.model.instrument import Instrument
from intrabar.sim.account import Account
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip
from intrabar.strategy.registry import AnyStrategy
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.views import AtClose
from tests.engine.chunks.test_chunks import DAY, START, walk

BARS = 70
days = st.integers(-1, 4)
actions = st.lists(
    st.tuples(days, st.sampled_from([1.0, 0.5, 2.0, 1.5]), st.sampled_from([0.0, 0.4])),
    max_size=4,
    unique_by=lambda row: row[0],
)
rolls = st.lists(st.tuples(st.integers(0, BARS - 1), st.floats(0.97, 1.03)), max_size=3)


class Frames(Strategy):
    """Trades where its own bars cross longer ones."""

    def indicators(self) -> dict[str, Indicator]:
        return {"own": sma(3), "long": sma(2).on("3h")}

    def on_close(self, now: AtClose) -> None:
        for one in now:
            if one["own"] > one["long"] and one.is_flat:
                one.buy(3, stop_loss=0.97 * one.close)
            elif one["own"] < one["long"]:
                one.close_position()


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(1, BARS + 5),
    st.integers(0, 10_000),
    st.floats(0.0, 0.7),
    actions,
    rolls,
    st.sampled_from(["USD", "EUR"]),
    st.sampled_from([0.0, 0.1]),
)
def test_any_chunks_have_the_digest_of_one_go(
    chunk: int,
    seed: int,
    missing: float,
    happens: list[tuple[int, float, float]],
    rolled: list[tuple[int, float]],
    currency: str,
    slippage: float,
) -> None:
    bars = [walk("A", seed, BARS, missing), walk("EURUSD", seed + 1, BARS, missing / 2)]
    instruments = (
        Instrument("A", currency=currency, slippage_volatility=slippage, initial_margin_rate=0.3),
        Instrument("EURUSD", slippage_impact=slippage, initial_margin_rate=0.3),
    )
    first = START // DAY
    told = [(str(np.datetime64(int(first + d), "D")), s, paid) for d, s, paid in happens]
    fronts = {k % len(bars[1]): by for k, by in rolled}
    times, opens = bars[1].close_time, bars[1].open
    made = tuple(
        Roll(int(times[k]), float(opens[k] * by), "old", "new") for k, by in sorted(fronts.items())
    )
    along = (Alongside(actions=actions_of(told, "A")), Alongside(rolls=made))
    given_: dict[str, AnyStrategy] = {
        "frames": Frames(),
        "flips": Bot(CoinFlip(seed, 0.3), FixedRatio(4), risk_fraction=0.0, qty=4.0),
    }
    account = Account(cash=5_000.0)
    series = [
        replace(given_series(b, ""), actions=x.actions, rolls=x.rolls)
        for b, x in zip(bars, along, strict=True)
    ]
    try:
        market = market_of(series, instruments, account.currency, RateSources())[0]
    except DataError:
        return  # a week without a rate
    whole = Run(Setup(market, instruments, given_, account))
    whole.to_end()
    pairs = {pair: WholeFeed(b) for pair, b in pairs_of(bars).items()}
    feeds = tuple(WholeFeed(b) for b in bars)
    setup = ChunkedSetup(feeds, instruments, given_, account, chunk, None, along, pairs)
    assert ChunkedRun(setup, None).to_end().digest == whole.machine.digest()
