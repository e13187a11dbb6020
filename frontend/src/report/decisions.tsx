/** What learned exits decided: their arms over time, what bandits know, the last decisions. */
import { Lines } from "../charts/lines";
import { count, instant, fixed, percent } from "../format";
import { Card } from "../parts/card";
import { Columns, num } from "../parts/columns";
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
        <Columns of={["Bandit", num("Arm"), num("Chosen"), num("Estimate beyond the prior"), num("Width"), num("Mean reward")]} />
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
          <Columns of={["Close", "Strategy, symbol", "Side", num("Arm"), num("Propensity"), num("Reward")]} />
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
