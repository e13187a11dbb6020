/** Equity above, drawdown below, on one time axis. */
import {
  AreaSeries,
  BaselineSeries,
  createChart,
  LineSeries,
  LineStyle,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
} from "lightweight-charts";
import { axisMoney, fixed, percent } from "../format";
import { color } from "../theme";
import type { Num } from "../view";
import type { Curve, EquityView } from "../report/view";
import { chartColors, chartOptions, points } from "./options";

const SERIES = ["series-1", "series-2", "series-3", "series-4", "series-5", "series-6"];

export function seriesColor(i: number): string {
  return SERIES[i % SERIES.length]!;
}

/** Name of the color of a policy's curve in the styles. */
export function policyColor(policy: string): string {
  return policy === "worst" ? "down" : policy === "best" ? "up" : "amber";
}

export class EquityChart {
  private readonly chart: IChartApi;
  private readonly account: ISeriesApi<"Area">;
  private readonly drawdown: ISeriesApi<"Baseline">;
  private readonly start: IPriceLine | null = null;
  private readonly money: (value: number) => string;
  private readonly lines: { series: ISeriesApi<"Line">; color: string }[] = [];

  constructor(element: HTMLElement, equity: EquityView, initialCash: Num) {
    const values = equity.equity.filter((value) => value !== null);
    const span = Math.max(...values) - Math.min(...values);
    // Where equity hardly moves, whole units would label all lines alike.
    this.money = span < 10 ? (value) => fixed(value, 2) : axisMoney;
    this.chart = createChart(element, {
      ...chartOptions(spacing(equity.time) < 86_400),
      handleScale: { mouseWheel: false },
      handleScroll: { mouseWheel: false, vertTouchDrag: false },
    });
    this.chart.timeScale().applyOptions({ minBarSpacing: 0.01, fixLeftEdge: true, fixRightEdge: true });
    this.account = this.chart.addSeries(AreaSeries, {
      lineWidth: 2,
      priceLineVisible: false,
      priceFormat: { type: "custom", formatter: this.money, minMove: 0.01 },
    });
    this.account.setData(points(equity.time, equity.equity));
    if (initialCash != null) {
      this.start = this.account.createPriceLine({
        price: initialCash,
        lineStyle: LineStyle.Dotted,
        lineWidth: 1,
        axisLabelVisible: false,
        title: "start",
      });
    }
    this.drawdown = this.chart.addSeries(
      BaselineSeries,
      {
        baseValue: { type: "price", price: 0 },
        lineWidth: 1,
        priceLineVisible: false,
        priceFormat: { type: "custom", formatter: (v: number) => percent(v, 1), minMove: 0.0001 },
      },
      1,
    );
    this.drawdown.setData(points(equity.time, equity.drawdown));
    this.drawdown.priceScale().applyOptions({ scaleMargins: { top: 0.1, bottom: 0.1 } });
    this.chart.panes()[0]?.setStretchFactor(3);
    this.chart.panes()[1]?.setStretchFactor(1);
    this.recolor();
    this.chart.timeScale().fitContent();
  }

  /** Show other lines: beside the account (`withAccount`) or in its place. */
  show(curves: Curve[], withAccount: boolean): void {
    for (const line of this.lines.splice(0)) this.chart.removeSeries(line.series);
    this.account.applyOptions({ visible: withAccount });
    curves.forEach((curve, i) => {
      const aside = curve.kind === "policy";
      const series = this.chart.addSeries(LineSeries, {
        lineWidth: aside ? 1 : 2,
        priceLineVisible: false,
        lastValueVisible: !aside,
        crosshairMarkerVisible: !aside,
        priceFormat: { type: "custom", formatter: this.money, minMove: 0.01 },
      });
      series.setData(points(curve.time, curve.value));
      this.lines.push({ series, color: aside ? policyColor(curve.label) : seriesColor(i) });
    });
    this.recolor();
    this.chart.timeScale().fitContent();
  }

  recolor(): void {
    this.chart.applyOptions(chartColors());
    this.account.applyOptions({
      lineColor: color("accent"),
      topColor: color("accent-wash"),
      bottomColor: color("accent-none"),
    });
    this.start?.applyOptions({ color: color("faint") });
    this.drawdown.applyOptions({
      topLineColor: color("down"),
      topFillColor1: color("down-wash"),
      topFillColor2: color("down-wash"),
      bottomLineColor: color("down"),
      bottomFillColor1: color("down-wash"),
      bottomFillColor2: color("down-wash"),
    });
    for (const line of this.lines) line.series.applyOptions({ color: color(line.color) });
  }

  remove(): void {
    this.chart.remove();
  }
}

function spacing(time: number[]): number {
  return time.length < 2 ? 86_400 : (time[time.length - 1]! - time[0]!) / (time.length - 1);
}
