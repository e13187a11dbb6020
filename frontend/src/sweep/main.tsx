import { start } from "../parts/start";

start("sweep", 1, () => null);
