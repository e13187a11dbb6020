/** Which campaigns the table shows, and in which order. */
import { direction } from "../format";
import { compareNumbers, type Sorting } from "../parts/grid";
import { word, type Coded } from "../view";
import type { CampaignsView } from "./view";

export type Key =
  | "campaign" | "strategy" | "symbol" | "side" | "start" | "end" | "bars" | "qty" | "entry"
  | "exit" | "costs" | "net" | "r" | "mae" | "mfe" | "reason";

export interface Filter {
  strategy: string;
  symbol: string;
  side: string;
  reason: string;
  result: "" | "win" | "loss" | "ambiguous";
}

export const NO_FILTER: Filter = { strategy: "", symbol: "", side: "", reason: "", result: "" };

/** What the reason filter calls a campaign without a reason. */
export const STILL_OPEN = "still open";

/** Row numbers of the campaigns that pass the filter. */
export function filtered(c: CampaignsView, filter: Filter): number[] {
  const rows: number[] = [];
  for (let i = 0; i < c.campaign.length; i++) {
    if (filter.strategy && word(c.strategy, i) !== filter.strategy) continue;
    if (filter.symbol && word(c.symbol, i) !== filter.symbol) continue;
    if (filter.side && direction(word(c.side, i)) !== filter.side) continue;
    if (filter.reason && (word(c.reason, i) || STILL_OPEN) !== filter.reason) continue;
    if (filter.result === "win" && !((c.net[i] ?? 0) > 0)) continue;
    if (filter.result === "loss" && !((c.net[i] ?? 0) < 0)) continue;
    if (filter.result === "ambiguous" && c.ambiguous[i] !== 1) continue;
    rows.push(i);
  }
  return rows;
}

/** The rows by a column; unknown values last, equal ones in the order of the run. */
export function sorted(c: CampaignsView, rows: number[], { key, down }: Sorting<Key>): number[] {
  const column = c[key];
  const sign = down ? -1 : 1;
  if (!Array.isArray(column)) {
    return rows.toSorted((a, b) => sign * compareWords(column, a, b) || a - b);
  }
  return rows.toSorted((a, b) => compareNumbers(column, a, b, sign) || a - b);
}

function compareWords(column: Coded, a: number, b: number): number {
  return word(column, a).localeCompare(word(column, b));
}
