"""What a Python strategy can see, a type per phase: looking ahead does not compile.

`AtOpen` has no `high`, `low`, `close` or `volume` of the present bar: a type checker refuses the
name, and so does the interpreter, with a sentence that says why. Both read the run's arrays in
place; nothing is copied until a history is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from intrabar.errors import CausalityError, NotFoundError
from intrabar.model.enums import Role, Side
from intrabar.model.session import Session
from intrabar.model.values import Bounds, whole
from intrabar.sim.state import STEP_ON_OPEN
from intrabar.strategy.desk import Desk, Position
from intrabar.strategy.order_changes import cancel, modify, protect
from intrabar.strategy.order_size import size_of
from intrabar.strategy.order_terms import Terms, submit

AT_LEAST_ONE = Bounds(1, whole=True)


class View:
    """What every phase may see and do for one instrument.

    Orders submitted at OPEN meet this open; those submitted at CLOSE start at the next open of
    the instrument (a market-on-close at the next close).
    """

    __slots__ = ("_all", "_desk", "_row")

    def __init__(self, desk: Desk, row: int, every: dict[str, View]) -> None:
        self._desk = desk
        self._row = row
        self._all = every

    @property
    def symbol(self) -> str:
        """The instrument."""
        return self._desk.symbol

    @property
    def time(self) -> datetime:
        """The close of this bar, UTC."""
        return datetime.fromtimestamp(self._desk.machine.market.time[self._desk.bar] / 1e9, UTC)

    @property
    def local(self) -> datetime:
        """The instant of the phase in the time zone of the exchange; UTC without a calendar.

        At OPEN that at which the bar opens, at CLOSE that at which it closes.
        """
        zone = self._desk.clock.zone(self._desk.column)
        return datetime.fromtimestamp(self._instant / 1e9, zone)

    @property
    def session(self) -> Session:
        """Trade date, minutes since the open and minutes to the close, at the same instant.

        Of the session that the bar opens in, half days and evening sessions as the calendar has
        them. Without a calendar, and for "24/7", it is the day of UTC.
        """
        return self._desk.clock.session(self._desk.column, self._desk.opened, self._instant)

    @property
    def _instant(self) -> int:
        """The instant of the phase, ns UTC."""
        return self._desk.opened

    @property
    def bar(self) -> int:
        """Row of the timeline."""
        return self._desk.bar

    def __getitem__(self, name: str) -> float:
        """An indicator as of the last completed bar; NaN while it warms up."""
        desk = self._desk
        try:
            value = desk.indicator_views[name][desk.bar - self._row]
            if self._row and name in desk.scales:  # an action at this open came in between
                value *= desk.scales[name][desk.bar - self._row] / desk.scales[name][desk.bar]
            return value
        except (KeyError, TypeError, ValueError):  # what has no hash is no name either
            raise NotFoundError("indicator", str(name), self._desk.indicator_views) from None

    def history(self, name: str, bars: int, *, timeframe: str | None = None) -> NDArray[np.float64]:
        """The last values of a column or an indicator, completed bars only, oldest first.

        Parameters
        ----------
        name : str
            `open`, `high`, `low`, `close`, `volume` or an indicator.
        bars : int, >= 1
            Fewer come back near the start of the data.
        timeframe : str
            "1h", "1d": bars of a higher time frame that are complete; then an indicator must be
            on it as well. None: the bars of the run.

        Raises
        ------
        ConfigError
            `bars` is no whole number of 1 or more.
        RunError
            The run is one in chunks, and the bars are no longer in memory.
        """
        if type(bars) is not int or bars < 1:
            bars = whole(f"history({name!r}): bars", bars, AT_LEAST_ONE)
        row, name = self._desk.bar - self._row, str(name)
        if timeframe is None:
            part = self._desk.last_bars(name, bars, row)
        else:
            part = self._desk.longer_bars(name, str(timeframe), row)
            part = part[max(0, len(part) - bars) :]
        part.flags.writeable = False
        return part

    @property
    def is_flat(self) -> bool:
        """Whether the strategy has no position in this instrument."""
        return bool(self._desk.sleeve["qty"] == 0.0)

    @property
    def position(self) -> Position:
        """The strategy's position in this instrument."""
        return self._desk.position

    @property
    def equity(self) -> float:
        """Of the account, account currency, at the present marks."""
        return float(self._desk.account["equity"])

    @property
    def cash(self) -> float:
        """Of the account, account currency."""
        return float(self._desk.account["cash"])

    @property
    def tick(self) -> float:
        """Smallest price step."""
        return self._desk.tick

    @property
    def point_value(self) -> float:
        """Worth of a move of 1.0 in price for one contract now, account currency."""
        return float(self._desk.instrument["point_value"])

    def size(self, *, risk: float, stop: float, entry: float | None = None) -> float:
        """How much to trade so that a stop costs a fraction of the equity, as bots do it.

        Slippage and commissions of entry and stop are counted in, and initial margin caps it (fill
        model, section 7).

        Parameters
        ----------
        risk : fraction of the equity, 0 to 1
        stop : price
            Below the entry for a long position, above it for a short one.
        entry : price
            Of an order that will rest; None: the last that is known, at OPEN the open.

        Returns
        -------
        float
            Whole lots; 0 where there is not enough for one.
        """
        return size_of(self._desk, self._price if entry is None else entry, risk, stop)

    @property
    def _price(self) -> float:
        """The last price that is known in this phase; NaN before the first bar."""
        return float(self._desk.instrument["mark"])

    def buy(self, qty: float, **terms: Unpack[Terms]) -> int:
        """Submit a buy; see `order` for `limit`, `stop`, `stop_loss` and the rest."""
        return submit(self._desk, self._price, Side.BUY, qty, terms)

    def sell(self, qty: float, **terms: Unpack[Terms]) -> int:
        """Submit a sell; see `order` for `limit`, `stop`, `stop_loss` and the rest."""
        return submit(self._desk, self._price, Side.SELL, qty, terms)

    def order(self, side: Side | int | str, qty: float, **terms: Unpack[Terms]) -> int:
        """Submit an order: market, or limit, stop, trailing stop and so on by what is given.

        Parameters
        ----------
        side : Side
            Or its sign, 1 or -1, or its word.
        qty : quantity, > 0
            Whole lots, or the order is rejected (`invalid_quantity`).
        limit, stop : price
            Rounded to the tick, never to the owner's favour. Both: a stop-limit.
        trail : points, > 0
            A trailing stop this far from the mark, or from `stop` where it is given.
        at_close : bool
            Market-on-close.
        stop_loss, take_profit : price
            A bracket: the children start to work when the entry fills, one cancels the other.
            Where one cannot be worked out (NaN), or does not lie on its side of the price that is
            known (the open in `on_open`, else the last close; the own price of an order that
            rests; in a notice that of the last fill), the order is rejected (`no_protection`).
        tif : {"gtc", "day", "gtd", "ioc", "fok"}
        until : datetime or date
            End of a "gtd" order; without a time zone in UTC. A date: the order is good for that
            date, that of the bars where they are daily, else of the exchange's zone.
        reduce_only : bool
        oco : int
            Number of an order of which this one is the alternative. Where that one is done, or has
            one already, the order is rejected (`no_partner`).

        Returns
        -------
        int
            The order's number, for `cancel` and `modify`; that of one that is rejected too.

        Raises
        ------
        OrderError
            What is given can be no order: no number, two options that rule each other out.
        NotFoundError
            An option that there is not, with the nearest that there is.
        """
        return submit(self._desk, self._price, side, qty, terms)

    def close_position(self) -> int | None:
        """Submit a market order that closes the position; None when there is none."""
        qty = float(self._desk.sleeve["qty"])
        if qty == 0.0:
            return None
        return self.order(Side.SELL if qty > 0.0 else Side.BUY, abs(qty), reduce_only=True)

    def cancel(self, order: int) -> None:
        """Cancel a working order of the strategy; nothing happens to one that is done.

        Raises
        ------
        OrderError
            No order has this number, or it is another strategy's.
        """
        cancel(self._desk, order)

    def modify(
        self,
        order: int,
        *,
        limit: float | None = None,
        stop: float | None = None,
        qty: float | None = None,
    ) -> None:
        """Change a working order of the strategy; it keeps its place.

        Nothing happens to one that is done. What is impossible (NaN, half a lot, a bracket that
        would stand on the wrong side) changes nothing, and is told by a rejected order.

        Raises
        ------
        OrderError
            As `cancel`; or the order is of a type that has no such price.
        """
        modify(self._desk, self._price, order, limit=limit, stop=stop, qty=qty)

    def modify_stop_loss(self, price: float) -> None:
        """Move the protective stop of the whole position.

        Its brackets keep one stop each; what no stop covers gets one. Nothing happens while there
        is no position. A price that is none, or is not beyond the last one that is known, moves
        nothing, and is told by a rejected order (`no_protection`); so is one that comes before
        the position, beside an entry without a `stop_loss`.
        """
        protect(self._desk, self._price, Role.STOP, price)

    def modify_take_profit(self, price: float) -> None:
        """Move the target of the whole position; as `modify_stop_loss`."""
        protect(self._desk, self._price, Role.TARGET, price)


