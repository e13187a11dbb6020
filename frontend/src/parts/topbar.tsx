import { toggleTheme, useTheme } from "../theme";

/** The bar that stays on top: name, parts of the page, light or dark. */
export function TopBar({ name, parts }: { name: string; parts: readonly (readonly [string, string])[] }) {
  const theme = useTheme();
  return (
    <div class="topbar">
      <a class="skip" href={`#${parts[0]?.[0]}`}>
        Skip to the results
      </a>
      <strong title={name}>{name}</strong>
      <nav aria-label="Parts of the page">
        {parts.map(([id, text]) => (
          <a key={id} href={`#${id}`}>
            {text}
          </a>
        ))}
      </nav>
      <button
        type="button"
        class="icon"
        onClick={toggleTheme}
        aria-label={`Switch to ${theme === "dark" ? "light" : "dark"} colors`}
        title={`Switch to ${theme === "dark" ? "light" : "dark"} colors`}
      >
        {theme === "dark" ? "☀" : "☾"}
      </button>
    </div>
  );
}
