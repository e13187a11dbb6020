"""The limits: the values of section `risk` of a configuration."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from typing import Any, Literal
from zoneinfo import ZoneInfo

from intrabar.errors import ConfigError
from intrabar.model.values import Bounds, Rule, choice, mapping, named, number, shown, truth, whole

ABOVE_0 = Bounds(above=True)
PERCENT = Bounds(high=100.0, above=True)
COUNT = Bounds(1, whole=True)
NUMBERS = {
    "max_daily_loss_pct": PERCENT,
    "max_daily_loss": ABOVE_0,
    "max_drawdown_pct": PERCENT,
    "max_position_size_pct": ABOVE_0,
    "max_portfolio_leverage": ABOVE_0,
    "max_position_qty": ABOVE_0,
    "max_positions": COUNT,
    "max_order_qty": ABOVE_0,
    "max_order_value": ABOVE_0,
    "price_collar_pct": ABOVE_0,
    "max_spread_pct": ABOVE_0,
    "orders_per_minute": COUNT,
    "orders_per_day": COUNT,
    "duplicate_seconds": ABOVE_0,
    "stale_after": ABOVE_0,
    "max_loss_to_stops_pct": PERCENT,
}
CHOICES = {"on_daily_loss": ("flatten", "reduce"), "resume": ("next_day",)}
SECOND_NS = 1_000_000_000
OF_A_SYMBOL = 10  # orders a minute in one symbol, where none are said
NEED_QUOTES = ("max_spread_pct",)
RULES: dict[str, Rule] = {
    **NUMBERS,
    **CHOICES,
    **dict.fromkeys(("allow_short", "require_stop"), bool),
}
_DAY = re.compile(r"([01]\d|2[0-3]):([0-5]\d) (\S+)")


@dataclass(frozen=True, slots=True)
class Limits:
    """What an order, a position and a loss may be; None where there is no limit.

    Percent is percent: 5 is one in twenty. Money is in the account's currency.

    Parameters
    ----------
    max_daily_loss_pct, max_daily_loss : percent of the equity at the day's beginning; money
        Lost since then: the breaker flattens, or reduces (`on_daily_loss`); a strategy's own
        loss lets that strategy only reduce.
    max_drawdown_pct : percent of the highest equity
        The breaker flattens.
    max_position_size_pct : percent of the equity
        Worth of what is held in a symbol after the order.
    max_portfolio_leverage : times the equity
        Worth of all that is held after the order.
    max_position_qty, max_order_qty : contracts
    max_positions : count
        Sleeves that are open after the order.
    max_order_value : money
    allowed_symbols : tuple of str
    allow_short, require_stop : bool
        Whether a symbol's position may be negative; whether an entry needs a `stop_loss`.
    price_collar_pct, max_spread_pct : percent of the reference price; 5 and 2
        How far beyond it an order's own price may lie; how far bid and ask are apart.
    orders_per_minute : count; 30 + 2 for each symbol, and 10 in one symbol
    orders_per_day : count; 500
    duplicate_seconds : seconds; 1
        In which the same order is not sent twice.
    stale_after : seconds; two periods and the grace of a late bar, at least 30
        Age of a price on which nothing may be entered.
    max_loss_to_stops_pct : percent of the equity at the day's beginning
        Lost if all stops are filled.
    day : str
        When a day begins: "17:00 America/New_York".
    on_daily_loss : "flatten" or "reduce"
    resume : "next_day", of backtests alone
        What a person does in a session: the breaker is put back when a day begins.
    """

    max_daily_loss_pct: float | None = None
    max_daily_loss: float | None = None
    max_drawdown_pct: float | None = None
    max_position_size_pct: float | None = None
    max_portfolio_leverage: float | None = None
    max_position_qty: float | None = None
    max_positions: int | None = None
    max_order_qty: float | None = None
    max_order_value: float | None = None
    allowed_symbols: tuple[str, ...] | None = None
    allow_short: bool = True
    require_stop: bool = False
    price_collar_pct: float | None = None
    max_spread_pct: float | None = None
    orders_per_minute: int | None = None
    orders_per_day: int | None = None
    duplicate_seconds: float | None = None
    stale_after: float | None = None
    max_loss_to_stops_pct: float | None = None
    day: str | None = None
    on_daily_loss: Literal["flatten", "reduce"] = "flatten"
    resume: Literal["next_day"] | None = None
    orders_per_minute_of_symbol: int | None = None

    @staticmethod
    def of(given: Any, place: str = "risk") -> Limits:
        """The limits that a mapping says.

        Raises
        ------
        ConfigError
            A key is none of ours, or a value is no limit: 0, negative, NaN.
        """
        if isinstance(given, Limits):
            return given
        said = mapping(f"{place}:", given, "limits by name: {'max_daily_loss_pct': 5}")
        for key in said:
            if key not in KEYS:
                near = get_close_matches(str(key), KEYS, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(KEYS)}"
                raise ConfigError(f"{place}: unknown key {shown(key)}: {hint}")
        values = {key: limit(f"{place}.{key}", key, value) for key, value in said.items()}
        return Limits(**{key: value for key, value in values.items() if value is not None})

    def given(self) -> dict[str, Any]:
        """What was said, as a configuration says it."""
        said = {key: getattr(self, key) for key in KEYS}
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in said.items()
            if value != _DEFAULTS[key]
        }

    def filled_in(self, symbols: int, period: int, grace: float = 0.0) -> Limits:
        """With the values of what is left out.

        Parameters
        ----------
        symbols : count
        period : ns
            Of the bars.
        grace : seconds
            That a bar may be late.
        """
        stale = max(30.0, 2.0 * period / SECOND_NS + grace)
        said = self.orders_per_minute
        return replace(
            self,
            price_collar_pct=self.price_collar_pct or 5.0,
            max_spread_pct=self.max_spread_pct or 2.0,
            orders_per_minute=said or 30 + 2 * symbols,
            orders_per_minute_of_symbol=said or OF_A_SYMBOL,
            orders_per_day=self.orders_per_day or 500,
            duplicate_seconds=self.duplicate_seconds or 1.0,
            stale_after=self.stale_after or stale,
        )


KEYS = tuple(f.name for f in fields(Limits) if f.name != "orders_per_minute_of_symbol")
_DEFAULTS = {f.name: f.default for f in fields(Limits)}


def left_out(limits: Limits) -> tuple[str, ...]:
    """What was asked for and is not checked where the market fills: it needs quotes."""
    return tuple(key for key in NEED_QUOTES if getattr(limits, key) is not None)


def limit(place: str, key: str, value: Any) -> Any:
    """A value of one key, or None where it says nothing; raises as `Limits.of`."""
    if value is None:
        return None
    if key in NUMBERS:
        bounds = NUMBERS[key]
        return whole(place, value, bounds) if bounds.whole else number(place, value, bounds)
    if key in CHOICES:
        return choice(place, value, CHOICES[key])
    if key == "day":
        return _day(place, value)
    if key == "allowed_symbols":
        if not isinstance(value, list | tuple) or not value:
            raise ConfigError(f"{place} is {shown(value)}, must be a list of symbols: [AAPL, MSFT]")
        return tuple(named(f"{place}[{k}]", one) for k, one in enumerate(value))
    return truth(place, value)


def _day(place: str, value: Any) -> str:
    found = _DAY.fullmatch(value) if isinstance(value, str) else None
    try:
        if found is not None:
            ZoneInfo(found[3])
            return str(value)
    except (KeyError, ValueError, OSError):  # of a zone that is none
        pass
    raise ConfigError(
        f"{place} is {shown(value)}, must be a time and a zone: '17:00 America/New_York'"
    )
