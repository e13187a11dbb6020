"""A scenario that is run for a picture, step by step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from intrabar.engine.scenario.scenario import run_scenario, scenario_machine, scenario_result
from intrabar.engine.story.walk import walk_of
from intrabar.sim.state import STEP_CLOSE, STEP_INTRABAR

PRICES = ("stop_price", "limit_price")


def number(x: float) -> str:
    """A price or a quantity as short as it can be."""
    return f"{x:.10g}"


@dataclass
class Play:
    """A scenario that was run, and what the result alone does not say."""

    scenario: dict[str, Any]
    result: dict[str, Any] = field(init=False)
    orders: list[dict[str, Any]] = field(init=False)
    walks: dict[int, list[float]] = field(default_factory=dict)  # bar: corners of its path
    jumps: dict[int, set[int]] = field(default_factory=dict)  # bar: legs that are not walked
    prices: dict[tuple[int, int], dict[str, float]] = field(default_factory=dict)
    margin: tuple[int, float] | None = None  # bar of a margin call, price that calls

    def __post_init__(self) -> None:
        machine, script = scenario_machine(self.scenario)
        for i in range(len(machine.market)):
            machine.advance(i, STEP_INTRABAR)
            if machine.bar != i:
                break
            walk = walk_of(machine, i, 0)
            if walk:
                self.walks[i] = [walk.legs[0].start, *(leg.end for leg in walk.legs)]
                self.jumps[i] = {n for n, leg in enumerate(walk.legs) if leg.jumps}
            for o in machine.book.orders[machine.working()]:
                self.prices[int(o["id"]), i] = {n: float(o[n]) for n in PRICES}
            machine.advance(i, STEP_CLOSE)
            sleeve, x = machine.book.sleeves[0], machine.book.instruments[0]
            if sleeve["qty"] and x["maintenance_margin"]:
                cash = machine.book.account["cash"][0]
                missing = x["maintenance_margin"] * abs(sleeve["qty"]) - cash
                calls = sleeve["avg"] + missing / (sleeve["qty"] * x["point_value"])
                if machine.tape.low[i, 0] < calls < machine.tape.high[i, 0]:
                    self.margin = (i, float(calls))
        machine.advance()
        self.result = scenario_result(self.scenario["name"], machine, script)
        names = [o["id"] for o in self.result["orders"]]
        records = machine.orders()
        self.orders = [
            {name: record[name].item() for name in records.dtype.names} | {"name": name}
            for name, record in zip(names, records, strict=True)
        ]
        assert self.result == run_scenario(self.scenario), "a run in steps must equal one at a go"

    @property
    def bars(self) -> list[list[float] | None]:
        """The bars of the one instrument that a picture shows."""
        bars: list[list[float] | None] = self.scenario["bars"]["A"]
        return bars

    def price_at(self, order: dict[str, Any], name: str, i: int) -> float:
        """Where an order's price stood in a bar; trails, splits and rolls move it."""
        return float(self.prices.get((order["id"], i), order)[name])

    def notes(self) -> list[str]:
        """What happened without an order: actions, and the lines of the ledger."""
        lines = []
        for action in self.scenario.get("actions", []):
            what = [
                f"{name.replace('_', ' ')} {number(value)}"
                for name, value in action.items()
                if name not in ("at", "symbol")
            ]
            lines.append(f"bar {action['at']}, open: {', '.join(what)}")
        for line in self.result.get("ledger", []):
            amount = f"{line['amount']:+.4f}".rstrip("0").rstrip(".")
            lines.append(f"bar {line['at']}: {line['kind']} {amount}")
        x = self.scenario["instruments"][0]
        if x.get("max_volume_share") or x.get("slippage_impact"):
            volumes = [number(bar[4]) if bar else "-" for bar in self.bars]
            lines.append(f"volumes of the bars: {', '.join(volumes)}")
        if "days" in self.scenario:
            lines.append(f"trade dates of the bars: {', '.join(map(str, self.scenario['days']))}")
        for currency, rates in self.scenario.get("fx", {}).items():
            lines.append(f"1 {currency} at the closes: {', '.join(map(number, rates))}")
        return lines
