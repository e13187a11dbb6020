// Build each page alone, so that all it needs is inside it.
import { readdirSync } from "node:fs";
import { build } from "vite";

const pages = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".html"));
for (const [i, page] of pages.entries()) {
  await build({ build: { emptyOutDir: i === 0, rolldownOptions: { input: page } } });
}
