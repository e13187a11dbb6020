/** How the metric is spread over the trials, with the best and with what luck alone would reach. */
import { useMemo } from "preact/hooks";
import { binned, Histogram } from "../charts/histogram";
import { count, inUnit, likely } from "../format";
import { Card, Empty, Pick } from "../parts/card";
import { median } from "./space";
import type { BestView, MetricView, SweepView } from "./view";

interface SpreadProps {
  view: SweepView;
  metric: MetricView;
  onMetric: (name: string) => void;
}

export function Spread({ view, metric, onMetric }: SpreadProps) {
  const bins = useMemo(() => binned(metric.values), [metric]);
  const middle = useMemo(() => median(metric.values.filter((v) => v !== null)), [metric]);
  const best = view.best;
  const without = metric.values.filter((v) => v === null).length;
  const pointers = [
    { value: best ? (metric.values[best.row] ?? null) : null, label: best ? nameOf(view, best, metric) : "" },
    { value: best && metric.name === "sharpe" ? best.by_luck : null, label: "expected of luck" },
    { value: middle, label: "median" },
  ];
  return (
    <Card
      id="spread"
      title={`Distribution of ${metric.label}`}
      aside={<Pick label="Metric" value={metric.name} options={view.metrics.map((m) => [m.name, m.label])} onChange={onMetric} />}
    >
      {bins === null ? (
        <Empty>No trial has this figure.</Empty>
      ) : (
        <>
          <Histogram {...bins} unit={metric.unit} counted="trials" pointers={pointers} height={290} />
          <p class="legend">
            <span>{metric.description}</span>
            <span>
              from {inUnit(bins.low, metric.unit)} to {inUnit(bins.high, metric.unit)}
            </span>
            {without > 0 && <span>{count(without)} trials without it are left out</span>}
          </p>
        </>
      )}
    </Card>
  );
}

function nameOf(view: SweepView, best: BestView, metric: MetricView): string {
  const deflated = metric.name === "sharpe" ? ` (${likely(best.deflated)})` : "";
  return `#${view.number[best.row]}${deflated}`;
}
