"""What a run itself says against its figures: orders refused, ruin, positions that stay open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import polars as pl

from intrabar.model.bars import Market, Times
from intrabar.model.enums import PathPolicy, RunStatus
from intrabar.model.instrument import Instrument
from intrabar.model.remark import Remark
from intrabar.strategy.bot import Bot
from intrabar.strategy.registry import AnyStrategy
from intrabar.strategy.signals import Signals
from intrabar.strategy.weights import Weights

FEW = 30
"""Closed campaigns below this say next to nothing."""

MOST = 5
"""Names in one sentence; the others are counted."""

SEVERE_SHARE = 0.1
"""Of the orders: so many refused, and the run is not the one that was meant."""

REASONS = {
    "no_market": "the instrument had no bar yet",
    "insufficient_margin": "the equity did not cover the margin; ask for less, or give more cash",
    "short_refused": "a cash account sells nothing that it does not hold",
    "invalid_price": "a price was no number, or not on the grid of the tick size",
    "no_protection": "the stop or target could not be worked out, stood on the wrong side, or came "
    "before its position",
    "no_partner": "the order of which they were the alternative (oco) was done, or had one already",
    "risk": "a limit of risk, or the breaker, let them not pass, or trading had not begun",
}

UNSIZED = {
    "size_zero": "the equity at risk, or the fraction of it, is worth less than one lot",
    "margin": "the equity that is free does not cover the margin of one lot",
}


class Known(NamedTuple):
    """What remarks are made from.

    Parameters
    ----------
    status : RunStatus
    last : datetime
        Of the last bar that was lived.
    campaigns, closed, ambiguous, settled : count
    without_detail : count or None
        Bars that the path policy `detail` had to guess; None under another.
    ends : sequence of fraction
        Total returns of the band; empty where it was not run.
    own : fraction
        The total return of the run itself.
    policy : PathPolicy
    instruments : sequence of Instrument
    strategies : mapping of name to strategy
    ended : mapping of symbol to datetime
        Instruments whose bars end before the run does, and their last bars.
    orders, fills, campaign_table : tables
        As those of `Result`, or lazy ones.
    gates : table
    """

    status: RunStatus
    last: datetime
    campaigns: int
    closed: int
    ambiguous: int
    settled: int
    without_detail: int | None
    ends: Sequence[float]
    own: float
    policy: PathPolicy
    instruments: Sequence[Instrument]
    strategies: Mapping[str, AnyStrategy]
    ended: Mapping[str, datetime]
    orders: pl.LazyFrame
    fills: pl.LazyFrame
    campaign_table: pl.LazyFrame
    gates: pl.DataFrame


def remarks_of(known: Known) -> list[Remark]:
    """What follows from a run, in the order in which it is told."""
    return [
        *_ruin(known),
        *_liquidations(known),
        *_refusals(known),
        *_not_sized(known),
        *_silence(known),
        *_open_at_the_end(known),
        *_ambiguity(known),
        *_sample_size(known.closed),
        *_costs(known.instruments),
        *_interpreted(known.strategies),
    ]


def in_order(remarks: Sequence[Remark]) -> list[Remark]:
    """Severe ones first, each once."""
    return sorted(dict.fromkeys(remarks), key=lambda remark: not remark.severe)


def _ruin(known: Known) -> list[Remark]:
    if known.status is not RunStatus.RUINED:
        return []
    text = f"The account was ruined on {known.last:%Y-%m-%d}: nothing after that day was traded"
    return [Remark(text, severe=True)]


def _liquidations(known: Known) -> list[Remark]:
    found = known.fills.filter(pl.col("reason") == "liquidation").select(
        pl.len(), pl.col("time").min(), pl.col("symbol").first()
    )
    count, first, symbol = found.collect().row(0)
    if not count:
        return []
    text = (
        f"Margin calls closed positions in {count:,} fills, the first on {first:%Y-%m-%d} in "
        f"{symbol}: the account was liquidated there"
    )
    return [Remark(text, severe=True)]


def _refusals(known: Known) -> list[Remark]:
    """Orders that were refused, by reason, and their share of all that were asked for."""
    is_child = pl.col("parent").is_not_null()
    groups = (
        known.orders.filter(pl.col("role").is_in(["plain", "stop", "target"]))
        .with_columns(is_child.alias("child"), pl.col("reject").cast(pl.String))
        .group_by("child", "reject")
        .agg(
            pl.len().alias("count"),
            pl.col("symbol", "qty").first(),
            pl.col("submitted_time").min().alias("first"),
        )
        .sort("count", "reject", descending=[True, False])
        .collect()
    )
    remarks = []
    for is_one, what in ((False, "orders"), (True, "stops and targets of entries")):
        rows = groups.filter(pl.col("child") == is_one)
        total = int(rows["count"].sum())
        for row in rows.filter(pl.col("reject") != "none").rows(named=True):
            count = row["count"]
            text = (
                f"{count:,} of {total:,} {what} were refused: {_reason(row, known.instruments)} "
                f"(first on {row['first']:%Y-%m-%d})"
            )
            remarks.append(Remark(text, severe=is_one or count >= SEVERE_SHARE * total))
    return remarks


def _not_sized(known: Known) -> list[Remark]:
    """Entries that came to less than one lot; of who never traded they are told with that."""
    remarks = []
    for name, gate, count in known.gates.group_by("strategy", "gate").agg("count").rows():
        blocked = int(sum(count))
        own = known.orders.filter((pl.col("strategy") == name) & (pl.col("role") == "plain"))
        asked = int(own.select(pl.len()).collect().item())
        if gate not in UNSIZED or not blocked or not asked:
            continue
        text = f"{name}: {blocked:,} entries were not made: {UNSIZED[gate]} ({gate})"
        remarks.append(Remark(text, severe=blocked >= SEVERE_SHARE * (asked + blocked)))
    return sorted(remarks, key=lambda remark: remark.text)


def _reason(row: Mapping[str, object], instruments: Sequence[Instrument]) -> str:
    word, symbol, qty = str(row["reject"]), row["symbol"], row["qty"]
    if word == "invalid_quantity":
        lot = next((x.lot for x in instruments if x.symbol == symbol), 1.0)
        part = "a fraction of a share or contract; " if lot == 1.0 else ""
        return (
            f"the quantity is no multiple of the lot, which is {lot:g} ({qty:g} of {symbol}): "
            f"{part}round it down"
        )
    return REASONS.get(word, word.replace("_", " "))


def _silence(known: Known) -> list[Remark]:
    """Strategies that never traded, and why."""
    traded = known.fills.select(pl.col("strategy").unique()).collect()["strategy"].to_list()
    asked = known.orders.group_by("strategy", "status").len("count").collect()
    remarks = []
    for name, strategy in known.strategies.items():
        if name in traded:
            continue
        own = asked.filter(pl.col("strategy") == name).sort("count", descending=True)
        if own.height:
            ends = ", ".join(f"{row[2]:,} {row[1].replace('_', ' ')}" for row in own.rows())
            text = f"{name} never traded: no order of it was filled ({ends})"
        else:
            text = f"{name} never traded: {_why_none_asked(name, strategy, known.gates)}"
        remarks.append(Remark(text, severe=True))
    return remarks


def _why_none_asked(name: str, strategy: AnyStrategy, gates: pl.DataFrame) -> str:
    if isinstance(strategy, Signals):
        return "its sides are 0 or say nothing at every bar"
    if isinstance(strategy, Weights):
        return "its weights are 0 or say nothing, or are worth less than one lot, at every bar"
    held = gates.filter((pl.col("strategy") == name) & (pl.col("count") > 0))
    if held.height:
        told = ", ".join(f"{row['gate']} {row['count']:,} times" for row in held.rows(named=True))
        return f"it asked for no order; its gates kept it from {told}".replace("_", " ")
    if isinstance(strategy, Bot):
        return "its entry rule was never true"
    return "it asked for no order"


def _open_at_the_end(known: Known) -> list[Remark]:
    """Positions that never ended: valued at a last close that nobody has paid."""
    table = known.campaign_table.filter(pl.col("end_bar").is_null())
    rows = table.select("symbol", "side", "start").collect().rows()
    frozen = [f"{row[0]} ({known.ended[row[0]]:%Y-%m-%d})" for row in rows if row[0] in known.ended]
    words = {"buy": "long", "sell": "short"}
    still = [f"{symbol} {words[side]} since {start:%Y-%m-%d}" for symbol, side, start in rows]
    remarks = []
    if frozen:
        text = (
            f"Bars end while a position is held: {_some(frozen)}; it stays at its last price to "
            "the end of the run. close_delisted in the account closes it there"
        )
        remarks.append(Remark(text, severe=True))
    if still:
        text = (
            f"{len(still)} position{'s are' if len(still) > 1 else ' is'} still open at the end, "
            f"valued at the last close: {_some(still)}"
        )
        remarks.append(Remark(text))
    return remarks


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more


def _ambiguity(known: Known) -> list[Remark]:
    remarks = []
    if known.settled:
        remarks.append(
            f"Detail bars told for {known.settled} campaigns whether stop or target came first"
        )
    if known.without_detail:
        remarks.append(
            f"{known.without_detail} bars have no detail bars: their path was taken to be the "
            "shortest"
        )
    told = [Remark(text) for text in remarks]
    policy = known.policy.word.replace("_", " ")
    which = (
        f"{known.ambiguous} of {known.campaigns} campaigns had stop and target inside one bar. "
        f"Which came first is not in the bars; this run took {policy}"
    )
    if not known.ends:
        asks = [Remark(f"{which}; `band` says what hangs on it")] if known.ambiguous else []
        return [*asks, *told]
    least, most = min(known.ends), max(known.ends)
    width = most - least
    if not known.ambiguous and not width:
        return told
    between = f"between {least:.2%} and {most:.2%}, a band of {100 * width:.2f} percentage points"
    is_wide = width > abs(known.own)
    if is_wide:
        between += f", wider than the result itself ({known.own:.2%})"
    if known.settled and not known.ambiguous:
        return [*told, Remark(f"Without them the total return would lie {between}")]
    opening = which if known.ambiguous else "The path of prices inside the bars decides fills"
    return [Remark(f"{opening}. Total return lies {between}", severe=is_wide), *told]


def _sample_size(closed: int) -> list[Remark]:
    if closed == 0:
        return [Remark("No campaign was closed: there is nothing to judge")]
    if closed < FEW:
        plural = "s were" if closed > 1 else " was"
        return [
            Remark(
                f"Only {closed} campaign{plural} closed: averages over fewer than {FEW} say little"
            )
        ]
    return []


def _costs(instruments: Sequence[Instrument]) -> list[Remark]:
    free = [
        x.symbol
        for x in instruments
        if not (x.commission_per_contract or x.fee_per_trade or x.commission_rate)
        and not (x.commission_min or x.tiers)
    ]
    exact = [
        x.symbol
        for x in instruments
        if not (x.slippage_ticks or x.slippage_pct or x.slippage_volatility or x.slippage_impact)
    ]
    remarks = []
    if free:
        remarks.append(Remark(f"No commission and no fee on {_some(free)}: the result is too good"))
    if exact:
        remarks.append(Remark(f"Slippage is 0 on {_some(exact)}: the result is too good"))
    return remarks


def _interpreted(strategies: Mapping[str, AnyStrategy]) -> list[Remark]:
    slow = [n for n, s in strategies.items() if isinstance(s, Bot) and s.interpreted]
    if not slow:
        return []
    return [Remark(f"{', '.join(slow)} ran interpreted: equal results, many times slower")]


def inconsistent(market: Market) -> list[Remark]:
    """Bars whose open or close lies outside their high and low."""
    remarks = []
    for j, symbol in enumerate(market.symbols):
        o, h, low, c = (getattr(market, n)[:, j] for n in ("open", "high", "low", "close"))
        real = ~np.isnan(o)
        outside = real & ((np.maximum(o, c) > h) | (np.minimum(o, c) < low))
        if outside.any():
            first = str(np.datetime64(int(market.time[np.argmax(outside)]), "ns"))[:16]
            text = (
                f"{symbol}: open or close outside high and low in {int(outside.sum())} bars "
                f"({first}Z)"
            )
            remarks.append(Remark(text, severe=True))
    return remarks


def ended_early(market: Market, rows: int) -> dict[str, datetime]:
    """Instruments that have no bar at the end of a run, and their last bars.

    None for longer than between any two of its bars before: a weekend is no end.
    """
    found = {}
    for j, symbol in enumerate(market.symbols):
        times = market.time[:rows][~np.isnan(market.open[:rows, j])]
        if len(times) and has_ended(times[-1], widest_gap(times), market.time[rows - 1]):
            found[symbol] = datetime.fromtimestamp(int(times[-1]) / 1e9, UTC)
    return found


def widest_gap(times: Times) -> int:
    """The longest time between two bars, ns."""
    return int(np.diff(times).max(initial=0))


def has_ended(last: int, widest: int, end: int) -> bool:
    """Whether bars have ended before a run has."""
    return end - last > widest
