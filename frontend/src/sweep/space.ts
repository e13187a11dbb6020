/** Places in the space of parameters: cells of a heat map, lines through the best, words for them. */
import { plain } from "../format";
import type { Num } from "../view";
import type { AxisView, MetricView, SweepView } from "./view";

/** An axis in steps: a word for each, and the step of each row. */
export interface Steps {
  words: string[];
  at: number[];
}

const known = new WeakMap<AxisView, Steps>();

/** Steps are the values of a grid, or the bins of a sample. */
export function stepsOf(axis: AxisView): Steps {
  const found = known.get(axis);
  if (found) return found;
  const edges = axis.edges;
  const bins = edges.length - 1;
  const steps =
    bins < 1
      ? { words: axis.values.map(plain), at: axis.codes }
      : {
          words: Array.from({ length: bins }, (_, i) => `${rough(edges[i]!)} to ${rough(edges[i + 1]!)}`),
          at: axis.codes.map((code) => binOf(edges, axis.values[code] as number)),
        };
  known.set(axis, steps);
  return steps;
}

/** The edge of a bin to three digits. */
function rough(edge: number): string {
  return plain(Number(edge.toPrecision(3)));
}

function binOf(edges: number[], value: number): number {
  let bin = 0;
  while (bin < edges.length - 2 && value >= edges[bin + 1]!) bin++;
  return bin;
}

/** How the other parameters are dealt with where a cell has several trials. */
export type Others = "best" | "mean" | "median" | "top";

export interface Cell {
  value: Num;
  rows: number[];
}

/** Cells of two axes, row by row of `y`. */
export function cells(view: SweepView, x: AxisView, y: AxisView, metric: MetricView, others: Others): Cell[] {
  const across = stepsOf(x);
  const up = stepsOf(y);
  const made: Cell[] = Array.from({ length: across.words.length * up.words.length }, () => ({ value: null, rows: [] }));
  for (const row of others === "best" ? rowsLikeBest(view, [x, y]) : view.number.keys()) {
    made[up.at[row]! * across.words.length + across.at[row]!]!.rows.push(row);
  }
  for (const cell of made) cell.value = joined(metric, cell.rows, others);
  return made;
}

/** Rows that have the step of the best in every axis but these. */
export function rowsLikeBest(view: SweepView, but: AxisView[]): number[] {
  const best = view.best?.row ?? 0;
  const held = view.axes.filter((axis) => !but.includes(axis)).map(stepsOf);
  return [...view.number.keys()].filter((row) => held.every((steps) => steps.at[row] === steps.at[best]));
}

function joined(metric: MetricView, rows: number[], others: Others): Num {
  const values = valuesOf(metric, rows);
  if (values.length === 0) return null;
  if (others === "median") return median(values);
  if (others === "mean") return values.reduce((sum, v) => sum + v, 0) / values.length;
  return metric.lower_is_better ? Math.min(...values) : Math.max(...values);
}

export function median(values: number[]): Num {
  if (values.length === 0) return null;
  const order = values.toSorted((a, b) => a - b);
  const middle = order.length >> 1;
  return order.length % 2 ? order[middle]! : (order[middle - 1]! + order[middle]!) / 2;
}

/** The worst of some rows. */
export function worst(metric: MetricView, rows: number[]): Num {
  const values = valuesOf(metric, rows);
  if (values.length === 0) return null;
  return metric.lower_is_better ? Math.max(...values) : Math.min(...values);
}

/** The figures of some rows, without the unknown. */
export function valuesOf(metric: MetricView, rows: number[]): number[] {
  return rows.map((row) => metric.values[row] ?? null).filter((v) => v !== null);
}

/** The metric over an axis, with all else as in the best; null where there is no such trial. */
export function through(view: SweepView, axis: AxisView, metric: MetricView): { row: number; value: Num }[] {
  const steps = stepsOf(axis);
  const line = steps.words.map(() => ({ row: -1, value: null as Num }));
  for (const row of rowsLikeBest(view, [axis])) {
    const here = line[steps.at[row]!]!;
    if (here.row < 0 || row === view.best?.row) Object.assign(here, { row, value: metric.values[row] ?? null });
  }
  return line;
}

/** "fast 10, slow 50" */
export function placeOf(view: SweepView, row: number): string {
  return view.axes.map((axis) => `${axis.label} ${plain(axis.values[axis.codes[row]!]!)}`).join(", ");
}

/** The metric of that name; the view has it. */
export function metricOf(view: SweepView, name: string): MetricView {
  return view.metrics.find((metric) => metric.name === name)!;
}
