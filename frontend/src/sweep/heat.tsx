/** A metric over two parameters. */
import { useMemo, useState } from "preact/hooks";
import { useCanvas } from "../charts/canvas";
import { ramp, rampGradient } from "../charts/ramp";
import { FONT } from "../charts/font";
import { count, inUnit } from "../format";
import { Card, Pick } from "../parts/card";
import { color, useTheme, type Theme } from "../theme";
import { cells, placeOf, stepsOf, type Cell, type Others } from "./space";
import type { AxisView, MetricView, SweepView } from "./view";

const LEFT = 74;
const FOOT = 40;
const TOP = 20;

interface HeatProps {
  view: SweepView;
  metric: MetricView;
  selected: number | null;
  onMetric: (name: string) => void;
  onSelect: (row: number) => void;
}

interface Frame {
  across: number;
  up: number;
  wide: number;
  tall: number;
}

export function Heat({ view, metric, selected, onMetric, onSelect }: HeatProps) {
  const theme = useTheme();
  const [names, setNames] = useState<[string, string]>([view.axes[0]!.name, view.axes[1]!.name]);
  const [others, setOthers] = useState<Others>(view.best && view.is_grid ? "best" : "median");
  const [at, setAt] = useState<number | null>(null);
  const x = view.axes.find((axis) => axis.name === names[0])!;
  const y = view.axes.find((axis) => axis.name === names[1])!;
  const all = useMemo(() => cells(view, x, y, metric, others), [view, x, y, metric, others]);
  const range = useMemo(() => rangeOf(all), [all]);
  const across = stepsOf(x).words.length;
  const up = stepsOf(y).words.length;
  const frame = (width: number, height: number): Frame => ({
    across,
    up,
    wide: (width - LEFT) / across,
    tall: (height - FOOT - TOP) / up,
  });
  const canvas = useCanvas(
    (context, width, height) => {
      drawCells(context, frame(width, height), all, range, metric, theme);
      drawAxes(context, frame(width, height), x, y, height);
      for (const row of [view.best?.row, selected]) {
        if (row != null) drawRing(context, frame(width, height), x, y, row, row === selected ? "accent" : "ink");
      }
      if (at !== null) drawBox(context, frame(width, height), at % across, Math.floor(at / across), "ink", 2);
    },
    [all, theme, selected, at],
  );
  const find = (e: MouseEvent): number | null => {
    const element = canvas.current!;
    const box = element.getBoundingClientRect();
    const { wide, tall } = frame(element.clientWidth, element.clientHeight);
    const i = Math.floor((e.clientX - box.left - LEFT) / wide);
    const j = up - 1 - Math.floor((e.clientY - box.top - TOP) / tall);
    return i >= 0 && i < across && j >= 0 && j < up ? j * across + i : null;
  };
  const choose = (cell: number | null) => {
    const rows = cell === null ? [] : all[cell]!.rows;
    if (rows.length > 0) onSelect(topOf(metric, rows));
  };
  const pick = (which: 0 | 1) => (name: string) => {
    const other = names[1 - which] === name ? names[which]! : names[1 - which]!;
    setNames(which === 0 ? [name, other] : [other, name]);
    setAt(null);
  };
  const axes = view.axes.map((axis) => [axis.name, axis.label] as const);
  return (
    <Card id="heat" title={`${metric.label} over two parameters`}>
      <div class="filters">
        <Pick label="Across" value={x.name} options={axes} onChange={pick(0)} />
        <Pick label="Up" value={y.name} options={axes} onChange={pick(1)} />
        <Pick label="Metric" value={metric.name} options={view.metrics.map((m) => [m.name, m.label])} onChange={onMetric} />
        {view.axes.length > 2 && (
          <Pick
            label="Others"
            value={others}
            options={([["best", "as in the best trial"], ["mean", "mean over them"], ["median", "median over them"], ["top", "the best of them"]] as const).filter(
              ([name]) => name !== "best" || view.best,
            )}
            onChange={setOthers}
          />
        )}
      </div>
      <p class="readout" role="status">
        {at === null ? "Point at a cell, or go there with the arrow keys; Enter selects its trial." : told(view, x, y, metric, all[at]!, at, others)}
      </p>
      <canvas
        ref={canvas}
        class="heat"
        role="application"
        tabIndex={0}
        aria-label={`Heat map of ${metric.label} over ${x.label} and ${y.label}. Arrow keys move, Enter selects a trial.`}
        onPointerMove={(e) => setAt(find(e))}
        onPointerLeave={() => setAt(null)}
        onClick={(e) => choose(find(e))}
        onKeyDown={(e) => {
          const step = STEPS[e.key];
          if (e.key === "Enter") choose(at);
          else if (step) {
            const [i, j] = at === null ? startOf(view, x, y) : [(at % across) + step[0], Math.floor(at / across) + step[1]];
            setAt(clamp(j, up) * across + clamp(i, across));
          } else return;
          e.preventDefault();
        }}
      />
      {range && (
        <p class="legend ramp-legend">
          <span>{inUnit(metric.lower_is_better ? range[1] : range[0], metric.unit)}</span>
          <i class="ramp" style={{ background: rampGradient(theme) }} />
          <span>{inUnit(metric.lower_is_better ? range[0] : range[1], metric.unit)}</span>
          {view.best && <span>ringed: the best trial</span>}
          <span>empty: no trial, or the figure is undefined</span>
        </p>
      )}
    </Card>
  );
}

