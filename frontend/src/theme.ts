/** Light or dark: the system's choice until the reader makes another. Canvases redraw on change. */
import { useEffect, useState } from "preact/hooks";

export type Theme = "light" | "dark";

const KEY = "intrabar-theme";
const dark = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<(theme: Theme) => void>();
let chosen = stored();

function stored(): Theme | null {
  try {
    const text = localStorage.getItem(KEY);
    return text === "light" || text === "dark" ? text : null;
  } catch {
    return null; // a browser may refuse storage to a local file
  }
}

function apply(theme: Theme): void {
  document.documentElement.dataset["theme"] = theme;
  for (const listener of listeners) listener(theme);
}

/** Paper is light. Canvases cannot redraw in time: the styles turn dark ones over (print.css). */
function paper(on: boolean): void {
  const root = document.documentElement.dataset;
  root["theme"] = on ? "light" : theme();
  root["canvas"] = theme();
}

export function theme(): Theme {
  return chosen ?? (dark.matches ? "dark" : "light");
}

export function startTheme(): void {
  apply(theme());
  dark.addEventListener("change", () => apply(theme()));
  addEventListener("beforeprint", () => paper(true));
  addEventListener("afterprint", () => paper(false));
}

export function toggleTheme(): void {
  chosen = theme() === "dark" ? "light" : "dark";
  try {
    localStorage.setItem(KEY, chosen);
  } catch {
    // the choice then lasts as long as the page
  }
  apply(chosen);
}

/** The theme on screen; the component draws again when it changes. */
export function useTheme(): Theme {
  const [current, setCurrent] = useState(theme);
  useEffect(() => {
    listeners.add(setCurrent);
    return () => void listeners.delete(setCurrent);
  }, []);
  return current;
}

/** Color of a custom property of the styles, "up" for `--up`. */
export function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
