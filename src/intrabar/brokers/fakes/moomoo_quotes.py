"""The quotes of OpenD: K-lines, snapshots, what is known of a share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from intrabar.brokers.fakes.account import FakeAccount
from intrabar.brokers.fakes.moomoo_frames import No, local, module, text

Line = tuple[float, ...]
"""End (ns UTC), open, high, low, close, volume."""
US_QUOTES = 11
LENGTHS = {60: 1, 180: 10, 300: 6, 900: 7, 1800: 8, 3600: 9, 86_400: 2}
SUBSCRIBED = {11: 60, 17: 180, 7: 300, 8: 900, 9: 1800, 10: 3600, 6: 86_400}


class FakeQuotes:
    """What the gateway tells of markets.

    Parameters
    ----------
    account : FakeAccount
        Its symbols are known, too.
    bars : callable, optional
        As that of `FakeOpenD`.
    """

    def __init__(
        self, account: FakeAccount, bars: Callable[[str, int], list[Line] | None] | None
    ) -> None:
        self._account, self._bars, self.page = account, bars, 1000
        self.subscribed: set[tuple[str, int]] = set()

    def subscribe(self, asked: Any) -> None:
        """Take note of what is to be pushed."""
        for one in asked.securityList:
            self._require_code(one.code)
            for kind in asked.subTypeList:
                self.subscribed.add((one.code, SUBSCRIBED[kind]))

    def pushes(self) -> list[Any]:
        """The K-line in progress of all that is subscribed to."""
        found = []
        for code, seconds in sorted(self.subscribed):
            message = module(3007).Response()
            message.retType = 0
            message.s2c.rehabType, message.s2c.klType = 0, LENGTHS[seconds]
            message.s2c.security.market, message.s2c.security.code = US_QUOTES, code
            for row in self._rows(code, seconds)[-1:]:
                _line(message.s2c.klList.add(), row, seconds)
            found.append(message)
        return found

    def _rows(self, code: str, seconds: int) -> list[Line]:
        rows = self._bars(code, seconds) if self._bars is not None else None
        if rows is None:
            raise No(f"Unknown stock US.{code}")
        return rows

    def _require_code(self, code: str) -> None:
        known = self._bars is not None and self._bars(code, 60) is not None
        if not known and code not in self._account.symbols:
            raise No(f"Unknown stock US.{code}")

    def fill_in(self, proto: int, asked: Any, told: Any) -> None:
        """Answer a request."""
        if proto == 3202:
            for one in asked.securityList:
                self._require_code(one.code)
                basic = told.staticInfoList.add().basic
                basic.security.CopyFrom(one)
                basic.id, basic.lotSize, basic.secType = 1, 1, 3
                basic.name, basic.listTime = one.code, "2000-01-03"
            return
        if proto == 3203:
            for one in asked.securityList:
                self._snapshot(one, told)
            return
        seconds = {number: length for length, number in LENGTHS.items()}[asked.klType]
        if asked.rehabType != 0:
            raise No("These K-lines would be adjusted")
        rows = self._rows(asked.security.code, seconds)
        told.security.CopyFrom(asked.security)
        if proto == 3006:
            told_rows = rows[-asked.reqNum :]
        else:
            texts = [(_stamp(row[0], seconds), row) for row in rows]
            begin, end = asked.beginTime, asked.endTime
            found = [
                row
                for text, row in texts
                if begin <= text[: len(begin)] and text[: len(end)] <= end
            ]
            at = int(asked.nextReqKey or b"0")
            told_rows = found[at : at + self.page]
            if at + self.page < len(found):
                told.nextReqKey = str(at + self.page).encode()
        for row in told_rows:
            _line(told.klList.add(), row, seconds)

    def _snapshot(self, security: Any, told: Any) -> None:
        self._require_code(security.code)
        basic = told.snapshotList.add().basic
        last = self._account.symbols.get(security.code, 100.0)
        basic.security.CopyFrom(security)
        basic.type, basic.isSuspend, basic.listTime = 3, False, "2000-01-03"
        basic.lotSize, basic.priceSpread, basic.updateTime = 1, 0.01, text(self._account.now())
        basic.highPrice = basic.openPrice = basic.lowPrice = basic.lastClosePrice = last
        basic.curPrice, basic.volume, basic.turnover, basic.turnoverRate = last, 1000, 0.0, 0.0
        basic.askPrice, basic.bidPrice = last + 0.01, last - 0.01


def _line(told: Any, row: Line, seconds: int) -> None:
    told.time, told.isBlank = _stamp(row[0], seconds), False
    told.openPrice, told.highPrice, told.lowPrice, told.closePrice = row[1:5]
    told.volume, told.lastClosePrice = int(row[5]), row[1]


def _stamp(end: float, seconds: int) -> str:
    """A K-line's time: its end, where the exchange is; of a day its date."""
    there = local(int(end))
    return there.strftime("%Y-%m-%d 00:00:00" if seconds == 86_400 else "%Y-%m-%d %H:%M:%S")
