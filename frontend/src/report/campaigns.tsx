import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { count, direction, fixed, instant, MISSING, money, price, sentence, spaced, tone } from "../format";
import { word, type Coded, type ReportView } from "../view";
import { Card, Empty, Pick } from "./card";
import { filtered, NO_FILTER, sorted, STILL_OPEN, type Filter, type Key, type Sorting } from "./rows";

const ROW = 30;
const AROUND = 8;

interface Column {
  key: Key;
  title: string;
  help?: string;
  numeric: boolean;
  text: (view: ReportView, i: number) => string;
  tone?: (view: ReportView, i: number) => string;
}

const COLUMNS: Column[] = [
  { key: "campaign", title: "#", numeric: true, text: (v, i) => String(v.campaigns.campaign[i]) },
  { key: "symbol", title: "Symbol", numeric: false, text: (v, i) => word(v.campaigns.symbol, i) },
  { key: "strategy", title: "Strategy", numeric: false, text: (v, i) => word(v.campaigns.strategy, i) },
  { key: "side", title: "Side", numeric: false, text: (v, i) => direction(word(v.campaigns.side, i)) },
  { key: "start", title: "Start (UTC)", numeric: false, text: (v, i) => instant(v.campaigns.start[i]) },
  { key: "end", title: "End (UTC)", numeric: false, text: (v, i) => instant(v.campaigns.end[i]) },
  { key: "bars", title: "Bars", numeric: true, text: (v, i) => count(v.campaigns.bars[i]) },
  { key: "qty", title: "Qty", numeric: true, text: (v, i) => count(v.campaigns.qty[i]) },
  { key: "entry", title: "Entry", numeric: true, text: (v, i) => price(v.campaigns.entry[i], digitsOf(v, i)) },
  { key: "exit", title: "Exit", numeric: true, text: (v, i) => price(v.campaigns.exit[i], digitsOf(v, i)) },
  { key: "costs", title: "Costs", numeric: true, text: (v, i) => money(v.campaigns.costs[i]) },
  {
    key: "net",
    title: "Net",
    help: "Profit after costs",
    numeric: true,
    text: (v, i) => money(v.campaigns.net[i]),
    tone: (v, i) => tone(v.campaigns.net[i]),
  },
  {
    key: "r",
    title: "R",
    help: "Net profit divided by the risk at the first stop",
    numeric: true,
    text: (v, i) => fixed(v.campaigns.r[i], 2),
    tone: (v, i) => tone(v.campaigns.r[i]),
  },
  {
    key: "mae",
    title: "MAE",
    help: "Furthest that the price went against the average entry",
    numeric: true,
    text: (v, i) => price(v.campaigns.mae[i], digitsOf(v, i)),
  },
  {
    key: "mfe",
    title: "MFE",
    help: "Furthest that the price went in favor of the average entry",
    numeric: true,
    text: (v, i) => price(v.campaigns.mfe[i], digitsOf(v, i)),
  },
  {
    key: "reason",
    title: "Left by",
    numeric: false,
    text: (v, i) => spaced(word(v.campaigns.reason, i)) || STILL_OPEN,
  },
];

interface CampaignsProps {
  view: ReportView;
  selected: number | null;
  onSelect: (i: number, scroll: boolean) => void;
  onOrder: (rows: number[]) => void;
}

