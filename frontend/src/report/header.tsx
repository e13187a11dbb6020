import { count, day, inUnit, period, spaced, tone } from "../format";
import { Fact, listed, Notes, Warnings } from "../parts/head";
import type { Figure, ReportView } from "./view";

const SIGNED = new Set(["total_return", "annual_return", "expectancy_r", "sharpe"]);

export function Header({ view }: { view: ReportView }) {
  const bars = [...new Set(view.bars.map((b) => period(b.period_s)))];
  return (
    <header class="head">
      <div class="head-line">
        <h1>{view.name}</h1>
        <span class={`status ${view.status}`}>{view.status}</span>
      </div>
      <dl class="facts">
        <Fact name="Period">
          {view.start === null ? "no bar" : `${day(view.start)} to ${day(view.end)}`}
        </Fact>
        <Fact name={view.strategies.length > 1 ? "Strategies" : "Strategy"}>{listed(view.strategies)}</Fact>
        <Fact name={view.symbols.length > 1 ? "Symbols" : "Symbol"}>{listed(view.symbols)}</Fact>
        {bars.length > 0 && <Fact name="Bars">{bars.join(", ")}</Fact>}
        <Fact name="Start capital">
          {count(view.initial_cash)} {view.currency}
        </Fact>
        <Fact name="Path policy">{spaced(view.policy)}</Fact>
      </dl>
      {view.status === "ruined" && (
        <p class="ruin" role="alert">
          <strong>The account was ruined.</strong> The run stopped there; the figures below describe an account that was
          lost.
        </p>
      )}
      {view.status === "liquidated" && (
        <p class="ruin" role="alert">
          <strong>The account was liquidated:</strong> margin calls closed positions against the strategy's will. What it
          did afterwards, it did with what was left.
        </p>
      )}
      <Warnings warnings={view.warnings} />
      {view.figures.length > 0 && (
        <div class="figures">
          {view.figures.map((figure) => (
            <Tile key={figure.name} figure={figure} />
          ))}
        </div>
      )}
      <Notes notes={view.notes} />
    </header>
  );
}

function Tile({ figure }: { figure: Figure }) {
  const shown = SIGNED.has(figure.name) ? tone(figure.value) : figure.name === "max_drawdown" && figure.value ? "down" : "";
  return (
    <div class="figure" title={figure.reason ? `Unknown: ${figure.reason}` : figure.description}>
      <span class="figure-label">{figure.label}</span>
      <span class={`figure-value ${shown}`}>{inUnit(figure.value, figure.unit)}</span>
    </div>
  );
}
