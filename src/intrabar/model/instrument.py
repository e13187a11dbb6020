"""What is traded, and what trading it costs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from intrabar.errors import ConfigError, NotFoundError


@dataclass(frozen=True, slots=True)
class Instrument:
    """One tradable thing: its grid, its money, its costs and its margins.

    Parameters
    ----------
    symbol : str
        The name that bars, orders and reports use.
    tick_size : price, > 0
        Smallest price step.
    point_value : account currency, > 0
        Worth of a move of 1.0 in price for one contract; `tick_value / tick_size` for futures,
        1 for shares.
    lot : quantity, > 0
        Smallest quantity step.
    commission_per_contract, fee_per_trade : account currency, >= 0
        Charged per contract and per fill.
    commission_rate : fraction of notional, >= 0
        Charged on `|qty| * price * point_value`.
    commission_min, commission_max : account currency
        Bounds on the whole cost of one fill; a maximum of 0 means none.
    slippage_ticks : ticks, >= 0
    slippage_pct : fraction of the price, >= 0
        Added up where both are given.
    limit_through_ticks : ticks, >= 0
        How far a leg must go beyond a limit before it fills.
    initial_margin, maintenance_margin : account currency per contract, >= 0
    initial_margin_rate, maintenance_margin_rate : fraction of notional, >= 0
        Amounts and rates are added; usually one of the two is 0.
    calendar : str
        Exchange calendar of the sessions ("NYSE", "CME_Equity", "24/7", ...); "" where unknown.
    currency : str
        ISO code; one currency per account for now.
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
    slippage_ticks: float = 0.0
    slippage_pct: float = 0.0
    limit_through_ticks: float = 0.0
    initial_margin: float = 0.0
    maintenance_margin: float = 0.0
    initial_margin_rate: float = 0.0
    maintenance_margin_rate: float = 0.0
    calendar: str = ""
    currency: str = "USD"

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if f.type != "float":
                continue
            positive = f.name in ("tick_size", "point_value", "lot")
            if not (value > 0 if positive else value >= 0) or value == float("inf"):
                bound = "above 0" if positive else "0 or more"
                raise ConfigError(f"{self.symbol}: {f.name} is {value!r}, must be {bound}")

    @classmethod
    def from_mapping(cls, symbol: str, given: dict[str, Any]) -> Instrument:
        """Make an instrument from names and numbers as configurations write them.

        `tick_value` becomes `point_value = tick_value / tick_size`; `contract_size` is the
        point value where there is no tick value.
        """
        values = dict(given)
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
        for name, value in values.items():
            if name not in ("calendar", "currency"):
                try:
                    values[name] = float(value)
                except (TypeError, ValueError):
                    raise ConfigError(f"{symbol}: {name} is {value!r}, must be a number") from None
        if tick_value is not None:
            values["point_value"] = float(tick_value) / float(values.get("tick_size", 0.01))
        elif contract_size is not None:
            values.setdefault("point_value", float(contract_size))
        return cls(symbol, **values)
