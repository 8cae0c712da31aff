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
  /** The run that set its variables last, by the time of its begin. */
  run: "HOMEPORT_RUN",
  /** What is live, as `Proof` has it. */
  proven: "HOMEPORT_PROVEN",
  /** The domains that were added for the app, with commas: others are somebody's own. */
  domains: "HOMEPORT_DOMAINS",
} as const;

/** What is live of a service. All of it is one variable, so that no part is ever without the others. */
export interface Proof {
  /** Hash of what has been live with its settings; `none` where something else may be live than they say. */
  readonly hash: string;
  /** The run that deployed it; those of a later one sort behind. */
  readonly run?: string | undefined;
  /** Id of the deploy that is live. */
  readonly deploy?: string | undefined;
  /** Id of the deploy that was live before that run. */
  readonly previous?: string | undefined;
}

const nothing = "-";

/** What a service's variables say of what is live; undefined where it never was. */
export function readProof(env: Readonly<Record<string, string>>): Proof | undefined {
  const text = env[mark.proven];
  if (text === undefined) return undefined;
  const [hash = "none", ...rest] = text.split(" ");
  const [run, deploy, previous] = rest.map((word) => (word === nothing ? undefined : word));
  return { hash, run, deploy, previous };
}

/** A proof as its variable has it. */
export const proofText = ({ hash, run, deploy, previous }: Proof): string =>
  [hash, run ?? nothing, deploy ?? nothing, previous ?? nothing].join(" ");

/** What a service's variable says once something else may be live than its settings say: the next run deploys it. */
export const unproven = (env: Readonly<Record<string, string>>): string =>
  proofText({ ...readProof(env), hash: "none" });

/**
 * The run that was cut off before what it began was live; undefined where none was. Going on with it is part of it: a rollback
 * takes both back.
 */
export function cutOffRun(all: readonly Readonly<Record<string, string>>[]): string | undefined {
  const open = all.flatMap((env) => {
    const began = env[mark.run];
    return began === undefined || began <= (readProof(env)?.run ?? "") ? [] : [began];
  });
  return open.sort().at(-1);
}

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