const STEPS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

function startOf(view: SweepView, x: AxisView, y: AxisView): [number, number] {
  const row = view.best?.row ?? 0;
  return [stepsOf(x).at[row]!, stepsOf(y).at[row]!];
}

function clamp(i: number, n: number): number {
  return Math.max(0, Math.min(n - 1, i));
}

function topOf(metric: MetricView, rows: number[]): number {
  const sign = metric.lower_is_better ? -1 : 1;
  const rank = (row: number) => (metric.values[row] == null ? -Infinity : sign * metric.values[row]);
  return rows.reduce((top, row) => (rank(row) > rank(top) ? row : top));
}

function told(view: SweepView, x: AxisView, y: AxisView, metric: MetricView, cell: Cell, at: number, others: Others): string {
  const across = stepsOf(x).words;
  const where = `${x.label} ${across[at % across.length]}, ${y.label} ${stepsOf(y).words[Math.floor(at / across.length)]}`;
  if (cell.rows.length === 0) return `${where}: no trial`;
  if (cell.rows.length === 1) {
    const row = cell.rows[0]!;
    return `#${view.number[row]} (${placeOf(view, row)}): ${metric.label} ${inUnit(cell.value, metric.unit)}`;
  }
  const how = { best: "best", top: "best", mean: "mean", median: "median" }[others];
  return `${where}: ${metric.label} ${inUnit(cell.value, metric.unit)}, the ${how} of ${count(cell.rows.length)} trials`;
}

function rangeOf(all: Cell[]): [number, number] | null {
  let low = Infinity;
  let high = -Infinity;
  for (const { value } of all) {
    if (value === null) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high] : null;
}

function drawCells(
  context: CanvasRenderingContext2D,
  frame: Frame,
  all: Cell[],
  range: [number, number] | null,
  metric: MetricView,
  theme: Theme,
): void {
  const gap = Math.min(frame.wide, frame.tall) > 8 ? 1 : 0;
  all.forEach(({ value }, k) => {
    const share = value === null || !range || range[1] === range[0] ? 0.5 : (value - range[0]) / (range[1] - range[0]);
    context.fillStyle = value === null ? color("hover") : ramp(metric.lower_is_better ? 1 - share : share, theme);
    const [left, top] = corner(frame, k % frame.across, Math.floor(k / frame.across));
    // Whole pixels, so that no light shows between cells.
    const [l, t] = [Math.round(left), Math.round(top)];
    context.fillRect(l, t, Math.round(left + frame.wide) - l - gap, Math.round(top + frame.tall) - t - gap);
  });
}

function corner(frame: Frame, i: number, j: number): [number, number] {
  return [LEFT + i * frame.wide, TOP + (frame.up - 1 - j) * frame.tall];
}

function drawRing(context: CanvasRenderingContext2D, frame: Frame, x: AxisView, y: AxisView, row: number, ink: string): void {
  drawBox(context, frame, stepsOf(x).at[row]!, stepsOf(y).at[row]!, ink, 2);
}

function drawBox(context: CanvasRenderingContext2D, frame: Frame, i: number, j: number, ink: string, width: number): void {
  const [left, top] = corner(frame, i, j);
  const box = [left - 1, top - 1, Math.max(frame.wide + 1, 5), Math.max(frame.tall + 1, 5)] as const;
  context.strokeStyle = color("card");
  context.lineWidth = width + 3;
  context.strokeRect(...box);
  context.strokeStyle = color(ink);
  context.lineWidth = width;
  context.strokeRect(...box);
}

function drawAxes(context: CanvasRenderingContext2D, frame: Frame, x: AxisView, y: AxisView, height: number): void {
  context.fillStyle = color("muted");
  context.font = `11px ${FONT}`;
  context.textBaseline = "middle";
  context.textAlign = "right";
  const rows = stepsOf(y).words;
  const down = Math.ceil(14 / frame.tall);
  rows.forEach((word, j) => {
    if (j % down === 0) context.fillText(word, LEFT - 6, TOP + (frame.up - j - 0.5) * frame.tall, LEFT - 8);
  });
  context.textAlign = "center";
  const words = stepsOf(x).words;
  const widest = Math.max(...words.map((word) => context.measureText(word).width)) + 8;
  const apart = Math.ceil(Math.min(widest, 90) / frame.wide);
  words.forEach((word, i) => {
    if (i % apart === 0) context.fillText(word, LEFT + (i + 0.5) * frame.wide, height - FOOT + 10, Math.max(frame.wide * apart, 20));
  });
  context.fillStyle = color("ink");
  context.fillText(x.label, LEFT + (frame.across * frame.wide) / 2, height - 8);
  context.textAlign = "right";
  context.fillText(y.label, LEFT - 6, 8, LEFT - 8);
}
