import type { Database } from "../../components/declaration";
import type { Reference } from "../../components/environment";
import { publicPort, type ResolvedEnv, type Value } from "../../components/resolve";
import type { ResolvedApp } from "../../components/resolvedApp";
import { databaseName } from "../../components/values/names";
import type { Host } from "./host";
import type { PlannedSecretFile } from "./plan";

/** What the program made outside of the plan, by component. */
export interface Made {
  /** Passwords of databases. */
  readonly passwords: Readonly<Record<string, string>>;
  /** Names of buckets. */
  readonly buckets: Readonly<Record<string, string>>;
}

/** Replaced on the host by the loopback port of a service or database. */
export const portToken = (key: string): string => `@@port:${key}@@`;

/** A service's public address; undefined for workers and internal services. */
export function publicUrl(app: ResolvedApp, host: Host, name: string): string | undefined {
  const service = app.declaration.services.find((s) => s.name === name);
  if (service?.port === undefined || service.access === "internal") return undefined;
  const domain = app.domains[name];
  if (domain !== undefined) return `https://${domain}`;
  const address = host.publicAddress.includes(":") ? `[${host.publicAddress}]` : host.publicAddress;
  return `http://${address}:${publicPort(app.settings, service) ?? service.port}`;
}

/** The text that a reference stands for on this host. */
export function resolveReference(app: ResolvedApp, host: Host, made: Made, reference: Reference): string {
  const { component, attribute } = reference;
  const { databases, services } = app.declaration;
  const database = databases.find((d) => d.name === component);
  if (database !== undefined) return databaseValue(app, made, database);
  if (services.some((s) => s.name === component)) {
    const internal = `http://127.0.0.1:${portToken(component)}`;
    return attribute === "internalUrl" ? internal : (publicUrl(app, host, component) ?? internal);
  }
  const store = app.stackSettings.objectStore;
  if (attribute === "region") return store.region;
  if (attribute === "endpoint") return store.endpoint ?? `https://s3.${store.region}.amazonaws.com`;
  return made.buckets[component] ?? "";
}

function databaseValue(app: ResolvedApp, made: Made, database: Database): string {
  const password = encodeURIComponent(made.passwords[database.name] ?? "");
  switch (database.engine) {
    case "sqlite":
      return database.file;
    case "external":
      return app.externalUrls[database.name] ?? "";
    case "redis":
      return `redis://default:${password}@127.0.0.1:${portToken(database.name)}/0`;
    case "postgres": {
      const name = databaseName(app.declaration.name, app.stack, database.name);
      return `postgresql://${name}:${password}@127.0.0.1:5432/${name}`;
    }
  }
}

/** Environment text and secret files of one service or job. */
export function plannedEnv(
  app: ResolvedApp,
  host: Host,
  made: Made,
  resolved: ResolvedEnv,
): { env: Record<string, string>; secretFiles: PlannedSecretFile[] } {
  const env: Record<string, string> = {};
  const secretFiles: PlannedSecretFile[] = [];
  for (const [variable, { value }] of Object.entries(resolved)) {
    if (value.kind === "secretFile") {
      secretFiles.push({ variable, content: value.content, rewritten: value.rewritten });
    } else env[variable] = textOf(value, (reference) => resolveReference(app, host, made, reference));
  }
  return { env: { ...archiveAccess(app, resolved), ...env }, secretFiles };
}

function textOf(value: Exclude<Value, { kind: "secretFile" }>, follow: (reference: Reference) => string): string {
  return value.kind === "reference" ? follow(value.reference) : value.value;
}

/** The standard variables of AWS SDKs, for parts that use a bucket of the app. */
function archiveAccess(app: ResolvedApp, resolved: ResolvedEnv): Record<string, string> {
  const buckets = new Set(app.declaration.buckets.map((bucket) => bucket.name));
  const uses = Object.values(resolved).some(
    ({ value }) => value.kind === "reference" && buckets.has(value.reference.component),
  );
  if (!uses) return {};
  const store = app.stackSettings.objectStore;
  const access = archiveKey(app);
  return {
    AWS_ACCESS_KEY_ID: access.accessKeyId,
    AWS_SECRET_ACCESS_KEY: access.secretAccessKey,
    AWS_REGION: store.region,
    AWS_DEFAULT_REGION: store.region,
    ...(store.endpoint === undefined ? {} : { AWS_ENDPOINT_URL: store.endpoint }),
  };
}

/** The key that an app's own parts use for its archives. */
export function archiveKey(app: ResolvedApp): { accessKeyId: string; secretAccessKey: string } {
  const store = app.stackSettings.objectStore;
  return {
    accessKeyId: app.settings.accessKeyId ?? store.accessKeyId ?? "",
    secretAccessKey: app.settings.secretAccessKey ?? store.secretAccessKey ?? "",
  };
}
