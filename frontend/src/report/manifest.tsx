import { useState } from "preact/hooks";
import type { ReportView } from "../view";
import { Card, Empty } from "./card";

/** All that is needed to repeat the run. */
export function Manifest({ view }: { view: ReportView }) {
  const [said, setSaid] = useState("");
  const text = JSON.stringify(view.manifest, null, 2);
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
      {Object.keys(view.manifest).length === 0 ? (
        <Empty>This report was written without a manifest, so the run cannot be repeated from it.</Empty>
      ) : (
        <details class="more">
          <summary>Configuration, versions, seed and data hashes: all that is needed to repeat the run</summary>
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