export function Campaigns({ view, selected, onSelect, onOrder }: CampaignsProps) {
  const campaigns = view.campaigns;
  const [sorting, setSorting] = useState<Sorting>({ key: "start", down: false });
  const [filter, setFilter] = useState<Filter>(NO_FILTER);
  const kept = useMemo(() => filtered(campaigns, filter), [campaigns, filter]);
  const rows = useMemo(() => sorted(campaigns, kept, sorting), [campaigns, kept, sorting]);
  useEffect(() => onOrder(rows), [rows, onOrder]);

  const total = campaigns.campaign.length;
  if (total === 0) {
    return (
      <Card id="campaigns" title="Campaigns">
        <Empty>
          {view.fills.time.length === 0
            ? "No order was filled, so there is no campaign. The table of what held the bot back, below, may say why."
            : "There are fills but no campaign."}
        </Empty>
      </Card>
    );
  }
  const flip = (key: Key) => setSorting({ key, down: sorting.key === key ? !sorting.down : false });
  return (
    <Card
      id="campaigns"
      title="Campaigns"
      aside={
        <span class="muted" role="status">
          {rows.length === total ? count(total) : `${count(rows.length)} of ${count(total)}`} campaigns
        </span>
      }
    >
      <Filters view={view} filter={filter} onFilter={setFilter} />
      <Rows view={view} rows={rows} sorting={sorting} selected={selected} onSort={flip} onSelect={onSelect} />
    </Card>
  );
}

function Filters({ view, filter, onFilter }: { view: ReportView; filter: Filter; onFilter: (f: Filter) => void }) {
  const c = view.campaigns;
  const set = (change: Partial<Filter>) => onFilter({ ...filter, ...change });
  const some = (column: Coded, name = spaced) => [["", "all"] as const, ...column.words.map((w) => [w, name(w)] as const)];
  const reasons = some(c.reason);
  if (c.reason.codes.includes(-1)) reasons.push([STILL_OPEN, STILL_OPEN]);
  return (
    <div class="filters">
      {c.symbol.words.length > 1 && (
        <Pick label="Symbol" value={filter.symbol} options={some(c.symbol)} onChange={(symbol) => set({ symbol })} />
      )}
      {c.strategy.words.length > 1 && (
        <Pick label="Strategy" value={filter.strategy} options={some(c.strategy)} onChange={(strategy) => set({ strategy })} />
      )}
      <Pick
        label="Side"
        value={filter.side}
        options={[["", "all"], ["long", "long"], ["short", "short"]]}
        onChange={(side) => set({ side })}
      />
      <Pick label="Left by" value={filter.reason} options={reasons} onChange={(reason) => set({ reason })} />
      <Pick
        label="Result"
        value={filter.result}
        options={[["", "all"], ["win", "won"], ["loss", "lost"], ["ambiguous", "ambiguous"]] as const}
        onChange={(result) => set({ result })}
      />
      {filter !== NO_FILTER && (
        <button type="button" class="link" onClick={() => onFilter(NO_FILTER)}>
          Clear filters
        </button>
      )}
    </div>
  );
}

interface RowsProps {
  view: ReportView;
  rows: number[];
  sorting: Sorting;
  selected: number | null;
  onSort: (key: Key) => void;
  onSelect: (i: number, scroll: boolean) => void;
}

