import { count, money, percent, spaced, tone } from "../format";
import type { AccrualRow, CostRow } from "./view";
import { Card, Empty } from "../parts/card";
import { Columns, num } from "../parts/columns";

interface CostsProps {
  rows: CostRow[];
  accruals: AccrualRow[];
  currency: string;
}

export function Costs({ rows, accruals, currency }: CostsProps) {
  return (
    <Card id="costs" title="Costs and accruals" aside={<span class="muted">{currency}</span>}>
      {rows.length === 0 ? (
        <Empty>No order was filled, so nothing was paid.</Empty>
      ) : (
        <div class="scroll-x">
          <table class="plain">
            <Columns of={["Strategy, symbol", num("Fills"), num("Gross"), num("Costs"), num("Net"), num("Costs of gross")]} />
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
      <p class="under">Costs are commissions and fees; slippage is in the prices.</p>
      {accruals.length > 0 && <Accruals rows={accruals} />}
    </Card>
  );
}

/** What moved cash without a fill; it is the account's, and in no campaign. */
function Accruals({ rows }: { rows: AccrualRow[] }) {
  const total = rows.reduce((sum, row) => sum + (row.amount ?? 0), 0);
  return (
    <div class="scroll-x">
      <table class="plain accruals">
        <Columns of={["Accrued, in no campaign", num("Times"), num("Amount")]} />
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.kind} ${row.symbol}`}>
              <th scope="row">
                {spaced(row.kind)} <b>{row.symbol}</b>
              </th>
              <td class="num">{count(row.lines)}</td>
              <td class={`num ${tone(row.amount)}`}>{money(row.amount)}</td>
            </tr>
          ))}
          <tr>
            <th scope="row">together</th>
            <td />
            <td class={`num ${tone(total)}`}>{money(total)}</td>
          </tr>
        </tbody>
      </table>
    </div>
  );
}

/** Costs as a part of the gross profit; without a profit there is nothing to take a part of. */
function share(row: CostRow): string {
  return row.gross !== null && row.cost !== null && row.gross > 0 ? percent(row.cost / row.gross, 1) : "–";
}
