import type { ComponentChildren } from "preact";

interface CardProps {
  id?: string;
  title: string;
  aside?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}

/** A titled part of the page. */
export function Card({ id, title, aside, class: extra = "", children }: CardProps) {
  const heading = `${id ?? title.toLowerCase().replace(/\W+/g, "-")}-title`;
  return (
    <section id={id} class={`card ${extra}`} aria-labelledby={heading}>
      <header class="card-head">
        <h2 id={heading}>{title}</h2>
        {aside && <div class="card-aside">{aside}</div>}
      </header>
      {children}
    </section>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
}

/** A few exclusive buttons. */
export function Choice<T extends string>({ label, value, options, onChange }: ChoiceProps<T>) {
  return (
    <div class="choice" role="group" aria-label={label}>
      {options.map(([name, text]) => (
        <button key={name} type="button" aria-pressed={name === value} onClick={() => onChange(name)}>
          {text}
        </button>
      ))}
    </div>
  );
}

/** A select with its label inside. */
export function Pick<T extends string>({ label, value, options, onChange }: ChoiceProps<T>) {
  return (
    <label class="pick">
      <span>{label}</span>
      <select value={value} onChange={(e) => onChange(e.currentTarget.value as T)}>
        {options.map(([name, text]) => (
          <option key={name} value={name}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
