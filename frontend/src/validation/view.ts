/** The JSON inside the page of a validation. What each field means is in `intrabar/ui/validation_view.py`. */
import type { MarkName } from "../parts/mark";
import type { Num } from "../view";

export const SCHEMA = 1;

export interface PointerView {
  value: Num;
  label: string;
}

export interface HistogramView {
  kind: "histogram";
  low: number;
  high: number;
  counts: number[];
  unit: string;
  counted: string;
  pointers: PointerView[];
}

export interface SeriesView {
  kind: "series";
  x: number[];
  x_unit: string;
  lines: { label: string; value: Num[] }[];
  unit: string;
  pointers: PointerView[];
}

export interface BarsView {
  kind: "bars";
  labels: string[];
  values: Num[];
  unit: string;
}

export type PictureView = HistogramView | SeriesView | BarsView;

export interface CheckView {
  name: string;
  mark: MarkName;
  figure: string;
  meaning: string;
  assumption: string;
  picture: PictureView | null;
}

export interface FindingView {
  title: string;
  mark: MarkName;
  evidence: string;
  what_to_do: string;
  picture: PictureView | null;
}

export interface IntervalView {
  label: string;
  value: Num;
  low: Num;
  high: Num;
  unit: string;
}

export interface ValidationView {
  schema: number;
  name: string;
  subject: "run" | "sweep";
  created: string;
  symbols: string[];
  start: Num;
  end: Num;
  verdict: { sentence: string; mark: MarkName };
  checks: CheckView[];
  findings: FindingView[];
  intervals: IntervalView[];
  confidence: number;
  notes: string[];
  manifest: Record<string, unknown>;
}
