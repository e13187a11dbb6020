/** Every order of the session beside that of its twin. */
import { useMemo, useState } from "preact/hooks";
import { count, fixed, instant, money, price, signed, tone } from "../format";
import { Card, Choice } from "../parts/card";
import { compareNumbers, Grid, type Column, type Sorting } from "../parts/grid";
import type { Num } from "../view";
import type { OrderView, ParityView, SideView } from "./view";

type Shown = "all" | "apart";

export function Orders({ view }: { view: ParityView }) {
  const [shown, setShown] = useState<Shown>("all");
  const [sorting, setSorting] = useState<Sorting<string>>({ key: "time", down: false });
  const [selected, setSelected] = useState<number | null>(null);
  const { orders } = view;
  const columns = useMemo(() => columnsOf(orders), [orders]);
  const apart = useMemo(() => orders.flatMap((order, i) => (differs(order) ? [i] : [])), [orders]);
  const rows = useMemo(() => sorted(orders, shown === "all" ? orders.map((_, i) => i) : apart, sorting), [orders, shown, apart, sorting]);
  const one = selected === null ? undefined : orders[selected];
  return (
    <Card
      id="orders"
      title="Orders and fills"
      aside={
        <span class="muted" role="status">
          {count(view.order_count)} orders, {count(apart.length)} of them differ
        </span>
      }
    >
      <div class="filters">
        <Choice
          label="Which orders"
          value={shown}
          options={[
            ["all", "All"],
            ["apart", "Those that differ"],
          ]}
          onChange={setShown}
        />
        {orders.length < view.order_count && (
          <p class="muted">
            {count(orders.length)} of {count(view.order_count)} are here, those that differ first; the JSON has all.
          </p>
        )}
      </div>
      <Grid
        caption="Orders of the session and of its twin. Enter tells one in words."
        empty={shown === "all" ? "Neither the session nor its twin had an order." : "No order differs."}
        columns={columns}
        rows={rows}
        sorting={sorting}
        selected={selected}
        onSort={(key) => setSorting({ key, down: sorting.key === key && !sorting.down })}
        onSelect={setSelected}
      />
      {one && (
        <p class="told" aria-live="polite">
          <b>
            {instant(one.time)}, bar {one.bar}
          </b>
          : {one.strategy} {one.side} {count(one.qty)} {one.symbol}, {one.type} {one.role}, asked for by the {one.by}. Session: {told(one.session)}. Twin:{" "}
          {told(one.twin)}. {one.parts ? `Difference: ${one.parts}.` : "No difference."}
        </p>
      )}
    </Card>
  );
}

function differs(order: OrderView): boolean {
  return order.parts !== "" || order.session?.status !== order.twin?.status;
}

function told(side: SideView | null): string {
  if (side === null) return "no such order";
  if (!side.filled) return side.status;
  return `${side.status}, ${count(side.filled)} at ${price(side.price, digits(side.price))} in bar ${side.bar}, cost ${money(side.cost)}`;
}

function digits(value: Num): number {
  const text = String(value ?? "");
  const point = text.indexOf(".");
  return point < 0 ? 2 : Math.min(6, Math.max(2, text.length - point - 1));
}

function filled(side: SideView | null): string {
  if (side === null) return "none";
  return side.filled ? `${count(side.filled)} at ${price(side.price, digits(side.price))}` : side.status;
}

const NUMBERS: Record<string, (order: OrderView) => Num> = {
  time: (o) => o.bar,
  qty: (o) => o.qty,
  session: (o) => o.session?.price ?? null,
  twin: (o) => o.twin?.price ?? null,
  difference: (o) => o.difference,
};
const WORDS: Record<string, (order: OrderView) => string> = {
  strategy: (o) => o.strategy,
  symbol: (o) => o.symbol,
  side: (o) => o.side,
  role: (o) => o.role,
};

function columnsOf(orders: OrderView[]): Column<string>[] {
  const at = (i: number) => orders[i]!;
  return [
    { key: "time", title: "Time", numeric: false, text: (i) => instant(at(i).time) },
    { key: "strategy", title: "Strategy", numeric: false, text: (i) => at(i).strategy },
    { key: "symbol", title: "Symbol", numeric: false, text: (i) => at(i).symbol },
    { key: "side", title: "Side", numeric: false, text: (i) => at(i).side },
    { key: "role", title: "Order", numeric: false, text: (i) => (at(i).role === "plain" ? at(i).type : at(i).role) },
    { key: "qty", title: "Quantity", numeric: true, text: (i) => count(at(i).qty) },
    { key: "session", title: "Session", help: "What the session's order got", numeric: true, text: (i) => filled(at(i).session) },
    { key: "twin", title: "Twin", help: "What the market model gave it", numeric: true, text: (i) => filled(at(i).twin) },
    {
      key: "difference",
      title: "Difference",
      numeric: true,
      text: (i) => (at(i).parts ? signed(fixed(at(i).difference, 2), at(i).difference) : "0"),
      tone: (i) => tone(at(i).difference),
    },
    { key: "parts", title: "Parts", numeric: false, text: (i) => at(i).parts },
  ];
}

function sorted(orders: OrderView[], rows: number[], { key, down }: Sorting<string>): number[] {
  const sign = down ? -1 : 1;
  const number = NUMBERS[key];
  if (number) {
    const values = orders.map(number);
    return [...rows].sort((a, b) => compareNumbers(values, a, b, sign) || a - b);
  }
  const text = WORDS[key] ?? ((order: OrderView) => order.parts);
  return [...rows].sort((a, b) => sign * text(orders[a]!).localeCompare(text(orders[b]!)) || a - b);
}
