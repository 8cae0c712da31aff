export { folder, git, tarball } from "../drivers/source";
export { app, type App, type AppScope } from "./app";
export { fromStack, node, python, Volume } from "./declaration";
export { Cron, cron } from "./values/cron";
export { Duration } from "./values/duration";
export { Size } from "./values/size";
export { env } from "./variables";
