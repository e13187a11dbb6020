/** Candles, volume and marks of one symbol; bar i of the symbol is logical index i of the chart. */
import {
  CandlestickSeries,
  createChart,
  HistogramSeries,
  type IChartApi,
  type ISeriesApi,
  type Time,
} from "lightweight-charts";
import { firstAt, type Candles } from "../columns";
import { price as priceText } from "../format";
import { color } from "../theme";
import { Marks, type Focus, type Mark } from "./marks";
import { chartColors, chartOptions } from "./options";

const FIRST_VIEW = 240;
/** Pixels per bar below which the chart joins bars, and volumes would no longer compare. */
const JOINED_BELOW = 0.5;

export class CandleChart {
  private readonly chart: IChartApi;
  private readonly series: ISeriesApi<"Candlestick">;
  private readonly volume: ISeriesApi<"Histogram">;
  private readonly marks = new Marks();
  private candles: Candles | null = null;

  constructor(
    element: HTMLElement,
    intraday: boolean,
    onBar: (index: number | null) => void,
    onRange: (first: number, last: number) => void,
  ) {
    this.chart = createChart(element, chartOptions(intraday));
    this.chart.timeScale().applyOptions({
      minBarSpacing: 0.002,
      enableConflation: true,
      timeVisible: intraday,
      rightOffset: 4,
      lockVisibleTimeRangeOnResize: true,
    });
    this.series = this.chart.addSeries(CandlestickSeries, { borderVisible: false, priceLineVisible: false });
    this.volume = this.chart.addSeries(HistogramSeries, {
      priceScaleId: "volume",
      priceFormat: { type: "volume" },
      priceLineVisible: false,
      lastValueVisible: false,
    });
    this.volume.priceScale().applyOptions({ scaleMargins: { top: 0.86, bottom: 0 } });
    this.series.priceScale().applyOptions({ scaleMargins: { top: 0.08, bottom: 0.18 } });
    this.series.attachPrimitive(this.marks);
    this.chart.subscribeCrosshairMove(({ logical, time }) => onBar(time == null ? null : (logical ?? null)));
    this.chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      const time = this.candles?.time;
      if (!range || !time || time.length === 0) return;
      const visible = this.chart.timeScale().options().barSpacing >= JOINED_BELOW;
      if (visible !== this.volume.options().visible) this.volume.applyOptions({ visible });
      const bar = (index: number) => time[Math.max(0, Math.min(time.length - 1, Math.round(index)))]!;
      onRange(bar(range.from), bar(range.to));
    });
    this.recolor();
  }

  setCandles(candles: Candles, marks: Mark[]): void {
    this.candles = candles;
    const n = candles.time.length;
    const rows = new Array(n);
    const volumes = new Array(n);
    for (let i = 0; i < n; i++) {
      const time = candles.time[i] as Time;
      rows[i] = { time, open: candles.open[i], high: candles.high[i], low: candles.low[i], close: candles.close[i] };
      volumes[i] = { time, value: candles.volume[i] ?? 0 };
    }
    this.series.applyOptions({
      priceFormat: {
        type: "custom",
        minMove: 10 ** -candles.digits,
        formatter: (value: number) => priceText(value, candles.digits),
      },
    });
    this.series.setData(rows);
    this.volume.setData(volumes);
    this.marks.setMarks(marks, candles.digits);
    this.see(n - FIRST_VIEW, n + 3);
  }

  /** Show the campaign's bars with room on both sides, and draw its levels. */
  setFocus(focus: Focus | null): void {
    this.marks.setFocus(focus);
    if (!focus) return;
    const room = Math.max(18, Math.round((focus.to - focus.from) * 0.7));
    this.series.priceScale().applyOptions({ autoScale: true });
    this.see(focus.from - room, focus.to + room);
  }

  /** Show a stretch of time that ends where the view ends now; null for everything. */
  showSpan(seconds: number | null): void {
    const time = this.candles?.time;
    if (!time || time.length === 0) return;
    if (seconds === null) return this.see(-1, time.length + 1);
    const right = Math.min(time.length - 1, Math.ceil(this.range().to));
    const from = firstAt(time, time[Math.max(0, right)]! - seconds);
    this.see(Math.min(from, right - 5), right + 3);
  }

  /** Move by a part of the screen, or zoom by a factor around its middle. */
  move(part: number, zoom: number): void {
    const { from, to } = this.range();
    const shift = (to - from) * part;
    const half = ((to - from) * zoom) / 2;
    const middle = (from + to) / 2 + shift;
    this.see(middle - half, middle + half);
  }

  /** Go to the first or the last bar without a change of zoom. */
  showEdge(edge: "first" | "last"): void {
    const { from, to } = this.range();
    const at = edge === "first" ? -1 : (this.candles?.time.length ?? 0) + 3 - (to - from);
    this.see(at, at + to - from);
  }

  private range(): { from: number; to: number } {
    return this.chart.timeScale().getVisibleLogicalRange() ?? { from: 0, to: 0 };
  }

  recolor(): void {
    this.chart.applyOptions(chartColors());
    this.series.applyOptions({
      upColor: color("candle-up"),
      downColor: color("candle-down"),
      wickUpColor: color("candle-up"),
      wickDownColor: color("candle-down"),
    });
    this.volume.applyOptions({ color: color("volume") });
  }

  remove(): void {
    this.chart.remove();
  }

  private see(from: number, to: number): void {
    this.chart.timeScale().setVisibleLogicalRange({ from, to });
  }
}
