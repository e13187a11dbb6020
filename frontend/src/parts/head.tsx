/** What stands above the cards: facts and notes. */
import type { ComponentChildren } from "preact";

/** Why the figures may be wrong: all of it, never folded. */
export function Warnings({ warnings }: { warnings: string[] }) {
  if (warnings.length === 0) return null;
  return (
    <aside class="notes warnings" aria-label="Warnings">
      <ul>
        {warnings.map((warning) => (
          <li key={warning}>{warning}</li>
        ))}
      </ul>
    </aside>
  );
}

export function Notes({ notes }: { notes: string[] }) {
  if (notes.length === 0) return null;
  const list = (
    <ul>
      {notes.map((note) => (
        <li key={note}>{note}</li>
      ))}
    </ul>
  );
  return (
    <aside class="notes" aria-label="Notes">
      {notes.length <= 3 ? (
        list
      ) : (
        <details>
          <summary>
            {notes[0]} <span class="muted">and {notes.length - 1} more notes</span>
          </summary>
          {list}
        </details>
      )}
    </aside>
  );
}

export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function listed(names: string[]): string {
  return names.length <= 6 ? names.join(", ") : `${names.slice(0, 5).join(", ")} and ${names.length - 5} more`;
}
