/** A bar for each of a few names, to the right of zero or to the left of it. */
import { inUnit, tone } from "../format";
import type { Num } from "../view";

interface BarsProps {
  labels: string[];
  values: Num[];
  unit: string;
}

export function Bars({ labels, values, unit }: BarsProps) {
  const known = values.filter((v) => v !== null);
  const low = Math.min(0, ...known);
  const high = Math.max(0, ...known);
  const span = high - low || 1;
  return (
    <table class="bars">
      <tbody>
        {labels.map((label, i) => {
          const value = values[i] ?? null;
          const [from, to] = value === null ? [0, 0] : [Math.min(0, value), Math.max(0, value)];
          return (
            <tr key={label}>
              <th scope="row">{label}</th>
              <td class="bar-room">
                <i
                  class={`bar ${tone(value)}`}
                  style={{ left: `${((from - low) / span) * 100}%`, width: `${((to - from) / span) * 100}%` }}
                />
              </td>
              <td class="num">{inUnit(value, unit)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
