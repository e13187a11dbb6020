/** The JSON inside the page of a sweep. What each field means is in `intrabar/ui/sweep_view.py`. */
import type { Coded, Num } from "../view";

export const SCHEMA = 1;

export type Value = Num | string;

export interface AxisView {
  name: string;
  label: string;
  is_number: boolean;
  values: Value[];
  codes: number[];
  edges: number[];
}

export interface MetricView {
  name: string;
  label: string;
  unit: string;
  description: string;
  lower_is_better: boolean;
  values: Num[];
}

export interface BestView {
  row: number;
  sharpe: Num;
  deflated: Num;
  by_luck: Num;
  effective: Num;
  reason: string;
}

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

export interface SweepView {
  schema: number;
  name: string;
  created: string;
  strategies: string[];
  symbols: string[];
  start: Num;
  end: Num;
  metric: string;
  trials: number;
  failed: number;
  tried: Num;
  is_grid: boolean;
  best: BestView | null;
  around: AroundView | null;
  number: number[];
  status: Coded;
  error: Coded;
  axes: AxisView[];
  fixed: { label: string; value: Value }[];
  metrics: MetricView[];
  notes: string[];
  manifest: Record<string, unknown>;
}

/** The metric of that name; the view has it. */
export function metricOf(view: SweepView, name: string): MetricView {
  return view.metrics.find((metric) => metric.name === name)!;
}
