/** What learned exits decided: their arms over time, what bandits know, the last decisions. */
import { Lines } from "../charts/lines";
import { count, instant, fixed, percent } from "../format";
import { Card } from "../parts/card";
import type { BanditRow, DecisionRow, DecisionsView, DriftView } from "./view";

export function Decisions({ view }: { view: DecisionsView }) {
  return (
    <Card id="decisions" title="What the learned exits decided" aside={<span class="muted">{count(view.count)} decisions</span>}>
      {view.arms.map((arms) => (
        <figure key={arms.strategy} class="share">
          <figcaption>{arms.strategy}: share of arms, multiples of the ATR</figcaption>
          {arms.time.length > 1 ? (
            <Lines x={arms.time} x_unit="time" lines={arms.lines} unit="fraction" pointers={[]} />
          ) : (
            <p>{arms.lines.map((line) => `${line.label} ${percent(line.value[0] ?? null)}`).join(", ")}</p>
          )}
        </figure>
      ))}
      {view.drift.map((drift) => (
        <Drift key={drift.strategy} drift={drift} />
      ))}
      {view.bandits.length > 0 && <Bandits rows={view.bandits} />}
      <Rows rows={view.rows} />
    </Card>
  );
}

/** One stretch is a sentence, several are lines; a limit that nobody knows has none. */
function Drift({ drift }: { drift: DriftView }) {
  const lines = [
    { label: "furthest feature", value: drift.psi },
    ...(drift.limit.some((v) => v !== null) ? [{ label: "limit", value: drift.limit }] : []),
  ];
  return (
    <figure class="share">
      <figcaption>
        {drift.strategy}: drift of the features from the training, population stability index in stretches of 500 decisions
      </figcaption>
      {drift.time.length > 1 && <Lines x={drift.time} x_unit="time" lines={lines} unit="ratio" pointers={[]} />}
      <p>Last 500 decisions: {drift.told}.</p>
    </figure>
  );
}

function Bandits({ rows }: { rows: BanditRow[] }) {
  return (
    <div class="scroll-x">
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">Bandit</th>
            <th scope="col" class="num">
              Arm
            </th>
            <th scope="col" class="num">
              Chosen
            </th>
            <th scope="col" class="num">
              Estimate beyond the prior
            </th>
            <th scope="col" class="num">
              Width
            </th>
            <th scope="col" class="num">
              Mean reward
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.strategy} ${row.symbol} ${row.arm}`}>
              <th scope="row">
                {row.strategy} <b>{row.symbol}</b>
              </th>
              <td class="num">{fixed(row.arm, 2)}</td>
              <td class="num">{count(row.chosen)}</td>
              <td class="num">{fixed(row.estimate, 3)}</td>
              <td class="num">± {fixed(row.width, 3)}</td>
              <td class="num">{fixed(row.mean_reward, 3)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Rows({ rows }: { rows: DecisionRow[] }) {
  return (
    <details class="more">
      <summary>The last {count(rows.length)} decisions</summary>
      <div class="scroll-x">
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">Close</th>
              <th scope="col">Strategy, symbol</th>
              <th scope="col">Side</th>
              <th scope="col" class="num">
                Arm
              </th>
              <th scope="col" class="num">
                Propensity
              </th>
              <th scope="col" class="num">
                Reward
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={`${row.time} ${row.strategy} ${row.symbol}`}>
                <th scope="row">{instant(row.time)}</th>
                <td>
                  {row.strategy} <b>{row.symbol}</b>
                </td>
                <td>{row.side}</td>
                <td class="num">{fixed(row.arm, 2)}</td>
                <td class="num">{percent(row.propensity)}</td>
                <td class="num">{fixed(row.reward, 3)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
