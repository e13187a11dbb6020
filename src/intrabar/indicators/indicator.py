"""One indicator as a value: what to compute, from which columns, with which parameters.

A value holds no series and no state, so it can be compared, hashed, written to a configuration
and read back from its own text. `catalog` makes and checks it, `compute` turns bars into numbers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from intrabar.errors import ConfigError
from intrabar.indicators.given import Given, Request
from intrabar.model.values import shown

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
        As a configuration writes it, without time frame and output.
    timeframe : str
        Of the bars that it reads, "1h"; "" for the bars of the run.
    given : Given or None
        Values that are there already; None for all that is computed.

    Notes
    -----
    An output is chosen as an attribute: `bollinger(20, 2.0).upper`. A higher time frame is
    chosen by a call: `ema(20).on("1h")`. It shows the value of the last hour that is complete.
    """

    name: str
    params: tuple[tuple[str, Param], ...]
    source: tuple[str, ...]
    outputs: tuple[str, ...]
    output: str
    operands: tuple[Indicator, ...]
    text: str
    timeframe: str = ""
    given: Given | None = None

    def on(self, timeframe: str) -> Indicator:
        """The same indicator over the bars of a higher time frame: "15m", "1h", "1d", "1w".

        Its value at a bar of the run is that of the last longer bar that is complete by then.

        Raises
        ------
        ConfigError
            No time frame; or a cross, which would say the same on every bar of an hour.
        """
        if not isinstance(timeframe, str) or not re.fullmatch(r"[1-9]\d*[smhdw]", timeframe):
            raise ConfigError(
                f"{self}: timeframe is {shown(timeframe)}, must be written like 15m, 1h, 1d or 1w"
            )
        if self.given is not None:
            raise ConfigError(f"{self} stands at the bars of the run, and at no longer ones")
        if self.operands:
            raise ConfigError(
                f"{self}: put the time frame on what crosses, as in "
                f"{self.name}({self.operands[0].on(timeframe)}, {self.operands[1].on(timeframe)})"
            )
        return replace(self, timeframe=timeframe)

    @property
    def here(self) -> Indicator:
        """The same indicator over whatever bars it is given."""
        return replace(self, timeframe="")

    @property
    def reads_given(self) -> bool:
        """Whether values that are there already are in it."""
        return self.given is not None or any(x.reads_given for x in self.operands)

    def __getattr__(self, name: str) -> Indicator:
        if name.startswith("_") or name not in self.outputs:
            raise AttributeError(f"an indicator has no attribute {name!r}")
        return replace(self, output=name)

    def __str__(self) -> str:
        frame = f".on('{self.timeframe}')" if self.timeframe else ""
        return self.text + frame + (f".{self.output}" if self.output else "")

    def param(self, name: str) -> Param:
        """The value of one parameter."""
        return dict(self.params)[name]

    def require_here(self) -> None:
        """Refuse to be computed over the bars of a run instead of those of its time frame.

        Raises
        ------
        ConfigError
            It, or an indicator that it combines, has a time frame.
        """
        if self.timeframe or any(operand.timeframe for operand in self.operands):
            raise ConfigError(
                f"{self} reads other bars than these; a run gives it the bars of its time frame"
            )


def predicted(column: str, request: Request) -> Indicator:
    """A column of a file of predictions, at the bars on which its rows were made.

    Parameters
    ----------
    column : str
        "predicted_return", "predicted_price", "q05", "confidence"; "chance_up" and "chance_down"
        are the file's confidence, or what its quantiles say of the side.
    request : Request
    """
    text = f"{column} of {Path(request.file).name}"
    given = Given(f"{column} {request}", request, column)
    return Indicator("given", (), (), (), "", (), text, given=given)
