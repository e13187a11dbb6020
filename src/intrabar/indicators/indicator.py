"""One indicator as a value: what to compute, from which columns, with which parameters.

A value holds no series and no state, so it can be compared, hashed, written to a configuration
and read back from its own text. `catalog` makes and checks it, `compute` turns bars into numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Times = NDArray[np.int64]
Param = int | float | str

COLUMNS = ("open", "high", "low", "close", "volume")
LONGEST_PERIOD = 100_000  # as TA-Lib has it


class BarColumns(Protocol):
    """What `compute` reads of the bars of one instrument; `model.bars.Bars` has it."""

    @property
    def symbol(self) -> str: ...  # noqa: D102
    @property
    def close_time(self) -> Times: ...  # noqa: D102
    @property
    def open(self) -> Floats: ...  # noqa: D102
    @property
    def high(self) -> Floats: ...  # noqa: D102
    @property
    def low(self) -> Floats: ...  # noqa: D102
    @property
    def close(self) -> Floats: ...  # noqa: D102
    @property
    def volume(self) -> Floats: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Columns:
    """Bars of one instrument without the checks of `Bars`: the real rows of a market's column.

    Parameters
    ----------
    symbol : str
    close_time : (n,) int64, ns since 1970 UTC
    open, high, low, close : (n,) float64, price
        Without NaN: rows of synthetic bars are left out by the caller.
    volume : (n,) float64, contracts
    """

    symbol: str
    close_time: Times
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats


@dataclass(frozen=True, slots=True)
class Indicator:
    """A name and its parameters; made by the constructors of `catalog`, not by hand.

    Parameters
    ----------
    name : str
        Lower case: one of ours. Upper case: TA-Lib's.
    params : tuple of (str, value)
        All parameters in the catalog's order, defaults filled in.
    source : tuple of str
        The columns that it reads, in the order in which it reads them.
    outputs : tuple of str
        The series to choose from; empty where there is only one.
    output : str
        The chosen one; "" where there is only one or none is chosen yet.
    operands : tuple of Indicator
        The indicators that it combines.
    text : str
        As a configuration writes it, without the output.

    Notes
    -----
    An output is chosen as an attribute: `bollinger(20, 2.0).upper`.
    """

    name: str
    params: tuple[tuple[str, Param], ...]
    source: tuple[str, ...]
    outputs: tuple[str, ...]
    output: str
    operands: tuple[Indicator, ...]
    text: str

    def __getattr__(self, name: str) -> Indicator:
        if name.startswith("_") or name not in self.outputs:
            raise AttributeError(f"an indicator has no attribute {name!r}")
        return replace(self, output=name)

    def __str__(self) -> str:
        return f"{self.text}.{self.output}" if self.output else self.text

    def param(self, name: str) -> Param:
        """The value of one parameter."""
        return dict(self.params)[name]
