import { start } from "../parts/start";
import "../styles/validation.css";
import "../styles/narrow.css";
import "../styles/print.css";
import { Page } from "./page";
import { SCHEMA } from "./view";

start("validation", SCHEMA, Page);
