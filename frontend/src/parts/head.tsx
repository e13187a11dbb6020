/** What stands above the cards: facts and notes. */
import type { ComponentChildren } from "preact";

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
    <aside class="notes" aria-label="Warnings and notes">
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
