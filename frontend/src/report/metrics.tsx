import { inUnit } from "../format";
import type { MetricTable } from "./view";
import { Card, Empty } from "../parts/card";

export function Metrics({ tables }: { tables: MetricTable[] }) {
  const single = tables.filter((table) => table.columns.length === 1 && table.columns[0] === "");
  const compared = tables.filter((table) => !single.includes(table));
  return (
    <Card id="metrics" title="Metrics">
      {tables.length === 0 && <Empty>Nothing was traded, so there is nothing to measure.</Empty>}
      <div class="metric-columns">
        {single.map((table) => (
          <OneColumn key={table.title} table={table} />
        ))}
      </div>
      <div class="metric-tables">
        {compared.map((table) => (
          <Compared key={table.title} table={table} />
        ))}
      </div>
    </Card>
  );
}

function OneColumn({ table }: { table: MetricTable }) {
  return (
    <div class="metric-group">
      <h3>{table.title}</h3>
      <dl>
        {table.rows.map((row) => (
          <div key={row.name}>
            <dt>
              {row.label}
              <small>{row.reasons[0] ? `unknown: ${row.reasons[0]}` : row.description}</small>
            </dt>
            <dd>{inUnit(row.values[0], row.unit)}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function Compared({ table }: { table: MetricTable }) {
  return (
    <div class="metric-group">
      <h3>{table.title}</h3>
      <div class="scroll-x" tabIndex={0} role="region" aria-label={`Metrics, ${table.title}`}>
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">Metric</th>
              {table.columns.map((name) => (
                <th key={name} scope="col" class="num">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.rows.map((row) => (
              <tr key={row.name}>
                <th scope="row" title={row.description}>
                  {row.label}
                </th>
                {row.values.map((value, i) => (
                  <td key={i} class="num" title={row.reasons[i]}>
                    {inUnit(value, row.unit)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
