"""Whether a session did what the market model does, and what each difference cost.

Worked out from the plan and the journal alone. The session is run again, and every record is
compared (A). Its twin has the same rows and lets the hooks decide again (B); its forced twin
decides what the session decided, so that one different fill does not change all that follows (C).
What the session made and what C made differ by named parts, to the last cent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from intrabar.engine.parity.difference import RecordApart, record_apart
from intrabar.engine.parity.money import CARRIED, PARTS, OrderLine, Prices, Scaled, add
from intrabar.engine.parity.paid import Latency, Slippage, latency_of, slippage_of
from intrabar.engine.parity.rows import LATER, RowApart, apart, as_lived, put_right
from intrabar.engine.parity.told import told
from intrabar.engine.parity.traded import OUTSIDE, Key, Traded
from intrabar.engine.parity.twins import Twin, forced, free, on_rows
from intrabar.engine.session.lived_rows import rows_in
from intrabar.engine.session.plan import Plan
from intrabar.engine.session.rerun import hung_at_start, rerun
from intrabar.engine.session.row import ClosedRow, rows_of
from intrabar.errors import UsageError
from intrabar.model.bars import Market
from intrabar.model.entry import Entry

WITHIN = 1e-9  # of the equity, that no part explains


@dataclass(frozen=True, kw_only=True)
class Parity:
    """A session beside its twins.

    Parameters
    ----------
    symbols : tuple of str
    capital : account currency
        At the start; basis points are of it.
    profit : dict of run to money
        `session`, `twin` (B), `forced` (C), and `data` (D): B on the rows that are stored now,
        or as they were put right later; B itself where nothing is.
    difference : RecordApart or None
        The first record that the re-run (A) does not repeat.
    records : int
        That the journal has.
    parts : dict of part to money
        `timing`, `price`, `size`, `cost`, `reject`, `manual`, `carry`, `fx`: profit of the session
        less that of C; `decisions`: of C less B; `data`: of B less D.
    rejects : dict of reason to money
        The part `reject`.
    rest : money
        What no part explains.
    lines : list of OrderLine
        Every order of the session and of C, beside each other.
    decisions : list of (Entry or None, Entry or None)
        Commands of the session and of B that differ.
    rows : list of RowApart
    has_rows : bool
        There were rows to compare with.
    slippage : list of Slippage
    latency : Latency or None
    prices : Prices
    traded, twin : Traded
        What the session, and what C, has done.
    notes : list of str
    """

    symbols: tuple[str, ...]
    capital: float
    profit: dict[str, float]
    difference: RecordApart | None
    records: int
    parts: dict[str, float]
    rejects: dict[str, float]
    rest: float
    lines: list[OrderLine]
    decisions: list[tuple[Entry | None, Entry | None]]
    rows: list[RowApart]
    has_rows: bool
    slippage: list[Slippage]
    latency: Latency | None
    prices: Prices
    traded: Traded
    twin: Traded
    notes: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether the parts are the whole difference."""
        last = [x.equity for x in self.traded.equity[-1:]]
        scale = max([abs(self.capital), *(abs(x) for x in last if math.isfinite(x))])
        return math.isfinite(self.rest) and abs(self.rest) <= WITHIN * scale

    @property
    def is_identical(self) -> bool:
        """Every record repeated, every part zero, every row the same."""
        return (
            self.difference is None
            and not any(self.parts.values())
            and self.holds
            and not self.rows
            and not self.decisions
        )

    @property
    def first(self) -> int:
        """The first row that was traded."""
        return self.traded.equity[0].row if self.traded.equity else 0

    @property
    def last(self) -> int:
        """The last one."""
        return self.traded.equity[-1].row if self.traded.equity else 0

    def as_json(self) -> dict[str, Any]:
        """All of it in plain values."""
        return told(self)

    @property
    def headline(self) -> str:
        """The answer in a sentence."""
        if not self.holds:
            return f"parity fails: {self.rest:.6g} of the difference belongs to no part"
        if self.difference is not None:
            return f"the first difference is {self.difference}"
        if self.is_identical:
            return "identical"
        most = max(self.parts, key=lambda name: abs(self.parts[name]))
        if self.parts[most]:
            return f"the largest difference is {most}: {self.parts[most]:,.2f}"
        if self.rows:
            return f"identical but for data: {len(self.rows)} differences of rows, worth nothing"
        return f"{len(self.decisions)} decisions differ, worth nothing"


