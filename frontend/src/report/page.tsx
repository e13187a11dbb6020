import { useCallback, useMemo, useRef, useState } from "preact/hooks";
import { Manifest } from "../parts/manifest";
import { TopBar } from "../parts/topbar";
import { word } from "../view";
import type { ReportView } from "./view";
import { Band } from "./band";
import { Campaigns } from "./campaigns";
import { Costs } from "./costs";
import { Decisions } from "./decisions";
import { Equity } from "./equity";
import { Forecasts } from "./forecasts";
import { Gates } from "./gates";
import { Header } from "./header";
import { Histogram } from "./histogram";
import { Market } from "./market";
import { Metrics } from "./metrics";
import { Monthly } from "./monthly";

const PARTS = [
  ["equity", "Equity"],
  ["market", "Market"],
  ["campaigns", "Campaigns"],
  ["metrics", "Metrics"],
  ["costs", "Costs"],
  ["manifest", "Manifest"],
] as const;

export function Page({ view }: { view: ReportView }) {
  const [selected, setSelected] = useState<number | null>(null);
  const [symbol, setSymbol] = useState(view.bars[0]?.symbol ?? "");
  const order = useRef<number[]>([]);

  const select = useCallback(
    (i: number | null, scroll = false) => {
      setSelected(i);
      if (i === null) return;
      setSymbol(word(view.campaigns.symbol, i));
      if (scroll) scrollTo("market");
    },
    [view],
  );
  const step = useCallback(
    (by: number) => {
      const rows = order.current;
      if (rows.length === 0) return;
      const at = selected === null ? -1 : rows.indexOf(selected);
      select(rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + by))]!);
    },
    [select, selected],
  );
  const showOrder = useCallback((rows: number[]) => void (order.current = rows), []);
  const pickSymbol = useCallback((name: string) => {
    setSymbol(name);
    setSelected(null);
  }, []);
  const expectancy = useMemo(() => view.figures.find((f) => f.name === "expectancy_r")?.value, [view]);

  return (
    <>
      <TopBar name={view.name} parts={PARTS} />
      <main class="page">
        <Header view={view} />
        {view.band && <Band view={view} band={view.band} />}
        <Equity view={view} />
        <Market view={view} symbol={symbol} selected={selected} onSymbol={pickSymbol} onStep={step} onClear={() => select(null)} />
        <Campaigns view={view} selected={selected} onSelect={select} onOrder={showOrder} />
        <div class="two">
          <Histogram campaigns={view.campaigns} expectancy={typeof expectancy === "number" ? expectancy : null} />
          <Monthly rows={view.monthly} />
        </div>
        {view.decisions && <Decisions view={view.decisions} />}
        {view.forecasts.length > 0 && <Forecasts views={view.forecasts} />}
        <Metrics tables={view.metrics} />
        <div class="two">
          <Costs rows={view.costs} accruals={view.accruals} currency={view.currency} />
          <Gates gates={view.gates} orders={view.orders} />
        </div>
        <Manifest manifest={view.manifest} />
        <footer class="foot">
          All times are UTC; a bar is labeled by its close. Made by intrabar
          {view.created && ` on ${view.created}`}. Past results of a simulation are not a promise.
        </footer>
      </main>
    </>
  );
}

function scrollTo(id: string): void {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  document.getElementById(id)?.scrollIntoView({ behavior: still ? "auto" : "smooth", block: "start" });
}
