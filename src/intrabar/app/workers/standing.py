"""How a session stands, worked out of its journal alone: what it holds, has done and has lost."""

from __future__ import annotations

import csv
import math
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO
from typing import Any, NamedTuple

import msgspec

from intrabar.journal.lots import Fill, Sleeve
from intrabar.model.entry import Entry, whole
from intrabar.model.enums import OrderStatus, Side

FORMAT = 1
LAST = 20  # refusals that are shown

FILLS = (
    "bar", "time", "phase", "strategy", "symbol", "order", "side", "qty", "price", "cost", "reason",
    "realized", "position", "stop", "target", "point_value",
)  # fmt: skip
TRADES = (
    "strategy", "symbol", "side", "open_bar", "close_bar", "open_time", "close_time", "qty",
    "open_price", "close_price", "gross", "costs", "net",
)  # fmt: skip
EQUITY = ("bar", "time", "equity", "cash", "drawdown", "exposure")
METRICS = "metrics.jsonl"
HEADS = {"fills.csv": FILLS, "trades.csv": TRADES, "equity.csv": EQUITY, METRICS: ()}
"""File -> its columns, those of a run's tables; () for lines of JSON."""

_WORKS = (OrderStatus.WORKING.word, OrderStatus.PARTIALLY_FILLED.word)
_encode = msgspec.json.encode


@dataclass
class Mark:
    """The last close of a symbol and when that was, and what one point of it is worth."""

    price: float = math.nan
    time: int = 0
    fx: float = 1.0
    worth: float = math.nan


class Took(NamedTuple):
    """Seconds that a row took: from its last bar to its commands, and to be committed.

    None where nobody has measured it.
    """

    turn: float | None = None
    commit: float | None = None


