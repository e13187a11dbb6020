/** Bars of counts, with places on the axis pointed at. */
import { count, inUnit, onAxis } from "../format";
import type { Num } from "../view";

const WIDTH = 480;
const FOOT = 26;
const LINE = 15;

/** The first of a picture stands out, the second is a warning, the others are for orientation. */
export interface Pointer {
  value: Num;
  label: string;
}

export interface Bins {
  low: number;
  high: number;
  counts: number[];
}

interface HistogramProps extends Bins {
  unit: string;
  /** What is counted: "trials". */
  counted: string;
  pointers: Pointer[];
  height?: number;
}

export function Histogram({ low, high, counts, unit, counted, pointers, height = 220 }: HistogramProps) {
  const shown = pointers.flatMap(({ value, label }, kind) => (value === null ? [] : [{ value, label, kind }]));
  const from = Math.min(low, ...shown.map((p) => p.value));
  const to = Math.max(high, ...shown.map((p) => p.value));
  const room = (to - from) * 0.02 || 0.5;
  const x = (value: number) => ((value - from + room) / (to - from + 2 * room)) * WIDTH;
  const size = (high - low) / counts.length;
  const head = LINE * shown.length + 6;
  const most = Math.max(...counts, 1);
  const total = counts.reduce((sum, n) => sum + n, 0);
  const told = shown.map((p) => `${p.label} ${inUnit(p.value, unit)}`).join(", ");
  return (
    <svg
      class="histogram"
      viewBox={`0 0 ${WIDTH} ${height}`}
      role="img"
      aria-label={`Histogram of ${count(total)} ${counted}, from ${inUnit(low, unit)} to ${inUnit(high, unit)}. ${told}`}
    >
      {counts.map((n, i) => {
        const tall = (n / most) * (height - FOOT - head);
        return (
          <rect
            key={i}
            x={x(low + i * size) + 0.5}
            y={height - FOOT - tall}
            width={Math.max(0.5, x(low + (i + 1) * size) - x(low + i * size) - 1)}
            height={tall}
            class="fill-plain"
          >
            <title>{`${inUnit(low + i * size, unit)} to ${inUnit(low + (i + 1) * size, unit)}: ${count(n)} ${counted}`}</title>
          </rect>
        );
      })}
      <line x1={0} x2={WIDTH} y1={height - FOOT + 0.5} y2={height - FOOT + 0.5} class="axis" />
      {ticks(from, to, 6).map((value) => (
        <text key={value} x={x(value)} y={height - 8} class="tick" text-anchor="middle">
          {onAxis(value, unit)}
        </text>
      ))}
      {shown.map((p, i) => {
        const at = x(p.value);
        const left = at > WIDTH / 2;
        return (
          <g key={p.label}>
            <line x1={at} x2={at} y1={LINE * i + 4} y2={height - FOOT} class={`pointer pointer-${Math.min(p.kind, 2)}`} />
            <text x={left ? at - 5 : at + 5} y={LINE * i + 13} class="tick strong" text-anchor={left ? "end" : "start"}>
              {p.label} {inUnit(p.value, unit)}
            </text>
          </g>
        );
      })}
    </svg>
  );
}

/** Round numbers within two ends. */
export function ticks(from: number, to: number, most: number): number[] {
  if (!(to > from)) return [from];
  const rough = (to - from) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5, 10].find((m) => m * power >= rough) ?? 10);
  const made: number[] = [];
  for (let k = Math.ceil(from / step - 1e-9); k * step <= to + step * 1e-9; k++) made.push(k * step);
  return made;
}

/** Counts in bins of one width; the unknown are left out. */
export function binned(values: Num[], most = 48): Bins | null {
  const known = values.filter((v) => v !== null);
  if (known.length === 0) return null;
  let low = Infinity;
  let high = -Infinity;
  for (const v of known) {
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  if (high <= low) [low, high] = [low - 0.5, high + 0.5];
  const counts = new Array<number>(Math.max(8, Math.min(most, Math.ceil(Math.sqrt(known.length) * 1.5)))).fill(0);
  for (const v of known) counts[Math.min(counts.length - 1, Math.floor(((v - low) / (high - low)) * counts.length))]! += 1;
  return { low, high, counts };
}
