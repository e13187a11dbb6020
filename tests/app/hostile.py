"""Values that a program may give where another is meant."""

from __future__ import annotations

import datetime as dt
import sys
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl

import intrabar as ib


class Other(Enum):
    """An enumeration that is none of ours."""

    ONE = 1


def frame(rows: int = 40) -> pd.DataFrame:
    """Daily bars."""
    close = 100.0 + np.cumsum(np.random.default_rng(0).normal(0.0, 1.0, rows))
    index = pd.date_range("2024-01-02", periods=rows, freq="B", name="Date")
    return pd.DataFrame(
        {"Open": close, "High": close + 1, "Low": close - 1, "Close": close, "Volume": 1e3},
        index=index,
    )


def _fails(*given: Any, **named: Any) -> Any:
    raise ZeroDivisionError("of the user's own")


TWICE = pd.concat([frame(), frame()[["Close"]]], axis=1)

VALUES: dict[str, Any] = {
    "None": None,
    "a letter": "x",
    "no text": "",
    "true": True,
    "false": False,
    "-1": -1,
    "0": 0,
    "-0.0": -0.0,
    "1": 1,
    "0.5": 0.5,
    "nan": float("nan"),
    "inf": float("inf"),
    "-inf": -float("inf"),
    "10**30": 10**30,
    "10**400": 10**400,
    "2**63": 2**63,
    "2**64": 2**64,
    "1e300": 1e300,
    "1e-320": 1e-320,
    "int64": np.int64(3),
    "float32": np.float32(0.5),
    "bool_": np.bool_(True),
    "0-d": np.array(3),
    "0-d nan": np.array(np.nan),
    "array": np.array([1.0, 2.0]),
    "matrix": np.ones((2, 2)),
    "objects": np.array([object()], dtype=object),
    "texts": np.array(["a"]),
    "datetime64": np.datetime64("2024-01-05"),
    "datetime64 ns": np.datetime64("2024-01-05", "ns"),
    "no datetime64": np.datetime64("NaT", "ns"),
    "timedelta64": np.timedelta64(5, "m"),
    "decimal": Decimal("0.5"),
    "decimal nan": Decimal("NaN"),
    "decimal snan": Decimal("sNaN"),
    "fraction": Fraction(1, 3),
    "complex": 1j,
    "[]": [],
    "[1]": [1],
    "['x']": ["x"],
    "[None]": [None],
    "()": (),
    "{}": {},
    "{'a': 1}": {"a": 1},
    "{1: 2}": {1: 2},
    "nested": {"a": {"b": [None]}},
    "set": {1},
    "range": range(3),
    "generator": (x for x in [1]),
    "object": object(),
    "function": lambda *_: 1,
    "function of nothing": lambda: 1,
    "function that fails": _fails,
    "bytes": b"x",
    "memory": memoryview(b"abc"),
    "date": dt.date(2024, 1, 5),
    "datetime": dt.datetime(2024, 1, 5, 12),
    "datetime UTC": dt.datetime(2024, 1, 5, tzinfo=dt.UTC),
    "time": dt.time(9, 30),
    "time with a zone": dt.time(9, 30, tzinfo=ZoneInfo("Europe/Berlin")),
    "timedelta": dt.timedelta(minutes=5),
    "ZoneInfo": ZoneInfo("America/New_York"),
    "offset": dt.timezone(dt.timedelta(hours=5, minutes=30)),
    "Timestamp": pd.Timestamp("2024-01-05"),
    "NaT": pd.NaT,
    "NA": pd.NA,
    "member": ib.PathPolicy.BEST,
    "another's member": Other.ONE,
    "word": "best",
    "WORD": "BEST",
    "path": Path("nowhere"),
    "folder": Path(),
    "class": int,
    "our class": ib.Bot,
    "module": sys,
    "series": pd.Series([1.0, 2.0]),
    "frame": frame(),
    "a column twice": TWICE,
    "polars frame": pl.DataFrame({"a": [1]}),
    "polars series": pl.Series([1.0]),
    "number as text": "5",
    "nan as text": "nan",
    "NUL": "a\0b",
    "two lines": "a\nb",
    "surrogate": "\ud800",
    "long": "x" * 5000,
    "...": ...,
    "NotImplemented": NotImplemented,
    "indicator": ib.sma(3),
    "account": ib.Account(),
    "instrument": ib.Instrument("A"),
    "gates": ib.Gates(),
    "exit": ib.FixedRatio(),
    "entry": ib.CoinFlip(),
}
