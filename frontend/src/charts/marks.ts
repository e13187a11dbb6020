/**
 * Fills and the selected campaign, drawn over the candles.
 *
 * A fill points at the exact price that it got: a triangle from below is a buy, from above a
 * sell; a ring says that its bar held the sibling order's price as well. Zoomed out, where
 * triangles would hide the candles, a fill is a dot, and one per pixel at most.
 */
import type {
  AutoscaleInfo,
  IChartApi,
  IPrimitivePaneRenderer,
  ISeriesApi,
  ISeriesPrimitive,
  Logical,
  SeriesAttachedParameter,
  Time,
} from "lightweight-charts";
import { firstAt } from "../columns";
import { price as priceText } from "../format";
import { color } from "../theme";
import { FONT } from "./font";

type Target = Parameters<IPrimitivePaneRenderer["draw"]>[0];

export interface Mark {
  index: number;
  price: number;
  buy: boolean;
  ambiguous: boolean;
}

export interface Level {
  from: number;
  to: number;
  price: number;
  kind: "entry" | "exit" | "stop" | "target";
  /** A level of the same kind is before it; its line says enough. */
  moved: boolean;
}

export interface Focus {
  from: number;
  to: number;
  levels: Level[];
}

const DOTS_FROM = 400;
const LEVEL_COLORS = { entry: "ink", exit: "accent", stop: "down", target: "up" } as const;

export class Marks implements ISeriesPrimitive<Time> {
  private chart: IChartApi | null = null;
  private series: ISeriesApi<"Candlestick"> | null = null;
  private redraw = (): void => undefined;
  private marks: Mark[] = [];
  private indices = new Float64Array(0);
  private focus: Focus | null = null;
  private digits = 2;
  private readonly views = [
    { zOrder: () => "bottom" as const, renderer: () => ({ draw: (target: Target) => this.drawBand(target) }) },
    { zOrder: () => "top" as const, renderer: () => ({ draw: (target: Target) => this.drawLevels(target) }) },
    { zOrder: () => "top" as const, renderer: () => ({ draw: (target: Target) => this.drawMarks(target) }) },
  ];

  attached({ chart, series, requestUpdate }: SeriesAttachedParameter<Time>): void {
    this.chart = chart as IChartApi;
    this.series = series as ISeriesApi<"Candlestick">;
    this.redraw = requestUpdate;
  }

  paneViews() {
    return this.views;
  }

  /** Levels of the selected campaign stay on the screen while the campaign is. */
  autoscaleInfo(start: Logical, end: Logical): AutoscaleInfo | null {
    const focus = this.focus;
    if (!focus || focus.levels.length === 0 || focus.to < start || focus.from > end) return null;
    let minValue = Infinity;
    let maxValue = -Infinity;
    for (const { price } of focus.levels) {
      minValue = Math.min(minValue, price);
      maxValue = Math.max(maxValue, price);
    }
    return { priceRange: { minValue, maxValue } };
  }

  /** Marks sorted by index. */
  setMarks(marks: Mark[], digits: number): void {
    this.marks = marks;
    this.indices = Float64Array.from(marks, (mark) => mark.index);
    this.digits = digits;
    this.focus = null;
    this.redraw();
  }

  setFocus(focus: Focus | null): void {
    this.focus = focus;
    this.redraw();
  }

  /** Middle of a bar; the chart knows whole indices only. */
  private x(index: number): number {
    return this.chart?.timeScale().logicalToCoordinate(index as Logical) ?? -1e4;
  }

  private spacing(): number {
    return this.chart?.timeScale().options().barSpacing ?? 1;
  }

  private y(price: number): number {
    return this.series?.priceToCoordinate(price) ?? -1e4;
  }

