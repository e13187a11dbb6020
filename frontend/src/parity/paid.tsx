/** Slippage that was modelled and paid, and how late decisions came. */
import { count, fixed, money } from "../format";
import { Card, Empty } from "../parts/card";
import { Columns, num } from "../parts/columns";
import { Fact } from "../parts/head";
import type { ParityView } from "./view";

export function Paid({ view }: { view: ParityView }) {
  const { latency, slippage } = view;
  return (
    <Card id="paid" title="Slippage and latency">
      {slippage.length === 0 ? (
        <Empty>No market or stop order was filled, so there is no slippage to compare.</Empty>
      ) : (
        <div class="scroll-x">
          <table class="plain">
            <Columns of={["Symbol", num("Fills"), num("Modelled, ticks"), num("Paid, ticks"), num("Modelled"), num("Paid"), "slippage_ticks"]} />
            <tbody>
              {slippage.map((one) => (
                <tr key={one.symbol}>
                  <th scope="row">{one.symbol}</th>
                  <td class="num">{count(one.fills)}</td>
                  <td class="num">{fixed(one.modelled, 2)}</td>
                  <td class="num">{fixed(one.paid, 2)}</td>
                  <td class="num">{money(one.modelled_money)}</td>
                  <td class="num">{money(one.paid_money)}</td>
                  <td>{one.proposal === null ? `${count(one.now)} fits` : `${count(one.now)} now; ${count(one.proposal)} would have been paid`}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {latency === null ? (
        <Empty>No row was run.</Empty>
      ) : (
        <dl class="facts runs">
          <Fact name="Bar closed to decision, median">{fixed(latency.median, 3)} s</Fact>
          <Fact name="9 of 10 within">{fixed(latency.p90, 3)} s</Fact>
          <Fact name="Longest">{fixed(latency.longest, 3)} s</Fact>
          <Fact name="Late rows">
            {count(latency.late)} of {count(latency.rows)}
          </Fact>
        </dl>
      )}
    </Card>
  );
}
