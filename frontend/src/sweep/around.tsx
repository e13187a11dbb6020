/** Whether the best stands on a plateau or on a spike: its neighbours, and lines through it. */
import { useMemo } from "preact/hooks";
import { pathOf } from "../charts/lines";
import { count, inUnit, likely, percent, plain } from "../format";
import { Card, Empty } from "../parts/card";
import { Columns, num } from "../parts/columns";
import { Mark, type MarkName } from "../parts/mark";
import { median, metricOf, stepsOf, through, valuesOf, worst } from "./space";
import type { AroundView, AxisView, MetricView, SweepView } from "./view";

const MARKS: Record<AroundView["shape"], [MarkName, string]> = {
  plateau: ["pass", "plateau"],
  slope: ["doubt", "slope"],
  spike: ["fail", "spike"],
  alone: ["unknown", "alone"],
};

const SHOWN = ["sharpe", "total_return", "annual_return", "max_drawdown", "profit_factor", "expectancy_r", "campaigns"];

export function Around({ view, metric }: { view: SweepView; metric: MetricView }) {
  const around = view.around;
  return (
    <Card id="around" title="The neighborhood of the best" aside={<span class="muted">one step away in each parameter</span>}>
      {around === null ? (
        <Empty>{view.best === null ? "There is no best trial." : "No parameter varies, so the best has no neighbors."}</Empty>
      ) : (
        <div class="around">
          <div class="around-text">
            <p>
              <Mark mark={MARKS[around.shape][0]} text={MARKS[around.shape][1]} />
            </p>
            <p>{said(view, around)}</p>
            {around.at_edge.length > 0 && (
              <p>
                The best is at the edge of {around.at_edge.join(", ")}: a better one may be outside of what was
                searched.
              </p>
            )}
            <Table view={view} around={around} />
          </div>
          <div class="slices">
            <h3>{metric.label} over one parameter, the others as in the best</h3>
            {view.axes.map((axis) => (
              <Slice key={axis.name} view={view} axis={axis} metric={metric} />
            ))}
          </div>
        </div>
      )}
    </Card>
  );
}

function said(view: SweepView, around: AroundView): string {
  const metric = metricOf(view, view.metric);
  const known = around.rows.length - around.without;
  const failed = around.without === 0 ? "" : ` ${count(around.without)} more have no figure.`;
  if (around.shape === "alone") {
    return `The best has ${known === 0 ? "no neighbor" : "one neighbor"} with a figure: whether it stands on a plateau or on a spike cannot be said.${failed}`;
  }
  const kept = around.kept ?? 1;
  const part = kept < 0 ? "none" : percent(Math.min(kept, 1), 0);
  const meaning = {
    plateau: "The result hardly hangs on these exact values.",
    slope: "The result hangs on these values to a part.",
    spike: "The result hangs on these exact values, as it would if luck had picked them.",
  }[around.shape];
  return (
    `The median of the ${count(known)} neighbors keeps ${part} of the lead that the best has over the median trial by ` +
    `${metric.label}; ${percent(around.profitable, 0)} of them made money, and the worst has ${inUnit(around.worst, metric.unit)}. ` +
    `${meaning}${failed}`
  );
}

function Table({ view, around }: { view: SweepView; around: AroundView }) {
  const metrics = view.metrics.filter((m) => m.name === view.metric || SHOWN.includes(m.name));
  const every = useMemo(() => [...view.number.keys()], [view]);
  return (
    <div class="scroll-x">
      <table class="plain">
        <Columns of={["Metric", num("Best"), num("Neighbors, median"), num("Neighbors, worst"), num("All, median")]} />
        <tbody>
          {metrics.map((m) => (
            <tr key={m.name} class={m.name === view.metric ? "current" : ""}>
              <th scope="row">{m.label}</th>
              <td class="num">
                {inUnit(m.values[view.best?.row ?? -1], m.unit)}
                {m.name === "sharpe" && <span class="tag">{likely(view.best?.deflated)}</span>}
              </td>
              <td class="num">{inUnit(median(valuesOf(m, around.rows)), m.unit)}</td>
              <td class="num">{inUnit(worst(m, around.rows), m.unit)}</td>
              <td class="num">{inUnit(median(valuesOf(m, every)), m.unit)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const WIDTH = 260;
const HEIGHT = 110;
const HEAD = 18;
const FOOT = 18;
const SIDE = 8;

/** The metric over one parameter, all others as in the best. */
function Slice({ view, axis, metric }: { view: SweepView; axis: AxisView; metric: MetricView }) {
  const line = useMemo(() => through(view, axis, metric), [view, axis, metric]);
  const words = stepsOf(axis).words;
  const values = line.map((p) => p.value).filter((v) => v !== null);
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const x = (i: number) => SIDE + (i / Math.max(1, line.length - 1)) * (WIDTH - 2 * SIDE);
  const y = (v: number) => HEAD + ((high - v) / (high - low || 1)) * (HEIGHT - HEAD - FOOT);
  const places = line.map((_, i) => i);
  const best = line.findIndex((p) => p.row === view.best?.row);
  const told = line.map((p, i) => `${words[i]}: ${inUnit(p.value, metric.unit)}`).join(", ");
  return (
    <figure class="slice">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${metric.label} over ${axis.label}. ${told}`}>
        <text x={SIDE} y={12} class="tick strong">
          {axis.label}
        </text>
        <line x1={0} x2={WIDTH} y1={y(0)} y2={y(0)} class="axis" />
        {axis.is_number && <path d={pathOf(line.map((p) => p.value), places, x, y)} class="slice-line" />}
        {line.map(
          (p, i) =>
            p.value !== null && (
              <circle key={i} cx={x(i)} cy={y(p.value)} r={i === best ? 4.5 : line.length > 40 ? 1 : 2.2} class={i === best ? "dot best" : "dot"}>
                <title>{`${words[i]}: ${inUnit(p.value, metric.unit)}`}</title>
              </circle>
            ),
        )}
        <text x={SIDE} y={HEIGHT - 4} class="tick">
          {words[0]}
        </text>
        <text x={WIDTH - SIDE} y={HEIGHT - 4} class="tick" text-anchor="end">
          {words[words.length - 1]}
        </text>
        {best >= 0 && (
          <text x={WIDTH - SIDE} y={12} class="tick" text-anchor="end">
            {`${plain(axis.values[axis.codes[view.best!.row]!])}: ${inUnit(line[best]!.value, metric.unit)}`}
          </text>
        )}
      </svg>
    </figure>
  );
}
