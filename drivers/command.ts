import { ensureDriver } from "./bundle";

/**
 * The command lines that a command resource runs for one kind of platform resource. They hold no path of the checkout,
 * so that the same stack deployed from elsewhere is unchanged; the engine runs them in the project's folder.
 */
export function driverCommand(platform: string, kind: string): { create: string; update: string; delete: string } {
  const run = (verb: "apply" | "delete") => `node ${ensureDriver()} ${platform} ${kind} ${verb}`;
  return { create: run("apply"), update: run("apply"), delete: run("delete") };
}
