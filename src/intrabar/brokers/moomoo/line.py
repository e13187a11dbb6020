"""The line to OpenD of one account: connected when it is asked, unlocked, within its limits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from intrabar.brokers.moomoo.words import code_of, symbol_of
from intrabar.errors import AuthError, GateError, LinkError, NotFoundError, RateLimited, Timeout
from intrabar.links.broker import Wanted
from intrabar.links.clock import Clock
from intrabar.links.lines import Bucket, within
from intrabar.links.lines import Line as Calls
from intrabar.links.moomoo import Connection, DeclinedError, Row, Trading, UnsentError
from intrabar.model.secret import Secret

SPAN = 30.0  # seconds of OpenD's limits
PLACED, ENTERED, CHANGED, READ = 15, 12, 20, 10
"""Orders of a span, and of these entries; changes and cancels; fresh reads of a kind."""
LOCKED = "unlock"

Told = Callable[[str, Row], None]


class Line:
    """What an account may be asked; where the connection has ended, another is made.

    Parameters
    ----------
    wanted : Wanted
    clock : Clock
    port : int
    password : Secret, optional
    seconds, login : float
        Deadlines of a call, and of a connection.
    """

    def __init__(
        self,
        wanted: Wanted,
        clock: Clock,
        port: int,
        password: Secret | None,
        seconds: float,
        login: float,
    ) -> None:
        self._wanted, self._clock, self._port, self._password = wanted, clock, port, password
        self._seconds, self._login = seconds, login
        self._places = Bucket(PLACED, SPAN, clock, apart=0.02)
        self._entries = Bucket(ENTERED, SPAN, clock)
        self._changes = Bucket(CHANGED, SPAN, clock, apart=0.04)
        self._reads: dict[str, Calls] = {}
        self._turn = asyncio.Lock()
        self._trading: Trading | None = None
        self._closed = self._unlocks = False
        self._wrong = ""  # why the password was refused
        self.told: Told = lambda what, row: None
        """Given what is pushed."""

    async def trading(self) -> Trading:
        """The account, connected.

        Raises
        ------
        LinkError
        """
        async with self._turn:
            if self._closed:
                raise LinkError("moomoo: the link is closed")
            if self._trading is None or self._trading.connection.ended.is_set():
                env = "SIMULATE" if self._wanted.kind == "paper" else "REAL"
                account = self._wanted.account
                if not account.isdecimal():
                    raise GateError(f"the id of an account at Moomoo is a number, not {account!r}")
                connection = Connection(
                    "trade",
                    self._port,
                    seconds=self._seconds,
                    login=self._login,
                    told=self._pushed,
                )
                await connection.open()
                self._trading = Trading(connection, env, int(account))  # type: ignore[arg-type]
                if self._unlocks:
                    await self._unlock(self._trading)
            return self._trading

    async def accounts(self) -> list[Row]:
        """All accounts of the login."""
        trading = await self.trading()
        try:
            return await trading.accounts()
        except DeclinedError as error:
            raise LinkError(str(error)) from None

    async def unlock(self) -> None:
        """Let real orders pass, and after each new connection again.

        Raises
        ------
        AuthError
            The password is wrong.
        """
        await self._unlock(await self.trading())
        self._unlocks = True

    async def lots(self, symbols: tuple[str, ...]) -> dict[str, float]:
        """The lots of symbols.

        Raises
        ------
        NotFoundError
            One that OpenD does not know.
        """
        if not symbols:
            return {}
        quotes = Connection("quote", self._port, seconds=self._seconds, login=self._login)
        await quotes.open()
        found: dict[str, float] = {}
        try:
            for symbol in symbols:
                try:
                    rows = await quotes.ask("get_stock_basicinfo", "US", "STOCK", [code_of(symbol)])
                except DeclinedError as error:
                    if "unknown stock" in str(error).lower():
                        raise NotFoundError("symbol", symbol, (), str(error)) from None
                    raise LinkError(str(error)) from None
                found |= {symbol_of(str(row["code"])): float(row["lot_size"]) for row in rows}
        finally:
            quotes.close()
        return found

    async def read(self, name: str, **asked: Any) -> list[Row]:
        """Rows of a query; tried again.

        Raises
        ------
        LinkError
        """
        if name not in self._reads:
            bucket = Bucket(READ, SPAN, self._clock)
            self._reads[name] = Calls("moomoo", self._clock, bucket, seconds=2 * self._seconds)

        async def call() -> list[Row]:
            try:
                return await self._asked(name, asked)
            except DeclinedError as error:
                raise LinkError(str(error)) from None

        return await self._reads[name].read(call, name)

    async def glance(self) -> list[Row]:
        """The day's orders as OpenD has them at hand, which has no limit."""
        return await (await self.trading()).ask("order_list_query")

    async def place(self, is_entry: bool, **order: Any) -> list[Row]:
        """Send an order.

        Raises
        ------
        UnsentError, DeclinedError, RateLimited, LinkError
        """
        if is_entry:
            await self._within_limits(self._entries)
        await self._within_limits(self._places)
        return await self._asked("place_order", order)

    async def modify(self, **change: Any) -> list[Row]:
        """Change or cancel an order; errors as those of `place`."""
        await self._within_limits(self._changes)
        return await self._asked("modify_order", change)

    def close(self) -> None:
        """Let go of the connection."""
        self._closed = True
        if self._trading is not None:
            self._trading.connection.close()

    async def _asked(self, name: str, asked: dict[str, Any]) -> list[Row]:
        """An answer; where trading was locked it is unlocked once: such a request was refused."""
        trading = await self._reached()
        try:
            return await trading.ask(name, **asked)
        except DeclinedError as error:
            if self._password is None or LOCKED not in str(error).lower():
                raise
        await self._unlock(trading)
        return await trading.ask(name, **asked)

    def _pushed(self, what: str, row: Row) -> None:
        """What is pushed, if it is of this account."""
        if str(row.get("acc_id")) == self._wanted.account:
            self.told(what, row)

    async def _reached(self) -> Trading:
        try:
            return await self.trading()
        except LinkError as error:
            raise UnsentError(str(error)) from None

    async def _unlock(self, trading: Trading) -> None:
        if self._password is None:
            return
        if self._wrong:  # asked again and again, Moomoo would lock the account
            raise AuthError(self._wrong)
        try:
            await trading.unlock(self._password)
        except DeclinedError as error:
            self._wrong = f"{error}; check the trade password, and begin anew"
            raise AuthError(self._wrong) from None

    async def _within_limits(self, bucket: Bucket) -> None:
        try:
            await within(self._seconds / 2, bucket.take(), "moomoo: OpenD's limit")
        except Timeout:
            raise RateLimited("moomoo: OpenD takes no more requests in these 30 s", SPAN) from None
