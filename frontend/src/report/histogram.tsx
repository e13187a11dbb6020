/** How the campaigns ended, in multiples of their risk. */
import { useMemo } from "preact/hooks";
import { count, fixed } from "../format";
import type { CampaignsView } from "./view";
import { Card, Empty } from "../parts/card";

const WIDTH = 480;
const HEIGHT = 230;
const FOOT = 26;
const HEAD = 16;

interface Bins {
  low: number;
  high: number;
  size: number;
  counts: number[];
}

/** Campaigns per bin, from −4 R to 8 R at most; the first and the last hold what is beyond. */
function binned(values: number[]): Bins {
  let least = -2;
  let most = 3;
  for (const r of values) {
    least = Math.min(least, r);
    most = Math.max(most, r);
  }
  const low = Math.max(-4, Math.floor(least));
  const high = Math.min(8, Math.ceil(most));
  const size = high - low > 6 ? 0.5 : 0.25;
  const counts = new Array<number>(Math.round((high - low) / size)).fill(0);
  for (const r of values) {
    const bin = Math.floor((r - low) / size);
    counts[Math.max(0, Math.min(counts.length - 1, bin))]! += 1;
  }
  return { low, high, size, counts };
}

export function Histogram({ campaigns, expectancy }: { campaigns: CampaignsView; expectancy: number | null }) {
  const values = useMemo(() => campaigns.r.filter((r) => r !== null), [campaigns]);
  const bins = useMemo(() => binned(values), [values]);
  const { low, high, size, counts } = bins;
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => low + i);
  const without = campaigns.r.length - values.length;
  const most = Math.max(...counts, 1);
  const wide = WIDTH / counts.length;
  const x = (r: number) => ((r - low) / size) * wide;
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
            aria-label={`Histogram of ${values.length} campaigns by R, from ${low} to ${high}`}
          >
            {counts.map((n, i) => {
              const from = low + i * size;
              return (
                <rect
                  key={i}
                  x={i * wide + 0.5}
                  y={HEIGHT - FOOT - tall(n)}
                  width={wide - 1}
                  height={tall(n)}
                  class={from < 0 ? "fill-down" : "fill-up"}
                >
                  <title>{`${label(i, bins)}: ${count(n)} campaigns`}</title>
                </rect>
              );
            })}
            <line x1={0} x2={WIDTH} y1={HEIGHT - FOOT + 0.5} y2={HEIGHT - FOOT + 0.5} class="axis" />
            {ticks.map((r) => (
              <text key={r} x={clamp(x(r))} y={HEIGHT - 8} class="tick" text-anchor={r === low ? "start" : r === high ? "end" : "middle"}>
                {fixed(r, 0)}
              </text>
            ))}
            {expectancy !== null && expectancy > low && expectancy < high && (
              <g>
                <line x1={x(expectancy)} x2={x(expectancy)} y1={4} y2={HEIGHT - FOOT} class="mean" />
                <text x={x(expectancy) + 6} y={13} class="tick strong">
                  expectancy {fixed(expectancy, 2)} R
                </text>
              </g>
            )}
          </svg>
          <p class="legend">
            <span>net profit in multiples of the first risk, bins of {size} R; the outer bins hold what is beyond</span>
            {without > 0 && <span>{count(without)} campaigns without a stop are left out</span>}
          </p>
        </>
      )}
    </Card>
  );
}

function label(i: number, { low, size, counts }: Bins): string {
  const from = low + i * size;
  if (i === 0) return `below ${fixed(from + size, 2)} R`;
  if (i === counts.length - 1) return `${fixed(from, 2)} R and above`;
  return `${fixed(from, 2)} to ${fixed(from + size, 2)} R`;
}

function clamp(x: number): number {
  return Math.max(2, Math.min(WIDTH - 2, x));
}
