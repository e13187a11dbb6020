"""One scenario of a picture: its bars, levels and fills, and the events in words."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from html import escape
from typing import Any

from play import PRICES, Play, number
from sheet import CHAR, LEFT, LINE, PLOT, TOP

from intrabar.model.enums import Role


@dataclass
class Panel:
    """Where a scenario's bars, levels and fills lie in the drawing."""

    play: Play
    width: float
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.levels = self.find_levels()
        texts = [text for *_, text, _ in self.levels] + ["margin call 70.25"] * bool(
            self.play.margin
        )
        self.right = 14 + CHAR * max((len(t) for t in texts), default=0)
        self.slot = (self.width - LEFT - self.right) / len(self.play.bars)
        prices = [p for bar in self.play.bars if bar for p in bar[1:3]]
        prices += [f["price"] for f in self.play.result["fills"]]
        prices += [p for *_, steps in self.levels for p in steps.values()]
        edge = 0.07 * (max(prices) - min(prices))
        self.low, self.high = min(prices) - edge, max(prices) + edge
        self.places = self.find_fills()

    def x(self, i: int, part: float) -> float:
        """Across: bar `i`, `part` 0 at its open, 3 at its close."""
        return LEFT + self.slot * (i + 0.14 + 0.72 * part / 3)

    def y(self, price: float) -> float:
        """Down: a price."""
        return TOP + PLOT * (self.high - price) / (self.high - self.low)

    def find_levels(self) -> list[tuple[dict[str, Any], str, str, dict[int, float]]]:
        """Each order price: the order, its kind, its label, and the price in each bar."""
        found = []
        for o in self.play.orders:
            kind = {Role.STOP: "stop", Role.TARGET: "target"}.get(o["role"], "plain")
            both = not math.isnan(o["stop_price"]) and not math.isnan(o["limit_price"])
            last = o["done"] if o["done"] >= 0 else len(self.play.bars) - 1
            for name in PRICES:
                if not math.isnan(o[name]):
                    word = f" {name.split('_')[0]}" if both else ""
                    steps = {
                        i: self.play.price_at(o, name, i)
                        for i in range(min(o["starts"], last), last + 1)
                    }
                    text = f"{o['name']}{word} {number(o[name])}"
                    found.append((o, kind, text, steps))
        return found

    def find_fills(self) -> list[dict[str, Any]]:
        """Each fill with the part of the path at which it happened."""
        x = self.play.scenario["instruments"][0]
        tick = x.get("tick_size", 0.01)
        found: list[dict[str, Any]] = []
        bar, part = -1, 0.0
        for f in self.play.result["fills"]:
            order = next((o for o in self.play.orders if o["name"] == f["order"]), None)
            if f["at"] != bar:
                bar, part = f["at"], 0.0
            market = f["price"]
            limits = order is not None and not math.isnan(order["limit_price"])
            sign = 1 if f["side"] == "buy" else -1
            if not limits and f["phase"] == "open" and f["reason"] != "roll":
                market = self.play.walks[bar][0]
            elif not limits:
                market -= sign * x.get("slippage_ticks", 0) * tick
            elif f["phase"] == "intrabar" and order and order["role"] == Role.PLAIN:
                market -= sign * x.get("limit_through_ticks", 0) * tick
            if f["phase"] == "close":
                part = 3.0
            elif f["phase"] == "intrabar":
                part = self.meet(self.play.walks[bar], market, part)
            found.append({**f, "part": part, "market": market, "kind": kind_of(f["reason"])})
        return found

    @staticmethod
    def meet(path: list[float], price: float, part: float) -> float:
        """Where the path reaches a price, at or after a part of it."""
        legs = len(path) - 1
        for leg in range(legs):
            a, b = path[leg], path[leg + 1]
            begin = part * legs / 3
            if a == b or leg + 1 <= begin:
                continue
            share = (price - a) / (b - a)
            if -1e-9 <= share <= 1 + 1e-9 and leg + share >= begin - 1e-9:
                return (leg + share) * 3 / legs
        raise AssertionError(f"{price} is not on the path {path} after {part}")

    def begins(self, order: dict[str, Any]) -> float:
        """Where an order's level starts: with its bar, or with the fill that created it."""
        parent = next((o["name"] for o in self.play.orders if o["id"] == order["parent"]), None)
        for f in self.places:
            if f["order"] == parent:
                if f["phase"] == "close":
                    return self.x(f["at"] + 1, 0)
                return self.x(f["at"], f["part"])
        return self.x(order["starts"], 0)

    def ends(self, order: dict[str, Any]) -> float:
        """Where an order's level ends: with its fill, with what cancelled it, or with its bar."""
        if order["done"] < 0:
            return self.x(len(self.play.bars) - 1, 3)
        for f in self.places[::-1]:
            if f["order"] == order["name"] and order["status"] == 2:
                return self.x(f["at"], f["part"])
        by = [f for f in self.places if f["at"] == order["done"]]
        if order["status"] == 3 and by:
            return self.x(order["done"], by[-1]["part"])
        if order["tif"] in (3, 4):  # IOC, FOK: gone with the open
            return self.x(order["done"], 0.4)
        return self.x(order["done"], 3)

    def text(self, x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> None:
        """Write words."""
        self.lines.append(
            f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">'
            f"{escape(words)}</text>"
        )

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
        """Draw a straight line."""
        self.lines.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'
        )

    def draw_grid(self) -> None:
        """Price lines at round numbers, and the number of each bar."""
        step = 10 ** math.floor(math.log10((self.high - self.low) / 3))
        step *= next(m for m in (1, 2, 5, 10) if (self.high - self.low) / (m * step) <= 6)
        for n in range(math.ceil(self.low / step), math.floor(self.high / step) + 1):
            y = self.y(n * step)
            self.line(LEFT, y, self.width - self.right + 4, y, "grid")
            self.text(LEFT - 6, y + 4, number(n * step), "soft", "end")
        for i in range(len(self.play.bars)):
            self.text(self.x(i, 1.5), TOP + PLOT + 16, f"bar {i}", "soft", "middle")

    def draw_bars(self) -> None:
        """Each bar's range and path, and the gap to the next one."""
        before: tuple[float, float] | None = None
        for i, bar in enumerate(self.play.bars):
            if bar is None:
                self.text(self.x(i, 1.5), TOP + PLOT - 8, "no bar", "soft", "middle")
                continue
            high, low = self.y(bar[1]), self.y(bar[2])
            left, wide = self.x(i, 0) - 4, self.x(i, 3) - self.x(i, 0) + 8
            self.lines.append(
                f'<rect x="{left:.1f}" y="{high:.1f}" width="{wide:.1f}" '
                f'height="{low - high:.1f}" rx="2" class="range"/>'
            )
            prices = self.play.walks[i]
            legs = len(prices) - 1
            points = [(self.x(i, 3 * n / legs), self.y(p)) for n, p in enumerate(prices)]
            if before:
                self.line(*before, *points[0], "gap")
            before = points[-1]
            begin = 0
            for jump in [*sorted(self.play.jumps[i]), legs]:
                joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points[begin : jump + 1])
                self.lines.append(f'<polyline points="{joined}" class="path"/>')
                if jump < legs:
                    self.line(*points[jump], *points[jump + 1], "gap")
                begin = jump + 1
            if self.slot > 70 and legs == 3:
                at_open = any(f["at"] == i and f["phase"] == "open" for f in self.places)
                for word, (x, y), price in zip(self.words(i), points, prices, strict=True):
                    if word == "O" and at_open:  # the mark of the fill is there
                        continue
                    up = price == max(prices) if word in "HL" else price > sum(prices) / 4
                    shift = {"O": -8, "C": 8}.get(word, 0)
                    self.text(x + shift, y + (-5 if up else 13), word, "soft", "middle")

    def words(self, i: int) -> str:
        """The names of the path's four corners."""
        path = self.play.walks[i]
        return "OLHC" if path[1] <= path[2] else "OHLC"

    def draw_levels(self) -> None:
        """The price of each order for as long as it works, named at the right."""
        labels = []
        for order, kind, text, steps in self.levels:
            begin, end = self.begins(order), self.ends(order)
            if end - begin < 6:  # born and gone at one point: show where it was
                end = begin + 18
            spans: list[tuple[float, float]] = []  # where each price begins
            for i, price in steps.items():
                if not spans or spans[-1][1] != price:
                    spans.append((max(begin, self.x(i, -0.4)) if spans else begin, price))
            for n, (start, price) in enumerate(spans):
                stop = min(end, spans[n + 1][0] if n + 1 < len(spans) else end)
                self.line(start, self.y(price), max(stop, start), self.y(price), f"level {kind}")
            labels.append((self.y(spans[-1][1]), kind, text))
        if self.play.margin:
            bar, price = self.play.margin
            y = self.y(price)
            self.line(self.x(bar, 0) - 8, y, self.width - self.right, y, "level margin")
            labels.append((y, "margin", f"margin call {number(round(price, 2))}"))
        last = -1e9
        for y, kind, text in sorted(labels):
            last = max(y + 4, last + 12.5)
            self.text(self.width - self.right + 8, last, text, kind)

    def draw_fills(self) -> None:
        """A triangle per fill, up for a buy, down for a sell, numbered as in the lines below."""
        taken: list[tuple[float, float]] = []
        for n, f in enumerate(self.places, 1):
            x, y = self.x(f["at"], f["part"]), self.y(f["price"])
            while any(abs(x - a) < 9 and abs(y - b) < 14 for a, b in taken):
                x += 12
            taken.append((x, y))
            if abs(f["market"] - f["price"]) > 1e-9:
                self.line(x, self.y(f["market"]), x, y, "slip")
            up = f["side"] == "buy"
            tip, base = (y - 5.5, y + 5) if up else (y + 5.5, y - 5)
            self.lines.append(
                f'<polygon points="{x:.1f},{tip:.1f} {x - 6:.1f},{base:.1f} {x + 6:.1f},{base:.1f}"'
                f' class="fill {f["kind"]}"/>'
            )
            self.text(x - 9, y + 4, str(n), f"number {f['kind']}", "end")

    def write_events(self, y: float) -> None:
        """The fills, and the orders that did not fill, in words."""
        for words in self.events():
            self.text(14, y, words)
            y += LINE

    def events(self) -> list[str]:
        """One line per fill, then one for the orders that were not filled."""
        lines = []
        for n, f in enumerate(self.places, 1):
            verb = "buys" if f["side"] == "buy" else "sells"
            lines.append(
                f"{n}  bar {f['at']}, {f['phase']}: {f['order']} {verb} {number(f['qty'])}"
                f" at {number(f['price'])} ({f['reason']}{self.cost(f)})"
            )
        rest = [
            f"{o['id']} {o['status']}"
            for o in self.play.result["orders"]
            if o["status"] != "filled"
        ]
        if rest:
            lines.append("; ".join(rest))
        return lines + self.play.notes()

    def cost(self, f: dict[str, Any]) -> str:
        """What a fill cost, where it did."""
        return f", cost {number(round(f['cost'], 4))}" if f["cost"] else ""

    def draw(self, height: float) -> str:
        """The panel as SVG."""
        self.lines.append(
            f'<rect x="0.5" y="0.5" width="{self.width - 1:.0f}" height="{height - 1:.0f}" '
            'rx="6" class="card"/>'
        )
        self.text(14, 21, self.play.scenario["name"], "title")
        self.draw_grid()
        self.draw_bars()
        self.draw_levels()
        self.draw_fills()
        self.write_events(TOP + PLOT + 38)
        return "\n".join(self.lines)


def kind_of(reason: str) -> str:
    """The color of a fill."""
    return {"stop": "stop", "target": "target", "liquidation": "margin"}.get(reason, "plain")
