"""What an account at a broker does not take: said when it is asked for, not by the vendor later."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, isnan, nan
from typing import Any, NamedTuple

from intrabar.brokers.bookkeeping import Bookkeeping
from intrabar.engine.session.broker_fills import BrokerFills
from intrabar.engine.session.moment import Moment
from intrabar.model.enums import OrderType, Role, TimeInForce
from intrabar.risk.records import Refusal
from intrabar.sim.state import SUBMIT

RESTS = (OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT)
REST = (TimeInForce.GTC, TimeInForce.GTD, TimeInForce.DAY)


class Worth(NamedTuple):
    """What one contract takes, account currency.

    Parameters
    ----------
    point_value : of a move of 1.0 in price
    margin : fixed, of a contract; 0 where it takes its price
    """

    point_value: float
    margin: float


def unfit(
    commands: Any, books: Bookkeeping, fills: BrokerFills, moment: Moment
) -> list[tuple[int, Refusal]]:
    """What of the commands that wait an account does not take, by place."""
    book, n = books.machine.book, len(books.symbols)
    found = []
    for place, command in enumerate(commands):
        j = int(command["instrument"])
        of_one = book.instruments[j]
        held = float(book.sleeves["qty"][int(command["strategy"]) * n + j])
        margin = float(of_one["initial_margin"] * of_one["fx"])
        worth = Worth(float(of_one["point_value"]), margin if margin > 0.0 else 0.0)
        refusal = refused(command, books.strategies, books.symbols, held, worth, fills, moment)
        if refusal is not None:
            found.append((place, refusal))
    return found


def refused(
    command: Any,
    strategies: Sequence[str],
    symbols: Sequence[str],
    held: float,
    worth: Worth,
    fills: BrokerFills,
    moment: Moment,
) -> Refusal | None:
    """Why a command may not be; None: the account takes it.

    Parameters
    ----------
    command : COMMAND record
    held : contracts
        Of its sleeve, signed.
    worth : Worth
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
    return _by_account(symbol, side, qty, held, worth, moment)


def _by_account(
    symbol: str, side: int, qty: float, held: float, worth: Worth, moment: Moment
) -> Refusal | None:
    """What the broker has told of shorts and of money."""
    seen, account = moment.view.of(symbol), moment.view.account
    if side < 0 and seen.shortable is False:
        text = f"no_borrow {symbol}: the broker has none to lend"
        return Refusal("no_borrow", symbol, None, None, text)
    opens = qty - (abs(held) if held * side < 0.0 else 0.0)
    takes = opens * (worth.margin or moment.price(symbol) * worth.point_value)
    settled = nan if worth.margin else account.settled  # of shares alone
    for rule, money in (("funds", account.funds), ("unsettled", settled)):
        if isfinite(money) and isfinite(takes) and takes > money:
            text = f"{rule} {symbol}: the order takes {takes:,.2f}, {money:,.2f} may be spent"
            return Refusal(rule, symbol, takes, money, text)
    return None
