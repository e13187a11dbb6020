/** Every trial as a line over its parameters and figures; a range on an axis keeps those within. */
import { useMemo, useRef } from "preact/hooks";
import { useCanvas } from "../charts/canvas";
import { FONT } from "../charts/font";
import { ramp } from "../charts/ramp";
import { count, inUnit, plain } from "../format";
import { Card } from "../parts/card";
import { color, useTheme } from "../theme";
import type { MetricView, SweepView } from "./view";

const SIDE = 56;
const TOP = 34;
const FOOT = 22;
const LINES = 4_000;
const SHADES = 16;
const MORE = ["total_return", "max_drawdown", "campaigns"];

/** From and to as shares of an axis. */
export type Range = [number, number];
export type Brush = Record<string, Range>;

/** An axis of the picture: where each row is, and what stands beside it. */
interface Scale {
  name: string;
  label: string;
  /** Share of the axis, NaN where there is no figure. */
  at: Float64Array;
  ends: [string, string];
  word: (share: number) => string;
}

export function scalesOf(view: SweepView, metric: MetricView): Scale[] {
  const figures = [metric, ...view.metrics.filter((m) => m !== metric && MORE.includes(m.name)).slice(0, 2)];
  return [
    ...view.axes.slice(0, 8).map((axis): Scale => {
      const last = Math.max(1, axis.values.length - 1);
      const word = (share: number) => plain(axis.values[Math.round(share * last)]);
      const at = Float64Array.from(axis.codes, (code) => code / last);
      return { name: axis.name, label: axis.label, at, ends: [word(0), word(1)], word };
    }),
    ...figures.map(figureScale),
  ];
}

