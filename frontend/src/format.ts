/** Numbers, times and words as the report writes them. Minus is U+2212, missing is a dash. */
import type { Num } from "./view";

export const MISSING = "–";

/** Between a number and its unit: narrow, and no line ends there. */
const THIN = "\u202f";

const formats = new Map<string, Intl.NumberFormat>();

function decimals(value: number, least: number, most = least): string {
  const key = `${least}:${most}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat("en-US", {
      minimumFractionDigits: least,
      maximumFractionDigits: most,
    });
    formats.set(key, format);
  }
  const text = format.format(value);
  if (!text.startsWith("-")) return text;
  return /[1-9]/.test(text) ? `−${text.slice(1)}` : text.slice(1);
}

export function fixed(value: Num | undefined, digits: number): string {
  return value == null ? MISSING : decimals(value, digits);
}

export function percent(value: Num | undefined, digits = 2): string {
  return value == null ? MISSING : `${decimals(value * 100, digits)}${THIN}%`;
}

/** What a deflated Sharpe ratio says: how likely the true one is above 0. */
export function likely(deflated: Num | undefined): string {
  return deflated == null ? "chance above 0 not known" : `${percent(deflated, 0)} likely above 0`;
}

export function signed(text: string, value: Num | undefined): string {
  return value != null && value > 0 ? `+${text}` : text;
}

/** An amount of the account; cents only where they matter. */
export function money(value: Num | undefined): string {
  return value == null ? MISSING : decimals(value, Math.abs(value) >= 10_000 ? 0 : 2);
}

/** A count or a quantity; parts of one keep more decimals. */
export function count(value: Num | undefined): string {
  return value == null ? MISSING : decimals(value, 0, Math.abs(value) < 1 ? 8 : 4);
}

export function price(value: Num | undefined, digits: number): string {
  return value == null ? MISSING : decimals(value, digits);
}

/** An amount on an axis, where labels of one size should look alike. */
export function axisMoney(value: number): string {
  return decimals(value, value === 0 || Math.abs(value) >= 1_000 ? 0 : 2);
}

/** A value on an axis whose unit stands elsewhere, but for the sign of percent. */
export function onAxis(value: number, unit: string): string {
  if (unit.startsWith("fraction")) return percent(value, Math.abs(value) < 0.1 && value !== 0 ? 1 : 0);
  return unit === "account currency" ? axisMoney(value) : plain(value);
}

/** A metric in its unit (see `Metric` in `intrabar/ui/report_input.py`). */
export function inUnit(value: Num | string | undefined, unit: string): string {
  if (value == null) return MISSING;
  if (typeof value === "string") return value;
  if (unit.startsWith("fraction")) return percent(value);
  switch (unit) {
    case "account currency":
      return money(value);
    case "R":
      return `${decimals(value, 2)}${THIN}R`;
    case "ratio":
      return decimals(value, 2);
    case "count":
      return count(value);
    case "price":
      return decimals(value, 2, 6);
    default:
      return `${decimals(value, 0, 1)} ${unit}`;
  }
}

/** Is a value good (+1), bad (−1) or neither (0) by its sign alone? */
export function tone(value: Num | string | undefined): "up" | "down" | "" {
  if (typeof value !== "number" || value === 0) return "";
  return value > 0 ? "up" : "down";
}

export function day(seconds: Num | undefined): string {
  return seconds == null ? MISSING : new Date(seconds * 1000).toISOString().slice(0, 10);
}

/** Date and time in UTC; the seconds only where they are not zero. */
export function instant(seconds: Num | undefined): string {
  if (seconds == null) return MISSING;
  const text = new Date(seconds * 1000).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, seconds % 60 ? 19 : 16)}`;
}

export function period(seconds: number): string {
  for (const [size, unit] of [[604_800, "w"], [86_400, "d"], [3_600, "h"], [60, "min"]] as const) {
    if (seconds >= size && seconds % size === 0) return `${seconds / size} ${unit}`;
  }
  return `${decimals(seconds, 0, 3)} s`;
}

/** "daily_loss" as "daily loss". */
export function spaced(name: string): string {
  return name.replaceAll("_", " ");
}

export function sentence(name: string): string {
  const text = spaced(name);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Order sides as campaign directions. */
export function direction(side: string): string {
  return side === "buy" ? "long" : side === "sell" ? "short" : side;
}

/** A parameter's value: a word as it is, a number with all its digits that matter. */
export function plain(value: Num | string | undefined): string {
  if (value == null) return MISSING;
  return typeof value === "string" ? value : String(Number(value.toPrecision(6))).replace("-", "−");
}
