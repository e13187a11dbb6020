/** What the bot did not do, and why; and what became of its orders. */
import { count, sentence, spaced } from "../format";
import type { GateRow, OrderRow } from "./view";
import { Card, Empty } from "../parts/card";
import { Columns, num } from "../parts/columns";

export function Gates({ gates, orders }: { gates: GateRow[]; orders: OrderRow[] }) {
  return (
    <Card id="gates" title="What the bot did not do, and why">
      {gates.length === 0 ? (
        <Empty>No gate held an entry back.</Empty>
      ) : (
        <div class="scroll-x">
          <table class="plain">
            <Columns of={["Held back by", "Strategy, symbol", num("Times")]} />
            <tbody>
              {gates.map((row) => (
                <tr key={`${row.strategy} ${row.symbol} ${row.gate}`}>
                  <th scope="row">
                    {sentence(row.gate)}
                    {row.text && <small>{row.text}</small>}
                  </th>
                  <td>
                    {row.strategy} <b>{row.symbol}</b>
                  </td>
                  <td class="num">{count(row.count)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {orders.length > 0 && <Orders orders={orders} />}
    </Card>
  );
}

function Orders({ orders }: { orders: OrderRow[] }) {
  return (
    <details class="more">
      <summary>What became of {count(orders.reduce((sum, row) => sum + row.count, 0))} orders</summary>
      <div class="scroll-x">
        <table class="plain">
          <Columns of={["Order", "Became", num("Orders")]} />
          <tbody>
            {orders.map((row) => (
              <tr key={`${row.role} ${row.type} ${row.status} ${row.reject}`}>
                <th scope="row">
                  {spaced(row.role)}, {spaced(row.type)}
                </th>
                <td>
                  {spaced(row.status)}
                  {row.reject !== "none" && `: ${spaced(row.reject)}`}
                </td>
                <td class="num">{count(row.count)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
