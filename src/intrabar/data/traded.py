"""The instruments of a run: what was said of them, what their names say, what their bars tell.

Every way in, whole or in chunks, comes through here. What is said goes before the name, the name
before the bars. What the bars alone tell is told on, and so is what they contradict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from intrabar.data.calendars import calendar_named
from intrabar.data.contradictions import SOME, Seen
from intrabar.data.frames import UNNAMED
from intrabar.data.instruments import calendar_of, instrument, kind_of, known
from intrabar.data.schedules import ALWAYS, canonical
from intrabar.errors import ConfigError, UsageError
from intrabar.model.bars import DAY_NS
from intrabar.model.instrument import Instrument
from intrabar.model.remark import Remark

Said = Instrument | Mapping[str, Any]
"""What was said of an instrument: all of it, or some parameters."""

CERTAIN = ("future", "share")
"""Kinds whose tick is the exchange's; that of others hangs on who quotes them."""

ALSO_SHARES = ("CL", "NG", "SI", "SIL", "PL", "HE", "LE", "GF", "KE", "PA", "ES", "ZS")
"""Roots of futures that are tickers of US shares too."""

COARSE = 1e-3  # of the price: a tick above it makes other prices of them


class Traded(NamedTuple):
    """What a run trades.

    Parameters
    ----------
    instruments : tuple of Instrument
        In the order of the bars.
    remarks : tuple of Remark
        What was told by bars, and what they contradict.
    """

    instruments: tuple[Instrument, ...]
    remarks: tuple[Remark, ...]


def calendar_for(symbol: str, said: Said, *others: str | None) -> str | None:
    """The calendar that was named for a symbol; None where none was.

    Parameters
    ----------
    symbol : str
    said : Said
    *others
        Calendars that were named elsewhere, the nearest to the bars first.

    Raises
    ------
    NotFoundError, ConfigError
        There is no such calendar, or two that were named differ.
    """
    own = said.calendar or None if isinstance(said, Instrument) else said.get("calendar")
    named = [calendar_named(str(x)) for x in (own, *others[:-1]) if x is not None]
    told = {canonical(x) if x else "" for x in named if x is not None}
    if len(told) > 1:
        raise ConfigError(f"{symbol}: two calendars are named, {' and '.join(map(repr, named))}")
    return named[0] if named else calendar_named(others[-1] if others else None)


def calendar_by_name(symbol: str, said: Said) -> str:
    """The calendar that the kind or the name of a symbol tells; "" where neither does."""
    kind = None if isinstance(said, Instrument) else said.get("kind")
    return calendar_of(symbol, {"kind": kind} if kind is not None else None)


def traded(seen: Sequence[Seen], said: Mapping[str, Said]) -> Traded:
    """The instruments of bars.

    Parameters
    ----------
    seen : sequence of Seen
    said : {symbol: Said}

    Raises
    ------
    UsageError
        A value is wrong, or something is neither said nor told; the message has what to write.
    """
    instruments, remarks = [], []
    for one in seen:
        symbol = one.feed.symbol
        made, told = _one(one, said.get(symbol, {}))
        instruments.append(made)
        remarks += [*told, *_contradicted(one, made, said.get(symbol, {}))]
    return Traded(tuple(instruments), tuple(remarks))


def like(base: Instrument, said: Said) -> Instrument:
    """An instrument with other costs, on the bars that told the calendar and tick of `base`."""
    if isinstance(said, Instrument):
        return replace(said, symbol=base.symbol, calendar=base.calendar)
    made = _of_mapping(base.symbol, said, base.calendar)
    return made if "tick_size" in said else replace(made, tick_size=base.tick_size)


def _of_mapping(symbol: str, said: Mapping[str, Any], calendar: str) -> Instrument:
    try:
        return instrument(symbol, {**said, "calendar": calendar})
    except UsageError as error:
        raise ConfigError(f"instruments.{symbol}: {error}") from error


def _one(seen: Seen, said: Said) -> tuple[Instrument, list[Remark]]:
    symbol = seen.feed.symbol
    if isinstance(said, Instrument):
        _refuse_coarse(seen, said)
        return replace(said, symbol=symbol, calendar=seen.calendar), []
    made = _of_mapping(symbol, said, seen.calendar)
    kind = str(said.get("kind") or kind_of(symbol))
    if kind == "crypto" and said.get("lot") is None and seen.usual_price < 1.0:
        made = replace(made, lot=1.0)  # whole coins, where one costs less than a unit of money
    if said.get("tick_size") is not None:
        _refuse_coarse(seen, made)
    elif kind not in CERTAIN or made.currency != "USD" or _is_too_coarse(seen, made):
        # Cents at most, where nobody says what the tick is: few prices show few decimals.
        if seen.off_grid(made.tick_size) >= SOME / 10:
            tick = seen.grid(made.tick_size) or seen.usual_price * 1e-8
            finer = replace(made, tick_size=tick)
            if not kind:
                return finer, [_unknown(finer, said)]
            return finer, [_tick_remark(made, tick, severe=kind in CERTAIN)]
    return made, [] if kind else [_unknown(made, said)]


