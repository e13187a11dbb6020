/**
 * Colors from worst to best, told apart by the color-blind and in gray as well.
 *
 * Points of viridis (Nathaniel Smith and Stéfan van der Walt, 2015, CC0). The end that stands out
 * from the page is the best: the dark one by day, the bright one by night.
 */
import type { Theme } from "../theme";

const POINTS = [
  [68, 1, 84],
  [71, 45, 123],
  [59, 82, 139],
  [44, 114, 142],
  [33, 145, 140],
  [40, 174, 128],
  [94, 201, 98],
  [173, 220, 48],
  [253, 231, 37],
] as const;

/** The color of a share, 0 the worst and 1 the best. */
export function ramp(share: number, theme: Theme): string {
  const bounded = Math.max(0, Math.min(1, share));
  const at = (theme === "light" ? 1 - bounded : bounded) * (POINTS.length - 1);
  const i = Math.min(POINTS.length - 2, Math.floor(at));
  const [from, to] = [POINTS[i]!, POINTS[i + 1]!];
  return `rgb(${from.map((v, k) => Math.round(v + (to[k]! - v) * (at - i))).join(" ")})`;
}

/** The ramp for a style sheet, worst first. */
export function rampGradient(theme: Theme): string {
  return `linear-gradient(90deg, ${Array.from({ length: 9 }, (_, i) => ramp(i / 8, theme)).join(", ")})`;
}
