/** Lines over time or another axis, with places on the axis pointed at. */
import { day, inUnit, onAxis, plain } from "../format";
import type { Num } from "../view";
import { ticks, type Pointer } from "./histogram";

const WIDTH = 480;
const HEIGHT = 240;
const LEFT = 58;
const RIGHT = 10;
const HEAD = 20;
const FOOT = 24;
const COLORS = 6;

interface LinesProps {
  x: number[];
  x_unit: string;
  lines: { label: string; value: Num[] }[];
  unit: string;
  pointers: Pointer[];
}

export function Lines({ x, x_unit, lines, unit, pointers }: LinesProps) {
  const values = lines.flatMap((line) => line.value.filter((v) => v !== null));
  const [low, high] = spread(values);
  const [from, to] = [x[0]!, x[x.length - 1]!];
  const across = (v: number) => LEFT + ((v - from) / (to - from || 1)) * (WIDTH - LEFT - RIGHT);
  const up = (v: number) => HEAD + ((high - v) / (high - low)) * (HEIGHT - HEAD - FOOT);
  const word = (v: number) => (x_unit === "time" ? day(v) : plain(v));
  const told = lines.map((line) => `${line.label} ends at ${inUnit(line.value[line.value.length - 1], unit)}`).join(", ");
  return (
    <>
      <svg class="lines" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${told}. From ${word(from)} to ${word(to)}`}>
        {ticks(low, high, 4).map((v) => (
          <g key={v}>
            <line x1={LEFT} x2={WIDTH - RIGHT} y1={up(v)} y2={up(v)} class={Math.abs(v) < 1e-12 ? "axis" : "grid-line"} />
            <text x={LEFT - 6} y={up(v) + 4} class="tick" text-anchor="end">
              {onAxis(v, unit)}
            </text>
          </g>
        ))}
        {pointers.map(
          (p, i) =>
            p.value !== null && (
              <g key={`${p.label} ${p.value}`}>
                <line x1={across(p.value)} x2={across(p.value)} y1={HEAD} y2={HEIGHT - FOOT} class="pointer pointer-2" />
                {hasRoom(pointers, i, across) && (
                  <text x={labelAt(p.label, across(p.value))} y={12} class="tick">
                    {p.label}
                  </text>
                )}
              </g>
            ),
        )}
        {lines.map((line, i) => (
          <path key={line.label} d={pathOf(line.value, x, across, up)} class="line" style={{ stroke: `var(--series-${(i % COLORS) + 1})` }}>
            <title>{line.label}</title>
          </path>
        ))}
        <text x={LEFT} y={HEIGHT - 6} class="tick">
          {word(from)}
        </text>
        <text x={WIDTH - RIGHT} y={HEIGHT - 6} class="tick" text-anchor="end">
          {word(to)}
        </text>
        {x_unit !== "time" && (
          <text x={(LEFT + WIDTH) / 2} y={HEIGHT - 6} class="tick" text-anchor="middle">
            {x_unit}
          </text>
        )}
      </svg>
      {lines.length > 1 && (
        <p class="legend">
          {lines.map((line, i) => (
            <span key={line.label}>
              <i class="key" style={{ background: `var(--series-${(i % COLORS) + 1})` }} />
              {line.label}
            </span>
          ))}
        </p>
      )}
    </>
  );
}

function spread(values: number[]): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const v of values) {
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  if (!(low <= high)) return [0, 1];
  const room = (high - low) * 0.05 || Math.abs(high) * 0.05 || 1;
  return [low - room, high + room];
}

const wide = (label: string) => 7 * label.length;

/** To the right of its place, as far as it stays inside. */
function labelAt(label: string, place: number): number {
  return Math.min(place + 3, WIDTH - wide(label));
}

/** A label is written where it does not run into the one before. */
function hasRoom(pointers: Pointer[], i: number, across: (v: number) => number): boolean {
  let end = -Infinity;
  for (const [k, p] of pointers.entries()) {
    if (p.value === null) continue;
    const at = labelAt(p.label, across(p.value));
    const fits = at >= end;
    if (k === i) return fits;
    if (fits) end = at + wide(p.label) + 8;
  }
  return false;
}

/** A path with gaps where there is no value. */
export function pathOf(values: Num[], x: number[], across: (v: number) => number, up: (v: number) => number): string {
  let open = false;
  return values
    .map((v, i) => {
      const step = v === null ? "" : `${open ? "L" : "M"}${across(x[i]!).toFixed(1)} ${up(v).toFixed(1)}`;
      open = v !== null;
      return step;
    })
    .join("");
}
