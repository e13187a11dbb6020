import { count, day, fixed, money, sentence, signed, tone } from "../format";
import { Card, Empty } from "../parts/card";
import { Columns, num } from "../parts/columns";
import { Fact, listed, Notes } from "../parts/head";
import { Manifest } from "../parts/manifest";
import { Mark, type MarkName } from "../parts/mark";
import { TopBar } from "../parts/topbar";
import { Decisions, Rows } from "./apart";
import { Orders } from "./orders";
import { Paid } from "./paid";
import type { DifferenceView, ParityView } from "./view";

export function Page({ view }: { view: ParityView }) {
  const parts: (readonly [string, string])[] = [
    ["money", "Money"],
    ["orders", "Orders"],
  ];
  if (view.decision_count > 0) parts.push(["decisions", "Decisions"]);
  if (view.data_count > 0) parts.push(["data", "Data"]);
  parts.push(["paid", "Slippage"], ["manifest", "Manifest"]);
  return (
    <>
      <TopBar name={view.name} parts={parts} />
      <main class="page">
        <Header view={view} />
        {view.difference !== null && <First difference={view.difference} />}
        <Money view={view} />
        <Orders view={view} />
        {view.decision_count > 0 && <Decisions view={view} />}
        {view.data_count > 0 && <Rows view={view} />}
        <Paid view={view} />
        <Manifest manifest={view.manifest} />
        <footer class="foot">Made by intrabar{view.created && ` on ${view.created}`}, from the session's journal alone.</footer>
      </main>
    </>
  );
}

function markOf(view: ParityView): MarkName {
  if (!view.holds || view.difference !== null) return "fail";
  return view.identical ? "pass" : "doubt";
}

const WORDS: Record<MarkName, string> = { pass: "identical", doubt: "differs", fail: "not repeated", unknown: "unknown" };

function Header({ view }: { view: ParityView }) {
  const mark = markOf(view);
  const bare = view.data_count === 0 && !view.compared;
  return (
    <header class="head">
      <h1>{view.name}</h1>
      <dl class="facts">
        {view.start !== null && (
          <Fact name="Period">
            {day(view.start)} to {day(view.end)}
          </Fact>
        )}
        <Fact name={view.symbols.length > 1 ? "Symbols" : "Symbol"}>{listed(view.symbols)}</Fact>
        <Fact name="Rows traded">{count(view.rows)}</Fact>
        <Fact name="Records">{count(view.records)}</Fact>
      </dl>
      <div class={`verdict verdict-${mark}`} role="note" aria-label="Verdict">
        <p class="verdict-line">
          <Mark mark={mark} text={view.holds ? WORDS[mark] : "parity fails"} /> {view.identical ? "The session did what the market model does." : sentence(view.headline)}
        </p>
        <p class="verdict-text">
          The journal was run again, {view.difference === null ? `and all of its ${count(view.records)} records came out the same` : "and one of its records came out otherwise"}. Its
          orders stand beside those of a twin that decides the same and is filled by the market.{" "}
          {bare && "No bar came late or was corrected; stored bars were not compared."}
        </p>
      </div>
      <Notes notes={view.notes} />
    </header>
  );
}

function First({ difference }: { difference: DifferenceView }) {
  return (
    <Card
      id="first"
      title="The first difference"
      aside={
        <span class="muted">
          record {count(difference.record)}, {difference.kind}, bar {difference.bar}, step {difference.step}
        </span>
      }
    >
      <div class="scroll-x">
        <table class="plain">
          <Columns of={["Field", "In the journal", "Run again"]} />
          <tbody>
            {difference.fields.map((field) => (
              <tr key={field.name}>
                <th scope="row">{field.name}</th>
                <td>{field.recorded}</td>
                <td>{field.again}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function Money({ view }: { view: ParityView }) {
  const { parts, rejects } = view;
  return (
    <Card id="money" title="Where the money went" aside={<span class="muted">basis points of {money(view.capital)} at the start</span>}>
      <div class="scroll-x">
        <table class="plain money">
          <Columns of={["Part", num("Money"), num("Basis points"), "What it is"]} />
          <tbody>
            {parts.map((part) => (
              <tr key={part.name}>
                <th scope="row">{part.name}</th>
                <td class={`num ${tone(part.money)}`}>{signed(money(part.money), part.money)}</td>
                <td class="num">{signed(fixed(part.basis_points, 2), part.basis_points)}</td>
                <td class="muted">
                  {part.meaning}
                  {part.name === "reject" && rejects.map((reject) => ` · ${reject.name} ${money(reject.money)}`).join("")}
                </td>
              </tr>
            ))}
            <tr>
              <th scope="row">rest</th>
              <td class={`num ${view.holds ? "" : "down"}`}>{view.rest === null ? "unknown" : money(view.rest)}</td>
              <td class="num" />
              <td class="muted">{view.holds ? "what no part explains: less than a billionth of the equity" : "more than a billionth of the equity: the parts are not the whole"}</td>
            </tr>
          </tbody>
        </table>
      </div>
      {view.rows === 0 && <Empty>No row was traded yet.</Empty>}
      <dl class="facts runs">
        {view.profit.map((run) => (
          <Fact key={run.name} name={`Profit, ${run.name}`}>
            {money(run.money)}
          </Fact>
        ))}
      </dl>
    </Card>
  );
}
