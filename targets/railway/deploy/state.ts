import type { Railway } from "../api/railway";
import type { Place } from "./find";
import type { Lease } from "./lease";

/** Name of the environment's shared variable that says whose the environment is, and what its services were made of. */
export const stateVariable = "HOMEPORT";

/** A version of a service that is, or was, deployed. */
export interface Version {
  /** Keyed hash of all that it was made of. */
  readonly spec: string;
  readonly deployment: string;
}
export interface RecordedService extends Partial<Version> {
  readonly id: string;
  /** Hash of those settings that Railway doesn't tell again. */
  readonly settings?: string;
  /** The size that was asked for last. */
  readonly volumeMb?: number;
  /** A custom domain of ours. */
  readonly domain?: string;
  /** The port of a TCP proxy of ours. */
  readonly tcpPort?: number;
  /** What was started and isn't known to be healthy yet. */
  readonly pending?: Version;
  /** What a rollback brings back. */
  readonly previous?: Version;
}

/** What a deploy has to know of those before it. Whoever sees the environment can read it; it holds no secret. */
export interface State {
  readonly app: string;
  readonly services: Readonly<Record<string, RecordedService>>;
  /**
   * What a run was about to make, and when (ISO 8601): a service by its name, a volume or a bucket as `partOf` calls it. One
   * that isn't listed yet isn't made a second time.
   */
  readonly making?: Readonly<Record<string, string>>;
  /** Ids of the volumes with services' data, by the service's name; also of services that were taken away. */
  readonly volumes?: Readonly<Record<string, string>>;
  /** Services that deploys have changed since the last one that came to a good end. */
  readonly deploying?: readonly string[];
  /** Services that the last deploy changed that came to a good end: what a rollback brings back. */
  readonly deployed?: readonly string[];
  /** The database of which `homeport restore` has staged a copy's return, and not committed it yet. */
  readonly restoring?: string;
  readonly lease?: Lease;
}

/** How `State.making` calls a volume of a service, or a bucket. */
export const partOf = (kind: "volume" | "bucket", name: string): string => `${kind} ${name}`;

/** @returns undefined where there is none, or it can't be read */
export function readState(shared: Readonly<Record<string, unknown>>): State | undefined {
  const text = shared[stateVariable];
  if (typeof text !== "string") return undefined;
  try {
    const state = JSON.parse(text) as Partial<State>;
    return typeof state.app === "string" ? { ...state, app: state.app, services: state.services ?? {} } : undefined;
  } catch {
    return undefined;
  }
}

const upsert =
  "mutation SetVariables($input: VariableCollectionUpsertInput!) { variableCollectionUpsert(input: $input) }";

export async function writeState(railway: Railway, place: Place, state: State): Promise<void> {
  const variables = { [stateVariable]: JSON.stringify(state) };
  await railway.ask(upsert, { input: { ...place, variables, skipDeploys: true } });
}

/** Sets all variables of a service at once, without a deploy. */
export async function setVariables(
  railway: Railway,
  place: Place,
  serviceId: string,
  variables: Readonly<Record<string, string>>,
): Promise<void> {
  await railway.ask(upsert, { input: { ...place, serviceId, variables, replace: true, skipDeploys: true } });
}
