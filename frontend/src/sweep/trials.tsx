/** The table of trials, and why some failed. */
import { useMemo, useState } from "preact/hooks";
import { count, inUnit, likely, plain, tone } from "../format";
import { Card, Empty, Pick } from "../parts/card";
import { Columns, num } from "../parts/columns";
import { compareNumbers, Grid, type Column, type Sorting } from "../parts/grid";
import { word } from "../view";
import { placeOf } from "./space";
import type { AxisView, SweepView } from "./view";

const TONED = new Set(["sharpe", "sortino", "net_profit", "total_return", "annual_return", "expectancy", "expectancy_r"]);
const FEW = 24;

interface TrialsProps {
  view: SweepView;
  /** Those within the ranges drawn on the axes. */
  rows: number[];
  selected: number | null;
  onSelect: (row: number) => void;
}

export function Trials({ view, rows, selected, onSelect }: TrialsProps) {
  const metric = view.metrics.find((m) => m.name === view.metric)!;
  const [sorting, setSorting] = useState<Sorting<string>>({ key: view.metric, down: !metric.lower_is_better });
  const [filter, setFilter] = useState<Record<string, string>>({});
  const columns = useMemo(() => columnsOf(view), [view]);
  const kept = useMemo(() => filtered(view, rows, filter), [view, rows, filter]);
  const order = useMemo(() => sorted(view, kept, sorting), [view, kept, sorting]);
  const set = (name: string) => (value: string) => setFilter({ ...filter, [name]: value });
  const few = view.axes.filter((axis) => axis.values.length <= FEW);
  return (
    <Card
      id="trials"
      title="Trials"
      aside={
        <span class="muted" role="status">
          {order.length === view.number.length ? count(order.length) : `${count(order.length)} of ${count(view.number.length)}`} trials
        </span>
      }
    >
      <div class="filters">
        {view.status.words.length > 1 && (
          <Pick label="Status" value={filter["status"] ?? ""} options={options(view.status.words)} onChange={set("status")} />
        )}
        {few.map((axis) => (
          <Pick key={axis.name} label={axis.label} value={filter[axis.name] ?? ""} options={options(axis.values.map(plain))} onChange={set(axis.name)} />
        ))}
        {Object.values(filter).some(Boolean) && (
          <button type="button" class="link" onClick={() => setFilter({})}>
            Clear filters
          </button>
        )}
      </div>
      <Grid
        caption="Trials. Enter marks a trial in the pictures."
        empty="No trial passes these filters."
        columns={columns}
        rows={order}
        sorting={sorting}
        selected={selected}
        onSort={(key) => setSorting({ key, down: sorting.key === key ? !sorting.down : TONED.has(key) })}
        onSelect={onSelect}
      />
    </Card>
  );
}

function options(words: string[]): [string, string][] {
  return [["", "all"], ...words.map((w): [string, string] => [w, w])];
}

function columnsOf(view: SweepView): Column<string>[] {
  const best = view.best;
  const columns: Column<string>[] = [
    {
      key: "number",
      title: "#",
      numeric: true,
      text: (i) => String(view.number[i]),
      mark: (i) => best?.row === i && <span class="tag good">best</span>,
    },
    ...view.axes.map((axis): Column<string> => ({
      key: axis.name,
      title: axis.label,
      help: axis.name,
      numeric: axis.is_number,
      text: (i) => plain(axis.values[axis.codes[i]!]),
    })),
    ...view.metrics.map((m): Column<string> => ({
      key: m.name,
      title: m.label,
      help: m.description,
      numeric: true,
      text: (i) => inUnit(m.values[i], m.unit),
      tone: (i) => (TONED.has(m.name) ? tone(m.values[i]) : ""),
      // The Sharpe ratio of the best of many is never shown without what is left of it.
      mark: (i) =>
        m.name === "sharpe" &&
        best?.row === i && (
          <span class="tag" title="Deflated Sharpe ratio: the probability that the true one is above zero">
            {likely(best.deflated)}
          </span>
        ),
    })),
    { key: "status", title: "Status", numeric: false, text: (i) => word(view.status, i) },
    { key: "error", title: "Error", numeric: false, text: (i) => word(view.error, i) },
  ];
  return columns.filter((column) => column.key !== "error" || view.error.words.length > 0);
}

function filtered(view: SweepView, rows: number[], filter: Record<string, string>): number[] {
  const tests = Object.entries(filter)
    .filter(([, value]) => value)
    .map(([name, value]) => {
      const axis = view.axes.find((a) => a.name === name);
      return axis
        ? (row: number) => plain(axis.values[axis.codes[row]!]) === value
        : (row: number) => word(view.status, row) === value;
    });
  return tests.length === 0 ? rows : rows.filter((row) => tests.every((passes) => passes(row)));
}

function sorted(view: SweepView, rows: number[], { key, down }: Sorting<string>): number[] {
  const sign = down ? -1 : 1;
  const metric = view.metrics.find((m) => m.name === key);
  if (metric) return rows.toSorted((a, b) => compareNumbers(metric.values, a, b, sign) || a - b);
  const axis = view.axes.find((a) => a.name === key);
  if (axis) return rows.toSorted((a, b) => sign * compareValues(axis, a, b) || a - b);
  if (key === "number") return rows.toSorted((a, b) => sign * (view.number[a]! - view.number[b]!));
  const column = key === "status" ? view.status : view.error;
  return rows.toSorted((a, b) => sign * word(column, a).localeCompare(word(column, b)) || a - b);
}

function compareValues(axis: AxisView, a: number, b: number): number {
  const [x, y] = [axis.values[axis.codes[a]!]!, axis.values[axis.codes[b]!]!];
  return axis.is_number ? Number(x) - Number(y) : String(x).localeCompare(String(y));
}

/** Each error once, with how many trials it stopped and the first of them. */
export function Failed({ view }: { view: SweepView }) {
  const groups = useMemo(() => {
    const found = new Map<string, number[]>();
    view.number.forEach((_, row) => {
      const error = word(view.error, row);
      if (error) found.set(error, [...(found.get(error) ?? []), row]);
    });
    return [...found].toSorted((a, b) => b[1].length - a[1].length);
  }, [view]);
  if (view.failed === 0) return null;
  return (
    <Card id="failed" title="Failed trials" aside={<span class="muted">{count(view.failed)}</span>}>
      {groups.length === 0 ? (
        <Empty>None of the trials on this page failed.</Empty>
      ) : (
        <div class="scroll-x">
          <table class="plain">
            <Columns of={["Error", "First", num("Trials")]} />
            <tbody>
              {groups.map(([error, rows]) => (
                <tr key={error}>
                  <th scope="row">{error}</th>
                  <td>
                    #{view.number[rows[0]!]} {placeOf(view, rows[0]!)}
                  </td>
                  <td class="num">{count(rows.length)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}
