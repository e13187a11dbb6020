"""The words of a narrated run: figures, orders, paths and reasons. Decides nothing."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from intrabar.model.enums import OrderType, PathPolicy, Reject, Role, TimeInForce
from intrabar.model.prices import near, reaches, same
from intrabar.sim.path import shortest

MARKET, LIMIT, STOP = OrderType.MARKET, OrderType.LIMIT, OrderType.STOP
STOP_LIMIT, MOC, TRAILING = OrderType.STOP_LIMIT, OrderType.MOC, OrderType.TRAILING_STOP


def price_text(price: float, tick: float) -> str:
    """A price with the decimals of its tick; one that is off the grid, or has none, in full."""
    if tick == 0.0:
        return f"{price:.12g}"
    exponent = Decimal(repr(float(tick))).normalize().as_tuple().exponent
    decimals = max(0, -exponent) if isinstance(exponent, int) else 2
    text = f"{price:.{min(decimals, 10)}f}"
    return text if abs(float(text) - price) <= 1e-12 * abs(price) else f"{price:.12g}"


def money(amount: float) -> str:
    """An amount of the account's currency."""
    return f"{amount + 0.0:,.2f}"


def quantity(qty: float) -> str:
    """A quantity without needless decimals."""
    return f"{qty:.10g}"


def position_text(qty: float) -> str:
    """A signed quantity as a trader says it."""
    return "flat" if qty == 0 else f"{'long' if qty > 0 else 'short'} {quantity(abs(qty))}"


