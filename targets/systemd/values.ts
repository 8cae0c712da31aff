import type { Database } from "../../components/declaration";
import type { Reference } from "../../components/environment";
import { publicPort, type ResolvedEnv, type Value } from "../../components/resolve";
import type { ResolvedApp } from "../../components/resolvedApp";
import { databaseName } from "../../components/values/names";
import type { Host } from "./host";
import type { PlannedBucket, PlannedSecretFile, PlannedServer } from "./plan";

/** What the program made outside of the plan, by component. */
export interface Made {
  /** Passwords of databases. */
  readonly passwords: Readonly<Record<string, string>>;
  readonly buckets: Readonly<Record<string, MadeBucket>>;
  /** Servers of databases that the host doesn't run itself. */
  readonly servers: Readonly<Record<string, PlannedServer>>;
}

/** A bucket, and how the app gets at it. */
export type MadeBucket = Omit<PlannedBucket, "name">;

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
  const { bucket, region, endpoint } = madeBucket(made, component);
  if (attribute === "region") return region;
  if (attribute === "endpoint") return endpoint ?? `https://s3.${region}.amazonaws.com`;
  return bucket;
}

/** The bucket of that name; each that the app declares is made before its plan. */
export function madeBucket(made: Made, name: string): MadeBucket {
  const bucket = made.buckets[name];
  if (bucket === undefined) throw new Error(`The bucket "${name}" reached the plan unmade.`);
  return bucket;
}

function databaseValue(app: ResolvedApp, made: Made, database: Database): string {
  const password = encodeURIComponent(made.passwords[database.name] ?? "");
  const server = made.servers[database.name];
  switch (database.engine) {
    case "sqlite":
      return database.file;
    case "external":
      return app.externalUrls[database.name] ?? "";
    case "redis":
      return server === undefined
        ? `redis://default:${password}@127.0.0.1:${portToken(database.name)}/0`
        : `redis${server.tls ? "s" : ""}://${server.user}:${password}@${server.address}:${server.port}/0`;
    case "postgres": {
      const name = databaseName(app.declaration.name, app.stack, database.name);
      if (server === undefined) return `postgresql://${name}:${password}@127.0.0.1:5432/${name}`;
      const tls = server.tls ? "?sslmode=require" : "";
      return `postgresql://${server.user}:${password}@${server.address}:${server.port}/${name}${tls}`;
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
  return { env: { ...archiveAccess(app, made, resolved), ...env }, secretFiles };
}

function textOf(value: Exclude<Value, { kind: "secretFile" }>, follow: (reference: Reference) => string): string {
  return value.kind === "reference" ? follow(value.reference) : value.value;
}

/** The standard variables of AWS SDKs, for parts that use a bucket of the app. */
export function archiveAccess(app: ResolvedApp, made: Made, resolved: ResolvedEnv): Record<string, string> {
  const names = new Set(Object.values(resolved).flatMap(({ value }) => componentOf(value)));
  const used = app.declaration.buckets.find((bucket) => names.has(bucket.name));
  if (used === undefined) return {};
  const { region, endpoint, key } = madeBucket(made, used.name);
  return {
    ...(key === undefined ? {} : { AWS_ACCESS_KEY_ID: key.accessKeyId, AWS_SECRET_ACCESS_KEY: key.secretAccessKey }),
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    ...(endpoint === undefined ? {} : { AWS_ENDPOINT_URL: endpoint }),
  };
}

const componentOf = (value: Value): string[] => (value.kind === "reference" ? [value.reference.component] : []);
