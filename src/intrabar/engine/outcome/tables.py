"""The tables of a run, made from the records that the market has kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.engine.outcome.tabling import names_of, null_below_zero, words_of
from intrabar.engine.run import Run
from intrabar.model import enums


def fills_of(run: Run) -> pl.DataFrame:
    """Every fill, in order (columns: docs/architecture.md)."""
    f = run.machine.fills()
    return pl.DataFrame(
        {
            "bar": f["bar"].copy(),
            "time": times_of(run, f["bar"]),
            "phase": words_of(enums.Phase, f["phase"]),
            **_named(run, f),
            "order": null_below_zero(f["order"]),
            "side": words_of(enums.Side, f["side"]),
            "qty": f["qty"].copy(),
            "price": f["price"].copy(),
            "cost": f["cost"].copy(),
            "reason": words_of(enums.FillReason, f["reason"]),
            "realized": f["realized"].copy(),
            "position": f["position"].copy(),
            "stop": f["stop"].copy(),
            "target": f["target"].copy(),
            "ambiguous": f["ambiguous"] == int(enums.Ambiguity.AMBIGUOUS),
            "settled": f["ambiguous"] == int(enums.Ambiguity.SETTLED),
            "point_value": f["point_value"].copy(),
        }
    )


def orders_of(run: Run) -> pl.DataFrame:
    """Every order in order of acceptance, rejected ones and bracket children included."""
    o = run.machine.orders()
    done = o["done"].astype(np.int64)
    return pl.DataFrame(
        {
            "order": o["id"].copy(),
            "parent": null_below_zero(o["parent"]),
            **_named(run, o),
            "role": words_of(enums.Role, o["role"]),
            "side": words_of(enums.Side, o["side"]),
            "type": words_of(enums.OrderType, o["type"]),
            "tif": words_of(enums.TimeInForce, o["tif"]),
            "qty": o["qty"].copy(),
            "filled": o["filled"].copy(),
            "limit_price": o["limit_price"].copy(),
            "stop_price": o["stop_price"].copy(),
            "submitted_bar": o["submitted"].astype(np.int64),
            "submitted_time": times_of(run, o["submitted"]),
            "submitted_phase": words_of(enums.Phase, o["phase"]),
            "done_bar": null_below_zero(done),
            "done_time": times_of(run, done),
            "status": words_of(enums.OrderStatus, o["status"]),
            "reject": words_of(enums.Reject, o["reject"]),
        }
    )


def levels_of(run: Run) -> pl.DataFrame:
    """Every move of a stop or a target: where the protection of a position stood after it."""
    v = run.machine.levels()
    return pl.DataFrame(
        {
            "bar": v["bar"].copy(),
            "time": times_of(run, v["bar"]),
            **_named(run, v),
            "stop": v["stop"].copy(),
            "target": v["target"].copy(),
        }
    )


def ledger_of(run: Run) -> pl.DataFrame:
    """Everything that moved cash without a fill, in order; null where it is the account's."""
    x = run.machine.ledger()
    return pl.DataFrame(
        {
            "bar": x["bar"].copy(),
            "time": times_of(run, x["bar"]),
            **_named(run, x),
            "kind": words_of(enums.LedgerKind, x["kind"]),
            "amount": x["amount"].copy(),
            "cash": x["cash"].copy(),
        }
    )


def _named(run: Run, records: NDArray[Any]) -> dict[str, Any]:
    return {
        "strategy": names_of(list(run.setup.strategies), records["strategy"]),
        "symbol": names_of(run.setup.market.symbols, records["instrument"]),
    }


def times_of(run: Run, bars: NDArray[np.int64]) -> pl.Series:
    """When bars close; null where a bar is below 0."""
    stamps = np.where(bars >= 0, run.setup.market.time[np.maximum(bars, 0)], -1)
    series = pl.Series(stamps).cast(pl.Datetime("ns", "UTC"))
    return pl.select(pl.when(pl.lit(pl.Series(bars >= 0))).then(pl.lit(series))).to_series()