function figureScale(metric: MetricView): Scale {
  let low = Infinity;
  let high = -Infinity;
  for (const v of metric.values) {
    if (v === null) continue;
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  const span = high - low || 1;
  const word = (share: number) => (low <= high ? inUnit(low + share * span, metric.unit) : "none");
  const at = Float64Array.from(metric.values, (v) => (v === null ? NaN : (v - low) / span));
  return { name: metric.name, label: metric.label, at, ends: [word(0), word(1)], word };
}

/** Rows that are within every range. */
export function within(view: SweepView, scales: Scale[], brush: Brush): number[] {
  const held = scales.filter((scale) => brush[scale.name]);
  return [...view.number.keys()].filter((row) =>
    held.every(({ name, at }) => {
      const [from, to] = brush[name]!;
      return at[row]! >= from - 1e-9 && at[row]! <= to + 1e-9;
    }),
  );
}

interface ParallelProps {
  view: SweepView;
  metric: MetricView;
  scales: Scale[];
  brush: Brush;
  rows: number[];
  selected: number | null;
  onBrush: (brush: Brush) => void;
}

export function Parallel({ view, metric, scales, brush, rows, selected, onBrush }: ParallelProps) {
  const theme = useTheme();
  const start = useRef<{ name: string; share: number } | null>(null);
  const own = scales.find((scale) => scale.name === metric.name)!;
  const order = useMemo(() => thinned(rows, own.at, metric.lower_is_better, [view.best?.row, selected]), [rows, own, metric, view, selected]);
  const x = (i: number, width: number) => SIDE + (i / Math.max(1, scales.length - 1)) * (width - 2 * SIDE);
  const canvas = useCanvas(
    (context, width, height) => {
      const y = (share: number) => height - FOOT - share * (height - TOP - FOOT);
      context.lineWidth = rows.length > 500 ? 0.6 : 1;
      for (let shade = 0; shade < SHADES; shade++) {
        context.beginPath();
        for (const row of order) {
          const share = metric.lower_is_better ? 1 - own.at[row]! : own.at[row]!;
          if (Math.min(SHADES - 1, Math.floor(share * SHADES)) === shade) trace(context, row);
        }
        context.strokeStyle = ramp((shade + 0.5) / SHADES, theme);
        context.globalAlpha = rows.length > 2_000 ? 0.35 : rows.length > 300 ? 0.55 : 0.85;
        context.stroke();
      }
      context.globalAlpha = 1;
      for (const [row, ink] of [[view.best?.row, "ink"], [selected, "accent"]] as const) {
        if (row == null) continue;
        context.beginPath();
        trace(context, row);
        context.lineWidth = 2.5;
        context.strokeStyle = color(ink);
        context.stroke();
      }
      function trace(on: CanvasRenderingContext2D, row: number): void {
        let open = false;
        scales.forEach(({ at }, i) => {
          const share = at[row]!;
          if (!Number.isNaN(share)) on[open ? "lineTo" : "moveTo"](x(i, width), y(share));
          open = !Number.isNaN(share);
        });
      }
      context.font = `11px ${FONT}`;
      context.textAlign = "center";
      scales.forEach((scale, i) => drawAxis(context, scale, x(i, width), y, brush[scale.name], (width - 2 * SIDE) / Math.max(1, scales.length - 1)));
    },
    [order, theme, brush, scales],
  );
  const share = (e: PointerEvent): number => {
    const box = canvas.current!.getBoundingClientRect();
    return bounded((box.bottom - FOOT - e.clientY) / (box.height - TOP - FOOT));
  };
  const set = (name: string, range: Range | null) => {
    const { [name]: _, ...rest } = brush;
    onBrush(range ? { ...rest, [name]: range } : rest);
  };
  return (
    <Card
      id="parallel"
      title="All trials over their parameters"
      aside={
        Object.keys(brush).length > 0 && (
          <button type="button" class="link" onClick={() => onBrush({})}>
            Clear ranges
          </button>
        )
      }
    >
      <p class="readout" role="status">
        {Object.keys(brush).length === 0
          ? "Draw along an axis to keep the trials within a range. With the keyboard: arrows move the range, Shift and arrows change its size, Escape clears it."
          : `${count(rows.length)} of ${count(view.number.length)} trials are within ${ranges(scales, brush)}`}
      </p>
      <div class="parallel-box">
        <div class="parallel" style={{ minWidth: `${scales.length * 84}px` }}>
          <canvas ref={canvas} role="img" aria-label={`Lines of ${count(rows.length)} trials over ${scales.map((s) => s.label).join(", ")}`} />
          {scales.map((scale, i) => (
            <div
              key={scale.name}
              class="brush"
              role="slider"
              tabIndex={0}
              aria-orientation="vertical"
              aria-label={`Range of ${scale.label}`}
              aria-valuemin={0}
              aria-valuemax={1}
              aria-valuenow={brush[scale.name]?.[0] ?? 0}
              aria-valuetext={rangeText(scale, brush[scale.name])}
              style={{ left: `calc(${SIDE}px + (100% - ${2 * SIDE}px) * ${i / Math.max(1, scales.length - 1)})` }}
              onPointerDown={(e) => {
                e.currentTarget.setPointerCapture(e.pointerId);
                start.current = { name: scale.name, share: share(e) };
              }}
              onPointerMove={(e) => {
                const from = start.current;
                if (from?.name !== scale.name) return;
                const to = share(e);
                if (Math.abs(to - from.share) > 0.01) set(scale.name, [Math.min(from.share, to), Math.max(from.share, to)]);
              }}
              onPointerUp={(e) => {
                if (start.current && Math.abs(share(e) - start.current.share) <= 0.01) set(scale.name, null);
                start.current = null;
              }}
              onKeyDown={(e) => {
                const range = moved(brush[scale.name], e.key, e.shiftKey);
                if (range === undefined) return;
                set(scale.name, range);
                e.preventDefault();
              }}
            />
          ))}
        </div>
      </div>
      <p class="legend">
        <span>colored by {metric.label}</span>
        {order.length >= LINES && <span>{count(LINES)} lines of {count(rows.length)} are drawn, evenly from worst to best</span>}
        {view.axes.length > 8 && <span>the first 8 of {view.axes.length} parameters</span>}
      </p>
    </Card>
  );
}

/** Rows from worst to best, an even part of them where they are too many to draw. */
function thinned(rows: number[], at: Float64Array, lower: boolean, kept: (number | null | undefined)[]): number[] {
  const sign = lower ? -1 : 1;
  const order = rows.filter((row) => !Number.isNaN(at[row])).sort((a, b) => sign * (at[a]! - at[b]!));
  if (order.length <= LINES) return order;
  const step = order.length / LINES;
  return order.filter((row, i) => Math.floor(i / step) !== Math.floor((i - 1) / step) || kept.includes(row));
}

function drawAxis(
  context: CanvasRenderingContext2D,
  scale: Scale,
  x: number,
  y: (share: number) => number,
  range: Range | undefined,
  room: number,
): void {
  context.strokeStyle = color("faint");
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(x, y(0));
  context.lineTo(x, y(1));
  context.stroke();
  if (range) {
    context.fillStyle = color("accent-wash");
    context.strokeStyle = color("accent");
    const box = [x - 8, y(range[1]), 16, Math.max(2, y(range[0]) - y(range[1]))] as const;
    context.fillRect(...box);
    context.strokeRect(...box);
  }
  context.fillStyle = color("ink");
  context.fillText(scale.label, x, 12, room - 6);
  context.fillStyle = color("muted");
  context.fillText(scale.ends[1], x, 27, room - 6);
  context.fillText(scale.ends[0], x, y(0) + 15, room - 6);
}

function bounded(share: number): number {
  return Math.max(0, Math.min(1, share));
}

const STEP = 0.05;

/** The range after a key: null clears it, undefined is another key. */
function moved(range: Range | undefined, key: string, sizing: boolean): Range | null | undefined {
  if (key === "Escape" || key === "Delete") return null;
  if (key !== "ArrowUp" && key !== "ArrowDown") return undefined;
  if (!range) return key === "ArrowUp" ? [0.5, 1] : [0, 0.5];
  const by = key === "ArrowUp" ? STEP : -STEP;
  const [from, to] = range;
  if (sizing) return [from, Math.max(from, bounded(to + by))];
  const room = by > 0 ? Math.min(by, 1 - to) : Math.max(by, -from);
  return [from + room, to + room];
}

function rangeText(scale: Scale, range: Range | undefined): string {
  return range ? `${scale.word(range[0])} to ${scale.word(range[1])}` : "all";
}

function ranges(scales: Scale[], brush: Brush): string {
  return scales
    .filter((scale) => brush[scale.name])
    .map((scale) => `${scale.label} ${rangeText(scale, brush[scale.name])}`)
    .join(", ");
}