class AtClose(View):
    """The whole bar is known. Orders submitted here start at the next open."""

    __slots__ = ()

    @property
    def _instant(self) -> int:
        return int(self._desk.machine.market.time[self._desk.bar])

    @property
    def _price(self) -> float:
        return float(self._desk.closes[self._desk.bar])

    @property
    def open(self) -> float:
        """Open of this bar, price; NaN where the instrument has none."""
        return self._desk.views["open"][self._desk.bar]

    @property
    def high(self) -> float:
        """High of this bar, price; NaN where the instrument has none."""
        return self._desk.views["high"][self._desk.bar]

    @property
    def low(self) -> float:
        """Low of this bar, price; NaN where the instrument has none."""
        return self._desk.views["low"][self._desk.bar]

    @property
    def close(self) -> float:
        """Close of this bar, price; carried where the instrument has none."""
        return self._desk.closes[self._desk.bar]

    @property
    def volume(self) -> float:
        """Volume of this bar, contracts."""
        return self._desk.views["volume"][self._desk.bar]

    def of(self, symbol: str) -> AtClose:
        """The same bar of another instrument."""
        return _find(self._all, symbol)  # type: ignore[return-value]

    def __iter__(self) -> Iterator[AtClose]:
        """Every instrument, in the order of the configuration."""
        return iter(self._all.values())  # type: ignore[arg-type]


