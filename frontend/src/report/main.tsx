import { render } from "preact";
import "../styles/tokens.css";
import "../styles/page.css";
import "../styles/parts.css";
import "../styles/print.css";
import { startTheme } from "../theme";
import { readView } from "../view";
import { Page } from "./page";
import { Broken } from "./broken";

const root = document.getElementById("page")!;
startTheme();
try {
  const view = readView(document.getElementById("view"));
  document.title = `${view.name} · backtest report`;
  render(<Page view={view} />, root);
} catch (e) {
  render(<Broken message={e instanceof Error ? e.message : String(e)} />, root);
}
