"""Strategies that see the future, each in another way, and honest ones beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.indicators import ema, sma
from intrabar.model.bars import Market
from intrabar.strategy.bot import Bot
from intrabar.strategy.signals import Signals
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.views import AtClose, AtOpen


def shifted(values: NDArray[Any]) -> NDArray[Any]:
    """Every value one bar early."""
    return np.append(values[1:], values[-1])


@dataclass
class VolumeTold(Strategy):
    """An honest average, kept from entering when an array of volumes says so; seldom it does."""

    volume: Any = field(repr=False)
    limit: float = 4800.0

    def indicators(self) -> dict[str, Any]:
        return {"mean": sma(5)}

    def on_close(self, now: AtClose) -> None:
        if not now.is_flat:
            now.close_position()
        elif now.close > now["mean"]:
            if self.volume[now.bar] > self.limit:  # THE LEAK
                now.buy(1)


def volume_of_the_next_bar(market: Market) -> VolumeTold:
    return VolumeTold(shifted(market.volume[:, 0]))


def volume_of_this_bar(market: Market) -> VolumeTold:
    return VolumeTold(market.volume[:, 0].copy())


@dataclass
class HourTrend(Strategy):
    """Long while the close of the last full hour is above the one before it."""

    hour_close: Any = field(repr=False)

    def on_close(self, now: AtClose) -> None:
        if now.bar < 24:
            return
        rises = self.hour_close[now.bar] > self.hour_close[now.bar - 12]  # THE LEAK
        if rises and now.is_flat:
            now.buy(1)
        elif not rises and not now.is_flat:
            now.close_position()


def hour_closes(market: Market, early: int) -> NDArray[Any]:
    """The close of the last hour of twelve bars, visible so many bars before it has ended."""
    bars = np.arange(len(market))
    ended = (bars + 1 + early) // 12 * 12 - 1
    close = market.close[:, 0]
    return np.where(ended >= 0, close[np.clip(ended, 0, len(close) - 1)], np.nan)


def hour_too_early(market: Market) -> HourTrend:
    return HourTrend(hour_closes(market, 1))


def hour_in_time(market: Market) -> HourTrend:
    return HourTrend(hour_closes(market, 0))


class CloseAtOpen(Strategy):
    """Knows at the open how its bar will close."""

    def __init__(self, close: NDArray[Any]) -> None:
        self.close = close

    def on_open(self, now: AtOpen) -> None:
        if now.is_flat and self.close[now.bar] > now.open * 1.003:  # THE LEAK
            now.buy(1)
        elif not now.is_flat:
            now.close_position()


def close_at_open(market: Market) -> CloseAtOpen:
    return CloseAtOpen(market.close[:, 0].copy())


class BothHooks(Strategy):
    """Honest at the open, and not at the close."""

    def __init__(self, close: NDArray[Any]) -> None:
        self.close = close

    def on_open(self, now: AtOpen) -> None:
        if not now.is_flat:
            now.close_position()

    def on_close(self, now: AtClose) -> None:
        if self.close[now.bar] > now.close:  # THE LEAK
            now.buy(1)


def both_hooks(market: Market) -> BothHooks:
    return BothHooks(shifted(market.close[:, 0]))


class ReachesIn(Strategy):
    """Takes the next close from the engine's own arrays; no function of the market is needed."""

    def on_close(self, now: AtClose) -> None:
        closes = now._desk.machine.market.close
        if now.bar + 1 < len(closes) and closes[now.bar + 1, 0] > now.close + 0.5:  # THE LEAK
            now.buy(1)
        elif not now.is_flat:
            now.close_position()


class Standardized(Strategy):
    """Measures the close by the mean of the whole history, which is not known yet."""

    def __init__(self, mean: float) -> None:
        self.mean = mean

    def indicators(self) -> dict[str, Any]:
        return {"fast": ema(5)}

    def on_close(self, now: AtClose) -> None:
        low = now["fast"] < self.mean  # THE LEAK
        if low and now.is_flat:
            now.buy(1)
        elif not low and not now.is_flat:
            now.close_position()


def standardized(market: Market) -> Standardized:
    return Standardized(float(np.nanmean(market.close)))


def in_a_closure(market: Market) -> Strategy:
    """The array is nowhere but in the hook's closure."""
    tomorrow = shifted(market.high[:, 0])

    class Closure(Strategy):
        def on_close(self, now: AtClose) -> None:
            if tomorrow[now.bar] > now.high + 0.3:  # THE LEAK
                now.buy(1, limit=now.low)

    return Closure()


def signals_of_tomorrow(market: Market) -> Signals:
    """Sides that look one bar ahead."""
    close = market.close[:, 0]
    return Signals(np.where(shifted(close) > close, 1, 0))


def signals_of_today(market: Market) -> Signals:
    close = market.close[:, 0]
    return Signals(np.where(close > np.append(close[:1], close[:-1]), 1, 0))


def bot_that_looks_up(market: Market) -> Bot:
    """Its rule looks the bar up in a table of all closes, and takes the one behind it."""
    closes = market.close[:, 0].copy()

    @dataclass(frozen=True)
    class LooksUp:
        wakes_on = ""

        def indicators(self) -> dict[str, Any]:
            return {}

        @staticmethod
        def decide_side(now: Any, p: Any) -> int:
            for k in range(len(closes) - 1):
                if closes[k] == now.close:
                    return 1 if closes[k + 1] > now.close else 0
            return 0

    return Bot(LooksUp())