/** The table: all rows are there for the scroll bar, those on screen are in the page. */
function Rows({ view, rows, sorting, selected, onSort, onSelect }: RowsProps) {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(480);
  const active = useActiveRow(box, rows, selected);
  useLayoutEffect(() => setHeight(box.current?.clientHeight ?? 480), []);
  useEffect(() => {
    if (box.current) box.current.scrollTop = 0;
  }, [sorting]);

  const first = Math.max(0, Math.floor(top / ROW) - AROUND);
  const last = Math.min(rows.length, Math.ceil((top + height) / ROW) + AROUND);
  const columns = COLUMNS.filter((c) => c.key !== "strategy" || view.campaigns.strategy.words.length > 1);

  const onKeyDown = (e: KeyboardEvent) => {
    if (e.key === "Enter" || e.key === " ") {
      const row = rows[active.at];
      if (row !== undefined) onSelect(row, true);
    } else if (e.key in MOVES) {
      active.go(Math.max(0, Math.min(rows.length - 1, active.at + MOVES[e.key]!)));
    } else return;
    e.preventDefault();
  };
  return (
    <div
      ref={box}
      class="rows"
      onScroll={(e) => setTop(e.currentTarget.scrollTop)}
      tabIndex={-1}
      style={{ height: `${Math.min(rows.length, 15) * ROW + 50}px` }}
    >
      <table role="grid" aria-rowcount={rows.length + 1} class="campaign-table">
        <caption class="hidden">Campaigns. Enter shows a campaign on the chart.</caption>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <Head key={column.key} column={column} sorting={sorting} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody onKeyDown={onKeyDown}>
          <tr class="spacer" aria-hidden="true" style={{ height: `${first * ROW}px` }} />
          {rows.slice(first, last).map((i, n) => (
            <tr
              key={i}
              aria-rowindex={first + n + 2}
              aria-selected={i === selected}
              data-at={first + n}
              tabIndex={first + n === active.at ? 0 : -1}
              onClick={() => {
                active.at = first + n;
                onSelect(i, true);
              }}
            >
              {columns.map((column) => (
                <td key={column.key} class={`${column.numeric ? "num" : ""} ${column.tone?.(view, i) ?? ""}`}>
                  {column.text(view, i) || MISSING}
                  {column.key === "reason" && view.campaigns.ambiguous[i] === 1 && (
                    <span class="tag" title="Its stop and its target were inside one bar">
                      ambiguous
                    </span>
                  )}
                </td>
              ))}
            </tr>
          ))}
          <tr class="spacer" aria-hidden="true" style={{ height: `${(rows.length - last) * ROW}px` }} />
        </tbody>
      </table>
      {rows.length === 0 && <Empty>No campaign passes these filters.</Empty>}
    </div>
  );
}

const MOVES: Record<string, number> = {
  ArrowDown: 1,
  ArrowUp: -1,
  PageDown: 12,
  PageUp: -12,
  Home: -1e9,
  End: 1e9,
};

/** The row that the keyboard is on; going to a row scrolls it in and focuses it. */
function useActiveRow(box: { current: HTMLDivElement | null }, rows: number[], selected: number | null) {
  const at = useRef(0);
  const [, draw] = useState(0);
  useEffect(() => {
    at.current = Math.max(0, selected === null ? 0 : rows.indexOf(selected));
    draw((n) => n + 1);
  }, [rows, selected]);
  return {
    get at() {
      return at.current;
    },
    set at(row: number) {
      at.current = row;
    },
    go(row: number) {
      at.current = row;
      const element = box.current;
      if (!element) return;
      const room = element.clientHeight - 2 * ROW;
      if (row * ROW < element.scrollTop) element.scrollTop = row * ROW;
      else if (row * ROW > element.scrollTop + room) element.scrollTop = row * ROW - room;
      draw((n) => n + 1);
      requestAnimationFrame(() =>
        requestAnimationFrame(() => element.querySelector<HTMLElement>(`[data-at="${row}"]`)?.focus({ preventScroll: true })),
      );
    },
  };
}

function Head({ column, sorting, onSort }: { column: Column; sorting: Sorting; onSort: (key: Key) => void }) {
  const on = sorting.key === column.key;
  return (
    <th scope="col" class={column.numeric ? "num" : ""} aria-sort={on ? (sorting.down ? "descending" : "ascending") : "none"}>
      <button type="button" onClick={() => onSort(column.key)} title={column.help ?? `Sort by ${sentence(column.title)}`}>
        {column.title}
        <span class="arrow" aria-hidden="true">
          {on ? (sorting.down ? "▾" : "▴") : ""}
        </span>
      </button>
    </th>
  );
}

const digits = new WeakMap<ReportView, Map<string, number>>();

function digitsOf(view: ReportView, i: number): number {
  let known = digits.get(view);
  if (!known) {
    known = new Map(view.bars.map((b) => [b.symbol, Math.max(2, b.digits)]));
    digits.set(view, known);
  }
  return known.get(word(view.campaigns.symbol, i)) ?? 2;
}