def _is_too_coarse(seen: Seen, made: Instrument) -> bool:
    return seen.usual_price < 10 * made.tick_size


def _refuse_coarse(seen: Seen, made: Instrument) -> None:
    if seen.usual_price < made.tick_size:
        raise ConfigError(
            f"{made.symbol}: a tick of {made.tick_size:g} is more than its prices (about "
            f"{seen.usual_price:g}); say another: instruments: "
            f"{{{made.symbol!r}: {{tick_size: {seen.grid(made.tick_size) or 1e-8:g}}}}}"
        )


def _tick_remark(made: Instrument, tick: float, severe: bool) -> Remark:
    return Remark(
        f"{made.symbol}: its prices are finer than the usual tick of {made.tick_size:g}; it is "
        f"traded in ticks of {tick:g}, as they are. Say so, or another: instruments: "
        f"{{{made.symbol!r}: {{tick_size: {tick:g}}}}}",
        severe,
    )


def is_money_said(said: Said) -> bool:
    """Whether it was said what a point is worth."""
    if isinstance(said, Instrument):
        return True
    return any(said.get(name) for name in ("point_value", "tick_value", "contract_size"))


def _unknown(made: Instrument, said: Mapping[str, Any]) -> Remark:
    """What is taken for granted of a name that says nothing."""
    worth = is_money_said(said)
    hours = f"sessions of {made.calendar}" if made.calendar else "UTC days as sessions"
    what = "has no name" if made.symbol == UNNAMED else "is not in the table of instruments"
    return Remark(
        f"{made.symbol} {what}. Told by its bars: ticks of {made.tick_size:g}, {hours}; taken for "
        f"granted: a point is worth {made.point_value:g} "
        f"{made.currency}, {made.commission_rate:.2%} commission. Say what it is: instruments: "
        f"{{{made.symbol!r}: {{kind: share}}}}, or its tick_size, point_value and calendar",
        severe=made.symbol != UNNAMED and not worth,
    )


def _contradicted(seen: Seen, made: Instrument, said: Said) -> list[Remark]:
    """What the bars say against the instrument."""
    symbol = made.symbol
    kind = kind_of(symbol)
    found = []
    is_said = isinstance(said, Instrument) or said.get("tick_size") is not None
    off = seen.off_grid(made.tick_size) if made.tick_size else 0.0
    coarse = made.tick_size > COARSE * seen.usual_price
    if off > SOME and (coarse or not is_said):
        found.append(
            Remark(
                f"{symbol}: {off:.0%} of its prices lie between ticks of {made.tick_size:g}, to "
                "which orders are rounded: the bars are adjusted, or it is another instrument. "
                f"Say its tick: instruments: {{{symbol!r}: {{tick_size: "
                f"{seen.grid(made.tick_size) or 1e-6:g}}}}}",
                severe=coarse or kind == "future",
            )
        )
    share, example = seen.outside()
    if share > SOME:
        what = "dates" if seen.feed.period >= DAY_NS else "hours"
        found.append(
            Remark(
                f"{symbol}: {share:.0%} of its bars, such as {example}, lie on {what} without a "
                f"session of {made.calendar}: it trades by another calendar, or the stamps are in "
                "another zone. Name them: calendar, zone",
                severe=what == "dates" or kind != "share",
            )
        )
    if made.calendar and canonical(made.calendar) == ALWAYS and not seen.has_weekends():
        found.append(
            Remark(
                f"{symbol}: no bar lies on a weekend, though {made.calendar} is open on it: it "
                "trades by another calendar. Name it: calendar",
                severe=True,
            )
        )
    name = known(symbol)
    if name and name.hundredth and not is_money_said(said):
        found.append(
            Remark(
                f"{symbol}: shares of {name.calendar} are quoted in {name.hundredth}, so a point "
                f"is taken for 0.01 {name.currency}. Say so, or 1 where the prices are in "
                f"{name.currency}: instruments: {{{symbol!r}: {{point_value: 0.01}}}}",
                severe=True,
            )
        )
    bare = symbol.strip().upper()
    if kind == "future" and bare in ALSO_SHARES and not said:
        found.append(
            Remark(
                f"{symbol} is taken for the future, of which a point is worth "
                f"{made.point_value:g}; the share of that name is NYSE:{bare}"
            )
        )
    return found
