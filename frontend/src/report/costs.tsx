import { count, money, percent, tone } from "../format";
import type { CostRow } from "../view";
import { Card, Empty } from "./card";

export function Costs({ rows, currency }: { rows: CostRow[]; currency: string }) {
  return (
    <Card id="costs" title="Costs" aside={<span class="muted">{currency}</span>}>
      {rows.length === 0 ? (
        <Empty>No order was filled, so nothing was paid.</Empty>
      ) : (
        <div class="scroll-x">
          <table class="plain">
            <thead>
              <tr>
                <th scope="col">Strategy, symbol</th>
                <th scope="col" class="num">Fills</th>
                <th scope="col" class="num">Gross</th>
                <th scope="col" class="num">Costs</th>
                <th scope="col" class="num">Net</th>
                <th scope="col" class="num">Costs of gross</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={`${row.strategy} ${row.symbol}`}>
                  <th scope="row">
                    {row.strategy} <b>{row.symbol}</b>
                  </th>
                  <td class="num">{count(row.fills)}</td>
                  <td class={`num ${tone(row.gross)}`}>{money(row.gross)}</td>
                  <td class="num">{money(row.cost)}</td>
                  <td class={`num ${tone(row.net)}`}>{money(row.net)}</td>
                  <td class="num">{share(row)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}

/** Costs as a part of the gross profit; without a profit there is nothing to take a part of. */
function share(row: CostRow): string {
  return row.gross !== null && row.cost !== null && row.gross > 0 ? percent(row.cost / row.gross, 1) : "–";
}
