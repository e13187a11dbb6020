/** Commands and rows that differ. */
import { count, instant } from "../format";
import { Card } from "../parts/card";
import type { ParityView } from "./view";

export function Decisions({ view }: { view: ParityView }) {
  return (
    <Card id="decisions" title="Decisions that differ" aside={<Count shown={view.decisions.length} of={view.decision_count} />}>
      <div class="scroll-x tall">
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">Step</th>
              <th scope="col">The session wanted</th>
              <th scope="col">The twin wants</th>
            </tr>
          </thead>
          <tbody>
            {view.decisions.map((one, i) => (
              <tr key={i}>
                <td>{instant(one.time)}</td>
                <td>{one.step}</td>
                <td>{one.session}</td>
                <td>{one.twin}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

export function Rows({ view }: { view: ParityView }) {
  return (
    <Card id="data" title="Rows that are otherwise now" aside={<Count shown={view.data.length} of={view.data_count} />}>
      <div class="scroll-x tall">
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">Symbol</th>
              <th scope="col">What</th>
              <th scope="col">In the session</th>
              <th scope="col">Now</th>
            </tr>
          </thead>
          <tbody>
            {view.data.map((one, i) => (
              <tr key={i}>
                <td>{instant(one.time)}</td>
                <td>{one.symbol}</td>
                <td>{one.what}</td>
                <td>{one.session}</td>
                <td>{one.stored}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function Count({ shown, of }: { shown: number; of: number }) {
  return <span class="muted">{shown === of ? count(of) : `${count(shown)} of ${count(of)}; the JSON has all`}</span>;
}
