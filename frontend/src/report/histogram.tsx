/** How the campaigns ended, in multiples of their risk. */
import { useMemo } from "preact/hooks";
import { count, fixed } from "../format";
import type { CampaignsView } from "../view";
import { Card, Empty } from "./card";

const LOW = -4;
const HIGH = 8;
const BIN = 0.5;
const WIDTH = 480;
const HEIGHT = 230;
const FOOT = 26;
const HEAD = 16;

/** Campaigns per bin; the first and the last hold what is beyond. */
function bins(values: number[]): number[] {
  const counts = new Array<number>(Math.round((HIGH - LOW) / BIN)).fill(0);
  for (const r of values) {
    const bin = Math.floor((r - LOW) / BIN);
    counts[Math.max(0, Math.min(counts.length - 1, bin))]! += 1;
  }
  return counts;
}

export function Histogram({ campaigns, expectancy }: { campaigns: CampaignsView; expectancy: number | null }) {
  const values = useMemo(() => campaigns.r.filter((r) => r !== null), [campaigns]);
  const counts = useMemo(() => bins(values), [values]);
  const without = campaigns.r.length - values.length;
  const most = Math.max(...counts, 1);
  const wide = WIDTH / counts.length;
  const x = (r: number) => (r - LOW) / BIN * wide;
  const tall = (n: number) => (n / most) * (HEIGHT - FOOT - HEAD);
  return (
    <Card title="Distribution of R">
      {values.length === 0 ? (
        <Empty>{campaigns.r.length === 0 ? "There is no campaign." : "No campaign had a stop, so none has an R."}</Empty>
      ) : (
        <>
          <svg
            class="histogram"
            viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
            role="img"
            aria-label={`Histogram of ${values.length} campaigns by R, from ${LOW} to ${HIGH}`}
          >
            {counts.map((n, i) => {
              const from = LOW + i * BIN;
              return (
                <rect
                  key={i}
                  x={i * wide + 0.5}
                  y={HEIGHT - FOOT - tall(n)}
                  width={wide - 1}
                  height={tall(n)}
                  class={from < 0 ? "fill-down" : "fill-up"}
                >
                  <title>{`${label(i, counts.length)}: ${count(n)} campaigns`}</title>
                </rect>
              );
            })}
            <line x1={0} x2={WIDTH} y1={HEIGHT - FOOT + 0.5} y2={HEIGHT - FOOT + 0.5} class="axis" />
            {[-4, -2, -1, 0, 1, 2, 4, 6, 8].map((r) => (
              <text key={r} x={clamp(x(r))} y={HEIGHT - 8} class="tick" text-anchor={anchor(r)}>
                {r === LOW ? `≤ ${fixed(r, 0)}` : r === HIGH ? `≥ ${r}` : fixed(r, 0)}
              </text>
            ))}
            {expectancy !== null && expectancy > LOW && expectancy < HIGH && (
              <g>
                <line x1={x(expectancy)} x2={x(expectancy)} y1={4} y2={HEIGHT - FOOT} class="mean" />
                <text x={x(expectancy) + 6} y={13} class="tick strong">
                  expectancy {fixed(expectancy, 2)} R
                </text>
              </g>
            )}
          </svg>
          <p class="legend">
            <span>net profit in multiples of the first risk, bins of {BIN} R</span>
            {without > 0 && <span>{count(without)} campaigns without a stop are left out</span>}
          </p>
        </>
      )}
    </Card>
  );
}

function label(i: number, n: number): string {
  const from = LOW + i * BIN;
  if (i === 0) return `below ${fixed(from + BIN, 1)} R`;
  if (i === n - 1) return `${fixed(from, 1)} R and above`;
  return `${fixed(from, 1)} to ${fixed(from + BIN, 1)} R`;
}

function clamp(x: number): number {
  return Math.max(2, Math.min(WIDTH - 2, x));
}

function anchor(r: number): "start" | "middle" | "end" {
  return r === LOW ? "start" : r === HIGH ? "end" : "middle";
}
