/** What the predictions that a run read were worth: skill of each model, coverage of the quantiles. */
import { Lines } from "../charts/lines";
import { Whiskers } from "../charts/whiskers";
import { count, percent } from "../format";
import { Card } from "../parts/card";
import type { ForecastView, QuantileRow } from "./view";

export function Forecasts({ views }: { views: ForecastView[] }) {
  return (
    <Card id="forecasts" title="What the predictions were worth" aside={<span class="muted">out of sample</span>}>
      {views.map((view) => (
        <section key={`${view.file} ${view.symbol} ${view.horizon}`} class="forecast">
          <h3>
            {view.symbol}, {count(view.horizon)} {view.horizon === 1 ? "bar" : "bars"} ahead: {view.verdict}
          </h3>
          <p class="muted">
            {count(view.rows)} rows of {view.file}, returns in ATRs
          </p>
          <div class="two">
            <Refits view={view} />
            {view.quantiles.length > 0 && <Coverage rows={view.quantiles} />}
          </div>
          {view.left_out.map((text) => (
            <p key={text}>{text}</p>
          ))}
        </section>
      ))}
    </Card>
  );
}

function Refits({ view }: { view: ForecastView }) {
  const rows = view.refits.map((row) => ({
    label: row.trained_until.slice(0, 10),
    value: row.skill,
    low: row.low,
    high: row.high,
    title: `trained until ${row.trained_until}, ${count(row.rows)} rows`,
  }));
  const unsure = view.refits.filter((row) => row.low === null).length;
  return (
    <figure class="share">
      <figcaption>Skill against the last price (0) by model, with its 95 % interval; named by the end of its training</figcaption>
      <Whiskers rows={rows} unit="ratio" />
      {unsure > 0 && (
        <p class="muted">
          {count(unsure)} of {count(rows.length)} models have no interval: too few rows, or no move.
        </p>
      )}
    </figure>
  );
}

function Coverage({ rows }: { rows: QuantileRow[] }) {
  const promised = rows.map((row) => row.probability);
  const below = rows.map((row) => row.below);
  return (
    <figure class="share">
      <figcaption>Coverage: share of what came that lay below each quantile</figcaption>
      {rows.length > 1 && (
        <Lines
          x={promised}
          x_unit="promised"
          lines={[
            { label: "came", value: below },
            { label: "promised", value: promised },
          ]}
          unit="fraction"
          pointers={[]}
        />
      )}
      <p>{rows.map((row) => `${percent(row.below)} below the ${percent(row.probability, 0)} quantile`).join(", ")}</p>
    </figure>
  );
}
