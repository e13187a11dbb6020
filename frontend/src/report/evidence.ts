/** Where fills and campaigns are on the candles of a symbol. */
import type { Focus, Level, Mark } from "../charts/marks";
import { firstAt, type Candles } from "../columns";
import { word, type FillsView, type ReportView } from "../view";

export interface SymbolFills {
  /** Sorted by bar. */
  marks: Mark[];
  /** Row of the fills table of each mark, and its candle. */
  rows: number[];
  bars: number[];
}

/** The candle that holds a time: the first whose close is not before it. */
function barAt(candles: Candles, time: number): number {
  return Math.min(firstAt(candles.time, time), candles.time.length - 1);
}

export function marksOf(fills: FillsView, candles: Candles): SymbolFills {
  const marks: Mark[] = [];
  const rows: number[] = [];
  for (let i = 0; i < fills.time.length; i++) {
    const price = fills.price[i];
    if (price == null || word(fills.symbol, i) !== candles.symbol) continue;
    rows.push(i);
    marks.push({
      index: barAt(candles, fills.time[i]!),
      price,
      buy: word(fills.side, i) === "buy",
      ambiguous: fills.ambiguous[i] === 1,
    });
  }
  return { marks, rows, bars: marks.map((mark) => mark.index) };
}

/** Rows of the fills on a bar. */
export function fillsOn(fills: SymbolFills, index: number): number[] {
  return fills.rows.slice(firstAt(fills.bars, index), firstAt(fills.bars, index + 1));
}

/** Rows of the fills that the campaign is made of. */
export function fillsOf(view: ReportView, campaign: number): number[] {
  const { fills, campaigns } = view;
  const start = campaigns.start[campaign]!;
  const end = campaigns.end[campaign] ?? Infinity;
  const symbol = word(campaigns.symbol, campaign);
  const strategy = word(campaigns.strategy, campaign);
  const rows: number[] = [];
  for (let i = firstAt(fills.time, start); i < fills.time.length && fills.time[i]! <= end; i++) {
    if (word(fills.symbol, i) === symbol && word(fills.strategy, i) === strategy) rows.push(i);
  }
  return rows;
}

/** The campaign's bars and levels: entry, exit, and each stop and target while it was set. */
export function focusOf(view: ReportView, campaign: number, candles: Candles): Focus | null {
  const { fills, campaigns } = view;
  if (word(campaigns.symbol, campaign) !== candles.symbol) return null;
  const last = candles.time.length - 1;
  const end = campaigns.end[campaign];
  const from = barAt(candles, campaigns.start[campaign]!);
  const to = end == null ? last : barAt(candles, end);
  const levels: Level[] = [];
  const add = (kind: Level["kind"], price: number | null | undefined, since: number, until: number) => {
    if (price != null) levels.push({ kind, price, from: since, to: until });
  };
  add("entry", campaigns.entry[campaign], from, to);
  add("exit", campaigns.exit[campaign], to, to);
  const side = word(campaigns.side, campaign);
  const brackets = fillsOf(view, campaign).filter(
    (i) => word(fills.side, i) === side && (fills.stop[i] != null || fills.target[i] != null),
  );
  brackets.forEach((row, i) => {
    const since = barAt(candles, fills.time[row]!);
    const next = brackets[i + 1];
    const until = next === undefined ? to : barAt(candles, fills.time[next]!);
    add("stop", fills.stop[row], since, until);
    add("target", fills.target[row], since, until);
  });
  return { from, to, levels };
}
