"""The JSON that the report page reads, field by field.

`frontend/src/report/view.ts` is the same in TypeScript; `ui/typescript.py` writes it. Large tables
are columns, not rows; times are whole seconds since 1970 UTC; fractions are fractions (0.05, not
5); what is not known is null. A change of meaning raises `SCHEMA`, and the page refuses a schema
that it does not know.
"""

from __future__ import annotations

from typing import Literal, TypedDict

from intrabar.ui.coded import Coded, Number

SCHEMA = 2


CurveKind = Literal["policy", "symbol", "strategy"]


class Curve(TypedDict):
    """A line over time; `label` for the legend."""

    label: str
    kind: CurveKind
    time: list[int]
    value: list[Number]


class EquityView(TypedDict):
    """Equity of the account; `drawdown` is 0 or below, `total` the rows before thinning."""

    time: list[int]
    equity: list[Number]
    drawdown: list[Number]
    total: int


class BarsView(TypedDict):
    """Candles of a symbol, as differences so that 100,000 bars stay small.

    `time[0]` is absolute, the rest are steps. Prices are integers in 10^-digits: `open` is the
    step from the close before (from 0 for the first), `high`, `low` and `close` are relative to
    the open of the same bar. Each candle joins `joined` bars of the `total` that the run saw.
    """

    symbol: str
    digits: int
    period_s: float
    total: int
    joined: int
    time: list[int]
    open: list[int]
    high: list[int]
    low: list[int]
    close: list[int]
    volume: list[Number]


class FillsView(TypedDict):
    """One entry per fill, in the order of the run; without a quantity, a split by its price."""

    time: list[int]
    phase: Coded
    strategy: Coded
    symbol: Coded
    side: Coded
    qty: list[Number]
    price: list[Number]
    cost: list[Number]
    reason: Coded
    position: list[Number]
    stop: list[Number]
    target: list[Number]
    ambiguous: list[int]


class LevelsView(TypedDict):
    """Where the stop and the target of a position stood after each move.

    Of the `total` moves none is here where they are too many for a page.
    """

    time: list[int]
    strategy: Coded
    symbol: Coded
    stop: list[Number]
    target: list[Number]
    total: int


class CampaignsView(TypedDict):
    """One entry per campaign; `end`, `exit` and the reason are missing while it is open."""

    campaign: list[int]
    strategy: Coded
    symbol: Coded
    side: Coded
    start: list[int]
    end: list[int | None]
    bars: list[Number]
    qty: list[Number]
    entry: list[Number]
    exit: list[Number]
    gross: list[Number]
    costs: list[Number]
    net: list[Number]
    risk: list[Number]
    r: list[Number]
    mae: list[Number]
    mfe: list[Number]
    reason: Coded
    ambiguous: list[int]


class GateRow(TypedDict):
    """How often a bot that could have acted was held back, and by what."""

    strategy: str
    symbol: str
    gate: str
    text: str
    count: int


class OrderRow(TypedDict):
    """How many orders of one kind ended in one way."""

    role: str
    type: str
    status: str
    reject: str
    count: int


class CostRow(TypedDict):
    """What a strategy paid on a symbol, beside what it made."""

    strategy: str
    symbol: str
    fills: int
    qty: Number
    gross: Number
    cost: Number
    net: Number


class AccrualRow(TypedDict):
    """What moved cash without a fill, by kind; `symbol` is "" where it is the account's."""

    kind: str
    symbol: str
    lines: int
    amount: Number


class Figure(TypedDict):
    """A number with its meaning; `unit` as in `report_input.Metric`, `reason` where it is null."""

    name: str
    label: str
    value: Number | str
    unit: str
    description: str
    reason: str


class MetricRow(TypedDict):
    """One metric over the columns of its table."""

    name: str
    label: str
    unit: str
    description: str
    values: list[Number | str]
    reasons: list[str]


class MetricTable(TypedDict):
    """Metrics as rows; one column for the whole run, or one per symbol or strategy."""

    title: str
    columns: list[str]
    rows: list[MetricRow]


class MonthlyRow(TypedDict):
    """Twelve monthly returns of a year (null: no trading) and the return of the year."""

    year: int
    months: list[Number]
    total: Number


class BandRow(TypedDict):
    """The run repeated under one assumption about the path inside a bar."""

    policy: str
    end_equity: Number
    total_return: Number
    campaigns: int
    ambiguous: int


class BandView(TypedDict):
    """The same strategy under each path policy; `policy` is the one that this report shows.

    `campaigns`, `ambiguous` and `settled` count those of this report, `without_detail` the bars
    that it had to guess for want of detail bars (null where it asked for none).
    """

    policy: str
    campaigns: int
    ambiguous: int
    settled: int
    without_detail: int | None
    rows: list[BandRow]
    curves: list[Curve]


class ShareLine(TypedDict):
    """How often one arm was taken, by stretches of decisions."""

    label: str
    value: list[Number]


class ArmsView(TypedDict):
    """The arms that a learned exit took over time; `time` is the end of each stretch."""

    strategy: str
    time: list[float]
    lines: list[ShareLine]


class DriftView(TypedDict):
    """How far the feature that moved furthest is from the training, in stretches of 500 decisions.

    `time` is the end of each; `limit` is null where the training had too few decisions.
    """

    strategy: str
    time: list[float]
    psi: list[Number]
    limit: list[Number]
    told: str


class BanditRow(TypedDict):
    """An arm of a bandit: its estimate beyond the prior, and how far that may be off."""

    strategy: str
    symbol: str
    arm: Number
    chosen: Number
    estimate: Number
    width: Number
    mean_reward: Number


class DecisionRow(TypedDict):
    """One choice of an arm; `reward` is null while the campaign is open."""

    time: int
    strategy: str
    symbol: str
    side: str
    arm: Number
    propensity: Number
    reward: Number


class DecisionsView(TypedDict):
    """What learned exits decided; of `count` decisions the last are rows."""

    count: int
    arms: list[ArmsView]
    drift: list[DriftView]
    bandits: list[BanditRow]
    rows: list[DecisionRow]


class RefitRow(TypedDict):
    """Skill of one model against the last price, with the ends of its 95 per cent interval."""

    trained_until: str
    rows: int
    skill: Number
    low: Number
    high: Number


class QuantileRow(TypedDict):
    """The share of what came that lay below a predicted quantile."""

    probability: float
    below: Number


class ForecastView(TypedDict):
    """What the predictions of a symbol were worth; `horizon` in bars, `left_out` says why not."""

    file: str
    symbol: str
    horizon: int
    rows: int
    verdict: str
    refits: list[RefitRow]
    quantiles: list[QuantileRow]
    left_out: list[str]


class ReportView(TypedDict):
    """All that the page shows; `idle` is why nothing was traded."""

    schema: int
    name: str
    status: str
    idle: list[str]
    created: str
    currency: str
    policy: str
    initial_cash: Number
    start: int | None
    end: int | None
    strategies: list[str]
    symbols: list[str]
    figures: list[Figure]
    band: BandView | None
    equity: EquityView
    curves: list[Curve]
    bars: list[BarsView]
    fills: FillsView
    levels: LevelsView
    campaigns: CampaignsView
    orders: list[OrderRow]
    gates: list[GateRow]
    decisions: DecisionsView | None
    forecasts: list[ForecastView]
    costs: list[CostRow]
    accruals: list[AccrualRow]
    metrics: list[MetricTable]
    monthly: list[MonthlyRow]
    warnings: list[str]
    notes: list[str]
    manifest: dict[str, object]
