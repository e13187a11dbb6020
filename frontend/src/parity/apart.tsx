/** Commands and rows that differ. */
import { count, instant } from "../format";
import { Card } from "../parts/card";
import { Columns } from "../parts/columns";
import type { ParityView } from "./view";

export function Decisions({ view }: { view: ParityView }) {
  return (
    <Card id="decisions" title="Decisions that differ" aside={<Count shown={view.decisions.length} of={view.decision_count} />}>
      <div class="scroll-x tall">
        <table class="plain">
          <Columns of={["Time", "Step", "The session wanted", "The twin wants"]} />
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
          <Columns of={["Time", "Symbol", "What", "In the session", "Now"]} />
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
