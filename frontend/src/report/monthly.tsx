import { fixed, percent } from "../format";
import type { Num } from "../view";
import type { MonthlyRow } from "./view";
import { Card, Empty } from "../parts/card";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export function Monthly({ rows }: { rows: MonthlyRow[] }) {
  const sizes = rows.flatMap((row) => row.months).filter((m) => m !== null).map(Math.abs);
  const most = Math.max(...sizes, 0.001);
  return (
    <Card title="Monthly returns" aside={<span class="muted">percent</span>}>
      {rows.length === 0 ? (
        <Empty>There is no month with a return to show.</Empty>
      ) : (
        <div class="scroll-x">
          <table class="monthly">
            <thead>
              <tr>
                <th scope="col">Year</th>
                {MONTHS.map((month) => (
                  <th key={month} scope="col">
                    {month}
                  </th>
                ))}
                <th scope="col" class="total">
                  Year
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.year}>
                  <th scope="row">{row.year}</th>
                  {row.months.map((value, i) => (
                    <td key={i} style={heat(value, most)} title={`${MONTHS[i]} ${row.year}: ${percent(value)}`}>
                      {value === null ? "" : fixed(value * 100, 1)}
                    </td>
                  ))}
                  <td class="total">{row.total === null ? "" : fixed(row.total * 100, 1)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}

/** Color by sign and size; the text keeps its contrast because the wash stays under half. */
function heat(value: Num, most: number) {
  if (value === null || value === 0) return {};
  const share = 6 + 40 * Math.sqrt(Math.min(1, Math.abs(value) / most));
  return { background: `color-mix(in oklab, var(--${value > 0 ? "up" : "down"}) ${share.toFixed(0)}%, var(--card))` };
}
