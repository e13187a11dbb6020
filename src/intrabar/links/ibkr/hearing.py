"""What the decoder of `ib_async` reads, as raw facts; what it cannot read is told, not logged.

`ib_async`'s own bookkeeping is left out: it takes a remark for a cancel (10349), and a warning for
a status. Here an order has ended when a frame of TWS says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, tzinfo
from types import SimpleNamespace
from typing import Any

from ib_async.decoder import Decoder
from ib_async.util import UNSET_DOUBLE, UNSET_INTEGER

from intrabar.links.ibkr import raw
from intrabar.links.ibkr.times import SECOND_NS, instant

Hear = Callable[[raw.Fact], None]


class StrictDecoder(Decoder):
    """Tells of every frame that it cannot read; `frame` is the one that is being read."""

    def __init__(self, hearing: Hearing) -> None:
        super().__init__(hearing, 0)  # type: ignore[arg-type]
        self.logger = SimpleNamespace(exception=self._unread)  # type: ignore[assignment]
        self.frame: list[str] = []
        hearing.decoder = self

    def interpret(self, fields: list[str]) -> None:  # noqa: D102
        self.frame = list(fields)
        self.wrapper.arrived()  # type: ignore[attr-defined]
        super().interpret(fields)

    def _unread(self, text: str) -> None:
        kind = self.frame[0] if self.frame else ""
        self.wrapper.unread(int(kind) if kind.isdigit() else 0, str(text))  # type: ignore[attr-defined]


class Hearing:
    """Stands where `ib_async` expects its wrapper.

    Parameters
    ----------
    hear : callable
        Takes raw facts.
    ended : callable
        Takes the key of a request whose answer is whole.
    arrived : callable
        Called when a frame has come.
    zone : tzinfo or None
        Of TWS, for times without one; None: this machine's.
    """

    decoder: StrictDecoder

    def __init__(
        self,
        hear: Hear,
        ended: Callable[[int | str], None],
        arrived: Callable[[], None],
        zone: tzinfo | None,
    ) -> None:
        self._hear, self._ended, self.arrived = hear, ended, arrived
        self._zone = zone
        self.ib, self.defaultTimezone = SimpleNamespace(TimezoneTWS=UTC), UTC

    def unread(self, kind: int, text: str) -> None:
        """A frame that nobody can read."""
        self._hear(raw.Garbage(kind, text))

    # The names and arguments below are those that the decoder calls.

    def connectAck(self) -> None: ...  # noqa: D102, N802

    def setEventsDone(self) -> None: ...  # noqa: D102, N802

    def connectionClosed(self) -> None: ...  # noqa: D102, N802

    def updatePortfolio(self, *_: Any) -> None: ...  # noqa: D102, N802

    def error(self, number: int, code: int, text: str, _: str) -> None:  # noqa: D102
        self._hear(raw.Notice(number, code, text))

    def currentTime(self, seconds: int) -> None:  # noqa: D102, N802
        self._hear(raw.Time(seconds * SECOND_NS))

    def openOrder(self, number: int, contract: Any, order: Any, state: Any) -> None:  # noqa: D102, N802
        self._hear(
            raw.Order(
                number,
                order.clientId,
                order.permId,
                order.orderRef,
                order.account,
                listed(contract),
                order.action,
                _number(order.totalQuantity),
                order.orderType,
                _number(order.lmtPrice),
                _number(order.auxPrice),
                order.tif,
                order.ocaGroup,
                order.parentId,
                state.status,
                state.warningText,
            )
        )

    def openOrderEnd(self) -> None:  # noqa: D102, N802
        self._ended("orders")

    def orderStatus(  # noqa: D102, N802
        self,
        number: int,
        status: str,
        filled: float,
        remaining: float,
        average: float,
        perm_id: int,
        _parent: int,
        _last: float,
        client_id: int,
        held: str,
        _cap: float = 0.0,
    ) -> None:
        price = _number(average) if filled else raw.NAN
        self._hear(raw.Status(number, client_id, perm_id, status, filled, remaining, price, held))

    def completedOrder(self, contract: Any, order: Any, state: Any) -> None:  # noqa: D102, N802
        filled = _number(order.filledQuantity)
        self._hear(
            raw.Completed(
                order.permId,
                order.orderRef,
                order.account,
                listed(contract),
                order.action,
                _number(order.totalQuantity),
                order.orderType,
                _number(order.lmtPrice),
                _number(order.auxPrice),
                state.status,
                0.0 if math.isnan(filled) else filled,
                state.completedTime,
                state.completedStatus,
            )
        )

    def completedOrdersEnd(self) -> None:  # noqa: D102, N802
        self._ended("completed")

    def execDetails(self, request: int, contract: Any, fill: Any) -> None:  # noqa: D102, N802
        self._hear(
            raw.Execution(
                request,
                fill.execId,
                fill.orderId,
                fill.clientId,
                fill.permId,
                fill.orderRef,
                fill.acctNumber,
                listed(contract),
                fill.side,
                _number(fill.shares),
                _number(fill.price),
                _number(fill.cumQty),
                _number(fill.avgPrice),
                instant(self.decoder.frame[15], self._zone),
            )
        )

    def execDetailsEnd(self, request: int) -> None:  # noqa: D102, N802
        self._ended(request)

    def commissionReport(self, report: Any) -> None:  # noqa: D102, N802
        said = self.decoder.frame[3]  # the decoder takes a blank for 0
        amount = _number(report.commission) if said else raw.NAN
        self._hear(raw.Commission(report.execId, amount, report.currency))

    def position(self, account: str, contract: Any, qty: float, average: float) -> None:  # noqa: D102
        self._hear(raw.Held(account, listed(contract), qty, average))

    def positionEnd(self) -> None:  # noqa: D102, N802
        self._ended("positions")

    def accountSummary(  # noqa: D102, N802
        self, request: int, account: str, tag: str, value: str, currency: str
    ) -> None:
        self._hear(raw.Value(request, account, tag, value, currency))

    def accountSummaryEnd(self, request: int) -> None:  # noqa: D102, N802
        self._ended(request)

    def contractDetails(self, request: int, details: Any) -> None:  # noqa: D102, N802
        self._hear(
            raw.Details(
                request,
                listed(details.contract),
                details.minTick or raw.NAN,
                float(details.sizeIncrement or raw.NAN),
                details.priceMagnifier or 1,
                frozenset(details.orderTypes.split(",")),
            )
        )

    def contractDetailsEnd(self, request: int) -> None:  # noqa: D102, N802
        self._ended(request)

    def historicalData(self, request: int, bar: Any) -> None:  # noqa: D102, N802
        self._hear(_bar(request, bar))

    def historicalDataEnd(self, request: int, _start: str, _end: str) -> None:  # noqa: D102, N802
        self._ended(request)

    def historicalDataUpdate(self, request: int, bar: Any) -> None:  # noqa: D102, N802
        self._hear(_bar(request, bar))

    def priceSizeTick(self, request: int, kind: int, price: float, _size: float) -> None:  # noqa: D102, N802
        self._hear(raw.Tick(request, kind, price))

    def tickSize(self, request: int, kind: int, size: float) -> None:  # noqa: D102, N802
        self._hear(raw.Tick(request, kind, size))

    def tickString(self, request: int, kind: int, value: str) -> None:  # noqa: D102, N802
        if value.isdigit():
            self._hear(raw.Tick(request, kind, float(value)))

    def tickSnapshotEnd(self, request: int) -> None:  # noqa: D102, N802
        self._ended(request)


def listed(contract: Any) -> raw.Listed:
    """A contract of `ib_async` as a raw fact."""
    return raw.Listed(
        contract.conId,
        contract.symbol,
        contract.secType,
        contract.currency,
        contract.localSymbol,
        contract.lastTradeDateOrContractMonth,
        contract.multiplier,
        contract.exchange,
        contract.primaryExchange,
    )


def _number(value: Any) -> float:
    """What is unset is not a number."""
    number = float(value)
    return raw.NAN if number in (UNSET_DOUBLE, float(UNSET_INTEGER)) else number


def _bar(request: int, bar: Any) -> raw.Bar:
    prices = (bar.open, bar.high, bar.low, bar.close)
    return raw.Bar(request, bar.date, *prices, bar.volume)
