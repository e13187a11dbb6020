/** The sentence on top: how many were tried, and what is left of the best of them. */
import { count, day, fixed, inUnit, likely, percent, plain } from "../format";
import { Fact, listed, Notes } from "../parts/head";
import { Mark } from "../parts/mark";
import { metricOf, placeOf } from "./space";
import type { BestView, SweepView } from "./view";

export function Header({ view }: { view: SweepView }) {
  return (
    <header class="head">
      <h1>{view.name}</h1>
      <dl class="facts">
        {view.start !== null && (
          <Fact name="Period">
            {day(view.start)} to {day(view.end)}
          </Fact>
        )}
        {view.strategies.length > 0 && <Fact name="Strategy">{listed(view.strategies)}</Fact>}
        {view.symbols.length > 0 && <Fact name={view.symbols.length > 1 ? "Symbols" : "Symbol"}>{listed(view.symbols)}</Fact>}
        <Fact name={view.is_grid ? "Grid" : "Sample"}>
          {view.axes.length === 0 ? "nothing varies" : view.axes.map((a) => (view.is_grid ? `${a.label} (${a.values.length})` : a.label)).join(", ")}
        </Fact>
        {view.fixed.map(({ label, value }) => (
          <Fact key={label} name={label}>
            {plain(value)}
          </Fact>
        ))}
      </dl>
      <div class="verdict" role="note">
        <p class="verdict-line">
          {count(view.trials)} trials, {view.failed === 0 ? "none" : count(view.failed)} failed.{" "}
          {view.best === null ? "No trial has the figure that the best would be by." : <Best view={view} best={view.best} />}
        </p>
        {view.best !== null && <Meaning view={view} best={view.best} />}
      </div>
      <Notes notes={view.notes} />
    </header>
  );
}

function Best({ view, best }: { view: SweepView; best: BestView }) {
  const metric = metricOf(view, view.metric);
  const place = placeOf(view, best.row);
  return (
    <>
      The best by {metric.label} is <b>#{view.number[best.row]}</b>
      {place && ` (${place})`}:{" "}
      {metric.name !== "sharpe" && `${metric.label} ${inUnit(metric.values[best.row], metric.unit)}, `}
      <b>Sharpe {fixed(best.sharpe, 2)}</b>, <b>{likely(best.deflated)}</b>.
    </>
  );
}

function Meaning({ view, best }: { view: SweepView; best: BestView }) {
  const tried =
    view.tried !== null && view.tried > view.trials
      ? ` ${count(view.tried)} variants have ever been tried on these data.`
      : view.tried !== null
        ? " No other variant has been tried on these data."
        : "";
  if (best.deflated === null) {
    return (
      <p class="verdict-text">
        <Mark mark="unknown" /> The deflated Sharpe ratio is unknown{best.reason && `: ${best.reason}`}. Without it, the
        Sharpe ratio of the best of many says nothing.{tried}
      </p>
    );
  }
  const mark = best.deflated >= 0.95 ? "pass" : best.deflated >= 0.5 ? "doubt" : "fail";
  const luck =
    best.by_luck === null
      ? ""
      : ` Without any skill the best of so many${
          best.effective === null ? "" : ` (as many chances as ${count(Math.round(best.effective))} independent ones)`
        } is expected to show a Sharpe ratio of ${fixed(best.by_luck, 2)}.`;
  return (
    <p class="verdict-text">
      <Mark mark={mark} /> The deflated Sharpe ratio is the probability that the true one is above zero, given that this
      is the best of many: {percent(best.deflated, 0)}.{luck}
      {tried}
    </p>
  );
}