def parity(
    plan: Plan,
    entries: Sequence[Entry],
    stored: Market | None = None,
    seeded: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Parity:
    """Hold a session against the market model.

    Parameters
    ----------
    plan : Plan
    entries : sequence of Entry
        All of its journal, from the first on.
    stored : Market, optional
        Bars as they are stored now, of the session's symbols in its order: as a backtest has them.
        Without, the bars that came late or were corrected are put in their places.
    seeded : callable
        Around each run: random numbers are drawn as in the session.

    Raises
    ------
    UsageError
        The journal has no start, or the bars are of other symbols.
    """
    if not entries or entries[0].kind != "session.started":
        raise UsageError("parity: the journal does not begin with session.started; read all of it")
    if stored is not None and tuple(stored.symbols) != plan.symbols:
        raise UsageError(
            f"parity: the stored bars are of {', '.join(stored.symbols)}; the session has "
            f"{', '.join(plan.symbols)}, in this order"
        )
    lived = Traded(entries)
    with seeded():
        again = rerun(plan, entries)
    if again.difference is None:
        own, lost = lived, list[str]()
    else:
        with seeded():
            b = free(plan, lived, entries)
        own, lost = b.traded, b.lost
    c = forced(plan, lived, entries)
    mine = rows_in(entries)
    rows, other = _other_rows(plan, mine, entries, stored)
    d = own
    if other is not None and rows:
        with seeded():
            d = on_rows(plan, lived, entries, other).traded
    profits = {
        "session": _profit(plan, lived),
        "twin": _profit(plan, own),
        "forced": _profit(plan, c.traded),
        "data": _profit(plan, d),
    }
    prices = Prices(plan, mine[: lived.equity[-1].row + 1] if lived.equity else [])
    lines, sums, rejects = _parts(prices, lived, c)
    parts = dict.fromkeys((*PARTS, "decisions", "data"), 0.0) | sums
    rest = profits["session"] - profits["forced"] - math.fsum(sums.values())
    parts["decisions"] = profits["forced"] - profits["twin"]
    parts["data"] = profits["twin"] - profits["data"]
    return Parity(
        symbols=plan.symbols,
        capital=plan.account.cash,
        profit=profits,
        difference=None if again.difference is None else record_apart(again.difference),
        records=len(entries),
        parts=parts,
        rejects=rejects,
        rest=rest,
        lines=lines,
        decisions=_decisions_apart(lived, own),
        rows=rows,
        has_rows=other is not None,
        slippage=slippage_of(plan, prices, lines),
        latency=latency_of(entries),
        prices=prices,
        traded=lived,
        twin=c.traded,
        notes=[
            *(f"forced twin: {text}" for text in c.lost),
            *(f"twin: {text}" for text in lost),
            *(
                f"{name}: a hook of it did not return at a start, so none is called; what it had "
                "decided until then counts, but not on other rows"
                for name in sorted(hung_at_start(entries))
            ),
            *_ended(lived, {"twin": own, "forced twin": c.traded, "twin on other rows": d}),
        ],
    )


def _profit(plan: Plan, traded: Traded) -> float:
    return traded.equity[-1].equity - plan.account.cash if traded.equity else 0.0


def _ended(lived: Traded, twins: Mapping[str, Traded]) -> list[str]:
    """Twins that were ruined before the session, or after it: their ends are no comparison."""
    end = lived.equity[-1].time if lived.equity else 0
    return [
        f"{name}: it ends with bar {traded.equity[-1].row}, the session with "
        f"{lived.equity[-1].row}: one of them was ruined, and what differs behind it has no part"
        for name, traded in twins.items()
        if traded.equity and traded.equity[-1].time != end
    ]


def _other_rows(
    plan: Plan, mine: list[ClosedRow], entries: Sequence[Entry], stored: Market | None
) -> tuple[list[RowApart], list[ClosedRow] | None]:
    """Where the rows differ from those that stand now, and these; None where they are none."""
    if not mine:
        return [], None
    if stored is not None:
        other = as_lived(mine, rows_of(stored))
    elif any(entry.kind in LATER for entry in entries):
        other = put_right(mine, entries, plan.symbols, plan.period)
    else:
        return [], None
    found = apart(mine, other, plan.symbols)
    return found, other


def _parts(
    prices: Prices, lived: Traded, c: Twin
) -> tuple[list[OrderLine], dict[str, float], dict[str, float]]:
    """Orders side by side, the parts of their difference, and the reasons of `reject`."""
    lines: dict[Key, OrderLine] = {}
    every = [_laid(prices, lived, lines, True), _laid(prices, c.traded, lines, False)]
    rejects: dict[str, float] = {}
    for line in lines.values():
        theirs = math.fsum(prices.contribution(x) for x in line.twin_fills)
        of_a_person = line.session is not None and lived.by(line.session) == "person"
        if of_a_person or any(x.fill.reason == OUTSIDE for x in line.fills):
            ours = math.fsum(prices.contribution(x) for x in line.fills)
            add(line, "manual", ours - theirs)
        elif line.twin_fills and not line.fills:
            line.reason = _reason(lived, line)
            add(line, "reject", -theirs)
            rejects[line.reason] = rejects.get(line.reason, 0.0) - theirs
        else:
            prices.pair(line)
    sums = {part: math.fsum(line.parts.get(part, 0.0) for line in lines.values()) for part in PARTS}
    carried = [
        math.fsum(float(x["amount"]) for x in traded.lines if x["kind"] in CARRIED)
        for traded in (lived, c.traded)
    ]
    sums["carry"] = carried[0] - carried[1]
    sums["fx"] = prices.exchange(lived, every[0]) - prices.exchange(c.traded, every[1])
    ordered = sorted(lines.values(), key=lambda x: (_first_row(lived, c.traded, x), str(x.key)))
    return ordered, sums, rejects


def _laid(
    prices: Prices, traded: Traded, lines: dict[Key, OrderLine], is_session: bool
) -> list[Scaled]:
    """Put the orders and fills of one run on their lines; the fills, scaled."""
    for key, order in traded.ids().items():
        body = traded.orders.get(order)
        command = traded.commands.get(order)
        owner = body if body is not None else command.body if command is not None else {}
        line = lines.setdefault(key, OrderLine(key, *_names(owner)))
        if is_session:
            line.session = order
        else:
            line.twin = order
    made: list[Scaled] = []
    of_order: dict[int, Scaled] = {}
    for fill in traded.fills:
        key = traded.key_of_fill(fill)
        line = lines.setdefault(key, OrderLine(key, fill.strategy, fill.symbol))
        body = traded.orders.get(fill.order)
        parent = None if body is None else of_order.get(int(body["parent"]))
        one = prices.scaled(fill, body, parent)
        of_order[fill.order] = one
        (line.fills if is_session else line.twin_fills).append(one)
        made.append(one)
    return made


def _names(owner: Mapping[str, Any]) -> tuple[str, str, str]:
    return str(owner["strategy"]), str(owner["symbol"]), str(owner["type"])


def _reason(lived: Traded, line: OrderLine) -> str:
    """Why an order of the session has no fill."""
    if line.session is None:
        return "no such order"
    if line.session in lived.refused:
        return str(lived.refused[line.session]["rule"])
    body = lived.orders.get(line.session)
    if body is None:
        return "no record"
    return str(body["reject"] if body["status"] == "rejected" else body["status"])


def _first_row(lived: Traded, twin: Traded, line: OrderLine) -> int:
    known = [
        traded.row_of(order)
        for traded, order in ((lived, line.session), (twin, line.twin))
        if order is not None
    ]
    known += [x.fill.row for x in (*line.fills, *line.twin_fills)]
    return min(known, default=0)


def _decisions_apart(lived: Traded, twin: Traded) -> list[tuple[Entry | None, Entry | None]]:
    """Commands that the session and its twin do not share, by place and index."""
    if lived is twin:
        return []
    sides = [
        {(e.bar, e.step, e.body["index"]): e for e in traded.decisions} for traded in (lived, twin)
    ]
    found = []
    for place in sorted(sides[0].keys() | sides[1].keys()):
        a, b = (side.get(place) for side in sides)
        if a is None or b is None or _decided(a, lived) != _decided(b, twin):
            found.append((a, b))
    return found


def _decided(entry: Entry, traded: Traded) -> dict[str, Any]:
    """A command without what only its run numbers."""
    body = dict(entry.body)
    for name in ("order", "oco"):
        if traded.knows(int(body[name])):
            body[name] = traded.key_of(int(body[name]))
    return body
