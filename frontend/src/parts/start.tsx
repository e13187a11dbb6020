/** Show the view inside a page, or say why it cannot be shown. */
import { render, type FunctionComponent } from "preact";
import "../styles/tokens.css";
import "../styles/page.css";
import "../styles/controls.css";
import "../styles/charts.css";
import "../styles/tables.css";
import "../styles/marks.css";
import { startTheme } from "../theme";
import { readView } from "../view";
import { Broken } from "./broken";

/** `noun` is what the page is called: "report". */
export function start<View extends { schema: number; name: string }>(
  noun: string,
  schema: number,
  Page: FunctionComponent<{ view: View }>,
): void {
  const root = document.getElementById("page")!;
  startTheme();
  addEventListener("error", (e) => {
    const alert = document.createElement("p");
    alert.className = "ruin";
    alert.setAttribute("role", "alert");
    alert.textContent = `A part of this ${noun} could not be drawn: ${e.message}`;
    root.before(alert);
  });
  try {
    const view = readView<View>(document.getElementById("view"), schema);
    document.title = `${view.name} · ${noun}`;
    render(<Page view={view} />, root);
  } catch (e) {
    render(<Broken noun={noun} message={e instanceof Error ? e.message : String(e)} />, root);
  }
}
