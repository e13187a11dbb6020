"""What a Python strategy can see, a type per phase: looking ahead does not compile.

`AtOpen` has no `high`, `low`, `close` or `volume` of the present bar: a type checker refuses the
name, and so does the interpreter, with a sentence that says why. Both read the run's arrays in
place; nothing is copied until a history is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intrabar.errors import CausalityError, NotFoundError, OrderError, RunError
from intrabar.model.enums import Gate, OrderType, Role, Side, TimeInForce
from intrabar.model.session import Session
from intrabar.sim import state
from intrabar.sim.state import Book
from intrabar.strategy.bot_kernel import interpret
from intrabar.strategy.desk import Desk, Position, type_of
from intrabar.strategy.sizing import size_for_risk

_size_for_risk = interpret(size_for_risk, {})


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
        except KeyError:
            raise NotFoundError("indicator", name, self._desk.indicator_views) from None

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
        RunError
            The run is one in chunks, and the bars are no longer in memory.
        """
        if timeframe is not None:
            row = self._desk.bar - self._row
            whole = self._desk.longer_bars(name, timeframe, row)
            longer: NDArray[np.float64] = whole[max(0, len(whole) - bars) :]
            longer.flags.writeable = False
            return longer
        if name not in self._desk.arrays:
            raise NotFoundError("series", name, self._desk.arrays)
        end = self._desk.bar - self._row + 1
        start, first = max(0, end - bars), self._desk.machine.first
        if start < first:
            raise RunError(
                f"history({name!r}, {bars}): {end - first} bars are in memory; "
                "run in larger chunks, of at least as many bars"
            )
        part: NDArray[np.float64] = self._desk.arrays[name][start:end]
        if name in self._desk.scales:
            scale = self._desk.scales[name]
            part = part * (scale[start:end] / scale[self._desk.bar])
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
        return float(self._desk.instrument["tick_size"])

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
            Of an order that will rest; None: what is known now, the open at OPEN, else the close.

        Returns
        -------
        float
            Whole lots; 0 where there is not enough for one.
        """
        price = self._price if entry is None else float(entry)
        if not 0.0 < risk <= 1.0:
            raise OrderError(f"{self.symbol}: size: risk is {risk}, must be above 0, up to 1")
        if not 0.0 < stop < math.inf or stop == price:
            raise OrderError(
                f"{self.symbol}: size: stop is {stop}, must be a price other than {price}"
            )
        if math.isnan(price):
            return 0.0
        book = Book(*(part.view(np.recarray) for part in self._desk.book))
        side = 1 if stop < price else -1
        qty = float(_size_for_risk(book, self._desk.column, side, price, stop, risk, True))
        if qty <= 0.0:
            self._desk.count(Gate.SIZE_ZERO if qty == 0.0 else Gate.MARGIN)
        return max(qty, 0.0)

    @property
    def _price(self) -> float:
        """The last price that is known in this phase."""
        return float(self._desk.views["open"][self._desk.bar])

    def buy(self, qty: float, **how: Any) -> int:
        """Submit a buy; see `order` for `limit`, `stop`, `stop_loss` and the rest."""
        return self.order(Side.BUY, qty, **how)

    def sell(self, qty: float, **how: Any) -> int:
        """Submit a sell; see `order` for `limit`, `stop`, `stop_loss` and the rest."""
        return self.order(Side.SELL, qty, **how)

    def order(
        self,
        side: Side,
        qty: float,
        *,
        limit: float | None = None,
        stop: float | None = None,
        trail: float | None = None,
        at_close: bool = False,
        stop_loss: float | None = None,
        take_profit: float | None = None,
        tif: str = "gtc",
        until: datetime | date | None = None,
        reduce_only: bool = False,
        oco: int | None = None,
    ) -> int:
        """Submit an order: market, or limit, stop, trailing stop and so on by what is given.

        Parameters
        ----------
        side : Side
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
        tif : {"gtc", "day", "gtd", "ioc", "fok"}
        until : datetime or date
            End of a "gtd" order; without a time zone in UTC. A date: the order is good for that
            date, that of the bars where they are daily, else of the exchange's zone.
        reduce_only : bool
        oco : int
            Number of an order of which this one is the alternative.

        Returns
        -------
        int
            The order's number, for `cancel` and `modify`.
        """
        if not qty > 0.0:
            raise OrderError(f"{self.symbol}: qty is {qty}, must be above 0")
        if at_close and (limit is not None or stop is not None):
            raise OrderError(f"{self.symbol}: a market-on-close order has no limit and no stop")
        words = {w.word: w for w in TimeInForce}
        if tif not in words:
            raise NotFoundError("time in force", tif, words)
        if (tif == "gtd") != (until is not None):
            raise OrderError(
                f"{self.symbol}: a gtd order needs until"
                if until is None
                else f"{self.symbol}: until is for orders with tif='gtd', this one has {tif!r}"
            )
        if trail is not None and (limit is not None or at_close):
            raise OrderError(f"{self.symbol}: a trailing stop has no limit and works in the bar")
        kind = OrderType.MOC if at_close else type_of(limit, stop, trail)
        keeps_back = self._desk.is_kept_back(int(side), qty, reduce_only)
        number = self._desk.put(
            state.SUBMIT,
            side=int(side),
            qty=qty,
            type=kind,
            tif=words[tif],
            role=Role.PLAIN,
            reduce_only=reduce_only,
            limit_price=limit,
            stop_price=stop,
            trail=trail,
            stop_loss=stop_loss,
            take_profit=take_profit,
            oco=oco,
            until=None if until is None else self._desk.instant(until),
        )
        if keeps_back:
            self._desk.put(state.CANCEL, id=number)
        return number

    def close_position(self) -> int | None:
        """Submit a market order that closes the position; None when there is none."""
        qty = float(self._desk.sleeve["qty"])
        if qty == 0.0:
            return None
        return self.order(Side.SELL if qty > 0.0 else Side.BUY, abs(qty), reduce_only=True)

    def cancel(self, order: int) -> None:
        """Cancel a working order; nothing happens to one that is done."""
        self._desk.put(state.CANCEL, id=order)

    def modify(
        self,
        order: int,
        *,
        limit: float | None = None,
        stop: float | None = None,
        qty: float | None = None,
    ) -> None:
        """Change a working order; it keeps its place. An impossible change changes nothing."""
        self._desk.put(state.MODIFY, id=order, limit_price=limit, stop_price=stop, qty=qty)

    def modify_stop_loss(self, price: float) -> None:
        """Move the protective stop of the whole position."""
        self._desk.put(state.MOVE_STOP, stop_price=price)

    def modify_take_profit(self, price: float) -> None:
        """Move the target of the whole position."""
        self._desk.put(state.MOVE_TARGET, limit_price=price)


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
    if symbol not in views:
        raise NotFoundError("symbol", symbol, views)
    return views[symbol]
