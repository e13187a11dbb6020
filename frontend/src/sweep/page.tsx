import { useMemo, useState } from "preact/hooks";
import { Manifest } from "../parts/manifest";
import { TopBar } from "../parts/topbar";
import { Around } from "./around";
import { Header } from "./header";
import { Heat } from "./heat";
import { Parallel, scalesOf, within, type Brush } from "./parallel";
import { Spread } from "./spread";
import { Failed, Trials } from "./trials";
import { metricOf } from "./space";
import type { SweepView } from "./view";

export function Page({ view }: { view: SweepView }) {
  const [name, setName] = useState(view.metric);
  const [brush, setBrush] = useState<Brush>({});
  const [selected, setSelected] = useState<number | null>(null);
  const metric = metricOf(view, name);
  const scales = useMemo(() => scalesOf(view, metric), [view, metric]);
  const rows = useMemo(() => within(view, scales, brush), [view, scales, brush]);
  const parts = [
    ["spread", "Distribution"],
    ["heat", "Heat map"],
    ["around", "Neighborhood"],
    ["parallel", "Parameters"],
    ["trials", "Trials"],
    ["manifest", "Manifest"],
  ] as const;
  const has = (id: string) => (id === "heat" ? view.axes.length > 1 : id === "parallel" ? view.axes.length > 0 : true);
  return (
    <>
      <TopBar name={view.name} parts={parts.filter(([id]) => has(id))} />
      <main class="page">
        <Header view={view} />
        <div class={has("heat") ? "two" : ""}>
          <Spread view={view} metric={metric} onMetric={setName} />
          {has("heat") && <Heat view={view} metric={metric} selected={selected} onMetric={setName} onSelect={setSelected} />}
        </div>
        <Around view={view} metric={metric} />
        {has("parallel") && (
          <Parallel view={view} metric={metric} scales={scales} brush={brush} rows={rows} selected={selected} onBrush={setBrush} />
        )}
        <Trials view={view} rows={rows} selected={selected} onSelect={setSelected} />
        <Failed view={view} />
        <Manifest manifest={view.manifest} />
        <footer class="foot">
          Made by intrabar{view.created && ` on ${view.created}`}. The best of many trials is a choice made after the fact:
          past results of a simulation are not a promise.
        </footer>
      </main>
    </>
  );
}
