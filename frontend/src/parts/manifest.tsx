import { useState } from "preact/hooks";
import { Card, Empty } from "./card";

/** All that is needed to do it again. */
export function Manifest({ manifest }: { manifest: Record<string, unknown> }) {
  const [said, setSaid] = useState("");
  const text = JSON.stringify(manifest, null, 2);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid("Copied");
    } catch {
      setSaid("The browser did not allow it: select the text and copy it");
    }
  };
  return (
    <Card id="manifest" title="Manifest">
      {Object.keys(manifest).length === 0 ? (
        <Empty>This page was written without a manifest, so it does not tell how to do it again.</Empty>
      ) : (
        <details class="more">
          <summary>Configuration, versions, seed and data hashes: all that is needed to do it again</summary>
          <div class="copy">
            <button type="button" class="button" onClick={copy}>
              Copy
            </button>
            <span role="status">{said}</span>
          </div>
          <pre tabIndex={0}>{text}</pre>
        </details>
      )}
    </Card>
  );
}
