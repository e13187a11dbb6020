import { count, day, inUnit, percent, sentence } from "../format";
import { Card, Empty } from "../parts/card";
import { Fact, listed, Notes } from "../parts/head";
import { Manifest } from "../parts/manifest";
import { Mark, type MarkName } from "../parts/mark";
import { TopBar } from "../parts/topbar";
import { Picture } from "./picture";
import type { CheckView, FindingView, IntervalView, ValidationView } from "./view";

export function Page({ view }: { view: ValidationView }) {
  const parts = [
    ["checks", "Checks", view.checks.length],
    ["intervals", "Intervals", view.intervals.length],
    ["critique", "Critique", view.findings.length],
    ["manifest", "Manifest", 1],
  ] as const;
  return (
    <>
      <TopBar name={view.name} parts={parts.filter(([, , n]) => n > 0).map(([id, text]) => [id, text])} />
      <main class="page">
        <Header view={view} />
        {view.checks.length > 0 && <Checks checks={view.checks} />}
        {view.intervals.length > 0 && <Intervals rows={view.intervals} confidence={view.confidence} />}
        {view.findings.length > 0 && <Critique findings={view.findings} />}
        <Manifest manifest={view.manifest} />
        <footer class="foot">
          Made by intrabar{view.created && ` on ${view.created}`}. A check that passes says that a result was not made by
          what it looks for; none can promise the future.
        </footer>
      </main>
    </>
  );
}

const SUMS: [MarkName, string][] = [
  ["fail", "against it"],
  ["doubt", "in doubt"],
  ["pass", "for it"],
  ["unknown", "could not be made"],
];

const SUBJECTS: Record<ValidationView["subject"], string> = {
  run: "a run",
  sweep: "the best of a sweep",
  policy: "a trained policy",
  scorecard: "a learned exit against the best static one",
};

function Header({ view }: { view: ValidationView }) {
  const { sentence, mark } = view.verdict;
  const sums = SUMS.map(([name, text]) => [name, text, view.checks.filter((check) => check.mark === name).length] as const);
  return (
    <header class="head">
      <h1>{view.name}</h1>
      <dl class="facts">
        <Fact name="Judged">{SUBJECTS[view.subject]}</Fact>
        {view.start !== null && (
          <Fact name="Period">
            {day(view.start)} to {day(view.end)}
          </Fact>
        )}
        {view.symbols.length > 0 && <Fact name={view.symbols.length > 1 ? "Symbols" : "Symbol"}>{listed(view.symbols)}</Fact>}
      </dl>
      <div class={`verdict verdict-${mark}`} role="note" aria-label="Verdict">
        <p class="verdict-line">
          <Mark mark={mark} /> {sentence}
        </p>
        {view.checks.length > 0 && (
          <p class="verdict-text">
            {count(view.checks.length)} checks:{" "}
            {sums
              .filter(([, , n]) => n > 0)
              .map(([, text, n]) => `${count(n)} ${text}`)
              .join(", ")}
            .
          </p>
        )}
      </div>
      <Notes notes={view.notes} />
    </header>
  );
}

function Checks({ checks }: { checks: CheckView[] }) {
  return (
    <section id="checks" class="checks" aria-label="Checks">
      {checks.map((check) => (
        <Card key={check.name} title={sentence(check.name)} class={`check check-${check.mark}`} aside={<Mark mark={check.mark} />}>
          <p class="check-figure">{check.figure}</p>
          <p>{check.meaning}</p>
          <Picture picture={check.picture} />
          <p class="assumption">
            <b>Assumption:</b> {check.assumption}
          </p>
        </Card>
      ))}
    </section>
  );
}

function Intervals({ rows, confidence }: { rows: IntervalView[]; confidence: number }) {
  return (
    <Card id="intervals" title="How sure the figures are" aside={<span class="muted">{percent(confidence, 0)} confidence</span>}>
      <div class="scroll-x">
        <table class="plain intervals">
          <thead>
            <tr>
              <th scope="col">Metric</th>
              <th scope="col" class="num">Low</th>
              <th scope="col" class="num">Measured</th>
              <th scope="col" class="num">High</th>
              <th scope="col" class="interval-room">Around zero</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.label}>
                <th scope="row">{row.label}</th>
                <td class="num">{inUnit(row.low, row.unit)}</td>
                <td class="num">
                  <b>{inUnit(row.value, row.unit)}</b>
                </td>
                <td class="num">{inUnit(row.high, row.unit)}</td>
                <td class="interval-room">
                  <Span row={row} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

/** An interval on an axis that has zero on it. */
function Span({ row }: { row: IntervalView }) {
  const { low, high, value } = row;
  if (low === null || high === null) return <span class="muted">unknown</span>;
  const from = Math.min(0, low, value ?? 0);
  const to = Math.max(0, high, value ?? 0);
  const at = (v: number) => `${((v - from) / (to - from || 1)) * 100}%`;
  return (
    <span class="interval" title={low < 0 && high > 0 ? "The interval holds zero" : "Zero is outside of the interval"}>
      <i class="interval-zero" style={{ left: at(0) }} />
      <i class="interval-span" style={{ left: at(low), width: `calc(${at(high)} - ${at(low)})` }} />
      {value !== null && <i class="interval-value" style={{ left: at(value) }} />}
    </span>
  );
}

const SEVERITY: Record<MarkName, string> = { fail: "serious", doubt: "look at it", pass: "held", unknown: "not known" };

function Critique({ findings }: { findings: FindingView[] }) {
  const open = findings.filter((finding) => finding.mark !== "pass");
  const held = findings.filter((finding) => finding.mark === "pass");
  return (
    <Card id="critique" title="Critique" aside={<span class="muted">{count(open.length)} findings</span>}>
      {open.length === 0 && <Empty>Nothing was found that speaks against the run.</Empty>}
      <ul class="findings">
        {open.map((finding) => (
          <Finding key={finding.title} finding={finding} />
        ))}
      </ul>
      {held.length > 0 && (
        <details class="more">
          <summary>{held.length === 1 ? "One question was asked and found" : `${count(held.length)} questions were asked and found`} nothing</summary>
          <ul class="findings">
            {held.map((finding) => (
              <Finding key={finding.title} finding={finding} />
            ))}
          </ul>
        </details>
      )}
    </Card>
  );
}

function Finding({ finding }: { finding: FindingView }) {
  return (
    <li class="finding">
      <Mark mark={finding.mark} text={SEVERITY[finding.mark]} />
      <div>
        <h3>{finding.title}</h3>
        <p>{finding.evidence}</p>
        {finding.what_to_do && (
          <p class="assumption">
            <b>What to do:</b> {finding.what_to_do}
          </p>
        )}
        <Picture picture={finding.picture} />
      </div>
    </li>
  );
}
