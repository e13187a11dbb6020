"""What Alpaca's answers have, as its own tests and documents show them: names and kinds of values.

Facts taken from alpacahq/alpaca-py (tests/trading/trading_client/test_order_routes.py,
test_position_routes.py, test_account_routes.py, test_account_activities_routes.py,
tests/data/test_historical_stock_data.py; Apache-2.0), from the frame in
alpacahq/alpaca-trade-api-go pull request 140, and from the log in
QuantConnect/Lean.Brokerages.Alpaca issue 41, where numbers are numbers and a market order went
pending_new, new, fill. Day-trade fields of the account are gone since July 2026.
"""

from __future__ import annotations

from typing import Any


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


ORDER = _names(
    "id client_order_id created_at updated_at submitted_at filled_at expired_at canceled_at "
    "failed_at replaced_at replaced_by replaces asset_id symbol asset_class notional qty "
    "filled_qty filled_avg_price order_class order_type type side time_in_force limit_price "
    "stop_price status extended_hours legs trail_percent trail_price hwm"
)
POSITION = _names(
    "asset_id symbol exchange asset_class avg_entry_price qty side market_value cost_basis "
    "unrealized_pl unrealized_plpc unrealized_intraday_pl unrealized_intraday_plpc "
    "current_price lastday_price change_today"
)
ACCOUNT = _names(
    "account_blocked accrued_fees account_number buying_power cash created_at currency equity "
    "id initial_margin last_equity last_maintenance_margin non_marginable_buying_power "
    "long_market_value maintenance_margin multiplier portfolio_value regt_buying_power "
    "short_market_value shorting_enabled sma status trade_suspended_by_user trading_blocked "
    "transfers_blocked"
)
ACTIVITY = _names(
    "id account_id activity_type transaction_time type price qty side symbol leaves_qty "
    "order_id cum_qty order_status"
)
UPDATE = _names("event execution_id price qty position_qty timestamp order")
BAR = _names("t o h l c v n vw")
QUOTE = _names("t ax ap as bx bp bs c z")


def order(**more: Any) -> dict[str, Any]:
    """An order in the kinds of values that were published, with what a test says."""
    empty = dict.fromkeys(ORDER)
    known = {
        "id": "00000000-0000-4000-8000-000000000001",
        "client_order_id": "abcdef-1-0",
        "created_at": "2026-03-02T14:30:00.942282Z",
        "updated_at": "2026-03-02T14:30:00.942282Z",
        "submitted_at": "2026-03-02T14:30:00.937734Z",
        "asset_id": "00000000-0000-4000-8000-0000000000aa",
        "symbol": "AAPL",
        "asset_class": "us_equity",
        "qty": "10",
        "filled_qty": "0",
        "order_class": "simple",
        "order_type": "limit",
        "type": "limit",
        "side": "buy",
        "time_in_force": "day",
        "limit_price": "100",
        "status": "accepted",
        "extended_hours": False,
    }
    return {**empty, **known, **more}
