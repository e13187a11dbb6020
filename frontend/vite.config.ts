import { createHash } from "node:crypto";
import { defineConfig, type Plugin } from "vite";

/**
 * Put the script and the styles inside the page: one file that opens offline.
 *
 * Its policy lets no other script run and nothing be loaded, so a page can neither be made to
 * act by a name in its data nor tell anyone that it was opened.
 */
function inlineAssets(): Plugin {
  return {
    name: "inline-assets",
    enforce: "post",
    generateBundle(_options, bundle) {
      for (const page of Object.values(bundle)) {
        if (page.type !== "asset" || !page.fileName.endsWith(".html")) continue;
        const hashes: string[] = [];
        page.source = String(page.source)
          .replace(/<script type="module"[^>]* src="\.\/([^"]+)"><\/script>/g, (_tag, name) => {
            const chunk = bundle[name];
            if (chunk?.type !== "chunk") throw new Error(`no script ${name} to put inside the page`);
            delete bundle[name];
            const code = chunk.code.replaceAll("</script", "<\\/script");
            hashes.push(`'sha256-${createHash("sha256").update(code).digest("base64")}'`);
            return `<script type="module">${code}</script>`;
          })
          .replace(/<link rel="stylesheet"[^>]* href="\.\/([^"]+)">/g, (_tag, name) => {
            const sheet = bundle[name];
            if (sheet?.type !== "asset") throw new Error(`no styles ${name} to put inside the page`);
            delete bundle[name];
            return `<style>${sheet.source}</style>`;
          })
          .replace("<title>", () => `${policy(hashes)}<title>`);
      }
    },
  };
}

function policy(scripts: string[]): string {
  const rules = `default-src 'none'; script-src ${scripts.join(" ")}; style-src 'unsafe-inline'; img-src data:`;
  return `<meta http-equiv="Content-Security-Policy" content="${rules}">`;
}

export default defineConfig({
  base: "./",
  plugins: [inlineAssets()],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../src/intrabar/web/static",
    modulePreload: false,
  },
});
