/** The selected campaign in words, with steps to its neighbors in the table. */
import { count, direction, fixed, instant, money, price, signed, spaced, tone } from "../format";
import { word } from "../view";
import type { ReportView } from "./view";
import { fillsOf } from "./evidence";

interface SelectedProps {
  view: ReportView;
  selected: number | null;
  onStep: (by: number) => void;
  onClear: () => void;
}

export function Selected({ view, selected, onStep, onClear }: SelectedProps) {
  const campaigns = view.campaigns;
  if (campaigns.campaign.length === 0) return null;
  return (
    <div class="selected" aria-live="polite">
      <div class="choice" role="group" aria-label="Step through the campaigns of the table">
        <button type="button" onClick={() => onStep(-1)} aria-label="Previous campaign">
          ‹
        </button>
        <button type="button" onClick={() => onStep(1)} aria-label="Next campaign">
          ›
        </button>
      </div>
      {selected === null ? (
        <p class="muted">Choose a campaign in the table below to see its entry, stop, target and exit here.</p>
      ) : (
        <>
          <CampaignText view={view} i={selected} />
          <button type="button" class="link" onClick={onClear}>
            Clear
          </button>
        </>
      )}
    </div>
  );
}

function CampaignText({ view, i }: { view: ReportView; i: number }) {
  const c = view.campaigns;
  const digits = view.bars.find((b) => b.symbol === word(c.symbol, i))?.digits ?? 2;
  const side = direction(word(c.side, i));
  const reason = word(c.reason, i);
  return (
    <p>
      <b>
        #{c.campaign[i]} {word(c.symbol, i)} {side} {count(c.qty[i])}
      </b>{" "}
      {word(c.strategy, i)} · in {price(c.entry[i], digits)} at {instant(c.start[i])} ·{" "}
      {c.end[i] == null ? "still open" : `out ${price(c.exit[i], digits)} at ${instant(c.end[i])} by ${spaced(reason)}`} ·{" "}
      {fillsOf(view, i).filter((row) => view.fills.qty[row] !== 0).length} fills, {count(c.bars[i])} bars ·{" "}
      <b class={tone(c.net[i])}>
        {signed(money(c.net[i]), c.net[i])} {view.currency}
      </b>
      {c.r[i] != null && <b class={tone(c.r[i])}> ({signed(fixed(c.r[i], 2), c.r[i])} R)</b>}
      {c.ambiguous[i] === 1 && (
        <em> Its stop and its target were inside one bar: its result rests on the path policy.</em>
      )}
    </p>
  );
}
