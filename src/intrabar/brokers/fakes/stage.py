"""The hands of the conformance tests on a fake that is made of an account and a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from intrabar.brokers.fakes.account import FakeAccount, Order
from intrabar.brokers.fakes.server import FakeServer
from intrabar.links.broker import Broker, Wanted

Make = Callable[[Wanted, bool], Broker]


class FakeStage:
    """A stage (`conforming.scene.Stage`) on a fake that listens already.

    Parameters
    ----------
    account : FakeAccount
        Its first symbol is what is traded.
    server : FakeServer
    make : callable
        The adapter for the account that is wanted, with wrong keys where the second argument says
        so.
    secrets : tuple of str
        The credentials that `make` gives it.
    named : callable
        Our client id as the vendor keeps it.
    """

    def __init__(
        self,
        account: FakeAccount,
        server: FakeServer,
        make: Make,
        *,
        secrets: tuple[str, ...] = (),
        kind: Literal["paper", "live"] = "paper",
        unknown: str = "NOSUCH",
        deadline: float = 3.0,
        named: Callable[[str], str] = str,
    ) -> None:
        self.there, self.server, self._make, self._named = account, server, make, named
        self.account, self.kind, self.unknown = account.id, kind, unknown
        self.symbol, self.price = next(iter(account.symbols.items()))
        self.secrets, self.deadline = secrets, deadline

    def broker(self, wanted: Wanted, *, wrong_keys: bool = False) -> Broker:  # noqa: D102
        return self._make(wanted, wrong_keys)

    def fault(self, kind: str, fault: str, times: int = 1) -> None:  # noqa: D102
        self.server.faults.add(kind, fault, times)

    def truth(self, client_id: str) -> Order | None:
        """By our name; a child that the vendor names by that of its entry."""
        found = self.there.by_client_id(self._named(client_id))
        entry = None if found else self.there.by_client_id(self._named(client_id[:-1]))
        if entry is None or client_id[-1:] not in "st":
            return found
        kind = "limit" if client_id.endswith("t") else "stop"
        children = [x for x in self.there.orders.values() if x.parent == entry.id]
        return next((x for x in children if x.type == kind), None)

    def orders(self) -> list[Order]:  # noqa: D102
        return list(self.there.orders.values())

    def balance(self) -> float:  # noqa: D102
        return self.there.equity

    async def settle(self) -> None:
        """Nothing follows by itself."""

    async def fill(self, client_id: str, qty: float, price: float) -> None:  # noqa: D102
        halves = 2 if self.server.faults.at("fill") == "partial" else 1
        for _ in range(halves):
            self.there.fill(self._id(client_id), qty / halves, price)

    async def end(  # noqa: D102
        self, client_id: str, how: Literal["cancelled", "expired", "rejected"]
    ) -> None:
        self.there.end(self._id(client_id), how, f"{how} by the venue")

    async def show(self, client_id: str, word: str) -> None:  # noqa: D102
        self.there.show(self._id(client_id), word)

    async def trade(self, side: int, qty: float, price: float) -> None:  # noqa: D102
        self.there.trade(self.symbol, side, qty, price)

    async def pay(self, amount: float) -> None:  # noqa: D102
        self.there.pay(amount)

    async def cut(self) -> None:  # noqa: D102
        self.server.cut()

    async def leave(self) -> None:  # noqa: D102
        await self.server.stop()

    async def come_back(self) -> None:  # noqa: D102
        await self.server.start()

    async def close(self) -> None:  # noqa: D102
        await self.server.stop()

    def _id(self, client_id: str) -> str:
        found = self.truth(client_id)
        assert found is not None, f"{client_id} is not there"
        return found.id
