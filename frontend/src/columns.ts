/** Candles out of the differences in which they travel, and searches in sorted columns. */
import type { BarsView } from "./report/view";
import type { Num } from "./view";

export interface Candles {
  symbol: string;
  digits: number;
  time: Float64Array;
  open: Float64Array;
  high: Float64Array;
  low: Float64Array;
  close: Float64Array;
  volume: Num[];
}

const decoded = new WeakMap<BarsView, Candles>();

export function candlesOf(bars: BarsView): Candles {
  const known = decoded.get(bars);
  if (known) return known;
  const n = bars.time.length;
  const [time, open, high, low, close] = Array.from({ length: 5 }, () => new Float64Array(n)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const scale = 10 ** bars.digits;
  let clock = 0;
  let last = 0;
  for (let i = 0; i < n; i++) {
    clock += bars.time[i]!;
    const first = last + bars.open[i]!;
    last = first + bars.close[i]!;
    time[i] = clock;
    open[i] = first / scale;
    high[i] = (first + bars.high[i]!) / scale;
    low[i] = (first + bars.low[i]!) / scale;
    close[i] = last / scale;
  }
  const candles = { symbol: bars.symbol, digits: bars.digits, time, open, high, low, close, volume: bars.volume };
  decoded.set(bars, candles);
  return candles;
}

/** Index of the first entry at or after `value`; the length if there is none. */
export function firstAt(sorted: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
