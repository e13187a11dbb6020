/** Written by `python -m intrabar.ui.typescript` of `intrabar/ui/sweep_view.py`; edit that. */
import type { Coded, Num } from "../coded";

export const SCHEMA = 1;

export type Value = Num | string;

/**
 * A parameter that varies: `values[codes[i]]` is that of row i.
 *
 * `label` is the end of its name that no other has. Numbers are `values` that rise; `edges` are
 * those of bins where they were sampled.
 */
export interface AxisView {
  name: string;
  label: string;
  is_number: boolean;
  values: Value[];
  codes: number[];
  edges: number[];
}

/** A metric of every row, null where it is undefined. */
export interface MetricView {
  name: string;
  label: string;
  unit: string;
  description: string;
  lower_is_better: boolean;
  values: Num[];
}

/** The best trial, by its row, with what is left of its Sharpe ratio. */
export interface BestView {
  row: number;
  sharpe: Num;
  deflated: Num;
  by_luck: Num;
  effective: Num;
  reason: string;
}

/** The neighbours of the best, as `analysis.neighbourhood` has them, for one metric. */
export interface AroundView {
  rows: number[];
  without: number;
  median: Num;
  worst: Num;
  profitable: Num;
  kept: Num;
  shape: "plateau" | "slope" | "spike" | "alone";
  at_edge: string[];
}

/** A parameter that is the same in every trial. */
export interface FixedView {
  label: string;
  value: Value;
}

/** All that the page shows; `trials` and `failed` count what the table may not hold. */
export interface SweepView {
  schema: number;
  name: string;
  created: string;
  strategies: string[];
  symbols: string[];
  start: number | null;
  end: number | null;
  metric: string;
  trials: number;
  failed: number;
  tried: number | null;
  is_grid: boolean;
  best: BestView | null;
  around: AroundView | null;
  number: number[];
  status: Coded;
  error: Coded;
  axes: AxisView[];
  fixed: FixedView[];
  metrics: MetricView[];
  notes: string[];
  manifest: Record<string, unknown>;
}
