/** The bar under the crosshair: its prices, and every fill on it with its reason. */
import type { Candles } from "../columns";
import { count, fixed, instant, price, spaced } from "../format";
import { word } from "../view";
import type { ReportView } from "./view";
import { fillsOn, type SymbolFills } from "./evidence";

interface BarLineProps {
  view: ReportView;
  candles: Candles;
  fills: SymbolFills;
  index: number;
}

export function BarLine({ view, candles, fills, index }: BarLineProps) {
  const i = Math.max(0, Math.min(index, candles.time.length - 1));
  const rows = fillsOn(fills, i);
  const p = (value: number | undefined) => price(value ?? null, candles.digits);
  return (
    <div class="barline">
      <p>
        <time>{instant(candles.time[i])}</time>
        <span>O {p(candles.open[i])}</span>
        <span>H {p(candles.high[i])}</span>
        <span>L {p(candles.low[i])}</span>
        <span>C {p(candles.close[i])}</span>
        <span>V {count(candles.volume[i])}</span>
      </p>
      <p class="barline-fills">
        {rows.length === 0
          ? "no fill on this bar"
          : rows.slice(0, 3).map((row) => <FillText key={row} view={view} row={row} digits={candles.digits} />)}
        {rows.length > 3 && <span>and {rows.length - 3} more</span>}
      </p>
    </div>
  );
}

function FillText({ view, row, digits }: { view: ReportView; row: number; digits: number }) {
  const { fills } = view;
  const side = word(fills.side, row);
  if (fills.qty[row] === 0) {
    return (
      <span>
        <b>split</b> {fills.price[row]} for 1, position {count(fills.position[row])}
      </span>
    );
  }
  return (
    <span>
      <b class={side}>{side}</b> {count(fills.qty[row])} at {price(fills.price[row], digits)} ·{" "}
      {spaced(word(fills.reason, row))}, {word(fills.phase, row)} · cost {fixed(fills.cost[row], 2)}
      {fills.ambiguous[row] === 1 && <em> ambiguous</em>}
    </span>
  );
}
