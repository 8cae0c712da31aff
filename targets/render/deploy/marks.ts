import { createHmac } from "node:crypto";
import type { RenderService } from "../plan";

/**
 * What a deploy remembers with a service, as variables: Render's services have no labels, and a variable that is set by
 * itself deploys nothing.
 */
export const mark = {
  /** Whose it is, `hotrod-dev`. */
  owner: "HOMEPORT_ID",
  /** Hash of what its settings are made of. */
  spec: "HOMEPORT_SPEC",
  /** Hash of what has been live with these settings. */
  proven: "HOMEPORT_PROVEN",
  /** The domains that were added for the app, with commas: others are somebody's own. */
  domains: "HOMEPORT_DOMAINS",
} as const;

/** Stands for all of a service that takes a deploy to change. Keyed, as it holds short secrets. */
export function specHash(pepper: string, service: RenderService): string {
  const { part, type, code, plan, command, release, healthPath, drainSeconds, schedule, disk, env, files } = service;
  const whole = [part, type, code, plan, command, release, healthPath, drainSeconds, schedule, disk?.path, env, files];
  return createHmac("sha256", pepper).update(JSON.stringify(whole)).digest("hex").slice(0, 16);
}

/** A service's domains that were added for the app. */
export const ownDomains = (env: Readonly<Record<string, string>>): string[] =>
  (env[mark.domains] ?? "").split(",").filter((name) => name !== "");

/** The mark of these domains; none where there are none. */
export const domainsMark = (names: readonly string[]): Record<string, string> =>
  names.length === 0 ? {} : { [mark.domains]: names.join() };
