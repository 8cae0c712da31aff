import type { Database, Service } from "../../components/declaration";
import type { Reference } from "../../components/environment";
import type { ResolvedEnv } from "../../components/resolve";
import type { ResolvedApp } from "../../components/resolvedApp";
import { archiveAccess, madeBucket, type Made } from "../systemd/values";

/** What the program made outside of the plan: passwords and buckets by component. */
export type RailwayMade = Pick<Made, "passwords" | "buckets">;

/** A file whose content a variable carries in base64. */
export interface SecretFile {
  readonly carrier: string;
  readonly path: string;
  readonly rewritten: boolean;
}

export interface RailwayEnv {
  readonly variables: Readonly<Record<string, string>>;
  /** Names of those that hold secrets. */
  readonly secrets: readonly string[];
  readonly files: readonly SecretFile[];
}

/** Folder of secret files. */
export const fileFolder = "/run/homeport";

/** Where a file that the app rewrites itself lies: below its volume, so that it outlives the deploy. */
const rewrittenFolder = ({ volumes = [] }: Service): string => `${volumes[0]?.path ?? "/var/lib"}/.homeport`;

/** What stands for a part of one of Railway's own buckets until the driver has made it. */
export const bucketToken = (bucket: string, part: "name" | "endpoint" | "region" | "key" | "secret"): string =>
  `@@bucket:${bucket}:${part}@@`;

/**
 * A part's variables as Railway keeps them.
 * @param service the one whose version and volume the part has
 * @param own the name on Railway of what has the variables, which refers to itself without it
 */
export function railwayEnv(
  app: ResolvedApp,
  made: RailwayMade,
  service: Service,
  resolved: ResolvedEnv,
  own = service.name,
): RailwayEnv {
  const variables: Record<string, string> = { ...archiveAccess(app, { ...made, servers: {} }, resolved) };
  const files: SecretFile[] = [];
  const secrets = ["AWS_SECRET_ACCESS_KEY"].filter((name) => name in variables);
  for (const [variable, { value }] of Object.entries(resolved)) {
    if (value.kind === "plain") variables[variable] = value.value;
    else if (value.kind === "secret") {
      variables[variable] = value.value;
      secrets.push(variable);
    } else if (value.kind === "secretFile") {
      const carrier = `${variable}_BASE64`;
      const path = `${value.rewritten ? rewrittenFolder(service) : fileFolder}/${variable}`;
      variables[variable] = path;
      variables[carrier] = Buffer.from(value.content).toString("base64");
      secrets.push(carrier);
      files.push({ carrier, path, rewritten: value.rewritten });
    } else {
      variables[variable] = referenceText(app, made, own, value.reference);
      if (value.reference.component in app.externalUrls) secrets.push(variable);
    }
  }
  return { variables, secrets, files };
}

/** The text that a reference stands for: Railway's own reference to another service's variable where there is one. */
function referenceText(app: ResolvedApp, made: RailwayMade, own: string, reference: Reference): string {
  const { component, attribute } = reference;
  const { databases, services } = app.declaration;
  const database = databases.find(({ name }) => name === component);
  if (database !== undefined) return databaseText(app, database);
  const service = services.find(({ name }) => name === component);
  if (service !== undefined) {
    const internal = `http://${railwayReference(own, service.name, "RAILWAY_PRIVATE_DOMAIN")}:${service.port ?? 80}`;
    return attribute === "internalUrl" ? internal : (publicUrl(app, own, service) ?? internal);
  }
  const { bucket, region, endpoint } = madeBucket({ ...made, servers: {} }, component);
  if (attribute === "region") return region;
  if (attribute === "endpoint") return endpoint ?? `https://s3.${region}.amazonaws.com`;
  return bucket;
}

/** A service's variable as another one, or it itself, refers to it. */
const railwayReference = (own: string, service: string, variable: string): string =>
  own === service ? `\${{${variable}}}` : `\${{${service}.${variable}}}`;

/** The variable of a database's service that holds its URL. */
export const urlVariable = { postgres: "DATABASE_URL", redis: "REDIS_URL" } as const;

function databaseText(app: ResolvedApp, database: Database): string {
  switch (database.engine) {
    case "sqlite":
      return database.file;
    case "external":
      return app.externalUrls[database.name] ?? "";
    case "redis":
    case "postgres":
      return `\${{${database.name}.${urlVariable[database.engine]}}}`;
  }
}

/** Whether the world connects to a service. */
export const isPublic = (service: Service): boolean => service.port !== undefined && service.access !== "internal";

function publicUrl(app: ResolvedApp, own: string, service: Service): string | undefined {
  if (!isPublic(service)) return undefined;
  return `https://${app.domains[service.name] ?? railwayReference(own, service.name, "RAILWAY_PUBLIC_DOMAIN")}`;
}
