import type { Railway } from "../api/railway";
import type { Place } from "./find";

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
}

/** @returns undefined where there is none, or it can't be read */
export function readState(shared: Readonly<Record<string, unknown>>): State | undefined {
  const text = shared[stateVariable];
  if (typeof text !== "string") return undefined;
  try {
    const state = JSON.parse(text) as Partial<State>;
    return typeof state.app === "string" ? { app: state.app, services: state.services ?? {} } : undefined;
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