class AtOpen(View):
    """Only the open is known. A market order submitted here fills at it.

    Indicators and histories are as of the close of the bar before.
    """

    __slots__ = ()

    @property
    def _price(self) -> float:
        if self._desk.account["step"] > STEP_ON_OPEN:  # a notice
            met = self._desk.last_fill()
            if met is not None:
                return met
        opened = float(self._desk.views["open"][self._desk.bar])
        return self.previous_close if math.isnan(opened) else opened

    @property
    def open(self) -> float:
        """Open of this bar, price; NaN where the instrument has none."""
        return self._desk.views["open"][self._desk.bar]

    @property
    def previous_close(self) -> float:
        """Close of the bar before, price; NaN before the first."""
        bar, scales = self._desk.bar, self._desk.scales
        if bar == 0:
            return float("nan")
        close = self._desk.closes[bar - 1]
        return close * scales["close"][bar - 1] / scales["close"][bar] if scales else close

    def __getitem__(self, name: str) -> float:
        """An indicator as of the close of the bar before; NaN while it warms up."""
        if self._desk.bar == 0:
            return float("nan")
        return super().__getitem__(name)

    def of(self, symbol: str) -> AtOpen:
        """The same open of another instrument."""
        return _find(self._all, symbol)  # type: ignore[return-value]

    def __iter__(self) -> Iterator[AtOpen]:
        """Every instrument, in the order of the configuration."""
        return iter(self._all.values())  # type: ignore[arg-type]

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name in ("high", "low", "close", "volume"):
                raise CausalityError(
                    f"{name} of this bar is not known at OPEN, only its open is. Use "
                    f"history({name!r}, 1) for the bar before, or decide in on_close."
                )
            raise AttributeError(f"AtOpen has no {name!r}")


def _find(views: dict[str, View], symbol: str) -> View:
    if not isinstance(symbol, str) or symbol not in views:
        raise NotFoundError("symbol", str(symbol), views)
    return views[symbol]
