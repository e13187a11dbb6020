/** The JSON inside the report. The meaning of each field is in `intrabar/ui/view_types.py`. */

import type { Coded, Num } from "../view";

export const SCHEMA = 2;

export interface Curve {
  label: string;
  kind: "policy" | "symbol" | "strategy";
  time: number[];
  value: Num[];
}

export interface EquityView {
  time: number[];
  equity: Num[];
  drawdown: Num[];
  total: number;
}

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

export interface LevelsView {
  time: number[];
  strategy: Coded;
  symbol: Coded;
  stop: Num[];
  target: Num[];
  total: number;
}

export interface CampaignsView {
  campaign: number[];
  strategy: Coded;
  symbol: Coded;
  side: Coded;
  start: number[];
  end: Num[];
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

export interface GateRow {
  strategy: string;
  symbol: string;
  gate: string;
  text: string;
  count: number;
}

export interface OrderRow {
  role: string;
  type: string;
  status: string;
  reject: string;
  count: number;
}

export interface CostRow {
  strategy: string;
  symbol: string;
  fills: number;
  qty: Num;
  gross: Num;
  cost: Num;
  net: Num;
}

export interface AccrualRow {
  kind: string;
  symbol: string;
  lines: number;
  amount: Num;
}

export interface Figure {
  name: string;
  label: string;
  value: Num | string;
  unit: string;
  description: string;
  reason: string;
}

export interface MetricRow {
  name: string;
  label: string;
  unit: string;
  description: string;
  values: (Num | string)[];
  reasons: string[];
}

export interface MetricTable {
  title: string;
  columns: string[];
  rows: MetricRow[];
}

export interface MonthlyRow {
  year: number;
  months: Num[];
  total: Num;
}

export interface BandRow {
  policy: string;
  end_equity: Num;
  total_return: Num;
  campaigns: number;
  ambiguous: number;
}

export interface BandView {
  policy: string;
  campaigns: number;
  ambiguous: number;
  settled: number;
  without_detail: Num;
  rows: BandRow[];
  curves: Curve[];
}

export interface ReportView {
  schema: number;
  name: string;
  status: string;
  /** Why nothing was traded; empty where something was. */
  idle: string[];
  created: string;
  currency: string;
  policy: string;
  initial_cash: Num;
  start: Num;
  end: Num;
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
  costs: CostRow[];
  accruals: AccrualRow[];
  metrics: MetricTable[];
  monthly: MonthlyRow[];
  warnings: string[];
  notes: string[];
  manifest: Record<string, unknown>;
}
