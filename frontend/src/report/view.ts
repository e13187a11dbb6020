/** Written by `python -m intrabar.ui.typescript` of `intrabar/ui/view_types.py`; edit that. */
import type { Coded, Num } from "../coded";

export const SCHEMA = 2;

export type CurveKind = "policy" | "symbol" | "strategy";

/** A line over time; `label` for the legend. */
export interface Curve {
  label: string;
  kind: CurveKind;
  time: number[];
  value: Num[];
}

/** Equity of the account; `drawdown` is 0 or below, `total` the rows before thinning. */
export interface EquityView {
  time: number[];
  equity: Num[];
  drawdown: Num[];
  total: number;
}

/**
 * Candles of a symbol, as differences so that 100,000 bars stay small.
 *
 * `time[0]` is absolute, the rest are steps. Prices are integers in 10^-digits: `open` is the
 * step from the close before (from 0 for the first), `high`, `low` and `close` are relative to
 * the open of the same bar. Each candle joins `joined` bars of the `total` that the run saw.
 */
export interface BarsView {
  symbol: string;
  digits: number;
  period_s: number;
  total: number;
  joined: number;
  time: number[];
  open: number[];
  high: number[];
  low: number[];
  close: number[];
  volume: Num[];
}

/** One entry per fill, in the order of the run; without a quantity, a split by its price. */
export interface FillsView {
  time: number[];
  phase: Coded;
  strategy: Coded;
  symbol: Coded;
  side: Coded;
  qty: Num[];
  price: Num[];
  cost: Num[];
  reason: Coded;
  position: Num[];
  stop: Num[];
  target: Num[];
  ambiguous: number[];
}

/**
 * Where the stop and the target of a position stood after each move.
 *
 * Of the `total` moves none is here where they are too many for a page.
 */
export interface LevelsView {
  time: number[];
  strategy: Coded;
  symbol: Coded;
  stop: Num[];
  target: Num[];
  total: number;
}

/** One entry per campaign; `end`, `exit` and the reason are missing while it is open. */
export interface CampaignsView {
  campaign: number[];
  strategy: Coded;
  symbol: Coded;
  side: Coded;
  start: number[];
  end: (number | null)[];
  bars: Num[];
  qty: Num[];
  entry: Num[];
  exit: Num[];
  gross: Num[];
  costs: Num[];
  net: Num[];
  risk: Num[];
  r: Num[];
  mae: Num[];
  mfe: Num[];
  reason: Coded;
  ambiguous: number[];
}

/** How often a bot that could have acted was held back, and by what. */
export interface GateRow {
  strategy: string;
  symbol: string;
  gate: string;
  text: string;
  count: number;
}

/** How many orders of one kind ended in one way. */
export interface OrderRow {
  role: string;
  type: string;
  status: string;
  reject: string;
  count: number;
}

/** What a strategy paid on a symbol, beside what it made. */
export interface CostRow {
  strategy: string;
  symbol: string;
  fills: number;
  qty: Num;
  gross: Num;
  cost: Num;
  net: Num;
}

/** What moved cash without a fill, by kind; `symbol` is "" where it is the account's. */
export interface AccrualRow {
  kind: string;
  symbol: string;
  lines: number;
  amount: Num;
}

/** A number with its meaning; `unit` as in `report_input.Metric`, `reason` where it is null. */
export interface Figure {
  name: string;
  label: string;
  value: Num | string;
  unit: string;
  description: string;
  reason: string;
}

/** One metric over the columns of its table. */
export interface MetricRow {
  name: string;
  label: string;
  unit: string;
  description: string;
  values: (Num | string)[];
  reasons: string[];
}

/** Metrics as rows; one column for the whole run, or one per symbol or strategy. */
export interface MetricTable {
  title: string;
  columns: string[];
  rows: MetricRow[];
}

/** Twelve monthly returns of a year (null: no trading) and the return of the year. */
export interface MonthlyRow {
  year: number;
  months: Num[];
  total: Num;
}

/** The run repeated under one assumption about the path inside a bar. */
export interface BandRow {
  policy: string;
  end_equity: Num;
  total_return: Num;
  campaigns: number;
  ambiguous: number;
}

/**
 * The same strategy under each path policy; `policy` is the one that this report shows.
 *
 * `campaigns`, `ambiguous` and `settled` count those of this report, `without_detail` the bars
 * that it had to guess for want of detail bars (null where it asked for none).
 */
export interface BandView {
  policy: string;
  campaigns: number;
  ambiguous: number;
  settled: number;
  without_detail: number | null;
  rows: BandRow[];
  curves: Curve[];
}

/** How often one arm was taken, by stretches of decisions. */
export interface ShareLine {
  label: string;
  value: Num[];
}

/** The arms that a learned exit took over time; `time` is the end of each stretch. */
export interface ArmsView {
  strategy: string;
  time: number[];
  lines: ShareLine[];
}

/**
 * How far the feature that moved furthest is from the training, in stretches of 500 decisions.
 *
 * `time` is the end of each; `limit` is null where the training had too few decisions.
 */
export interface DriftView {
  strategy: string;
  time: number[];
  psi: Num[];
  limit: Num[];
  told: string;
}

/** An arm of a bandit: its estimate beyond the prior, and how far that may be off. */
export interface BanditRow {
  strategy: string;
  symbol: string;
  arm: Num;
  chosen: Num;
  estimate: Num;
  width: Num;
  mean_reward: Num;
}

/** One choice of an arm; `reward` is null while the campaign is open. */
export interface DecisionRow {
  time: number;
  strategy: string;
  symbol: string;
  side: string;
  arm: Num;
  propensity: Num;
  reward: Num;
}

/** What learned exits decided; of `count` decisions the last are rows. */
export interface DecisionsView {
  count: number;
  arms: ArmsView[];
  drift: DriftView[];
  bandits: BanditRow[];
  rows: DecisionRow[];
}

/** Skill of one model against the last price, with the ends of its 95 per cent interval. */
export interface RefitRow {
  trained_until: string;
  rows: number;
  skill: Num;
  low: Num;
  high: Num;
}

/** The share of what came that lay below a predicted quantile. */
export interface QuantileRow {
  probability: number;
  below: Num;
}

/** What the predictions of a symbol were worth; `horizon` in bars, `left_out` says why not. */
export interface ForecastView {
  file: string;
  symbol: string;
  horizon: number;
  rows: number;
  verdict: string;
  refits: RefitRow[];
  quantiles: QuantileRow[];
  left_out: string[];
}

/** All that the page shows; `idle` is why nothing was traded. */
export interface ReportView {
  schema: number;
  name: string;
  status: string;
  idle: string[];
  created: string;
  currency: string;
  policy: string;
  initial_cash: Num;
  start: number | null;
  end: number | null;
  strategies: string[];
  symbols: string[];
  figures: Figure[];
  band: BandView | null;
  equity: EquityView;
  curves: Curve[];
  bars: BarsView[];
  fills: FillsView;
  levels: LevelsView;
  campaigns: CampaignsView;
  orders: OrderRow[];
  gates: GateRow[];
  decisions: DecisionsView | null;
  forecasts: ForecastView[];
  costs: CostRow[];
  accruals: AccrualRow[];
  metrics: MetricTable[];
  monthly: MonthlyRow[];
  warnings: string[];
  notes: string[];
  manifest: Record<string, unknown>;
}
