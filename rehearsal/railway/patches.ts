import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Document, misfits, readContract } from "../platform/contract";
import type { ServiceConfig, VariableConfig } from "./serviceConfig";
import type { BackupKind } from "./state";
import { refuse } from "./world";

const contract = readContract(
  JSON.parse(readFileSync(join(__dirname, "contract", "environment.json"), "utf8")) as Document,
);

type Nullable<Whole> = { [Key in keyof Whole]?: Whole[Key] | null };

interface VariablePatch {
  readonly value?: string | null;
  readonly isSealed?: boolean | null;
  readonly generator?: string | null;
}

export interface ServicePatch {
  readonly source?: Nullable<NonNullable<ServiceConfig["source"]>> | null;
  readonly build?: Nullable<NonNullable<ServiceConfig["build"]>> | null;
  readonly deploy?: Nullable<NonNullable<ServiceConfig["deploy"]>> | null;
  readonly variables?: Readonly<Record<string, VariablePatch | null>>;
  readonly networking?: {
    readonly serviceDomains?: Readonly<Record<string, { readonly port?: number | null } | null>>;
    readonly customDomains?: Readonly<Record<string, { readonly port?: number | null } | null>>;
    readonly tcpProxies?: Readonly<Record<string, object | null>>;
  } | null;
  readonly volumeMounts?: Readonly<
    Record<string, { readonly mountPath?: string | null; readonly backupSchedules?: BackupKind[] | null } | null>
  >;
  readonly configFile?: string | null;
  readonly isCreated?: boolean;
  readonly isDeleted?: boolean;
}

/** `EnvironmentConfig`, as a change of an environment. null takes something away. */
export interface ConfigPatch {
  readonly services?: Readonly<Record<string, ServicePatch | null>>;
  readonly sharedVariables?: Readonly<Record<string, VariablePatch | null>>;
  readonly volumes?: Readonly<
    Record<
      string,
      {
        readonly sizeMB?: number | null;
        readonly region?: string | null;
        readonly isCreated?: boolean;
        readonly isDeleted?: boolean;
      } | null
    >
  >;
  readonly buckets?: Readonly<
    Record<
      string,
      { readonly region?: string | null; readonly isCreated?: boolean; readonly isDeleted?: boolean } | null
    >
  >;
  readonly privateNetworkDisabled?: boolean | null;
}

/** Reads a patch. Throws for what the configuration doesn't have. */
export function readPatch(value: unknown): ConfigPatch {
  const wrong = misfits(contract, contract.schemas["EnvironmentConfig"]!, value);
  if (wrong.length > 0) throw refuse(`Invalid environment config: ${wrong.join("; ")}`);
  return value as ConfigPatch;
}

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** One object laid over another: null takes a field away, or stays where `keepNull` says so. */
export function merge(under: Json, over: Json, keepNull = false): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...under };
  for (const [name, value] of Object.entries(over)) {
    if (value === null && !keepNull) Reflect.deleteProperty(merged, name);
    else if (isObject(value)) {
      const below = merged[name];
      merged[name] = merge(isObject(below) ? below : {}, value, keepNull);
    } else merged[name] = value;
  }
  return merged;
}

/** `secret(32)` and `secret(32, "abc")`: https://docs.railway.com/reference/templates#template-variable-functions */
function generate(generator: string): string {
  const [, length = "32", letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"] =
    /^secret\(\s*(\d*)\s*(?:,\s*"([^"]*)")?\s*\)$/.exec(generator) ?? [];
  return Array.from({ length: Number(length) }, () => letters[randomInt(letters.length)]).join("");
}

/** Lays changes over variables. What is sealed stays so. */
export function patchVariables(
  under: Readonly<Record<string, VariableConfig>>,
  over: Readonly<Record<string, VariablePatch | null>>,
): Record<string, VariableConfig> {
  const merged = { ...under };
  for (const [name, patch] of Object.entries(over)) {
    const known = under[name];
    if (patch === null) Reflect.deleteProperty(merged, name);
    else {
      const value =
        patch.value ?? (patch.generator == null ? known?.value : (known?.value ?? generate(patch.generator)));
      const isSealed = known?.isSealed === true || patch.isSealed === true;
      merged[name] = { value: value ?? "", ...(isSealed ? { isSealed } : {}) };
    }
  }
  return merged;
}

/** A service's settings with changes laid over them. */
export function patchConfig(config: ServiceConfig, patch: ServicePatch): ServiceConfig {
  const { variables = {}, source, ...rest } = patch;
  const settings = Object.fromEntries(
    Object.entries({ build: rest.build, deploy: rest.deploy, configFile: rest.configFile }).filter(
      ([, value]) => value !== undefined,
    ),
  );
  const { variables: own, source: before, ...others } = config;
  // An image takes the place of a repository, and the other way around.
  const isOther =
    (source?.image != null && before?.repo !== undefined) || (source?.repo != null && before?.image !== undefined);
  const merged =
    source === undefined ? before : source === null ? undefined : merge(isOther ? {} : { ...before }, source);
  return {
    ...(merge(others, settings) as Omit<ServiceConfig, "variables" | "source">),
    ...(merged === undefined ? {} : { source: merged }),
    variables: patchVariables(own, variables),
  };
}
