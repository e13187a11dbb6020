"""Raw facts of TWS as facts of an account."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from intrabar.brokers.ibkr.words import OVER, state_of, type_of
from intrabar.links.ibkr import raw
from intrabar.links.ibkr.contracts import plain_name, point_value
from intrabar.model.broker_facts import FillFact, OrderFact
from intrabar.model.secret import redact

SIDES = {"BUY": 1, "BOT": 1, "SELL": -1, "SLD": -1, "SSHORT": -1}
NAN = float("nan")


def symbol_of(what: raw.Listed, names: Mapping[int, str]) -> str:
    """How a contract was asked for; else its plain name."""
    return names.get(what.con_id) or plain_name(what)


def vendor_id(perm_id: int) -> str:
    """The permanent number, which says which order it is in every frame; "" before there is one."""
    return str(perm_id) if perm_id else ""


def order_fact(order: raw.Order, status: raw.Status | None, names: Mapping[int, str]) -> OrderFact:
    """An order that TWS has, and how it stands."""
    said = status.status if status is not None else order.status
    state = state_of(said, order.type, status.held if status is not None else "")
    perm_id = order.perm_id or (status.perm_id if status is not None else 0)
    limit, stop = _prices(order.type, order.limit, order.stop)
    return OrderFact(
        vendor_id(perm_id),
        order.ref,
        symbol_of(order.listed, names),
        SIDES.get(order.action, 0),
        type_of(order.type),
        order.qty,
        state,
        status.filled if status is not None else 0.0,
        status.average if status is not None else NAN,
        limit,
        stop,
        text=redact(said) if state == "unknown" else "",
    )


def completed_fact(order: raw.Completed, names: Mapping[int, str], average: float) -> OrderFact:
    """An order that is over; its quantity is left out by TWS where all of it has filled."""
    state = state_of(order.status, order.type, "")
    if state not in OVER:
        state = "rejected" if order.status == "Inactive" else "unknown"
    limit, stop = _prices(order.type, order.limit, order.stop)
    return OrderFact(
        vendor_id(order.perm_id),
        order.ref,
        symbol_of(order.listed, names),
        SIDES.get(order.action, 0),
        type_of(order.type),
        max(order.qty, order.filled),
        state,
        order.filled,
        average,
        limit,
        stop,
        text=redact(order.text) if state in ("rejected", "unknown") else "",
    )


def _prices(type_: str, limit: float, stop: float) -> tuple[float, float]:
    """TWS fills the prices that a type does not have with 0."""
    has_limit, has_stop = "LMT" in type_ or type_ == "LOC", type_.startswith(("STP", "TRAIL"))
    return limit if has_limit else NAN, stop if has_stop else NAN


def fill_fact(fill: raw.Execution, names: Mapping[int, str], cost: float) -> FillFact:
    """A fill; a correction has its id and a higher version: the end of IB's id says which."""
    stem, _, version = fill.id.rpartition(".")
    is_version = bool(stem) and version.isdigit()
    return FillFact(
        stem if is_version else fill.id,
        vendor_id(fill.perm_id),
        fill.ref,
        symbol_of(fill.listed, names),
        SIDES.get(fill.side, 0),
        fill.qty,
        fill.price,
        cost,
        fill.total,
        fill.time,
        max(int(version) - 1, 0) if is_version else 0,
    )


def newest(fills: Iterable[FillFact]) -> tuple[FillFact, ...]:
    """Of each fill its highest version, in the order of time."""
    found: dict[str, FillFact] = {}
    for fill in fills:
        if fill.id not in found or found[fill.id].version <= fill.version:
            found[fill.id] = fill
    return tuple(sorted(found.values(), key=lambda fill: fill.time))


def costs_of(reports: Iterable[raw.Commission], currency: str) -> dict[str, float]:
    """By IB's id of the fill; what is unset, or in another currency, is no number."""
    return {
        report.id: report.amount if report.currency in (currency, "") else NAN for report in reports
    }


def average_price(held: raw.Held, values: Mapping[int, float]) -> float:
    """The price at which a position was opened: IB tells what a contract has cost."""
    value = values.get(held.listed.con_id) or point_value(held.listed.multiplier)
    return held.average / value if math.isfinite(held.average) and value else NAN
