/** Written by `python -m intrabar.ui.typescript` of `intrabar/ui/coded.py`; edit that. */

export type Num = number | null;

/** A text column: `words[codes[i]]` is row i, and a code of -1 is no word. */
export interface Coded {
  words: string[];
  codes: number[];
}