@dataclass(eq=False)
class Standing:
    """Reads the entries of a session in their order, from the first.

    `lines` has what is new for each file of its folder; who takes it out empties it. `took` is
    of the row whose record comes next, by who has measured it.
    """

    lines: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in HEADS})
    took: Took = field(default_factory=Took)
    name: str = ""
    seq: int = 0
    at: int = 0
    started: int = 0
    why: str | None = None  # it has stopped
    ends_when_flat: bool = False
    rows: int = 0
    row: dict[str, Any] = field(default_factory=dict)
    row_time: int = 0  # the close of the row that is run
    runs: bool = False  # a row; a broker fills between two as well
    marks: dict[str, Mark] = field(default_factory=dict)
    orders: dict[int, dict[str, Any]] = field(default_factory=dict)
    breaker: str = "trading"
    causes: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    links: dict[str, dict[str, Any]] = field(default_factory=dict)
    shadows: dict[str, list[float]] = field(default_factory=dict)  # `d` of the pairs so far
    left_out: dict[str, str] = field(default_factory=dict)  # strategies whose hook failed: why
    refusals: Counter[str] = field(default_factory=Counter)
    refused: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=LAST))
    counts: Counter[str] = field(default_factory=Counter)
    _sleeves: dict[tuple[str, str], Sleeve] = field(default_factory=dict)
    _symbols: list[str] = field(default_factory=list)
    _x0: float = math.nan
    _peak: float = math.nan
    _since_row: Counter[str] = field(default_factory=Counter)

    def add(self, entry: Entry) -> None:
        """Take the next entry in."""
        self.seq += 1
        self.at = entry.at
        self._since_row[entry.kind] += 1
        body = entry.body
        match entry.kind:
            case "session.started":
                self._start(body)
            case "session.resumed":
                self.why = None
            case "session.stopped":
                self.why = str(body.get("reason", ""))
                self.ends_when_flat = self.ends_when_flat and self.held > 0
            case "command.person" if body["kind"] in ("stop_when_flat", "resume"):
                self.ends_when_flat = body["kind"] == "stop_when_flat"
            case "row.closed":
                self._close(body)
            case "limit.day":
                self._begin_day(body)
            case "row":
                self._end_row(body)
            case "order":
                self._order(body)
            case "fill":
                self._fill(body)
            case "refused":
                self.refusals[str(body["rule"])] += 1
                self.refused.append({"time": time_text(entry.at), **body})
            case "breaker":
                self._move(body)
            case "link":
                self.links[str(body.get("who", "source"))] = {
                    "state": body["state"],
                    "reason": body.get("reason", ""),
                    "since": time_text(entry.at),
                }
            case "decision" | "pair":
                own = self.shadows.setdefault(str(body["strategy"]), [])
                if entry.kind == "pair" and not math.isnan(d := float(body["d"])):
                    own.append(d)
            case "hook":
                self.left_out[str(body["strategy"])] = str(body["text"])
            case "hook.hung":
                self.left_out[str(body["strategy"])] = "it is called no more"

    def status(self) -> dict[str, Any]:
        """How it stands, as `status.json` has it."""
        return {
            "format": FORMAT,
            "session": self.name,
            "state": "running" if self.why is None else "stopped",
            "why": self.why,
            "ends_when_flat": self.ends_when_flat,
            "started": time_text(self.started),
            "at": time_text(self.at),
            "seq": self.seq,
            "rows": self.rows,
            **self.row,
            "breaker": {"state": self.breaker, "causes": list(self.causes.values())},
            "positions": self.positions(),
            "orders": list(self.orders.values()),
            "fills": self.counts["fills"],
            "trades": self.counts["trades"],
            "refusals": {"by_rule": dict(self.refusals), "last": list(self.refused)},
            "shadow": {
                name: {"pairs": len(own), "d": sum(own) / len(own) if own else None}
                for name, own in self.shadows.items()
            },
            "links": self.links,
            "left_out": self.left_out,
        }

    def positions(self) -> list[dict[str, Any]]:
        """What is held, by strategy and symbol."""
        return [
            {
                "strategy": owner[0],
                "symbol": owner[1],
                "qty": sleeve.qty,
                "average": sleeve.average,
                "close": self.marks[owner[1]].price,
                "realized": sleeve.realized,
                "costs": sleeve.costs,
            }
            for owner, sleeve in sorted(self._sleeves.items())
            if sleeve.qty != 0.0
        ]

    @property
    def held(self) -> int:
        """How many sleeves are not flat."""
        return sum(sleeve.qty != 0.0 for sleeve in self._sleeves.values())

    def exposure(self, equity: float) -> float:
        """Net positions at their closes, over the equity; NaN where a worth is not known."""
        net = dict.fromkeys((symbol for _, symbol in self._sleeves), 0.0)
        for (_, symbol), sleeve in self._sleeves.items():
            net[symbol] += sleeve.qty
        held = 0.0
        for symbol, qty in net.items():
            if qty != 0.0:
                mark = self.marks[symbol]
                held += abs(qty * mark.price) * mark.worth * mark.fx
        return held / equity if equity > 0.0 else 0.0

    def _start(self, body: Mapping[str, Any]) -> None:
        self.name, self.started = str(body.get("name", "")), self.at
        self._symbols = [str(symbol) for symbol in body.get("symbols", ())]
        worth = body.get("point_values") or [math.nan] * len(self._symbols)
        self.marks = {
            symbol: Mark(worth=float(value))
            for symbol, value in zip(self._symbols, worth, strict=True)
        }

    def _close(self, body: Mapping[str, Any]) -> None:
        self.row_time, self.runs = int(body["time"]), True
        self.rows += 1
        for bar in body["bars"]:
            mark = self.marks[self._symbols[bar[0]]]
            mark.price, mark.time = float(bar[4]), self.row_time
        for symbol, fx in zip(self._symbols, body.get("fx") or (), strict=False):
            self.marks[symbol].fx = float(fx)

    def _begin_day(self, body: Mapping[str, Any]) -> None:
        self._x0 = float(body["x0"]["account"])
        if math.isnan(self._peak):
            self._peak = float(body["peak"]["account"])

    def _end_row(self, body: Mapping[str, Any]) -> None:
        equity, cash, self.runs = float(body["equity"]), float(body["cash"]), False
        self._peak = max(self._peak, equity) if equity == equity else self._peak
        self.row = {
            "time": time_text(int(body["time"])),
            "bar": int(body["row"]),
            "equity": equity,
            "cash": cash,
            "day_profit": equity - self._x0,
            "drawdown": 1.0 - equity / self._peak,
            "exposure": self.exposure(equity),
        }
        measured = {
            **self.row,
            "positions": self.held,
            "orders": len(self.orders),
            "fills": self._since_row["fill"],
            "refusals": self._since_row["refused"],
            "latencies": {
                "sealed_after": (self.at - int(body["time"])) / 1e9,
                **self.took._asdict(),
            },
        }
        self._since_row.clear()
        self.lines[METRICS].append(_encode(measured).decode() + "\n")
        self._write("equity.csv", self.row)

    def _order(self, body: Mapping[str, Any]) -> None:
        number = int(body["order"])
        if body["status"] in _WORKS:
            self.orders[number] = whole("order", body)
        else:
            self.orders.pop(number, None)

    def _fill(self, body: Mapping[str, Any]) -> None:
        owner = str(body["strategy"]), str(body["symbol"])
        size, price = float(body["qty"]), float(body["price"])
        mark = self.marks.setdefault(owner[1], Mark())
        if size == 0.0 and price > 0.0 and mark.time < self.row_time:
            mark.price /= price  # a split, and no bar since
        sign, time = Side(body["side"]), self.row_time if self.runs else self.at
        fill = Fill(
            self.seq, int(body["row"]), time, int(sign) * size, price, float(body["cost"]),
            float(body["realized"]), float(body["position"]), float(body["point_value"]),
        )  # fmt: skip
        row = {**body, "bar": fill.bar, "time": time_text(time)}
        row["order"] = None if int(body["order"]) < 0 else body["order"]
        self._write("fills.csv", row)
        self.counts["fills"] += 1
        for trade in self._sleeves.setdefault(owner, Sleeve()).add(fill):
            times = {name: time_text(trade[name]) for name in ("open_time", "close_time")}
            named = {"strategy": owner[0], "symbol": owner[1]}
            self._write("trades.csv", {**trade, **times, **named})
            self.counts["trades"] += 1

    def _move(self, body: Mapping[str, Any]) -> None:
        self.breaker = str(body["state"])
        key = str(body["cause"]), str(body["scope"])
        self.causes.pop(key, None)
        if body["set"]:
            names = ("cause", "scope", "level", "rule", "value", "limit", "text")
            self.causes[key] = {"since": time_text(self.at), **{n: body.get(n) for n in names}}

    def _write(self, name: str, row: Mapping[str, Any]) -> None:
        self.lines[name].append(line_of([row[column] for column in HEADS[name]]))


def time_text(time: int) -> str:
    """An instant, ns since 1970 UTC, as the tables of a run write it."""
    whole, rest = divmod(time, 1_000_000_000)
    at = datetime.fromtimestamp(whole, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{rest:09d}+0000"


def line_of(values: list[Any]) -> str:
    """A line of a CSV file; what is not known is empty."""
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerow([_cell(value) for value in values])
    return text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value in ("nan", "inf", "-inf"):
        value = float(value)  # as a journal writes them
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else repr(value)
    return value
