"""What is traded, and what trading it costs."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from intrabar.errors import ConfigError, NotFoundError
from intrabar.model.values import Bounds, Rule, from_text, named, number, shown, take

_ABOVE = Bounds(above=True)
_SHARE = Bounds(high=1.0)
RULES: dict[str, Rule] = {
    "tick_size": Bounds(),
    "point_value": _ABOVE,
    "lot": _ABOVE,
    "commission_per_contract": Bounds(),
    "fee_per_trade": Bounds(),
    "commission_rate": _SHARE,
    "commission_min": Bounds(),
    "commission_max": Bounds(),
    "maker_rate": Bounds(-0.1, 1.0, or_none=True),
    "slippage_ticks": Bounds(),
    "slippage_pct": Bounds(high=0.5),
    "slippage_volatility": Bounds(),
    "slippage_impact": Bounds(),
    "max_volume_share": _SHARE,
    "limit_through_ticks": Bounds(),
    "initial_margin": Bounds(),
    "maintenance_margin": Bounds(),
    "initial_margin_rate": Bounds(high=10.0),
    "maintenance_margin_rate": Bounds(high=10.0),
    "borrow_rate": Bounds(high=10.0),
    "swap_long": Bounds(-math.inf),
    "swap_short": Bounds(-math.inf),
    "calendar": str,
    "currency": str,
}


@dataclass(frozen=True, slots=True)
class Instrument:
    """One tradable thing: its grid, its money, its costs and its margins.

    Parameters
    ----------
    symbol : str
        The name that bars, orders and reports use.
    tick_size : price, >= 0
        Smallest price step; 0 where there is no grid, and then ticks of slippage are nothing.
    point_value : instrument's currency, > 0
        Worth of a move of 1.0 in price for one contract; `tick_value / tick_size` for futures,
        1 for shares.
    lot : quantity, > 0
        Smallest quantity step.
    commission_per_contract, fee_per_trade : instrument's currency, >= 0
        Charged per contract and per fill.
    commission_rate : fraction of notional, >= 0
        Charged on `|qty| * price * point_value`.
    commission_min, commission_max : instrument's currency
        Bounds on the whole cost of one fill; a maximum of 0 means none.
    maker_rate : fraction of notional or None
        In place of `commission_rate` where a resting limit order fills; negative is a rebate.
    tiers : tuple of (from_qty, commission_per_contract, commission_rate)
        Rates from a quantity traded in the calendar month on; `from_qty` rising.
    slippage_ticks : ticks, >= 0
    slippage_pct : fraction of the price, >= 0
    slippage_volatility : fraction of the mean true range of 20 bars, >= 0
    slippage_impact : fraction of that range at a participation of 1, >= 0
        Grows with the square root of the participation. What is given is added up.
    max_volume_share : fraction of a bar's volume, >= 0
        That fills may take; 0 for no cap.
    limit_through_ticks : ticks, >= 0
        How far a leg must go beyond a limit before it fills.
    initial_margin, maintenance_margin : instrument's currency per contract, >= 0
    initial_margin_rate, maintenance_margin_rate : fraction of notional, >= 0
        Amounts and rates are added; usually one of the two is 0.
    borrow_rate : fraction a year, >= 0
        Of the notional of a short position.
    swap_long, swap_short : instrument's currency per contract and night
        Usually negative.
    calendar : str
        Exchange calendar of the sessions ("NYSE", "CME_Equity", "24/7", ...); "" where unknown.
    currency : str
        ISO code.
    """

    symbol: str
    tick_size: float = 0.01
    point_value: float = 1.0
    lot: float = 1.0
    commission_per_contract: float = 0.0
    fee_per_trade: float = 0.0
    commission_rate: float = 0.0
    commission_min: float = 0.0
    commission_max: float = 0.0
    maker_rate: float | None = None
    tiers: tuple[tuple[float, float, float], ...] = ()
    slippage_ticks: float = 0.0
    slippage_pct: float = 0.0
    slippage_volatility: float = 0.0
    slippage_impact: float = 0.0
    max_volume_share: float = 0.0
    limit_through_ticks: float = 0.0
    initial_margin: float = 0.0
    maintenance_margin: float = 0.0
    initial_margin_rate: float = 0.0
    maintenance_margin_rate: float = 0.0
    borrow_rate: float = 0.0
    swap_long: float = 0.0
    swap_short: float = 0.0
    calendar: str = ""
    currency: str = "USD"

    def __post_init__(self) -> None:
        named("symbol", self.symbol)
        take(self, f"{self.symbol}: ", RULES)
        if 0.0 < self.commission_max < self.commission_min:
            raise ConfigError(
                f"{self.symbol}: commission_min is {self.commission_min:g}, more than "
                f"commission_max, {self.commission_max:g}"
            )
        object.__setattr__(self, "tiers", _tiers(self.symbol, self.tiers))

    @property
    def reads_volume(self) -> bool:
        """Whether a fill of it asks for the volume, the range or the month of its bar."""
        return bool(
            self.max_volume_share or self.slippage_volatility or self.slippage_impact or self.tiers
        )

    @classmethod
    def from_mapping(cls, symbol: str, given: dict[str, Any]) -> Instrument:
        """Make an instrument from names and numbers as configurations write them.

        `tick_value` becomes `point_value = tick_value / tick_size`; `contract_size` is the
        point value where there is no tick value.
        """
        values = {
            name: from_text(value, RULES.get(name, Bounds())) for name, value in given.items()
        }
        tick_value = values.pop("tick_value", None)
        contract_size = values.pop("contract_size", None)
        known = {f.name for f in fields(cls)} - {"symbol"}
        for name in values:
            if name not in known:
                raise NotFoundError(
                    f"instrument parameter of {symbol}",
                    name,
                    known | {"tick_value", "contract_size"},
                )
        if tick_value is not None:
            tick = number(f"{symbol}: tick_size", values.get("tick_size", 0.01), Bounds())
            if tick == 0.0:
                raise ConfigError(
                    f"{symbol}: tick_value is {tick_value!r} without a tick (tick_size is 0); "
                    "write point_value, the worth of a move of 1.0 in price"
                )
            values["point_value"] = number(f"{symbol}: tick_value", tick_value, _ABOVE) / tick
        elif contract_size is not None:
            size = number(f"{symbol}: contract_size", contract_size, _ABOVE)
            values.setdefault("point_value", size)
        return cls(symbol, **values)


def _tiers(symbol: str, given: Any) -> tuple[tuple[float, float, float], ...]:
    """Rates from a quantity on, in rising order."""
    place = f"{symbol}: tiers"
    try:
        rows = [(a, b, c) for a, b, c in given]
    except (TypeError, ValueError):
        raise ConfigError(f"{place} is {shown(given)}, must be rows of three numbers") from None
    made = tuple(
        (number(place, a, Bounds()), number(place, b, Bounds()), number(place, c, _SHARE))
        for a, b, c in rows
    )
    starts = [row[0] for row in made]
    if starts != sorted(set(starts)):
        raise ConfigError(f"{symbol}: tiers must have rising quantities and rates >= 0")
    return made
