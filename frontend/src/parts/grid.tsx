/** A table of many rows that sorts. */
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { MISSING } from "../format";
import type { Num } from "../view";
import { Empty } from "./card";

const ROW = 30;
const AROUND = 8;

export interface Sorting<Key extends string> {
  key: Key;
  down: boolean;
}

export interface Column<Key extends string> {
  key: Key;
  title: string;
  help?: string;
  numeric: boolean;
  text: (i: number) => string;
  tone?: (i: number) => string;
  /** What stands behind the text. */
  mark?: (i: number) => ComponentChildren;
}

/** Order of two rows by a column of numbers, `sign` −1 for falling; unknown values come last. */
export function compareNumbers(column: Num[], a: number, b: number, sign: number): number {
  const x = column[a] ?? null;
  const y = column[b] ?? null;
  if (x === null || y === null) return Number(x === null) - Number(y === null);
  return sign * (x - y);
}

interface GridProps<Key extends string> {
  caption: string;
  empty: string;
  columns: Column<Key>[];
  rows: number[];
  sorting: Sorting<Key>;
  selected: number | null;
  onSort: (key: Key) => void;
  onSelect: (i: number) => void;
}

/** A table that sorts: all rows are there for the scroll bar, those on screen are in the page. */
export function Grid<Key extends string>(props: GridProps<Key>) {
  const { caption, empty, columns, rows, sorting, selected, onSort, onSelect } = props;
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(480);
  const active = useActiveRow(box, rows, selected);
  useLayoutEffect(() => setHeight(box.current?.clientHeight ?? 480), []);
  useEffect(() => {
    if (box.current) box.current.scrollTop = 0;
  }, [sorting]);

  const first = Math.max(0, Math.floor(top / ROW) - AROUND);
  const last = Math.min(rows.length, Math.ceil((top + height) / ROW) + AROUND);

  const onKeyDown = (e: KeyboardEvent) => {
    if (e.key === "Enter" || e.key === " ") {
      const row = rows[active.at];
      if (row !== undefined) onSelect(row);
    } else if (e.key in MOVES) {
      active.go(Math.max(0, Math.min(rows.length - 1, active.at + MOVES[e.key]!)));
    } else return;
    e.preventDefault();
  };
  return (
    <div
      ref={box}
      class="rows"
      onScroll={(e) => setTop(e.currentTarget.scrollTop)}
      tabIndex={-1}
      style={{ height: `${Math.min(rows.length, 15) * ROW + 50}px` }}
    >
      <table role="grid" aria-rowcount={rows.length + 1} class="grid">
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <Head key={column.key} column={column} sorting={sorting} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody onKeyDown={onKeyDown}>
          <tr class="spacer" aria-hidden="true" style={{ height: `${first * ROW}px` }} />
          {rows.slice(first, last).map((i, n) => (
            <tr
              key={i}
              aria-rowindex={first + n + 2}
              aria-selected={i === selected}
              data-at={first + n}
              tabIndex={first + n === active.at ? 0 : -1}
              onClick={() => {
                active.at = first + n;
                onSelect(i);
              }}
            >
              {columns.map((column) => (
                <td key={column.key} class={`${column.numeric ? "num" : ""} ${column.tone?.(i) ?? ""}`}>
                  {column.text(i) || MISSING}
                  {column.mark?.(i)}
                </td>
              ))}
            </tr>
          ))}
          <tr class="spacer" aria-hidden="true" style={{ height: `${(rows.length - last) * ROW}px` }} />
        </tbody>
      </table>
      {rows.length === 0 && <Empty>{empty}</Empty>}
    </div>
  );
}

const MOVES: Record<string, number> = {
  ArrowDown: 1,
  ArrowUp: -1,
  PageDown: 12,
  PageUp: -12,
  Home: -1e9,
  End: 1e9,
};

/** The row that the keyboard is on; going to a row scrolls it in and focuses it. */
function useActiveRow(box: { current: HTMLDivElement | null }, rows: number[], selected: number | null) {
  const at = useRef(0);
  const [, draw] = useState(0);
  useEffect(() => {
    at.current = Math.max(0, selected === null ? 0 : rows.indexOf(selected));
    draw((n) => n + 1);
  }, [rows, selected]);
  return {
    get at() {
      return at.current;
    },
    set at(row: number) {
      at.current = row;
    },
    go(row: number) {
      at.current = row;
      const element = box.current;
      if (!element) return;
      const room = element.clientHeight - 2 * ROW;
      if (row * ROW < element.scrollTop) element.scrollTop = row * ROW;
      else if (row * ROW > element.scrollTop + room) element.scrollTop = row * ROW - room;
      draw((n) => n + 1);
      requestAnimationFrame(() =>
        requestAnimationFrame(() => element.querySelector<HTMLElement>(`[data-at="${row}"]`)?.focus({ preventScroll: true })),
      );
    },
  };
}

interface HeadProps<Key extends string> {
  column: Column<Key>;
  sorting: Sorting<Key>;
  onSort: (key: Key) => void;
}

function Head<Key extends string>({ column, sorting, onSort }: HeadProps<Key>) {
  const on = sorting.key === column.key;
  return (
    <th scope="col" class={column.numeric ? "num" : ""} aria-sort={on ? (sorting.down ? "descending" : "ascending") : "none"}>
      <button type="button" onClick={() => onSort(column.key)} title={column.help ?? `Sort by ${column.title}`}>
        {column.title}
        <span class="arrow" aria-hidden="true">
          {on ? (sorting.down ? "▾" : "▴") : ""}
        </span>
      </button>
    </th>
  );
}
