import { start } from "../parts/start";

start("validation", 1, () => null);
