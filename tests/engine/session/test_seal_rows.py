"""What holds of all rows: the order of arrival, only forward, and those of the same stored bars."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intrabar.data.actions import Actions, CorporateAction
from intrabar.data.alongside import Alongside
from intrabar.data.calendars import hours_of, sessions, trade_dates
from intrabar.data.continuous import Roll, placed
from intrabar.data.margins import Margins
from intrabar.data.rates import rates_on
from intrabar.data.timeline import market_from_bars
from intrabar.engine.session.marks import Known, Marks
from intrabar.engine.session.row import ClosedRow, market_of, rows_of
from intrabar.engine.session.seal import Sealer
from intrabar.errors import ConfigError
from intrabar.model.bars import DAY_NS, Bars, Market
from intrabar.model.facts import BarClosed, Fact, LinkFact
from intrabar.model.instrument import Instrument
from tests.engine.session.sealing import STREAM, H, M, S, bar, drive, kinds, sealer, utc

# Around holidays, half days, a quiet week, and both changes of the clock.
STARTS = ["2024-07-01", "2024-11-27", "2024-12-23", "2024-06-10", "2024-03-07", "2024-10-31"]


def scenario(seed: int) -> list[tuple[Bars, str]]:
    """Bars of some instruments, most of them there, and the last of each session always."""
    draw = Random(seed)
    period, start = draw.choice([30 * M, H, 4 * H, DAY_NS]), utc(draw.choice(STARTS))
    found = []
    for j in range(draw.randint(1, 4)):
        calendar = draw.choice(["NYSE", "CME_Equity", "24/5", "24/7", ""])
        edges = list(_edges(calendar, period, start // DAY_NS, draw))
        keep = [is_last or draw.random() < 0.8 for _, _, is_last in edges]
        opened = np.array([a for (a, _, _), k in zip(edges, keep, strict=True) if k])
        closed = np.array([b for (_, b, _), k in zip(edges, keep, strict=True) if k])
        found.append((_bars(f"S{j}", opened, closed, period, calendar, draw), calendar))
    return found


def _edges(calendar: str, period: int, first: int, draw: Random) -> Iterator[tuple[int, int, bool]]:
    """Open and close of the bars of ten days, and whether one is the last of its session."""
    known = sessions(calendar or "24/7", first, first + 10)
    is_cut = draw.random() < 0.5
    for opening, close, day in zip(known.open, known.close, known.date, strict=True):
        if period == DAY_NS:
            edges = hours_of(calendar, np.array([day]))
            yield int(edges[0][0]), int(edges[1][0]), True
            continue
        for start in range(int(opening), int(close), period):
            end = start + period
            yield start, min(end, int(close)) if is_cut else end, end >= close


def _bars(symbol: str, opened, closed, period: int, calendar: str, draw: Random) -> Bars:  # type: ignore[no-untyped-def]
    n = len(opened)
    steps = np.random.default_rng(draw.randint(0, 10**9)).normal(0, 0.01, (n, 2)).cumsum(axis=0)
    o, c = 100 * np.exp(steps.T)
    high, low = np.maximum(o, c) + 0.5, np.minimum(o, c) - 0.5
    session = trade_dates(calendar, opened)
    return Bars(symbol, closed, o, high, low, c, np.full(n, 10.0), period, opened, session)


def facts_of(bars: Bars) -> list[BarClosed]:
    columns = (bars.close_time, bars.open, bars.high, bars.low, bars.close, bars.volume)
    return [
        BarClosed(bars.symbol, *row) for row in zip(*(c.tolist() for c in columns), strict=True)
    ]


def live_through(
    bars: list[Bars], instruments: list[Instrument], seed: int, **options: object
) -> list[ClosedRow]:
    """What is sealed of recorded bars, symbols in any order at each instant."""
    draw = Random(seed)
    facts = [(fact.time, draw.random(), fact) for one in bars for fact in facts_of(one)]
    started = min(int(one.open_time[0]) for one in bars)
    of = Sealer(
        instruments,
        bars[0].period,
        STREAM,
        started,
        recorded={one.symbol: one for one in bars},
        hours="extended",
        **options,  # type: ignore[arg-type]
    )
    facts.sort(key=lambda fact: fact[:2])
    rows, notes = drive(of, [(at, fact) for at, _, fact in facts], facts[-1][0])
    assert notes == []
    return rows


@pytest.mark.parametrize("seed", range(100))
def test_recorded_bars_give_the_rows_of_the_stored_ones(seed: int) -> None:
    given = scenario(seed)
    bars, calendars = [one for one, _ in given], [calendar for _, calendar in given]
    instruments = [Instrument(one.symbol, calendar=name) for one, name in given]
    rows = live_through(bars, instruments, seed)
    market = market_from_bars(bars, calendars)
    assert rows == rows_of(market)
    again = market_of(rows, market.symbols, market.period, [np.nan] * len(bars))
    assert_same(again, market)
    assert all(a.time < b.time for a, b in pairwise(rows))


def test_the_scenarios_are_not_all_alike() -> None:
    made = [scenario(seed) for seed in range(100)]
    assert {one.period for bars in made for one, _ in bars} == {30 * M, H, 4 * H, DAY_NS}
    assert {len(bars) for bars in made} == {1, 2, 3, 4}
    assert sum(len({calendar for _, calendar in bars}) > 1 for bars in made) > 40
    ends = [rows_of(market_from_bars([b for b, _ in one], [c for _, c in one])) for one in made]
    assert sum(any(row.ends for row in rows) for rows in ends) > 20


def assert_same(one: Market, other: Market) -> None:
    for name in (
        "time",
        "open",
        "high",
        "low",
        "close",
        "volume",
        "session_end",
        "open_time",
        "day",
    ):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    assert repr(one.actions) == repr(other.actions)  # of equal NaN
    assert (one.fx is None) == (other.fx is None)
    if one.fx is not None and other.fx is not None:
        np.testing.assert_array_equal(one.fx, other.fx)


@pytest.mark.parametrize("seed", range(20))
def test_splits_dividends_margins_and_rolls_as_stored_bars_have_them(seed: int) -> None:
    draw = Random(seed)
    given = scenario(seed)
    bars, calendars = [one for one, _ in given], [calendar for _, calendar in given]
    instruments = [Instrument(one.symbol, calendar=name) for one, name in given]
    market = market_from_bars(bars, calendars)
    along, actions = {}, []
    for j, one in enumerate(bars):
        first, last = int(one.session[0]) - 2, int(one.session[-1]) + 2
        days = sorted(draw.sample(range(first, last), 4))
        table = Actions(one.symbol, tuple(CorporateAction(d, 2.0, 0.5) for d in days))
        dates = sorted(draw.choices(range(first, last), k=3))
        margins = Margins(
            one.symbol, tuple((d, {"initial_margin": 1.0 + d}) for d in dates), "", ""
        )
        rolls = tuple(Roll(int(t), 99.0, "old", "new") for t in one.close_time[::7])
        along[one.symbol] = Alongside(table, margins, rolls)
        actions += [
            *table.placed(one, market.time, j),
            *margins.placed(one, market.time, j),
            *placed(rolls, market.time, j),
        ]
    actions.sort(key=lambda action: action.bar)
    rows = live_through(bars, instruments, seed, along=along)
    market = Market(
        **{**{n: getattr(market, n) for n in market.__slots__}, "actions": tuple(actions)}
    )
    assert actions
    assert_same(market_of(rows, market.symbols, market.period, [np.nan] * len(bars)), market)


def test_a_dividend_that_cannot_be_is_left_out_and_told() -> None:
    at = utc("2024-06-12 00:01")
    row = CorporateAction(at // DAY_NS + 1, 1.0, 500.0)
    of = sealer("24/7", started=at - M, along={"A": Alongside(Actions("A", (row,)))})
    later = at + DAY_NS
    rows, notes = drive(of, [(at, bar("A", at)), (later, bar("A", later))])
    assert kinds(notes) == ["alarm"]
    assert "is left out" in notes[0].body["text"]
    assert not any(row.actions for row in rows)


def test_what_happened_before_the_restart_does_not_happen_again() -> None:
    at = utc("2024-06-12 00:01")
    row = CorporateAction(at // DAY_NS, 2.0)
    along = {"A": Alongside(Actions("A", (row,)))}
    early = at - 2 * M  # the evening before
    rows, _ = drive(sealer("24/7", started=early - M), [(early, bar("A", early))])
    of = sealer("24/7", started=at - M, before=rows, along=along)
    (_, first), _ = drive(of, [(at, bar("A", at))])
    assert [action.value for action in first.actions] == [2.0]
    again = sealer("24/7", started=at, before=[first], along=along)
    (second,), _ = drive(again, [(at + M, bar("A", at + M))])
    assert second.actions == ()


def test_rates_of_a_pair_that_is_traded_follow_it_and_others_stand() -> None:
    bars = [one for one, _ in scenario(3)][:1]
    pair = Bars("EURUSD", *(getattr(bars[0], n) for n in Bars.__slots__[1:]))
    share = Bars("SHARE", *(getattr(bars[0], n) for n in Bars.__slots__[1:]))
    currencies = ["USD", "EUR"]
    market = market_from_bars([pair, share], ["24/5", "NYSE"])
    fx = rates_on(market.time, currencies, "USD", {("EUR", "USD"): pair})
    instruments = [Instrument("EURUSD", calendar="24/5"), Instrument("SHARE", calendar="NYSE")]
    marks = Marks(["EURUSD", "SHARE"], currencies, "USD", {("EUR", "USD"): Known(1.1, 0)})
    rows = [row for row in live_through([pair, share], instruments, 0, marks=marks) if row.bars]
    np.testing.assert_array_equal(np.array([row.fx for row in rows]), fx)


def test_a_rate_of_the_history_stands_and_is_told_when_it_is_old() -> None:
    at = utc("2024-06-12 00:01")
    marks = Marks(["A"], ["GBP"], "USD", {("USD", "GBP"): Known(0.8, at - 8 * DAY_NS)})
    of = sealer("24/7", started=at - M, marks=marks)
    rows, notes = drive(of, [(at, bar("A", at)), (at + M, bar("A", at + M))])
    assert [row.fx for row in rows] == [(1.25,), (1.25,)]
    assert kinds(notes) == ["alarm"]  # once a day
    assert "USDGBP is of 2024-06-04" in notes[0].body["text"]


def test_no_start_without_a_rate() -> None:
    with pytest.raises(ConfigError, match="no rate of exchange from GBP to USD"):
        Marks(["A"], ["GBP"], "USD", {})
    marks = Marks(["A", "GBPUSD"], ["GBP", "USD"], "USD", {})
    with pytest.raises(ConfigError, match="no rate of exchange GBPUSD at the start"):
        sealer("24/7", "24/5", marks=marks)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_order_of_arrival_within_a_row_does_not_matter(data: st.DataObject) -> None:
    at = utc("2024-06-12 15:00")
    count = data.draw(st.integers(1, 5))
    facts = [bar(chr(65 + j), at, 100.0 + j) for j in range(count)]
    facts += data.draw(st.lists(st.sampled_from(facts), max_size=5))  # some come twice
    made = []
    for order in (facts, data.draw(st.permutations(facts))):
        of = sealer(*["24/7"] * count, started=at - M)
        made.append(drive(of, [(at, fact) for fact in order], at + M)[0])
    assert made[0] == made[1]
    assert len(made[0]) == 1
    assert len(made[0][0].bars) == count


CAME = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 12), st.integers(-90, 300)), max_size=40
)
OUTAGES = st.lists(st.tuples(st.integers(0, 700), st.integers(1, 300)), max_size=3)


@settings(max_examples=100, deadline=None)
@given(CAME, OUTAGES, st.booleans())
def test_rows_only_go_forward(
    came: list[tuple[int, int, int]], outages: list[tuple[int, int]], ends_a_day: bool
) -> None:
    """Whatever comes whenever: each row once, in order, and no bar is lost without a word."""
    at = utc("2024-06-12 23:57" if ends_a_day else "2024-06-12 15:00")
    of = sealer("24/7", "24/7", started=at - M)
    arrivals: list[tuple[int, Fact]] = [
        (at + minute * M + seconds * S, bar("AB"[j], at + minute * M))
        for j, minute, seconds in came
    ]
    for down, length in outages:
        arrivals.append((at + down * S, LinkFact("down")))
        arrivals.append((at + (down + length) * S, LinkFact("up")))
    arrivals.sort(key=lambda arrival: arrival[0])
    end = at + 40 * M
    rows, notes = drive(of, [*arrivals, (end, LinkFact("up"))], end + M)
    assert all(a.time < b.time for a, b in pairwise(rows))
    there = {("AB"[one.column], row.time) for row in rows for one in row.bars}
    late = {(note.body["symbol"], note.body["time"]) for note in notes if note.kind == "bar.late"}
    told = {(fact.symbol, fact.time) for _, fact in arrivals if isinstance(fact, BarClosed)}
    assert there | late == told
    assert not there & late
    midnight = utc("2024-06-13 00:00")
    if ends_a_day and rows and rows[0].time < midnight:
        ending = next(row for row in rows if row.time >= midnight)
        assert {one.ends_session for one in ending.bars} <= {True}
        assert len(ending.bars) + len(ending.ends) == 2
