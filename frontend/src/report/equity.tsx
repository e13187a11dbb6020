import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { EquityChart, policyColor, seriesColor } from "../charts/equity";
import { count, money, spaced } from "../format";
import { useTheme } from "../theme";
import type { Curve, ReportView } from "./view";
import { Card, Choice, Empty } from "../parts/card";

type Shown = "account" | "symbol" | "strategy";

export function Equity({ view }: { view: ReportView }) {
  const element = useRef<HTMLDivElement>(null);
  const chart = useRef<EquityChart | null>(null);
  const [shown, setShown] = useState<Shown>("account");
  const theme = useTheme();
  const level = view.equity.equity[0];
  const flat = view.idle.length > 0 && view.equity.equity.every((value) => value === level);
  const curves = useMemo<Curve[]>(() => linesOf(view, shown), [view, shown]);

  useEffect(() => {
    if (!element.current) return;
    chart.current = new EquityChart(element.current, view.equity, view.initial_cash);
    return () => chart.current?.remove();
  }, [view]);
  useEffect(() => chart.current?.show(curves, shown === "account"), [curves, shown]);
  useEffect(() => chart.current?.recolor(), [theme]);

  const options = ([["account", "Account"], ["symbol", "By symbol"], ["strategy", "By strategy"]] as const).filter(
    ([kind]) => kind === "account" || view.curves.some((curve) => curve.kind === kind),
  );
  return (
    <Card
      id="equity"
      title="Equity and drawdown"
      aside={options.length > 1 && <Choice label="Lines" value={shown} options={options} onChange={setShown} />}
    >
      {view.equity.time.length === 0 ? (
        <Empty>The run has no equity to draw: it saw no bar.</Empty>
      ) : flat ? (
        <Empty>
          Nothing was traded: the equity stayed at {money(level)} {view.currency}.
        </Empty>
      ) : (
        <>
          <div
            ref={element}
            class="chart equity-chart"
            role="img"
            aria-label="Line chart of the account's equity, with its drawdown below"
          />
          <Legend view={view} curves={curves} account={shown === "account"} />
        </>
      )}
    </Card>
  );
}

function linesOf(view: ReportView, shown: Shown): Curve[] {
  if (shown !== "account") return view.curves.filter((curve) => curve.kind === shown);
  return view.band ? view.band.curves.filter((curve) => curve.label !== view.band?.policy) : [];
}

function Legend({ view, curves, account }: { view: ReportView; curves: Curve[]; account: boolean }) {
  const total = view.equity.total;
  return (
    <p class="legend">
      {account && (
        <span>
          <i class="key accent" />
          equity ({view.currency}), policy {spaced(view.policy)}
        </span>
      )}
      {curves.map((curve, i) => (
        <span key={curve.label}>
          <i
            class="key"
            style={{ background: `var(--${curve.kind === "policy" ? policyColor(curve.label) : seriesColor(i)})` }}
          />
          {curve.kind === "policy" ? `if ${spaced(curve.label)}` : curve.label}
        </span>
      ))}
      <span>
        <i class="key down" />
        drawdown from the peak
      </span>
      {total > view.equity.time.length && (
        <span class="muted">
          {count(view.equity.time.length)} of {count(total)} points, with every extreme
        </span>
      )}
    </p>
  );
}
