import type { Mark as Name } from "../validation/view";

/** How a check ended, by sign and word: a color alone would not tell everyone. */
export type MarkName = Name;

const MARKS: Record<MarkName, [string, string]> = {
  pass: ["✓", "pass"],
  doubt: ["?", "doubt"],
  fail: ["✕", "fail"],
  unknown: ["–", "unknown"],
};

export function Mark({ mark, text }: { mark: MarkName; text?: string }) {
  const [sign, word] = MARKS[mark];
  return (
    <span class={`mark mark-${mark}`}>
      <span aria-hidden="true">{sign}</span> {text ?? word}
    </span>
  );
}
