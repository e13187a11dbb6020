/** Written by `python -m intrabar.ui.typescript` of `intrabar/ui/parity_view.py`; edit that. */
import type { Num } from "../coded";

export const SCHEMA = 1;

/** A field in which a record and its re-run differ. */
export interface FieldView {
  name: string;
  recorded: string;
  again: string;
}

/** The first record that a re-run does not repeat. */
export interface DifferenceView {
  record: number;
  kind: string;
  bar: number;
  step: string;
  fields: FieldView[];
}

/** A part of the difference, in money and in basis points of the capital. */
export interface PartView {
  name: string;
  money: Num;
  basis_points: Num;
  meaning: string;
}

/** An order of one of the runs: what is left out in the other one is null. */
export interface SideView {
  order: Num;
  status: string;
  filled: Num;
  price: Num;
  bar: Num;
  cost: Num;
}

/** An order of the session and of its twin. */
export interface OrderView {
  time: Num;
  bar: number;
  step: string;
  strategy: string;
  symbol: string;
  by: string;
  side: string;
  type: string;
  role: string;
  qty: Num;
  session: SideView | null;
  twin: SideView | null;
  difference: Num;
  parts: string;
}

/** A command that only one of the runs has, or that differs. */
export interface DecisionView {
  time: Num;
  bar: number;
  step: string;
  session: string;
  twin: string;
}

/** A value of a row that is otherwise now. */
export interface RowView {
  time: Num;
  symbol: string;
  what: string;
  session: string;
  stored: string;
}

/** As `engine.parity.paid.Slippage`. */
export interface SlippageView {
  symbol: string;
  fills: number;
  modelled: Num;
  paid: Num;
  modelled_money: Num;
  paid_money: Num;
  now: Num;
  proposal: Num;
}

/** As `engine.parity.paid.Latency`; seconds. */
export interface LatencyView {
  rows: number;
  median: Num;
  p90: Num;
  longest: Num;
  late: number;
}

/** What a run made. */
export interface ProfitView {
  name: string;
  money: Num;
}

/** All that the page shows. */
export interface ParityView {
  schema: number;
  name: string;
  created: string;
  identical: boolean;
  holds: boolean;
  headline: string;
  symbols: string[];
  start: Num;
  end: Num;
  rows: number;
  records: number;
  capital: Num;
  profit: ProfitView[];
  difference: DifferenceView | null;
  parts: PartView[];
  rest: Num;
  rejects: ProfitView[];
  orders: OrderView[];
  order_count: number;
  decisions: DecisionView[];
  decision_count: number;
  compared: boolean;
  data: RowView[];
  data_count: number;
  slippage: SlippageView[];
  latency: LatencyView | null;
  notes: string[];
  manifest: Record<string, unknown>;
}
