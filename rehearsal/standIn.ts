import { join } from "node:path";

/** The folder of an app's stand-in. */
export const standIn = (app: string): string => join(__dirname, "standins", app);
