/** How far the result hangs on what a bar does not tell. */
import { count, money, percent, signed, spaced, tone } from "../format";
import type { BandView, ReportView } from "./view";
import { Card } from "../parts/card";

export function Band({ view, band }: { view: ReportView; band: BandView }) {
  return (
    <Card id="band" title="What the bars cannot tell" class="band" aside={<span class="muted">ambiguity band</span>}>
      <div class="band-body">
        <div class="band-text">
          <p class="band-count">
            <b>{count(band.ambiguous)}</b> of {count(band.campaigns)} campaigns had their stop and their target inside
            one bar.
          </p>
          <Detail band={band} />
          <p>{meaning(band)}</p>
        </div>
        <div class="band-figures">
          <RangeBar band={band} />
          <PolicyTable band={band} currency={view.currency} />
        </div>
      </div>
    </Card>
  );
}

/** What the lower bars have told, and where they are missing. */
function Detail({ band }: { band: BandView }) {
  if (band.without_detail === null) return null;
  return (
    <p>
      The detail bars told which came first for{" "}
      {band.settled === 0 ? "none" : <b>{count(band.settled)}</b>}
      {band.ambiguous > 0 && " more"}.{" "}
      {band.without_detail > 0 && (
        <>
          <b>{count(band.without_detail)}</b> bars have no detail bars: their path was taken to be the shortest.
        </>
      )}
    </p>
  );
}

function ends(band: BandView): [number, number] | null {
  const returns = band.rows.map((row) => row.total_return).filter((r) => r !== null);
  return returns.length ? [Math.min(...returns), Math.max(...returns)] : null;
}

function meaning(band: BandView): string {
  const range = ends(band);
  if (!range) return "The repeated runs have no return to compare.";
  const [low, high] = range;
  const policy = `This report shows the policy “${spaced(band.policy)}”.`;
  if (high - low < 5e-5) {
    return `A bar tells its high and its low, not which came first. Here it makes no difference: each assumption gives ${percent(low)}. ${policy}`;
  }
  const finer = band.without_detail === null ? "Finer bars would." : "The detail bars choose between them.";
  const points = ((high - low) * 100).toFixed(2);
  const sign =
    band.without_detail === null && low < 0 && high > 0
      ? " The range holds zero: from these bars alone it cannot be said whether the strategy made or lost money."
      : "";
  return `A bar tells its high and its low, not which came first. Under the least and the most favorable assumption the same strategy returns ${percent(low)} and ${percent(high)}: ${points} percentage points that these bars cannot decide. ${finer}${sign} ${policy}`;
}

function RangeBar({ band }: { band: BandView }) {
  const range = ends(band);
  if (!range) return null;
  const [low, high] = range;
  const from = Math.min(low, 0);
  const to = Math.max(high, 0);
  const room = Math.max(to - from, 1e-4) * 0.08;
  const at = (value: number) => ((value - from + room) / (to - from + 2 * room)) * 100;
  const text = band.rows.map((row) => `${spaced(row.policy)} ${percent(row.total_return)}`).join(", ");
  return (
    <div class="range" role="img" aria-label={`Total return by path policy: ${text}`}>
      <div class="range-track" />
      <div class="range-zero" style={{ left: `${at(0)}%` }}>
        <span>0 %</span>
      </div>
      {at(high) - at(low) > 24 ? (
        <>
          <RangeLabel at={at(low)}>{percent(low)}</RangeLabel>
          <RangeLabel at={at(high)}>{percent(high)}</RangeLabel>
        </>
      ) : (
        <RangeLabel at={(at(low) + at(high)) / 2}>
          {high === low ? percent(low) : `${percent(low)} to ${percent(high)}`}
        </RangeLabel>
      )}
      <div class="range-span" style={{ left: `${at(low)}%`, width: `${Math.max(at(high) - at(low), 0.4)}%` }} />
      {band.rows.map(
        (row) =>
          row.total_return !== null && (
            <div
              key={row.policy}
              class={`range-mark policy-${row.policy} ${row.policy === band.policy ? "shown" : ""}`}
              style={{ left: `${at(row.total_return)}%` }}
              title={`${spaced(row.policy)}: ${percent(row.total_return)}`}
            />
          ),
      )}
    </div>
  );
}

/** Kept inside the bar at both ends: it hangs to the right of its place at 0 %, to the left at 100 %. */
function RangeLabel({ at, children }: { at: number; children: string }) {
  return (
    <span class="range-label" style={{ left: `${at}%`, transform: `translateX(-${at}%)` }}>
      {children}
    </span>
  );
}

function PolicyTable({ band, currency }: { band: BandView; currency: string }) {
  return (
    <div class="scroll-x">
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">Assumed path</th>
            <th scope="col" class="num">Total return</th>
            <th scope="col" class="num">End equity ({currency})</th>
            <th scope="col" class="num">Campaigns</th>
            <th scope="col" class="num">Ambiguous</th>
          </tr>
        </thead>
        <tbody>
          {band.rows.map((row) => (
            <tr key={row.policy} class={row.policy === band.policy ? "current" : ""}>
              <th scope="row">
                <i class={`swatch policy-${row.policy}`} />
                {spaced(row.policy)}
                {row.policy === band.policy && <span class="muted"> (this report)</span>}
              </th>
              <td class={`num ${tone(row.total_return)}`}>{signed(percent(row.total_return), row.total_return)}</td>
              <td class="num">{money(row.end_equity)}</td>
              <td class="num">{count(row.campaigns)}</td>
              <td class="num">{count(row.ambiguous)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
