import { ensureDriver } from "./bundle";

/** Arguments of a command resource. */
export interface DriverCommand {
  readonly create: string;
  readonly update: string;
  readonly delete: string;
  readonly logging: "stderr";
}

/**
 * The command lines that a command resource runs for one kind of platform resource. They hold no path of the checkout,
 * so that the same stack deployed from elsewhere is unchanged; the engine runs them in the project's folder.
 */
export function driverCommand(platform: string, kind: string): DriverCommand {
  const run = (verb: "apply" | "delete") => `node ${ensureDriver()} ${platform} ${kind} ${verb}`;
  // Progress goes to stderr; stdout is the result, one line that the provider's log couldn't take if it grew beyond 64 KiB.
  return { create: run("apply"), update: run("apply"), delete: run("delete"), logging: "stderr" };
}
