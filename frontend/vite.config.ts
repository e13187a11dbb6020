import { defineConfig, type Plugin } from "vite";

/** Put the script and the styles inside the page: one file that opens offline. */
function inlineAssets(): Plugin {
  return {
    name: "inline-assets",
    enforce: "post",
    generateBundle(_options, bundle) {
      for (const page of Object.values(bundle)) {
        if (page.type !== "asset" || !page.fileName.endsWith(".html")) continue;
        page.source = String(page.source)
          .replace(/<script type="module"[^>]* src="\.\/([^"]+)"><\/script>/g, (_tag, name) => {
            const chunk = bundle[name];
            if (chunk?.type !== "chunk") throw new Error(`no script ${name} to put inside the page`);
            delete bundle[name];
            return `<script type="module">${chunk.code.replaceAll("</script", "<\\/script")}</script>`;
          })
          .replace(/<link rel="stylesheet"[^>]* href="\.\/([^"]+)">/g, (_tag, name) => {
            const sheet = bundle[name];
            if (sheet?.type !== "asset") throw new Error(`no styles ${name} to put inside the page`);
            delete bundle[name];
            return `<style>${sheet.source}</style>`;
          });
      }
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [inlineAssets()],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../src/intrabar/web/static",
    emptyOutDir: true,
    modulePreload: false,
    rolldownOptions: { input: "report.html" },
  },
});
