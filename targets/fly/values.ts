import type { Database, Service } from "../../components/declaration";
import type { Reference } from "../../components/environment";
import type { ResolvedEnv, Value } from "../../components/resolve";
import type { ResolvedApp } from "../../components/resolvedApp";
import { madeBucket, type Made } from "../systemd/values";
import { postgresToken } from "./deploy/postgres";
import { mainName, partName } from "./names";
import type { FlySettings } from "./settings";

/** The service on whose volume a file lies. */
export const ownerOf = (services: readonly Service[], file: string): Service | undefined =>
  services.find(({ volumes = [] }) => volumes.some(({ path }) => file.startsWith(`${path}/`)));

/** The port of Redis. */
export const redisPort = 6379;

/** What the program made outside of the plan: passwords and buckets by component, images by service. */
export type FlyMade = Pick<Made, "passwords" | "buckets"> & { readonly images: Readonly<Record<string, string>> };

/** A part's variables, split as Fly keeps them. */
export interface SplitEnv {
  /** In the machine's configuration, which whoever may look at the app can read. */
  readonly env: Record<string, string>;
  /** Kept by Fly's vault; every machine of the app gets all of them. */
  readonly secrets: Record<string, string>;
  /** Files by path, each the content of a secret in base64. */
  readonly files: {
    readonly path: string;
    readonly secret: string;
    readonly rewritten: boolean;
    readonly variable: string;
  }[];
}

/** Folder of secret files. */
const fileFolder = "/run/homeport";

export function splitEnv(app: ResolvedApp, settings: FlySettings, made: FlyMade, resolved: ResolvedEnv): SplitEnv {
  const split: SplitEnv = { env: {}, secrets: {}, files: [] };
  archiveAccess(app, made, resolved, split);
  for (const [variable, { value }] of Object.entries(resolved)) {
    if (value.kind === "plain") split.env[variable] = value.value;
    else if (value.kind === "secret") split.secrets[variable] = value.value;
    else if (value.kind === "secretFile") {
      const secret = `${variable}_FILE`;
      const path = `${fileFolder}/${variable}`;
      split.secrets[secret] = Buffer.from(value.content).toString("base64");
      split.files.push({ path, secret, rewritten: value.rewritten, variable });
      split.env[variable] = path;
    } else {
      const into = isSecretReference(app, value.reference) ? split.secrets : split.env;
      into[variable] = resolveReference(app, settings, made, value.reference);
    }
  }
  return split;
}

/** URLs of databases hold passwords. */
function isSecretReference(app: ResolvedApp, { component }: Reference): boolean {
  const database = app.declaration.databases.find(({ name }) => name === component);
  return database !== undefined && database.engine !== "sqlite";
}

/** The text that a reference stands for on Fly; a Postgres URL only once its cluster is there. */
export function resolveReference(app: ResolvedApp, settings: FlySettings, made: FlyMade, reference: Reference): string {
  const { component, attribute } = reference;
  const { databases, services } = app.declaration;
  const database = databases.find(({ name }) => name === component);
  if (database !== undefined) return databaseUrl(app, settings, made, database);
  const service = services.find(({ name }) => name === component);
  if (service !== undefined) {
    const internal = internalUrl(app, settings, service);
    return attribute === "internalUrl" ? internal : (publicUrl(app, settings, service) ?? internal);
  }
  const { bucket, region, endpoint } = madeBucket(systemdMade(made), component);
  if (attribute === "region") return region;
  if (attribute === "endpoint") return endpoint ?? `https://s3.${region}.amazonaws.com`;
  return bucket;
}

export const systemdMade = (made: FlyMade): Made => ({ passwords: made.passwords, buckets: made.buckets, servers: {} });

function databaseUrl(app: ResolvedApp, settings: FlySettings, made: FlyMade, database: Database): string {
  switch (database.engine) {
    case "sqlite":
      return database.file;
    case "external":
      return app.externalUrls[database.name] ?? "";
    case "redis": {
      const password = encodeURIComponent(made.passwords[database.name] ?? "");
      return `redis://default:${password}@${partName(app, settings, database.name)}.flycast:${redisPort}/0`;
    }
    case "postgres":
      return postgresToken(database.name);
  }
}

/** Services that the world connects to; the first of them, or the one with the domain, has ports 80 and 443. */
export function publicServices(app: Pick<ResolvedApp, "declaration" | "domains">): readonly Service[] {
  const shown = app.declaration.services.filter(({ port, access }) => port !== undefined && access !== "internal");
  return [...shown].sort((a, b) => Number(b.name in app.domains) - Number(a.name in app.domains));
}

/** The port at which others reach a public service. */
export function outerPort(app: ResolvedApp, service: Service): number {
  if (publicServices(app)[0]?.name === service.name) return 443;
  return app.settings.ports[service.name] ?? service.port ?? 443;
}

/** A service's public address; undefined for workers and internal services. */
export function publicUrl(app: ResolvedApp, settings: FlySettings, service: Service): string | undefined {
  if (!publicServices(app).some(({ name }) => name === service.name)) return undefined;
  const host = app.domains[service.name] ?? `${mainName(app, settings)}.fly.dev`;
  const port = outerPort(app, service);
  return port === 443 ? `https://${host}` : `https://${host}:${port}`;
}

/**
 * Internal services are reached by Flycast, which goes through Fly's proxy: so that they may listen on IPv4 alone, as many
 * images do, be woken by a request, and be replaced without losing one. `<group>.process.<app>.internal` can do none of it.
 */
function internalUrl(app: ResolvedApp, settings: FlySettings, service: Service): string {
  return service.access === "internal"
    ? `http://${partName(app, settings, service.name)}.flycast:${service.port ?? 80}`
    : `http://${service.name}.process.${mainName(app, settings)}.internal:${service.port ?? 80}`;
}

/** The standard variables of AWS SDKs, for parts that use a bucket of the app. */
function archiveAccess(app: ResolvedApp, made: FlyMade, resolved: ResolvedEnv, split: SplitEnv): void {
  const names = new Set(Object.values(resolved).flatMap(({ value }) => componentOf(value)));
  const used = app.declaration.buckets.find((bucket) => names.has(bucket.name));
  if (used === undefined) return;
  const { region, endpoint, key } = madeBucket(systemdMade(made), used.name);
  if (key !== undefined) {
    split.secrets.AWS_ACCESS_KEY_ID = key.accessKeyId;
    split.secrets.AWS_SECRET_ACCESS_KEY = key.secretAccessKey;
  }
  Object.assign(split.env, { AWS_REGION: region, AWS_DEFAULT_REGION: region });
  if (endpoint !== undefined) split.env.AWS_ENDPOINT_URL = endpoint;
}

const componentOf = (value: Value): string[] => (value.kind === "reference" ? [value.reference.component] : []);
