"""What an account at a broker does not take: said when it is asked for, not by the vendor later."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, isnan
from typing import Any

from intrabar.engine.session.broker_fills import BrokerFills
from intrabar.engine.session.moment import Moment
from intrabar.model.enums import OrderType, Role, TimeInForce
from intrabar.risk.records import Refusal
from intrabar.sim.state import SUBMIT

RESTS = (OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT)
REST = (TimeInForce.GTC, TimeInForce.GTD, TimeInForce.DAY)


def refused(
    command: Any,
    strategies: Sequence[str],
    symbols: Sequence[str],
    held: float,
    point_value: float,
    fills: BrokerFills,
    moment: Moment,
) -> Refusal | None:
    """Why a command may not be; None: the account takes it.

    Parameters
    ----------
    command : COMMAND record
    held : contracts
        Of its sleeve, signed.
    point_value : money
    """
    if command["kind"] != SUBMIT or command["role"] == Role.SESSION:
        return None
    symbol, strategy = symbols[command["instrument"]], strategies[command["strategy"]]
    owner, can = fills.owner(symbol), fills.can
    if owner is not None and owner != strategy:
        text = f"not_its_symbol {symbol}: it is {owner}'s, and a broker nets positions"
        return Refusal("not_its_symbol", symbol, None, None, text)
    kind, tif = OrderType(int(command["type"])), TimeInForce(int(command["tif"]))
    word = "stop" if kind is OrderType.TRAILING_STOP else kind.word
    lasts = kind is not OrderType.MARKET or tif not in REST  # a market order never does
    if word not in can.types or (lasts and tif.word not in can.tifs):
        takes = ", ".join(sorted(can.types | can.tifs))
        text = f"cannot {symbol}: the account takes no {kind.word} {tif.word} orders; {takes}"
        return Refusal("cannot", symbol, None, None, text)
    side, qty = int(command["side"]), float(command["qty"])
    adds = held * side >= 0.0 or qty > abs(held)
    if command["reduce_only"] or not adds:
        return None
    brings = not (isnan(command["stop_loss"]) and isnan(command["take_profit"]))
    if kind in RESTS and brings and not (can.bracket or can.nets):
        text = f"no_bracket {symbol}: a {kind.word} entry with a stop may fill while nobody watches"
        return Refusal("no_bracket", symbol, None, None, text)
    return _by_account(symbol, side, qty, held, point_value, moment)


def _by_account(
    symbol: str, side: int, qty: float, held: float, point_value: float, moment: Moment
) -> Refusal | None:
    """What the broker has told of shorts and of money."""
    seen, account = moment.view.of(symbol), moment.view.account
    if side < 0 and seen.shortable is False:
        text = f"no_borrow {symbol}: the broker has none to lend"
        return Refusal("no_borrow", symbol, None, None, text)
    opens = qty - (abs(held) if held * side < 0.0 else 0.0)
    worth = opens * moment.price(symbol) * point_value
    for rule, money in (("funds", account.funds), ("unsettled", account.settled)):
        if isfinite(money) and isfinite(worth) and worth > money:
            text = f"{rule} {symbol}: {worth:,.2f} for the order, {money:,.2f} may be spent"
            return Refusal(rule, symbol, worth, money, text)
    return None
