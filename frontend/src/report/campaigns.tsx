import { useEffect, useMemo, useState } from "preact/hooks";
import { count, direction, fixed, instant, money, price, spaced, tone } from "../format";
import { word, type Coded } from "../view";
import type { ReportView } from "./view";
import { Card, Empty, Pick } from "../parts/card";
import { Grid, type Column, type Sorting } from "../parts/grid";
import { filtered, NO_FILTER, sorted, STILL_OPEN, type Filter, type Key } from "./rows";

const columnsOf = (v: ReportView): Column<Key>[] => [
  { key: "campaign", title: "#", numeric: true, text: (i) => String(v.campaigns.campaign[i]) },
  { key: "symbol", title: "Symbol", numeric: false, text: (i) => word(v.campaigns.symbol, i) },
  { key: "strategy", title: "Strategy", numeric: false, text: (i) => word(v.campaigns.strategy, i) },
  { key: "side", title: "Side", numeric: false, text: (i) => direction(word(v.campaigns.side, i)) },
  { key: "start", title: "Start (UTC)", numeric: false, text: (i) => instant(v.campaigns.start[i]) },
  { key: "end", title: "End (UTC)", numeric: false, text: (i) => instant(v.campaigns.end[i]) },
  { key: "bars", title: "Bars", numeric: true, text: (i) => count(v.campaigns.bars[i]) },
  { key: "qty", title: "Qty", numeric: true, text: (i) => count(v.campaigns.qty[i]) },
  { key: "entry", title: "Entry", numeric: true, text: (i) => price(v.campaigns.entry[i], digitsOf(v, i)) },
  { key: "exit", title: "Exit", numeric: true, text: (i) => price(v.campaigns.exit[i], digitsOf(v, i)) },
  { key: "costs", title: "Costs", numeric: true, text: (i) => money(v.campaigns.costs[i]) },
  {
    key: "net",
    title: "Net",
    help: "Profit after costs",
    numeric: true,
    text: (i) => money(v.campaigns.net[i]),
    tone: (i) => tone(v.campaigns.net[i]),
  },
  {
    key: "r",
    title: "R",
    help: "Net profit divided by the risk at the first stop",
    numeric: true,
    text: (i) => fixed(v.campaigns.r[i], 2),
    tone: (i) => tone(v.campaigns.r[i]),
  },
  {
    key: "mae",
    title: "MAE",
    help: "Furthest that the price went against the average entry",
    numeric: true,
    text: (i) => price(v.campaigns.mae[i], digitsOf(v, i)),
  },
  {
    key: "mfe",
    title: "MFE",
    help: "Furthest that the price went in favor of the average entry",
    numeric: true,
    text: (i) => price(v.campaigns.mfe[i], digitsOf(v, i)),
  },
  {
    key: "reason",
    title: "Left by",
    numeric: false,
    text: (i) => spaced(word(v.campaigns.reason, i)) || STILL_OPEN,
    mark: (i) =>
      v.campaigns.ambiguous[i] === 1 && (
        <span class="tag" title="Its stop and its target were inside one bar">
          ambiguous
        </span>
      ),
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
  const [sorting, setSorting] = useState<Sorting<Key>>({ key: "start", down: false });
  const [filter, setFilter] = useState<Filter>(NO_FILTER);
  const kept = useMemo(() => filtered(campaigns, filter), [campaigns, filter]);
  const columns = useMemo(
    () => columnsOf(view).filter((c) => c.key !== "strategy" || campaigns.strategy.words.length > 1),
    [view, campaigns],
  );
  const rows = useMemo(() => sorted(campaigns, kept, sorting), [campaigns, kept, sorting]);
  useEffect(() => onOrder(rows), [rows, onOrder]);

  const total = campaigns.campaign.length;
  if (total === 0) {
    return (
      <Card id="campaigns" title="Campaigns">
        <Empty>
          {view.fills.time.length === 0
            ? ["No order was filled, so there is no campaign.", ...view.idle.map((why) => `${why}.`)].join(" ")
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
      <Grid
        caption="Campaigns. Enter shows a campaign on the chart."
        empty="No campaign passes these filters."
        columns={columns}
        rows={rows}
        sorting={sorting}
        selected={selected}
        onSort={flip}
        onSelect={(i) => onSelect(i, true)}
      />
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

const digits = new WeakMap<ReportView, Map<string, number>>();

function digitsOf(view: ReportView, i: number): number {
  let known = digits.get(view);
  if (!known) {
    known = new Map(view.bars.map((b) => [b.symbol, Math.max(2, b.digits)]));
    digits.set(view, known);
  }
  return known.get(word(view.campaigns.symbol, i)) ?? 2;
}
