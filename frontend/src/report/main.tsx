import { render } from "preact";
import "../styles/tokens.css";
import "../styles/page.css";
import "../styles/controls.css";
import "../styles/charts.css";
import "../styles/band.css";
import "../styles/tables.css";
import "../styles/narrow.css";
import "../styles/print.css";
import { startTheme } from "../theme";
import { readView } from "../view";
import { Page } from "./page";
import { Broken } from "./broken";

const root = document.getElementById("page")!;
startTheme();
addEventListener("error", (e) => {
  const alert = document.createElement("p");
  alert.className = "ruin";
  alert.setAttribute("role", "alert");
  alert.textContent = `A part of this report could not be drawn: ${e.message}`;
  root.before(alert);
});
try {
  const view = readView(document.getElementById("view"));
  document.title = `${view.name} · backtest report`;
  render(<Page view={view} />, root);
} catch (e) {
  render(<Broken message={e instanceof Error ? e.message : String(e)} />, root);
}
