/** Written by `python -m intrabar.ui.typescript` of `intrabar/ui/validation_input.py` and `intrabar/ui/validation_view.py`; edit that. */
import type { Num } from "../coded";

export type Mark = "pass" | "doubt" | "fail" | "unknown";

export const SCHEMA = 1;

/** A place on the horizontal axis and what stands there. */
export interface PointerView {
  value: Num;
  label: string;
}

/** Counts in bins of one width from `low` to `high`. */
export interface HistogramView {
  kind: "histogram";
  low: number;
  high: number;
  counts: number[];
  unit: string;
  counted: string;
  pointers: PointerView[];
}

/** A line of a series. */
export interface LineView {
  label: string;
  value: Num[];
}

/** Lines over `x`: whole seconds where `x_unit` is "time". */
export interface SeriesView {
  kind: "series";
  x: number[];
  x_unit: string;
  lines: LineView[];
  unit: string;
  pointers: PointerView[];
}

/** A bar for each label. */
export interface BarsView {
  kind: "bars";
  labels: string[];
  values: Num[];
  unit: string;
}

export type PictureView = HistogramView | SeriesView | BarsView;

/** The answer in a sentence. */
export interface VerdictView {
  sentence: string;
  mark: Mark;
}

/** As `validation_input.Check`. */
export interface CheckView {
  name: string;
  mark: Mark;
  figure: string;
  meaning: string;
  assumption: string;
  picture: PictureView | null;
}

/** As `validation_input.Finding`. */
export interface FindingView {
  title: string;
  mark: Mark;
  evidence: string;
  what_to_do: string;
  picture: PictureView | null;
}

/** As `validation_input.Interval`. */
export interface IntervalView {
  label: string;
  value: Num;
  low: Num;
  high: Num;
  unit: string;
}

/** All that the page shows. */
export interface ValidationView {
  schema: number;
  name: string;
  subject: "run" | "sweep" | "policy" | "scorecard";
  created: string;
  symbols: string[];
  start: number | null;
  end: number | null;
  verdict: VerdictView;
  checks: CheckView[];
  findings: FindingView[];
  intervals: IntervalView[];
  confidence: number;
  notes: string[];
  manifest: Record<string, unknown>;
}
