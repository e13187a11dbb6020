"""One connection to TWS or IB Gateway, on `ib_async`'s client: every wait has a deadline.

What TWS says is handed on as raw facts (`raw.py`). Nothing is tried again here, nothing is kept
but the requests that wait for an answer. The client lets at most 45 messages a second go.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any

from ib_async.client import Client
from ib_async.contract import Contract
from ib_async.objects import ExecutionFilter
from ib_async.order import Order

from intrabar.errors import AuthError, LinkError, Timeout
from intrabar.links.clock import Clock
from intrabar.links.ibkr import raw
from intrabar.links.ibkr.asking import Asks, Watches
from intrabar.links.ibkr.hearing import Hearing, StrictDecoder
from intrabar.links.ibkr.times import utc_text
from intrabar.links.lines import Bucket
from intrabar.model.secret import redact

IN_USE, NOT_FOUND = 326, 200
TAGS = "NetLiquidation,AvailableFunds,SettledCash,DayTradesRemaining"
_FRAMES = {"orders": (3, 5), "completed": (101,), "positions": (61,)}
READS = 36  # questions a second; a fifth of what the client lets go is left for orders
_BEATS = 3  # questions for the time within the silence that is allowed

logging.getLogger("ib_async").addHandler(logging.NullHandler())  # it is told here, not printed


class Wire:
    """A connection, good for once.

    Parameters
    ----------
    host, port
        Where TWS or Gateway listens.
    client_id : int
        Of this connection; TWS knows orders by it and a number.
    clock : Clock
    hear : callable
        Takes every raw fact in the order in which they come.
    seconds : float
        Deadline of a request.
    silence : float
        After so many seconds without a frame, and questions for the time, it counts as dead.
    zone : tzinfo, optional
        Of TWS, for times without one; None: this machine's.
    """

    def __init__(
        self,
        host: str,
        port: int,
        client_id: int,
        clock: Clock,
        hear: Callable[[raw.Fact], None],
        *,
        seconds: float = 10.0,
        silence: float = 30.0,
        zone: tzinfo | None = None,
    ) -> None:
        self._where, self._port, self.client_id = host, port, client_id
        self._clock, self._hear, self._seconds, self._silence = clock, hear, seconds, silence
        self._asks, self._reads = Asks(), Bucket(READS, 1.0, clock)
        self.watches = Watches()  # of orders
        self._heard_at = 0.0
        self._over = ""
        self._beating: asyncio.Task[None] | None = None
        self._refused: asyncio.Future[None] | None = None
        hearing = Hearing(self._take, self._asks.end, self._arrived, zone)
        self._client = Client(hearing)
        self._client.decoder = StrictDecoder(hearing)
        self._client.conn.disconnected += self._lost
        self._client.apiError += self._failed

    async def connect(self, seconds: float) -> tuple[str, ...]:
        """Shake hands; the accounts that TWS manages.

        Parameters
        ----------
        seconds : float
            Deadline of all of it.

        Raises
        ------
        AuthError
            The client id is in use.
        LinkError
            Nobody listens, or nobody answers.
        """
        self._refused = asyncio.get_running_loop().create_future()
        where = f"{self._where}:{self._port}"
        call = asyncio.ensure_future(
            self._client.connectAsync(self._where, self._port, self.client_id, seconds)
        )
        try:
            await asyncio.wait({call, self._refused}, return_when=asyncio.FIRST_COMPLETED)
            if self._refused.done():
                self._refused.result()
            await call
        except TimeoutError:
            raise Timeout(
                f"TWS at {where} took the connection and did not answer in {seconds:g} s: a window "
                "of it may wait for a click, or its API does not trust this machine"
            ) from None
        except OSError as error:
            raise LinkError(
                f"nothing listens at {where} ({error.strerror or error}): start TWS or IB Gateway "
                "and switch its socket API on (Configure, API, Settings)"
            ) from None
        finally:
            call.cancel()
            await asyncio.wait({call})
            if not call.cancelled():
                call.exception()
            self._refused.cancel()
        self._arrived()
        self._beating = asyncio.ensure_future(self._beat())
        return tuple(self._client.getAccounts())

    @property
    def lives(self) -> bool:
        """Whether requests may go."""
        return bool(self._client.isReady()) and not self._over

    def next_number(self) -> int:
        """A number that no order or request of this connection has had.

        Raises
        ------
        LinkError
        """
        self._require()
        number: int = self._client.getReqId()
        return number

    async def close(self) -> None:
        """End the connection."""
        self._stop("the connection was closed")

    # Questions

    async def open_orders(self) -> list[raw.Order | raw.Status]:
        """All orders that work, of every client and of TWS itself, and how they stand."""
        return await self._list("orders", self._client.reqAllOpenOrders)

    async def completed(self) -> list[raw.Completed]:
        """The orders that are over, as far back as TWS has them: about a day."""
        return await self._list("completed", lambda: self._client.reqCompletedOrders(False))

    async def positions(self) -> list[raw.Held]:
        """What all accounts hold."""
        try:
            return await self._list("positions", self._client.reqPositions)
        finally:
            self._quietly(self._client.cancelPositions)

    async def executions(self, account: str, since: int) -> list[raw.Execution | raw.Commission]:
        """Fills of an account since an instant (ns), as far back as TWS goes, and their cost."""
        asked = ExecutionFilter(acctCode=account, time=utc_text(since) if since > 0 else "")
        return await self._numbered(
            lambda number: self._client.reqExecutions(number, asked), "executions", (11, 59)
        )

    async def values(self) -> list[raw.Value]:
        """Figures of all accounts: `TAGS`."""
        number = self.next_number()
        try:
            return await self._numbered(
                lambda n: self._client.reqAccountSummary(n, "All", TAGS), "balance", (63,), number
            )
        finally:
            self._quietly(lambda: self._client.cancelAccountSummary(number))

    async def details(self, contract: Mapping[str, Any]) -> list[raw.Details]:
        """The contracts that fit a description; fields as `ib_async` names them.

        Raises
        ------
        RefusedError
            Code 200: there is none.
        """
        asked = Contract(**contract)
        what = f"the contract {asked.localSymbol or asked.symbol}"
        return await self._numbered(
            lambda number: self._client.reqContractDetails(number, asked), what, (10,)
        )

    async def bars(
        self, what: raw.Listed, end: int, span: str, size: str, show: str, regular: bool
    ) -> list[raw.Bar]:
        """Bars up to an instant (ns), in IB's words: span `1 D`, size `1 min`, show `TRADES`."""
        number = self.next_number()
        until = utc_text(end)
        return await self._bars(number, what, until, span, size, show, regular, keeps=False)

    async def keep_bars(
        self, what: raw.Listed, span: str, size: str, show: str, regular: bool
    ) -> tuple[int, list[raw.Bar]]:
        """Bars up to now, and from now on each change of the newest, heard with that number."""
        number = self.next_number()
        rows = await self._bars(number, what, "", span, size, show, regular, keeps=True)
        return number, rows

    def stop_bars(self, number: int) -> None:
        """End what `keep_bars` began."""
        self._quietly(lambda: self._client.cancelHistoricalData(number))

    async def ticks(self, what: raw.Listed) -> list[raw.Tick]:
        """What a contract is worth now: one set of ticks, as far as there are any."""
        contract = _contract(what)
        return await self._numbered(
            lambda number: self._client.reqMktData(number, contract, "", True, False, []),
            f"the quote of {what.local or what.symbol}",
            (1, 2, 46),
        )

    def keep_ticks(self, what: raw.Listed) -> int:
        """Have each change of a quote heard, under the number that is returned.

        Raises
        ------
        LinkError
        """
        number = self.next_number()
        self._client.reqMktData(number, _contract(what), "", False, False, [])
        return number

    def stop_ticks(self, number: int) -> None:
        """End what `keep_ticks` began."""
        self._quietly(lambda: self._client.cancelMktData(number))

    # Orders

    def place(self, number: int, what: raw.Listed, **fields: Any) -> None:
        """Send an order, or with the number of one that is there, what it is to be.

        Parameters
        ----------
        fields
            As `ib_async.Order` names them.

        Raises
        ------
        LinkError
            Nothing has left.
        """
        self._require()
        self._client.placeOrder(number, _contract(what), Order(orderId=number, **fields))

    def cancel(self, number: int) -> None:
        """Ask for the end of an order of this client.

        Raises
        ------
        LinkError
            Nothing has left.
        """
        self._require()
        self._client.cancelOrder(number)

    # What comes

    def _take(self, fact: raw.Fact) -> None:
        if isinstance(fact, raw.Notice):
            fact = raw.Notice(fact.id, fact.code, redact(fact.text))
            if fact.code == IN_USE:
                self._refuse(
                    AuthError(
                        f"client id {self.client_id} is in use at TWS ({self._where}:{self._port})"
                        ": another program or session has it; end it, or name another client_id"
                    )
                )
        self._asks.take(fact)
        self.watches.tell(self._number_of(fact), fact)
        self._hear(fact)

    def _refuse(self, error: LinkError) -> None:
        """End the handshake."""
        if self._refused is not None and not self._refused.done():
            self._refused.set_exception(error)

    def _number_of(self, fact: raw.Fact) -> int:
        """The number of the order of this client that a fact is about; -1 for none."""
        if isinstance(fact, raw.Order | raw.Status):
            return fact.order_id if fact.client_id == self.client_id else -1
        return fact.id if isinstance(fact, raw.Notice) else -1

    def _arrived(self) -> None:
        self._heard_at = self._clock.tick()

    # How a question goes

    async def _list(self, key: str, send: Callable[[], None]) -> list[Any]:
        async with self._asks.turn(key):
            return await self._ask(key, send, key, _FRAMES[key])

    async def _numbered(
        self,
        send: Callable[[int], None],
        what: str,
        frames: tuple[int, ...],
        number: int | None = None,
    ) -> list[Any]:
        key = self.next_number() if number is None else number
        return await self._ask(key, lambda: send(key), what, frames)

    async def _bars(
        self,
        number: int,
        what: raw.Listed,
        until: str,
        span: str,
        size: str,
        show: str,
        regular: bool,
        keeps: bool,
    ) -> list[raw.Bar]:
        asked: tuple[Any, ...] = (_contract(what), until, span, size, show, regular, 2, keeps, [])
        name = f"bars of {what.local or what.symbol}"
        try:
            return await self._numbered(
                lambda n: self._client.reqHistoricalData(n, *asked), name, (17,), number
            )
        except (Timeout, asyncio.CancelledError):
            self.stop_bars(number)
            raise

    async def _ask(
        self, key: int | str, send: Callable[[], None], what: str, frames: tuple[int, ...]
    ) -> list[Any]:
        self._require()
        await self._reads.take()
        self._require()
        return await self._asks.asked(key, send, what, frames, self._seconds)

    def _require(self) -> None:
        if not self.lives:
            raise LinkError(f"TWS at {self._where}:{self._port}: {self._over or 'not connected'}")

    def _quietly(self, send: Callable[[], None]) -> None:
        """Send what nobody waits for, where there is still somebody to send it to."""
        if self.lives:
            send()

    async def _beat(self) -> None:
        """Ask for the time where nothing comes, and end what stays mute."""
        while not self._over:
            await self._clock.sleep(self._silence / _BEATS)
            quiet = self._clock.tick() - self._heard_at
            if quiet >= self._silence:
                self._stop(f"nothing was heard of TWS for {quiet:.0f} s")
            elif quiet >= self._silence / (_BEATS + 1):
                self._quietly(self._client.reqCurrentTime)

    def _failed(self, why: str) -> None:
        if "version" in why:  # what else it says is known by other ways
            self._refuse(LinkError(f"TWS at {self._where}:{self._port}: {why}"))

    def _lost(self, why: str) -> None:
        self._refuse(
            LinkError(
                f"TWS at {self._where}:{self._port} closed the connection at once: allow this "
                "machine in Configure, API, Settings (trusted IPs)"
            )
        )
        self._stop(why or "TWS has closed the connection")

    def _stop(self, why: str) -> None:
        if self._over:
            return
        self._over = why
        if self._beating is not None:
            self._beating.cancel()
        self._client.conn.disconnected -= self._lost
        self._client.apiError -= self._failed
        self._client.disconnect()
        self._asks.fail(self._over)
        lost = raw.Lost(self._over)
        self.watches.tell_all(lost)
        self._hear(lost)


def _contract(what: raw.Listed) -> Contract:
    return Contract(
        conId=what.con_id,
        symbol=what.symbol,
        secType=what.kind,
        currency=what.currency,
        exchange=what.exchange,
        localSymbol=what.local,
    )
