"""A smaller scenario that still fails: take away whatever can be taken away."""

from __future__ import annotations

from collections.abc import Callable, Iterator

PER_SYMBOL = ("bars", "detail")
KEPT = ("id", "at", "phase", "symbol", "side", "type", "cancel", "modify")


def shrink(scenario: dict, still_fails: Callable[[dict], bool]) -> dict:
    """Take away whatever can be taken away while the scenario still fails."""
    smaller = True
    while smaller:
        smaller = False
        for candidate in simpler(scenario):
            try:
                fails = still_fails(candidate)
            except Exception:  # taken apart too far: not a scenario any more
                fails = False
            if fails:
                scenario, smaller = candidate, True
                break
    return scenario


def simpler(scenario: dict) -> Iterator[dict]:
    """Scenarios with one thing less than this one, the largest things first."""
    yield from with_fewer_instruments(scenario)
    yield from with_fewer_bars(scenario)
    for name in scenario:
        if name not in ("orders", "instruments", "bars"):
            yield {k: v for k, v in scenario.items() if k != name}
    for part in ("orders", "actions"):
        things = scenario.get(part, [])
        for n in range(len(things)):
            yield {**scenario, part: things[:n] + things[n + 1 :]}
    yield from with_fewer_words(scenario)
    yield from with_plainer_bars(scenario)


def with_fewer_words(scenario: dict) -> Iterator[dict]:
    for part in ("orders", "instruments", "actions"):
        things = scenario.get(part, [])
        for n, thing in enumerate(things):
            for name in thing:
                if name not in KEPT:
                    rest = {k: v for k, v in thing.items() if k != name}
                    yield {**scenario, part: [*things[:n], rest, *things[n + 1 :]]}
    for name in scenario.get("account", {}):
        rest = {k: v for k, v in scenario["account"].items() if k != name}
        yield {**scenario, "account": rest}


def with_plainer_bars(scenario: dict) -> Iterator[dict]:
    for symbol, bars in scenario["bars"].items():
        for n, bar in enumerate(bars):
            for flatter in flatter_bars(bar):
                changed = [*bars[:n], flatter, *bars[n + 1 :]]
                yield {**scenario, "bars": {**scenario["bars"], symbol: changed}}
    for symbol, lower in scenario.get("detail", {}).items():
        for n, inside in enumerate(lower):
            if inside:
                changed = [*lower[:n], None, *lower[n + 1 :]]
                yield {**scenario, "detail": {**scenario["detail"], symbol: changed}}


def flatter_bars(bar: list | None) -> Iterator[list]:
    if bar is None:
        return
    o, h, l, c, v = bar  # noqa: E741
    for flatter in ([o, o, o, o, v], [o, max(o, c), min(o, c), c, v], [o, h, l, o, v]):
        if flatter[:4] != bar[:4]:
            yield flatter
    if v not in (1, 100):
        yield [o, h, l, c, 1]
        yield [o, h, l, c, 100]


def with_fewer_instruments(scenario: dict) -> Iterator[dict]:
    for instrument in scenario["instruments"][1:] + scenario["instruments"][:1]:
        symbol = instrument["symbol"]
        left = {
            name: {s: rows for s, rows in scenario[name].items() if s != symbol}
            for name in PER_SYMBOL
            if name in scenario
        }
        for name in ("orders", "actions"):
            if name in scenario:
                left[name] = [o for o in scenario[name] if o.get("symbol", "") != symbol]
        left["instruments"] = [i for i in scenario["instruments"] if i["symbol"] != symbol]
        yield {**scenario, **left}


def with_fewer_bars(scenario: dict) -> Iterator[dict]:
    """One bar less; what was to happen at it happens at the next one."""
    length = len(next(iter(scenario["bars"].values())))
    if length == 1:  # a scenario without bars is no scenario
        return
    half = length // 2
    if half > 1:
        yield cut(scenario, set(range(half, length)))
    for n in reversed(range(length)):
        yield cut(scenario, {n})


def cut(scenario: dict, gone: set[int]) -> dict:
    """Without the bars at these indices, and what is told of them."""
    length = len(next(iter(scenario["bars"].values())))
    kept = [n for n in range(length) if n not in gone]
    smaller = dict(scenario)
    for name in (*PER_SYMBOL, "fx"):
        if name in scenario:
            smaller[name] = {s: [row[n] for n in kept] for s, row in scenario[name].items()}
    if "days" in scenario:
        smaller["days"] = [scenario["days"][n] for n in kept]
    for name in ("orders", "actions"):
        if name in scenario:
            moved = [{**o, "at": sum(n < o["at"] for n in kept)} for o in scenario[name]]
            smaller[name] = [o for o in moved if o["at"] < len(kept)]
    return smaller
