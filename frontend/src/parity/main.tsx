import { start } from "../parts/start";
import "../styles/validation.css";
import "../styles/parity.css";
import "../styles/narrow.css";
import "../styles/print.css";
import { Page } from "./page";
import { SCHEMA } from "./view";

start("parity", SCHEMA, Page);
