/** What the JSON inside every page is made of, and how it is read. */

import type { Coded } from "./coded";

export type { Coded, Num } from "./coded";

/** Row `i` of a coded column, "" where there is no word. */
export function word(column: Coded, i: number): string {
  return column.words[column.codes[i] ?? -1] ?? "";
}

/** Read the view inside the page. Throws an error whose message can be shown. */
export function readView<View extends { schema: number }>(element: HTMLElement | null, schema: number): View {
  const text = (element?.textContent ?? "").trim();
  if (!text || text.startsWith("__")) {
    throw new Error("This page has nothing inside. Pages are written by intrabar, each with its own run or sweep.");
  }
  let view: View;
  try {
    view = JSON.parse(text) as View;
  } catch (e) {
    throw new Error(`What is inside this page cannot be read; the file may be cut off. (${String(e)})`);
  }
  if (view.schema !== schema) {
    throw new Error(`What is inside this page has schema ${view.schema}; this page reads ${schema}.`);
  }
  return view;
}
