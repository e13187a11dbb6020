/** A value with its interval for each of many names, side by side around zero. */
import { inUnit, onAxis } from "../format";
import type { Num } from "../view";
import { ticks } from "./histogram";

const WIDTH = 480;
const HEIGHT = 240;
const LEFT = 58;
const RIGHT = 10;
const HEAD = 10;
const FOOT = 24;
const LABEL = 82; // room of a date

interface Whisker {
  label: string;
  value: Num;
  low: Num;
  high: Num;
  title: string;
}

export function Whiskers({ rows, unit }: { rows: Whisker[]; unit: string }) {
  const known = rows.flatMap((row) => [row.value, row.low, row.high]).filter((v) => v !== null);
  const low = Math.min(0, ...known);
  const high = Math.max(0, ...known);
  const room = (high - low) * 0.05 || 1;
  const up = (v: number) => HEAD + ((high + room - v) / (high - low + 2 * room)) * (HEIGHT - HEAD - FOOT);
  const step = (WIDTH - LEFT - RIGHT) / Math.max(1, rows.length);
  const across = (i: number) => LEFT + (i + 0.5) * step;
  const every = Math.max(1, Math.ceil(LABEL / step));
  const told = rows.map((row) => `${row.label} ${inUnit(row.value, unit)}`).join(", ");
  return (
    <svg class="lines" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={told}>
      {ticks(low - room, high + room, 4).map((v) => (
        <g key={v}>
          <line x1={LEFT} x2={WIDTH - RIGHT} y1={up(v)} y2={up(v)} class={Math.abs(v) < 1e-12 ? "axis" : "grid-line"} />
          <text x={LEFT - 6} y={up(v) + 4} class="tick" text-anchor="end">
            {onAxis(v, unit)}
          </text>
        </g>
      ))}
      {rows.map((row, i) => (
        <g key={row.title}>
          <title>{`${row.title}: ${inUnit(row.value, unit)} (${inUnit(row.low, unit)} to ${inUnit(row.high, unit)})`}</title>
          {row.low !== null && row.high !== null && (
            <line x1={across(i)} x2={across(i)} y1={up(row.low)} y2={up(row.high)} class="whisker" />
          )}
          {row.value !== null && <circle cx={across(i)} cy={up(row.value)} r={Math.min(3.5, step / 3)} class="whisker-value" />}
          {i % every === 0 && (
            <text x={Math.min(across(i), WIDTH - LABEL / 2)} y={HEIGHT - 6} class="tick" text-anchor="middle">
              {row.label}
            </text>
          )}
        </g>
      ))}
    </svg>
  );
}
