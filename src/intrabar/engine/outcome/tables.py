"""The tables of a run, made from the records that the market has kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.engine.outcome.tabling import names_of, null_below_zero, words_of
from intrabar.model import enums


class HasTimes(Protocol):
    """When bars close: an array, or as much of it as is asked for."""

    def __getitem__(self, bars: NDArray[np.int64], /) -> NDArray[np.int64]: ...


class Axes(NamedTuple):
    """What the numbers in records stand for.

    Parameters
    ----------
    strategies, symbols : sequence of str
    time : (t,) int64, ns UTC
        When each bar closes.
    """

    strategies: Sequence[str]
    symbols: Sequence[str]
    time: HasTimes


class HasGateCounts(Protocol):
    """A strategy that runs or has run."""

    def gate_counts(self) -> list[tuple[str, str, int]]: ...  # noqa: D102


def fills_of(f: NDArray[Any], axes: Axes) -> pl.DataFrame:
    """Every fill, in order (columns: docs/architecture.md)."""
    return pl.DataFrame(
        {
            "bar": f["bar"].copy(),
            "time": times_of(axes.time, f["bar"]),
            "phase": words_of(enums.Phase, f["phase"]),
            **_named(axes, f),
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


def orders_of(o: NDArray[Any], axes: Axes) -> pl.DataFrame:
    """Every order in order of acceptance, rejected ones and bracket children included."""
    done = o["done"].astype(np.int64)
    return pl.DataFrame(
        {
            "order": o["id"].copy(),
            "parent": null_below_zero(o["parent"]),
            **_named(axes, o),
            "role": words_of(enums.Role, o["role"]),
            "side": words_of(enums.Side, o["side"]),
            "type": words_of(enums.OrderType, o["type"]),
            "tif": words_of(enums.TimeInForce, o["tif"]),
            "qty": o["qty"].copy(),
            "filled": o["filled"].copy(),
            "limit_price": o["limit_price"].copy(),
            "stop_price": o["stop_price"].copy(),
            "submitted_bar": o["submitted"].astype(np.int64),
            "submitted_time": times_of(axes.time, o["submitted"]),
            "submitted_phase": words_of(enums.Phase, o["phase"]),
            "done_bar": null_below_zero(done),
            "done_time": times_of(axes.time, done),
            "status": words_of(enums.OrderStatus, o["status"]),
            "reject": words_of(enums.Reject, o["reject"]),
        }
    )


def levels_of(v: NDArray[Any], axes: Axes) -> pl.DataFrame:
    """Every move of a stop or a target: where the protection of a position stood after it."""
    return pl.DataFrame(
        {
            "bar": v["bar"].copy(),
            "time": times_of(axes.time, v["bar"]),
            **_named(axes, v),
            "stop": v["stop"].copy(),
            "target": v["target"].copy(),
        }
    )


def ledger_of(x: NDArray[Any], axes: Axes) -> pl.DataFrame:
    """Everything that moved cash without a fill, in order; null where it is the account's."""
    return pl.DataFrame(
        {
            "bar": x["bar"].copy(),
            "time": times_of(axes.time, x["bar"]),
            **_named(axes, x),
            "kind": words_of(enums.LedgerKind, x["kind"]),
            "amount": x["amount"].copy(),
            "cash": x["cash"].copy(),
        }
    )


def gates_table(running: Mapping[str, HasGateCounts]) -> pl.DataFrame:
    """What kept strategies from entering, and how often."""
    rows = [(name, *row) for name, one in running.items() for row in one.gate_counts()]
    schema = {
        "strategy": pl.String,
        "symbol": pl.String,
        "gate": pl.String,
        "count": pl.Int64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _named(axes: Axes, records: NDArray[Any]) -> dict[str, Any]:
    return {
        "strategy": names_of(axes.strategies, records["strategy"]),
        "symbol": names_of(axes.symbols, records["instrument"]),
    }


def times_of(time: HasTimes, bars: NDArray[np.int64]) -> pl.Series:
    """When bars close; null where a bar is below 0."""
    stamps = np.where(bars >= 0, time[np.maximum(bars, 0)], -1)
    series = pl.Series(stamps).cast(pl.Datetime("ns", "UTC"))
    return pl.select(pl.when(pl.lit(pl.Series(bars >= 0))).then(pl.lit(series))).to_series()