  private drawMarks(target: Target): void {
    const range = this.chart?.timeScale().getVisibleLogicalRange();
    if (!range) return;
    const first = firstAt(this.indices, Math.floor(range.from) - 1);
    const last = firstAt(this.indices, Math.ceil(range.to) + 1);
    const colors = { buy: color("buy"), sell: color("sell"), ring: color("amber"), card: color("card") };
    target.useMediaCoordinateSpace(({ context }) => {
      if (last - first > DOTS_FROM) this.drawDots(context, first, last, colors);
      else this.drawTriangles(context, first, last, colors);
    });
  }

  private drawDots(context: CanvasRenderingContext2D, first: number, last: number, colors: Record<string, string>): void {
    const spacing = this.spacing();
    const base = this.indices[first]!;
    const left = this.x(base);
    for (let i = first; i < last; ) {
      const mark = this.marks[i]!;
      const x = Math.round(left + (mark.index - base) * spacing);
      context.fillStyle = colors[mark.buy ? "buy" : "sell"]!;
      context.fillRect(x - 1, this.y(mark.price) - 1, 2, 2);
      i = Math.max(i + 1, firstAt(this.indices, base + (x + 0.5 - left) / spacing));
    }
  }

  private drawTriangles(
    context: CanvasRenderingContext2D,
    first: number,
    last: number,
    colors: Record<string, string>,
  ): void {
    const size = Math.max(5, Math.min(8, this.spacing() * 0.8));
    context.lineWidth = 1;
    for (let i = first; i < last; i++) {
      const mark = this.marks[i]!;
      const x = this.x(mark.index);
      const y = this.y(mark.price);
      const away = mark.buy ? size * 1.5 : -size * 1.5;
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(x - size * 0.75, y + away);
      context.lineTo(x + size * 0.75, y + away);
      context.closePath();
      context.fillStyle = colors[mark.buy ? "buy" : "sell"]!;
      context.strokeStyle = colors["card"]!;
      context.fill();
      context.stroke();
      if (!mark.ambiguous) continue;
      context.beginPath();
      context.arc(x, y + away * 0.6, size * 1.35, 0, 2 * Math.PI);
      context.strokeStyle = colors["ring"]!;
      context.lineWidth = 1.5;
      context.stroke();
      context.lineWidth = 1;
    }
  }

  private drawBand(target: Target): void {
    const focus = this.focus;
    if (!focus) return;
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      const half = this.spacing() / 2;
      const left = this.x(focus.from) - half;
      const right = Math.max(this.x(focus.to) + half, left + 2);
      context.fillStyle = color("focus");
      context.fillRect(left, 0, right - left, mediaSize.height);
    });
  }

  private drawLevels(target: Target): void {
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      context.font = `11px ${FONT}`;
      context.textBaseline = "middle";
      context.textAlign = "left";
      for (const level of this.focus?.levels ?? []) this.drawLevel(context, level, mediaSize.width);
    });
  }

  private drawLevel(context: CanvasRenderingContext2D, level: Level, width: number): void {
    const half = this.spacing() / 2;
    const left = this.x(level.from) - half;
    const right = Math.max(this.x(level.to) + half, left + (level.moved ? 0 : 12));
    const y = Math.round(this.y(level.price)) + 0.5;
    const ink = color(LEVEL_COLORS[level.kind]);
    context.strokeStyle = ink;
    context.lineWidth = 1.25;
    context.setLineDash(level.kind === "entry" || level.kind === "exit" ? [] : [5, 4]);
    context.beginPath();
    context.moveTo(left, y);
    context.lineTo(right, y);
    context.stroke();
    context.setLineDash([]);
    if (level.moved) return;
    const text = `${level.kind} ${priceText(level.price, this.digits)}`;
    const room = context.measureText(text).width + 8;
    const at = level.kind === "exit" ? right + 4 : left - room - 4;
    if (right < 0 || left > width) return;
    const box = Math.max(0, Math.min(at, width - room));
    context.globalAlpha = 0.85;
    context.fillStyle = color("card");
    context.fillRect(box, y - 8, room, 16);
    context.globalAlpha = 1;
    context.fillStyle = ink;
    context.fillText(text, box + 4, y);
  }
}
