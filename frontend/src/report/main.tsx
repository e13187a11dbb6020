import { start } from "../parts/start";
import "../styles/band.css";
import "../styles/narrow.css";
import "../styles/print.css";
import { Page } from "./page";
import { SCHEMA } from "./view";

start("report", SCHEMA, Page);