def listed(names: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else ""


def order_text(order: Any, tick: float, still_to_do: bool = False) -> str:
    """Side, type and prices: `sell stop 99.50`; a triggered stop-limit is but a limit still."""
    side = "buy" if order["side"] > 0 else "sell"
    if order["type"] in (MARKET, MOC):
        return f"{side} {'at the market' if order['type'] == MARKET else 'on the close'}"
    words = [side]
    if order["type"] == TRAILING:
        words.append("trailing")
    if order["type"] != LIMIT and not (still_to_do and order["triggered"]):
        words.append(f"stop {price_text(order['stop_price'], tick)}")
    elif order["type"] in (STOP, TRAILING):
        return f"{side} at the market"
    if order["type"] in (LIMIT, STOP_LIMIT):
        words.append(f"limit {price_text(order['limit_price'], tick)}")
    return " ".join(words)


def asked_text(entry: dict[str, Any]) -> str:
    """An order, cancel or change of the script as it was asked for."""
    if "cancel" in entry:
        return f"to cancel {entry['cancel']}"
    names = {
        "limit_price": "limit",
        "stop_price": "stop",
        "trail": "trail",
        "stop_loss": "with a stop at",
        "take_profit": "with a target at",
    }
    figures = [f"{word} {entry[n]}" for n, word in names.items() if entry.get(n) is not None]
    if "modify" in entry:
        figures += [f"quantity {entry['qty']}"] if entry.get("qty") is not None else []
        return f"to modify {entry['modify']}: {', '.join(figures) or 'nothing'}"
    kind = entry["type"].replace("_", "-")
    parts = [f"{entry['side']} {entry['qty']} {entry['symbol']}, {kind}", *figures]
    if entry.get("tif", "gtc") != "gtc":
        until = f" until bar {entry['until']}" if entry["tif"] == "gtd" else ""
        parts.append(entry["tif"] + until)
    parts += ["reduce only"] if entry.get("reduce_only") else []
    parts += [f"one cancels other with {entry['oco']}"] if entry.get("oco") else []
    return f"for {entry['id']}: {', '.join(parts)}"


def trigger_of(order: Any, instrument: Any) -> tuple[float, bool]:
    """The price that sets an order off inside a bar, and whether from below (rising)."""
    buys = order["side"] > 0
    if order["type"] != LIMIT and not order["triggered"]:
        return float(order["stop_price"]), buys
    through = instrument["limit_through_ticks"] * instrument["tick_size"]
    return float(order["limit_price"] - order["side"] * through), not buys


def path_reason(
    account: Any, net: float, hurts: int, bar: tuple[float, ...], tick: float, is_low_first: bool
) -> str:
    """Why a path goes to one extreme first. `hurts`: +1 the low, -1 the high, 0 neither."""
    open_, high, low, close = bar
    policy, seed = int(account["path_policy"]), int(account["seed"])
    word = PathPolicy(policy).word
    if policy in (PathPolicy.LOW_FIRST, PathPolicy.HIGH_FIRST):
        return f"{word}: always"
    if policy == PathPolicy.RANDOM:
        return f"random: the coin of seed {seed} for this bar"
    if policy == PathPolicy.NEAREST:
        nearer = "low" if open_ - low < high - open_ else "high"
        if abs((open_ - low) - (high - open_)) <= near(high, low, tick):
            where = "at or above" if reaches(1, close, open_, tick) else "below"
            return f"{word}: both extremes are as near, and the close is {where} the open"
        return f"{word}: the {nearer} is nearer to the open"
    if policy in (PathPolicy.WORST, PathPolicy.BEST) and hurts:
        if net:
            return f"{word}: the position is {'long' if net > 0 else 'short'}"
        return f"{word}: flat, only {'sell' if hurts > 0 else 'buy'} orders could open a position"
    undecided = ""
    if policy in (PathPolicy.WORST, PathPolicy.BEST):
        undecided = "flat, and no side decides, so "
    elif policy == PathPolicy.DETAIL:
        undecided = "no lower bars, so "
    elif policy == PathPolicy.CALIBRATED:
        guess = shortest(open_, high, low, close, tick)
        undecided = (
            f"the coin of seed {seed} {'believes' if guess == is_low_first else 'rejects'}, "
            f"at a trust of {account['path_trust']:g}, "
        )
    if same(close, open_, tick):
        return f"{word}: {undecided}the shorter path; close = open, the nearer extreme first"
    where = "above" if close > open_ else "below"
    return f"{word}: {undecided}the shorter path, as the close is {where} the open"


def waits_text(order: Any, instrument: Any, high: float, low: float, is_new: bool) -> str:
    """Why an order that works did not trigger inside a bar."""
    tick = float(instrument["tick_size"])
    trigger, rising = trigger_of(order, instrument)
    word, extreme = ("high", high) if rising else ("low", low)
    limits = order["type"] == LIMIT or order["triggered"]
    if limits and instrument["max_volume_share"] > 0.0 and instrument["room"] <= 0.0:
        return f"{order_text(order, tick, True)} rests: the volume of the bar leaves nothing"
    level = float(order["limit_price"] if limits else order["stop_price"])
    reached = reaches(1 if rising else -1, extreme, trigger, tick)
    touched = reaches(1 if rising else -1, extreme, level, tick)
    far = price_text(extreme, tick)
    side = "buy" if order["side"] > 0 else "sell"
    kind = "limit" if limits else "trailing stop" if order["type"] == TRAILING else "stop"
    name = f"{side} {kind} {price_text(level, tick)}"
    if not reached and touched:
        return (
            f"{name} touched but not gone through: it needs {price_text(trigger, tick)}, "
            f"the {word} is {far}"
        )
    if not reached:
        return f"{name} not reached: the {word} is {far}"
    since = "it was made" if is_new else "it was triggered" if limits else "it could"
    return f"{name} not reached any more: the {word} {far} came before {since}"


def rejection_text(order: Any, symbol: str, instrument: Any) -> str:
    """Why an order was refused."""
    reject = Reject(int(order["reject"]))
    reasons = {
        Reject.NO_MARKET: f"{symbol} has no price yet",
        Reject.INVALID_QUANTITY: f"{quantity(order['qty'])} is not one or more whole lots of "
        f"{quantity(instrument['lot'])}",
        Reject.INVALID_PRICE: "a price is missing, or not above 0",
        Reject.NO_PROTECTION: "its stop or target is no price, stands on the wrong side, or has no "
        "position yet",
        Reject.NO_PARTNER: "the order of which it is the alternative is done, or has one already",
        Reject.SHORT_REFUSED: "a cash account cannot go short",
        Reject.INSUFFICIENT_MARGIN: "the equity does not cover the initial margin",
    }
    return f"rejected ({reject.word}): {reasons.get(reject, reject.word)}"


def expiry_text(order: Any, day_ns: int) -> str:
    """Why an order expired."""
    if order["tif"] == TimeInForce.DAY:
        return "expired: a day order, and its session is over"
    return f"expired: it was good until bar {int(order['until']) // day_ns}"


def fill_reason(order: Any, phase: str, bar: tuple[float, ...], tick: float, rests: bool) -> str:
    """What made an order fill at the open or the close; `rests`: its stop triggered before."""
    open_ = price_text(bar[0], tick)
    name = order_text(order, tick)
    if order["role"] == Role.END_OF_DATA:
        return f"{name}, closed at the end of the data"
    if order["role"] == Role.LIQUIDATION:
        return "liquidated" if phase == "close" else "liquidated at the first open since then"
    if phase == "close" or order["type"] == MARKET:
        return name
    if rests and order["type"] in (STOP, TRAILING):
        return f"{name} triggered earlier, its rest meets the open"
    limits = order["type"] in (LIMIT, STOP_LIMIT)
    level = float(order["limit_price"] if limits else order["stop_price"])
    if order["type"] == STOP_LIMIT:
        when = "triggered earlier" if rests else "triggered"
        return f"{name}, {when}, and the open {open_} is within its limit"
    if same(bar[0], level, tick):
        return f"{name} met by the open"
    return f"{name} {'bettered by the open' if limits else 'gapped'}"


def slippage_text(instrument: Any, qty: float) -> str:
    """The parts of a slippage that is more than ticks; "" where it is not."""
    x = instrument
    share, volatility, impact = (
        float(x[n]) for n in ("slippage_pct", "slippage_volatility", "slippage_impact")
    )
    if not (share or volatility or impact):
        return ""
    mean = f"the mean range {float(x['mean_range']):.6g}"
    parts = [f"{x['slippage_ticks']:g} ticks"] if x["slippage_ticks"] else []
    parts += [f"{100 * share:g} % of the price"] if share else []
    parts += [f"{volatility:g} of {mean}"] if volatility else []
    root = f"the root of {quantity(qty)} in a volume of {quantity(x['volume'])}"
    parts += [f"{impact:g} of {mean} times {root}"] if impact else []
    return f" ({' + '.join(parts)})"


def split_text(ratio: float) -> str:
    """A ratio of shares: `2 new for 1 old`."""
    if ratio < 1.0 and math.isclose(1.0 / ratio, round(1.0 / ratio)):
        return f"1 new for {round(1.0 / ratio)} old"
    return f"{quantity(ratio)} new for 1 old"


def nights_text(nights: int) -> str:
    """A number of nights."""
    return f"{nights} night{'' if nights == 1 else 's'}"
