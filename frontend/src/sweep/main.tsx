import { start } from "../parts/start";
import "../styles/sweep.css";
import "../styles/narrow.css";
import "../styles/print.css";
import { Page } from "./page";
import { SCHEMA } from "./view";

start("sweep", SCHEMA, Page);
