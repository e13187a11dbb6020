import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { CandleChart } from "../charts/candles";
import { candlesOf } from "../columns";
import { count, instant } from "../format";
import { useTheme } from "../theme";
import type { BarsView, ReportView } from "./view";
import { Card, Empty, Pick } from "../parts/card";
import { BarLine } from "./barline";
import { focusOf, marksOf } from "./evidence";
import { Selected } from "./selected";

const DAY = 86_400;
const SPANS = [
  ["1 day", DAY],
  ["1 week", 7 * DAY],
  ["1 month", 30.5 * DAY],
  ["1 year", 365.25 * DAY],
  ["5 years", 5 * 365.25 * DAY],
  ["All", null],
] as const;

interface MarketProps {
  view: ReportView;
  symbol: string;
  selected: number | null;
  onSymbol: (symbol: string) => void;
  onStep: (by: number) => void;
  onClear: () => void;
}

export function Market({ view, symbol, selected, onSymbol, onStep, onClear }: MarketProps) {
  const bars = view.bars.find((b) => b.symbol === symbol);
  const picker = view.bars.length > 0 && (
    <Pick
      label="Symbol"
      value={symbol}
      options={view.bars.map((b) => [b.symbol, b.symbol] as const)}
      onChange={onSymbol}
    />
  );
  return (
    <Card id="market" title="Market and fills" aside={picker}>
      {bars && bars.time.length > 0 ? (
        <CandlePane key={String(bars.period_s < DAY)} view={view} bars={bars} selected={selected} />
      ) : (
        <Empty>
          {view.bars.length === 0
            ? "This report was written without bars, so there are no candles to draw."
            : `This report has no bars of ${symbol}.`}
        </Empty>
      )}
      <Selected view={view} selected={selected} onStep={onStep} onClear={onClear} />
    </Card>
  );
}

function CandlePane({ view, bars, selected }: { view: ReportView; bars: BarsView; selected: number | null }) {
  const element = useRef<HTMLDivElement>(null);
  const stretch = useRef<HTMLOutputElement>(null);
  const chart = useRef<CandleChart | null>(null);
  const [bar, setBar] = useState<number | null>(null);
  const theme = useTheme();
  const candles = candlesOf(bars);
  const fills = useMemo(() => marksOf(view.fills, candles), [view, candles]);
  const spans = SPANS.filter(([, size]) => size === null || fits(size, bars, candles.time));

  useEffect(() => {
    chart.current = new CandleChart(element.current!, bars.period_s < DAY, setBar, (first, last) => {
      stretch.current!.textContent = `${instant(first)} to ${instant(last)}`;
    });
    return () => chart.current?.remove();
  }, []);
  useEffect(() => {
    chart.current?.setCandles(candles, fills.marks);
    setBar(null);
  }, [candles]);
  useEffect(() => {
    chart.current?.setFocus(selected === null ? null : focusOf(view, selected, candles));
  }, [selected, candles]);
  useEffect(() => chart.current?.recolor(), [theme]);

  const onKeyDown = (e: KeyboardEvent) => {
    const act = KEYS[e.key];
    if (!act || !chart.current) return;
    act(chart.current);
    e.preventDefault();
  };
  return (
    <>
      <div class="chart-tools">
        <div class="choice" role="group" aria-label="Visible time">
          {spans.map(([text, size]) => (
            <button key={text} type="button" onClick={() => chart.current?.showSpan(size)}>
              {text}
            </button>
          ))}
        </div>
        <div class="choice" role="group" aria-label="Zoom">
          <button type="button" aria-label="Zoom in" onClick={() => chart.current?.move(0, 1 / 1.5)}>
            +
          </button>
          <button type="button" aria-label="Zoom out" onClick={() => chart.current?.move(0, 1.5)}>
            −
          </button>
        </div>
        <output ref={stretch} class="muted" aria-label="Visible time" aria-live="off" />
        {bars.joined > 1 && (
          <p class="joined" role="note">
            {count(bars.total)} bars are too many for one page: each candle joins {bars.joined} of them.
          </p>
        )}
      </div>
      <BarLine view={view} candles={candles} fills={fills} index={bar ?? candles.time.length - 1} />
      <div
        ref={element}
        class="chart candle-chart"
        role="application"
        tabIndex={0}
        aria-label={`Candles of ${bars.symbol}. Arrow keys move, plus and minus zoom, Home and End jump.`}
        onKeyDown={onKeyDown}
      />
      <p class="legend">
        <span>
          <b class="buy">▲</b> buy
        </span>
        <span>
          <b class="sell">▼</b> sell, pointing at the exact price
        </span>
        <span>
          <b class="ring">○</b> stop and target were inside this bar
        </span>
        {view.levels.total > view.levels.time.length && (
          <span>
            {count(view.levels.total)} moves of stops are too many for one page: lines stand where they were first set
          </span>
        )}
      </p>
    </>
  );
}

const KEYS: Record<string, (chart: CandleChart) => void> = {
  ArrowLeft: (chart) => chart.move(-0.1, 1),
  ArrowRight: (chart) => chart.move(0.1, 1),
  "+": (chart) => chart.move(0, 1 / 1.3),
  "=": (chart) => chart.move(0, 1 / 1.3),
  "-": (chart) => chart.move(0, 1.3),
  Home: (chart) => chart.showEdge("first"),
  End: (chart) => chart.showEdge("last"),
};

function fits(size: number, bars: BarsView, time: Float64Array): boolean {
  const all = time[time.length - 1]! - time[0]!;
  return size < all && size >= 5 * bars.period_s;
}
