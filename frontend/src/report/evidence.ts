/** Where fills and campaigns are on the candles of a symbol. */
import type { Focus, Level, Mark } from "../charts/marks";
import { firstAt, type Candles } from "../columns";
import { word } from "../view";
import type { FillsView, ReportView } from "./view";

export interface SymbolFills {
  /** Sorted by bar; a split has none. */
  marks: Mark[];
  /** Rows of the fills table, and the candle of each. */
  rows: number[];
  bars: number[];
}

/** The candle that holds a time: the first whose close is not before it. */
function barAt(candles: Candles, time: number): number {
  return Math.min(firstAt(candles.time, time), candles.time.length - 1);
}

/** A fill of no quantity is a split; its price is the ratio. */
function isSplit(fills: FillsView, i: number): boolean {
  return fills.qty[i] === 0;
}

export function marksOf(fills: FillsView, candles: Candles): SymbolFills {
  const marks: Mark[] = [];
  const rows: number[] = [];
  const bars: number[] = [];
  for (let i = 0; i < fills.time.length; i++) {
    const price = fills.price[i];
    if (price == null || word(fills.symbol, i) !== candles.symbol) continue;
    const index = barAt(candles, fills.time[i]!);
    rows.push(i);
    bars.push(index);
    if (isSplit(fills, i)) continue;
    marks.push({ index, price, buy: word(fills.side, i) === "buy", ambiguous: fills.ambiguous[i] === 1 });
  }
  return { marks, rows, bars };
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

/** A price from a bar on; null where there is none. */
interface Change {
  bar: number;
  price: number | null;
}

/** The campaign's bars and levels: entry, exit, and the stop and the target with their moves. */
export function focusOf(view: ReportView, campaign: number, candles: Candles): Focus | null {
  const { fills, campaigns } = view;
  if (word(campaigns.symbol, campaign) !== candles.symbol) return null;
  const end = campaigns.end[campaign];
  const from = barAt(candles, campaigns.start[campaign]!);
  const to = end == null ? candles.time.length - 1 : barAt(candles, end);
  const splits = fillsOf(view, campaign).filter((i) => isSplit(fills, i));
  const exit = campaigns.exit[campaign];
  // The table has the entry in the scale of the end; before a split the candles have another.
  const ratio = splits.reduce((product, i) => product * fills.price[i]!, 1);
  const entry: Change[] = [{ bar: from, price: (campaigns.entry[campaign] ?? 0) * ratio }];
  for (const i of splits) entry.push(after(entry, barAt(candles, fills.time[i]!), fills.price[i]!));
  return {
    from,
    to,
    levels: [
      ...lines("entry", entry, to),
      ...(exit == null ? [] : [{ kind: "exit" as const, price: exit, from: to, to, moved: false }]),
      ...lines("stop", changesOf(view, campaign, candles, "stop", to), to),
      ...lines("target", changesOf(view, campaign, candles, "target", to), to),
    ],
  };
}

/** A stop or target at each bracket, move and split of the campaign, in order of time. */
function changesOf(view: ReportView, campaign: number, candles: Candles, kind: "stop" | "target", to: number): Change[] {
  const { fills, levels, campaigns } = view;
  const own = fillsOf(view, campaign);
  const side = word(campaigns.side, campaign);
  const moves = movesOf(view, campaign);
  const changes: Change[] = [];
  let at = 0;
  // A level that is moved at a close works from the next bar on.
  const moveUntil = (time: number, bar: number) => {
    for (; at < moves.length && levels.time[moves[at]!]! < time; at++) {
      const row = moves[at]!;
      changes.push({ bar: Math.min(barAt(candles, levels.time[row]!) + 1, bar), price: levels[kind][row] ?? null });
    }
  };
  for (const i of own) {
    const bar = barAt(candles, fills.time[i]!);
    moveUntil(fills.time[i]!, bar);
    if (isSplit(fills, i)) changes.push(after(changes, bar, fills.price[i]!));
    else if (word(fills.side, i) === side && (fills.stop[i] != null || fills.target[i] != null)) {
      changes.push({ bar, price: fills[kind][i] ?? null });
    }
  }
  moveUntil(campaigns.end[campaign] ?? Infinity, to);
  return changes;
}

/** Rows of the moves of the campaign's levels. */
function movesOf({ levels, campaigns }: ReportView, campaign: number): number[] {
  const symbol = word(campaigns.symbol, campaign);
  const strategy = word(campaigns.strategy, campaign);
  const end = campaigns.end[campaign] ?? Infinity;
  const rows: number[] = [];
  for (let i = firstAt(levels.time, campaigns.start[campaign]!); i < levels.time.length && levels.time[i]! < end; i++) {
    if (word(levels.symbol, i) === symbol && word(levels.strategy, i) === strategy) rows.push(i);
  }
  return rows;
}

/** The last price in the scale after a split. */
function after(changes: Change[], bar: number, ratio: number): Change {
  const last = changes[changes.length - 1]?.price ?? null;
  return { bar, price: last === null ? null : last / ratio };
}

/** Each price as a line to the next change; only the first of a kind carries its words. */
function lines(kind: Level["kind"], changes: Change[], to: number): Level[] {
  const made: Level[] = [];
  changes.forEach(({ bar, price }, i) => {
    const next = changes[i + 1];
    if (price === null || (next && next.bar === bar)) return;
    made.push({ kind, price, from: bar, to: next ? next.bar - 1 : to, moved: made.length > 0 });
  });
  return made;
}
