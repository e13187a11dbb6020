/** What every chart of the report has in common. */
import { ColorType, CrosshairMode, type ChartOptions, type DeepPartial, type Time } from "lightweight-charts";
import { day, instant } from "../format";
import { color } from "../theme";
import { FONT } from "./font";


export function chartColors(): DeepPartial<ChartOptions> {
  return {
    layout: {
      background: { type: ColorType.Solid, color: color("card") },
      textColor: color("muted"),
      fontFamily: FONT,
      fontSize: 11,
      panes: { separatorColor: color("line"), separatorHoverColor: color("hover") },
    },
    grid: { vertLines: { color: color("grid") }, horzLines: { color: color("grid") } },
    crosshair: {
      mode: CrosshairMode.Normal,
      vertLine: { color: color("faint"), labelBackgroundColor: color("ink-soft") },
      horzLine: { color: color("faint"), labelBackgroundColor: color("ink-soft") },
    },
    rightPriceScale: { borderColor: color("line"), entireTextOnly: true },
    timeScale: { borderColor: color("line") },
  };
}

/** Colors, UTC times, and no page scrolling caught by a finger. */
export function chartOptions(intraday: boolean): DeepPartial<ChartOptions> {
  return {
    ...chartColors(),
    autoSize: true,
    handleScroll: { vertTouchDrag: false },
    localization: {
      locale: "en-US",
      timeFormatter: (time: Time) => (intraday ? `${instant(time as number)} UTC` : day(time as number)),
    },
  };
}

/** Pairs for a line series: rising whole seconds, gaps where the value is unknown. */
export function points(time: ArrayLike<number>, value: ArrayLike<number | null>, factor = 1) {
  const out: { time: Time; value?: number }[] = [];
  for (let i = 0; i < time.length; i++) {
    if (time[i] === time[i + 1]) continue;
    const v = value[i];
    out.push(v == null ? { time: time[i] as Time } : { time: time[i] as Time, value: v * factor });
  }
  return out;
}
